"""Start-up of the kernel that executes the chapters (build time only)."""

from __future__ import annotations

import os
import sys
from typing import Any

from book_errors import format_error


def start(shell: Any) -> None:
    """Short tracebacks and reproducible Korean plots."""

    def show(*args: Any, **kwargs: Any) -> None:
        kind, error, _ = sys.exc_info()
        if error is not None:
            shell._showtraceback(kind, error, format_error(error).split("\n"))

    shell.showtraceback = show
    shell.showsyntaxerror = show
    shell.showindentationerror = show
    korean_plots()


def korean_plots() -> None:
    """Reproducible plots with Korean letters, set up when matplotlib is first imported."""
    if "matplotlib.pyplot" in sys.modules:
        _plots()
    else:
        sys.meta_path.insert(0, _WhenImported())


class _WhenImported:
    """Sets matplotlib up at its first import, so that pages without plots do not pay for it."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "matplotlib.pyplot":
            sys.meta_path.remove(self)
            _plots()


def _plots() -> None:
    import matplotlib
    from matplotlib import font_manager

    font = os.environ.get("MINIK8S_FONT", "")
    if font and os.path.exists(font):
        font_manager.fontManager.addfont(font)
        matplotlib.rcParams["font.family"] = font_manager.FontProperties(fname=font).get_name()
    matplotlib.rcParams["axes.unicode_minus"] = False
    matplotlib.rcParams["svg.hashsalt"] = "minik8s"
    matplotlib.rcParams["svg.fonttype"] = "path"
    try:
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    set_matplotlib_formats("svg", metadata={"Date": None})
