"""After the book is built: the Korean search index, and the service worker from which a visited site works offline.

MINIK8S_BASE is the path below which the site is served ("/book/"); only the page for wrong addresses needs it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKER = ROOT / "book" / "_ext" / "live" / "sw.js"
NOT_FOUND = ROOT / "book" / "_templates" / "404.html"
FIRST = "book/index.html"
ROOT_PAGE = f"""<!DOCTYPE html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="브라우저 안에서 돌려 보며 배우는 한국어 쿠버네티스 책의 첫 쪽으로 간다.">
<meta http-equiv="refresh" content="0; url={FIRST}">
<link rel="icon" href="_static/icon.svg" type="image/svg+xml">
<title>손으로 익히는 쿠버네티스</title>
</head>
<body><main><h1>손으로 익히는 쿠버네티스</h1><p><a href="{FIRST}">책의 첫 쪽</a></p></main></body>
</html>
"""
# The theme's and Sphinx' own files that no page of ours loads.
UNUSED = (
    "objects.inv",
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


PACKED = ("book.css", "book.js")
SHEET = re.compile(r'[ \t]*<link[^>]*href="((?:\.\./)*_static/)[^"]*\.css(?:\?[^"]*)?"[^>]*>\n?')
SCRIPT = re.compile(r'[ \t]*<script[^>]*\bsrc="(?:\.\./)*_static/([^"?]*)(\?[^"]*)?"[^>]*></script>\n?')
# Names, punctuation and spaces look as code does anyhow; marked, they are half of a long chapter's elements.
PLAIN = re.compile(r'<span class="(?:n|p|w)">([^<]*)</span>')
LOADER = re.compile(r"[ \t]*<script data-loader>.*?</script>\n?", re.S)
LIVE = "live/live.js"
FONT = "fonts/book.woff2"


def pack(html: Path, node: str) -> None:
    """One small sheet, and one script that comes after the first paint, in the place of all; see site_pack.mjs."""
    static = html / "_static"
    command = [node, str(ROOT / "tools" / "site_pack.mjs"), str(html), str(ROOT)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    css, js, live = (f"{name}?v={short_hash(static / name)}" for name in (*PACKED, LIVE))
    for page in html.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if SHEET.search(text):
            page.write_text(with_packed(text, css, js, live), encoding="utf-8")
    for old in [*static.glob("*.js"), *static.rglob("*.css"), static / "scripts", static / "styles"]:
        if old.name not in PACKED:
            remove(old)


def with_packed(text: str, css: str, js: str, live: str) -> str:
    """The page with the packed files, whether Sphinx or an earlier call wrote it."""
    first = SHEET.search(text)
    assert first is not None
    scripts = [found[0] for kind in (SCRIPT, LOADER) for found in kind.finditer(text)]
    wanted = {js: "text/javascript"} | ({live: "module"} if any(LIVE in script for script in scripts) else {})
    font = f'<link rel="preload" href="{first[1]}{FONT}" as="font" type="font/woff2" crossorigin />\n'
    link = f'<link rel="stylesheet" href="{first[1]}{css}" />\n' + ("" if FONT in text else font)
    text = text[: first.start()] + link + SHEET.sub("", text[first.start() :])
    text = PLAIN.sub(r"\1", LOADER.sub("", SCRIPT.sub("", text)))
    load = (
        f"for (const [name, type] of Object.entries({json.dumps(wanted)})) document.head.append(Object.assign("
        f'document.createElement("script"), {{ type, src: "{first[1]}" + name }}))'
    )
    loader = f"<script data-loader>requestAnimationFrame(() => setTimeout(() => {{ {load}; }}));</script>\n"
    text = text.replace('data-theme="auto"', 'data-theme="light"', 1)  # the theme's colours also without scripts
    before, body, after = text.rpartition("</body>")
    return before + loader + body + after


def short_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


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


def doors(html: Path) -> None:
    """The address without a page, and the one that leads nowhere."""
    (html / "index.html").write_text(ROOT_PAGE, encoding="utf-8")
    base = "/" + os.environ.get("MINIK8S_BASE", "").strip("/")
    text = NOT_FOUND.read_text(encoding="utf-8").replace("{base}", base.rstrip("/") + "/")
    (html / "404.html").write_text(text, encoding="utf-8")


def offline(html: Path) -> None:
    files = {}
    for path in sorted(html.rglob("*")):
        name = path.relative_to(html).as_posix()
        if path.is_file() and name != "sw.js" and not name.startswith("."):
            files[name] = short_hash(path)
    core = [
        name
        for name in files
        if (name.startswith("_static/") and name.endswith((".css", ".js")) and not name.startswith("_static/live/"))
        or name in ("index.html", FIRST, "_static/fonts/icons.woff2")
    ]
    text = WORKER.read_text(encoding="utf-8")
    text = text.replace("{/*files*/}", json.dumps(files, ensure_ascii=False)).replace("[/*core*/]", json.dumps(core))
    (html / "sw.js").write_text(text, encoding="utf-8")


def main() -> None:
    html = Path(sys.argv[1])
    for name in UNUSED:
        remove(html / name)
    pack(html, sys.argv[2])
    index(html)
    doors(html)
    offline(html)


if __name__ == "__main__":
    main()
