"""After the book is built: the Korean search index, and the service worker from which a visited site works offline."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKER = ROOT / "book" / "_ext" / "live" / "sw.js"
# The theme's and Sphinx' own files that no page of ours loads.
UNUSED = (
    "searchindex.js",
    "objects.inv",
    ".buildinfo",
    "_static/searchtools.js",
    "_static/language_data.js",
    "_static/file.png",
    "_static/plus.png",
    "_static/minus.png",
    "_static/scripts/fontawesome.js",
    "_static/scripts/fontawesome.js.map",
    "_static/scripts/fontawesome.js.LICENSE.txt",
    "_static/scripts/bootstrap.js.map",
    "_static/scripts/pydata-sphinx-theme.js.map",
    "_static/scripts/sphinx-book-theme.js.map",
    "_static/styles/pydata-sphinx-theme.css.map",
    "_static/styles/sphinx-book-theme.css.map",
    "_static/webpack-macros.html",
    "_static/sbt-webpack-macros.html",
    "_static/images",
    "_static/locales",
    "_static/vendor",
    "_static/sphinx_highlight.js",
    "_static/doctools.js",
    "_static/translations.js",
    "reports",
)
PAGEFIND_UI = (
    "pagefind-ui.js",
    "pagefind-ui.css",
    "pagefind-modular-ui.js",
    "pagefind-modular-ui.css",
    "pagefind-highlight.js",
    "pagefind-component-ui.js",
    "pagefind-component-ui.css",
)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def index(html: Path) -> None:
    shutil.rmtree(html / "pagefind", ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "pagefind",
        "--site",
        str(html),
        "--glob",
        "{book,labs}/**/*.html",
        "--force-language",
        "ko",
        "--root-selector",
        "article.bd-article",
        "--exclude-selectors",
        ".live-bar, .live-tools, .headerlink, .quiz-answers, script, .copybtn, .goal-link",
    ]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    for name in PAGEFIND_UI:
        (html / "pagefind" / name).unlink(missing_ok=True)


def offline(html: Path) -> None:
    files = {}
    for path in sorted(html.rglob("*")):
        name = path.relative_to(html).as_posix()
        if path.is_file() and name != "sw.js" and not name.startswith("."):
            files[name] = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    core = [
        name
        for name in files
        if (name.startswith("_static/") and name.endswith((".css", ".js")) and not name.startswith("_static/live/"))
        or name in ("index.html", "book/index.html", "_static/fonts/icons.woff2")
    ]
    text = WORKER.read_text(encoding="utf-8")
    text = text.replace("{/*files*/}", json.dumps(files, ensure_ascii=False)).replace("[/*core*/]", json.dumps(core))
    (html / "sw.js").write_text(text, encoding="utf-8")


def main() -> None:
    html = Path(sys.argv[1])
    for name in UNUSED:
        remove(html / name)
    index(html)
    offline(html)


if __name__ == "__main__":
    main()
