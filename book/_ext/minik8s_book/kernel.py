"""The kernel that runs the chapters at build time: our short tracebacks, Korean plot fonts, no history file.

A page's own runtime (live/runtime.py) formats errors with the same function, so both show the same text.
"""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_cache import get_cache
from sphinx.application import Sphinx

CONFIG = """\
c = get_config()  # noqa: F821
c.HistoryManager.enabled = False
c.InteractiveShellApp.exec_lines = ["import book_kernel; book_kernel.start(get_ipython()); del book_kernel"]
"""


def prepare(app: Sphinx) -> None:
    here = Path(__file__).resolve().parent.parent
    home = Path(app.outdir).parent / ".ipython"
    profile = home / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(CONFIG, encoding="utf-8")
    os.environ["IPYTHONDIR"] = str(home)
    os.environ["PYTHONHASHSEED"] = "0"
    paths = [str(here / "live"), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)


def share_cache(app: Sphinx) -> None:
    """Make the database of outputs before the readers fork, or two of them would create its tables at once."""
    if app.env.mystnb_config.execution_mode == "cache":
        assert get_cache(app.env.mystnb_config.execution_cache_path).db


def read_in_parallel(app: Sphinx) -> None:
    """These do not say that they are safe; they act after reading (numbers) or for another builder (LaTeX)."""
    for name in ("sphinx_multitoc_numbering", "sphinx_jupyterbook_latex"):
        if name in app.extensions:
            app.extensions[name].parallel_read_safe = True


def setup(app: Sphinx) -> None:
    app.parallel = max(app.parallel, os.cpu_count() or 1)  # `jupyter-book build` has no -j
    app.connect("builder-inited", read_in_parallel)
    app.connect("builder-inited", prepare)
    app.connect("builder-inited", share_cache, priority=900)
