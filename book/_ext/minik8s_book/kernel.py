"""The kernel that runs the chapters at build time: our short tracebacks, Korean plot fonts, no history file.

A page's own runtime (live/runtime.py) formats errors with the same function, so both show the same text.
"""

from __future__ import annotations

import os
from pathlib import Path

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


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", prepare)
