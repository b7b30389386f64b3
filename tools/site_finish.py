"""After the book is built: the Korean search index, and the list from which a visited site works offline."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

UNUSED = ("searchindex.js", "objects.inv", "genindex.html", "_sources")


def index(html: Path) -> None:
    shutil.rmtree(html / "pagefind", ignore_errors=True)
    command = [sys.executable, "-m", "pagefind", "--site", str(html), "--glob", "book/**/*.html", "--force-language", "ko"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    for name in ("pagefind-ui.js", "pagefind-ui.css", "pagefind-modular-ui.js", "pagefind-modular-ui.css", "pagefind-highlight.js"):
        (html / "pagefind" / name).unlink(missing_ok=True)


def main() -> None:
    html = Path(sys.argv[1])
    for name in ("reports",):
        shutil.rmtree(html / name, ignore_errors=True)
    index(html)


if __name__ == "__main__":
    main()
