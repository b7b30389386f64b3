"""One PDF of the whole book: the built pages joined in the order of the table of contents, printed by Chromium.

Links between pages become links inside the file; folds are open; the headings become bookmarks.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
from pathlib import Path
from urllib.parse import unquote, urldefrag

import site_serve
import yaml
from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
OUT = ROOT / "_build" / "pdf"
NAME, FONTS = "_print.html", "_print-fonts"
WEIGHTS = {weight: f"Pretendard-{name}.ttf" for weight, name in
           {400: "Regular", 500: "Medium", 600: "SemiBold", 700: "Bold"}.items()}  # fmt: skip
STATIC = ROOT / "node_modules" / "pretendard" / "dist" / "public" / "static" / "alternative"
DROP = ".headerlink, .live-bar, .live-tools, .copybtn, script, .predict-note, noscript"
FOOTER = '<div style="width:100%;font-size:8px;text-align:center"><span class="pageNumber"></span></div>'


def order(toc: dict) -> list[tuple[str | None, str]]:
    """(part title at its first chapter, page) in reading order."""
    pages: list[tuple[str | None, str]] = [(None, toc["root"])]
    for part in toc.get("parts", [{"chapters": toc.get("chapters", [])}]):
        for number, chapter in enumerate(part["chapters"]):
            pages.append((part.get("caption") if number == 0 else None, chapter["file"]))
            pages += [(None, section["file"]) for section in chapter.get("sections", [])]
    return pages


def slug(page: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", page.lower())


def article(page: str, known: set[str]) -> Tag:
    soup = BeautifulSoup((HTML / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    found = soup.select_one("article.bd-article")
    assert found is not None, page
    for node in found.select(DROP):
        node.decompose()
    for node in found.select("[id]"):
        node["id"] = f"{slug(page)}--{node['id']}"
    for node in found.select("[aria-labelledby], label[for]"):
        for name in ("aria-labelledby", "for"):
            if name in node.attrs:
                node[name] = f"{slug(page)}--{node[name]}"
    for link in found.select("a[href]"):
        link["href"] = inside(page, str(link["href"]), known)
    for image in found.select("img[src]"):
        image["src"] = os.path.normpath(Path(page).parent / str(image["src"])).replace(os.sep, "/")
    for fold in found.select("details"):
        fold["open"] = ""
    found["id"] = slug(page)
    return found


def inside(page: str, href: str, known: set[str]) -> str:
    """A link to another page of the book as a link within the one file."""
    if re.match(r"[a-z]+:", href):
        return href
    path, fragment = urldefrag(href)
    target = (
        os.path.normpath(Path(page).parent / unquote(path)).replace(os.sep, "/").removesuffix(".html") if path else page
    )
    if target not in known:
        return href
    return f"#{slug(target)}--{unquote(fragment)}" if fragment else f"#{slug(target)}"


def styles() -> str:
    """The site's style sheet with one font file per weight: of a variable font, a PDF would get bare outlines."""
    css = (HTML / "_static" / "book.css").read_text(encoding="utf-8")
    css = re.sub(r"@font-face\{[^}]*Pretendard[^}]*\}", "", css)
    css = re.sub(r"url\((?![\"']?(?:data:|#))", "url(_static/", css)
    faces = [
        f'@font-face{{font-family:"Pretendard Variable";font-weight:{weight};src:url({FONTS}/{file})}}'
        for weight, file in WEIGHTS.items()
    ]
    return "".join(faces) + css


def lost_links(text: str) -> list[str]:
    """Links inside the one file that lead nowhere, and links to files that are not in it."""
    soup = BeautifulSoup(text, "html.parser")
    places = {str(node["id"]) for node in soup.select("[id]")}
    links = [str(node["href"]) for node in soup.select("a[href]")]
    return sorted({link for link in links if not re.match(r"[a-z]+:", link) and link.removeprefix("#") not in places})


def join() -> None:
    pages = order(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
    known = {page for _, page in pages}
    title = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["title"]
    body = [
        f'<h1 class="part">{part}</h1>{article(page, known)}' if part else str(article(page, known))
        for part, page in pages
    ]
    lost = lost_links("".join(body))
    if lost:
        sys.exit(f"ERROR: PDF 안에서 갈 곳이 없는 링크: {', '.join(lost[:10])}")
    extra = "article{break-before:page} h1.part{break-before:page;margin-top:40%;text-align:center}"
    (HTML / NAME).write_text(
        f'<!DOCTYPE html><html lang="ko" data-theme="light" data-mode="light"><head><meta charset="utf-8">'
        f"<title>{title}</title>"
        f"<style>{styles()}{extra}</style></head><body>{''.join(body)}</body></html>",
        encoding="utf-8",
    )


def main() -> None:
    program = os.environ.get("MINIK8S_CHROME")
    if not program:
        sys.exit("ERROR: PDF를 만들려면 크로미움(또는 크롬)이 있어야 한다")
    from playwright.sync_api import sync_playwright

    join()
    (HTML / FONTS).mkdir(exist_ok=True)
    for file in WEIGHTS.values():
        shutil.copyfile(STATIC / file, HTML / FONTS / file)
    OUT.mkdir(parents=True, exist_ok=True)
    server = site_serve.make(HTML, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/{NAME}")
            page.evaluate("document.fonts.ready")
            page.pdf(
                path=str(OUT / "minik8s-book.pdf"),
                format="A4",
                print_background=True,
                outline=True,
                tagged=True,
                margin={"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"},
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=FOOTER,
            )
            browser.close()
    finally:
        server.shutdown()
        (HTML / NAME).unlink(missing_ok=True)
        shutil.rmtree(HTML / FONTS)
    print(OUT / "minik8s-book.pdf")


if __name__ == "__main__":
    main()
