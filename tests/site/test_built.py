"""What holds of the built files themselves, without a browser."""

from __future__ import annotations

import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from site_pages import lab_pages, pages

LIVE_SHARE = 0.95
LIMIT = 9_000_000  # gzipped bytes to the first output


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.twice: set[str] = set()
        self.images_without_alt: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if values.get("id"):
            if values["id"] in self.ids:
                self.twice.add(values["id"])
            self.ids.add(values["id"])
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if tag in ("script", "img", "iframe", "source", "audio", "video") and values.get("src"):
            self.loads.append(values["src"])
        if tag == "link" and values.get("href") and values.get("rel") not in ("canonical", "license"):
            self.loads.append(values["href"])
        if tag == "img" and not values.get("alt"):
            self.images_without_alt.append(values.get("src", ""))


@pytest.fixture(scope="module")
def parsed(site: Path) -> dict[str, Page]:
    names = [*pages(), *lab_pages(), "index.html", "search.html"]
    return {name: Page((site / name).read_text(encoding="utf-8")) for name in names}


def test_internal_links_lead_somewhere(site, parsed):
    broken = []
    for name, page in parsed.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            if target.is_dir():
                target = target / "index.html"
            if not target.exists():
                broken.append(f"{name}: {link}")
                continue
            other = parsed.get(target.resolve().relative_to(site.resolve()).as_posix())
            fragment = unquote(parts.fragment)
            if fragment and other and fragment not in other.ids:
                broken.append(f"{name}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(parsed):
    assert [(name, url) for name, page in parsed.items() for url in page.loads if "//" in url] == []


def test_ids_are_unique_and_images_described(parsed):
    assert {name: page.twice for name, page in parsed.items() if page.twice} == {}
    assert {name: page.images_without_alt for name, page in parsed.items() if page.images_without_alt} == {}


def test_every_page_names_its_version_language_and_summary(site):
    for name in [*pages(), *lab_pages()]:
        text = (site / name).read_text(encoding="utf-8")
        assert '<html lang="ko"' in text
        assert re.search(r"쿠버네티스 1\.\d+에서 확인한", text), name
        assert re.search(r'<meta name="description" content="[^"]{20,}', text), name


def test_frame_is_korean(site):
    english = (
        "Show code cell",
        "Hide code cell",
        "previous page",
        "next page",
        "Toggle ",
        "Skip to",
        "Back to top",
        "On this page",
        "Link to this",
        "Copyright",
        "Contents",
    )
    for name in [*pages(), *lab_pages()]:
        text = re.sub(r"<script.*?</script>", "", (site / name).read_text(encoding="utf-8"), flags=re.S)
        body = text[text.index("<body") :]
        found = [words for words in english if re.search(rf'(>|title="|aria-label=")\s*{words}', body)]
        assert found == [], name


def cells(site: Path) -> list[dict]:
    found = []
    for name in pages():
        match = re.search(
            r'<script type="application/json" id="live-page">(.*?)</script>',
            (site / name).read_text(encoding="utf-8"),
            re.S,
        )
        if match:
            found += json.loads(match[1])["cells"]
    return found


def test_nearly_all_cells_run_in_the_page_and_the_rest_say_why(site):
    every = cells(site)
    dead = [cell for cell in every if "no-live" in cell["tags"]]
    assert all(cell["why"] for cell in dead)
    assert len(dead) <= (1 - LIVE_SHARE) * max(len(every), 20)


def test_first_output_costs_less_than_nine_megabytes(site):
    live = site / "_static" / "live"
    names = [
        "live.js",
        "worker.js",
        "python.tar.xz",
        *(f"pyodide/{name}" for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")),
    ]
    page = [site / "book" / "05-architecture.html", site / "_static" / "book.css", site / "_static" / "book.js"]
    packed = sum(len(gzip.compress(path.read_bytes(), 6)) for path in (*page, *(live / name for name in names)))
    fonts = sum(path.stat().st_size for path in (site / "_static" / "fonts").glob("*.woff2"))
    assert packed + fonts < LIMIT


def test_a_page_waits_for_one_small_style_sheet_and_no_script(site, parsed):
    sheet = site / "_static" / "book.css"
    assert len(gzip.compress(sheet.read_bytes(), 6)) < 30_000
    for name in [*pages(), *lab_pages()]:
        text = (site / name).read_text(encoding="utf-8")
        assert re.findall(r'<link[^>]*rel="stylesheet"[^>]*href="([^"?]*)', text) == [
            "../" * name.count("/") + "_static/book.css"
        ]
        assert not re.findall(r"<script[^>]*\bsrc=", text), name
        assert text.count("<script data-loader>") == 1, name


def test_the_one_style_sheet_has_all_that_running_cells_draw_with(site):
    from site_pages import ROOT

    kept = (site / "_static" / "book.css").read_text(encoding="utf-8")
    ours = [ROOT / "book" / "_static" / "site.css", ROOT / "book" / "_ext" / "live" / "live.css"]
    classes = {
        name
        for path in ours
        for name in re.findall(
            r"\.([a-z][\w-]*)", re.sub(r"/\*.*?\*/|url\(.*?\)", "", path.read_text(encoding="utf-8"), flags=re.S)
        )
    }
    assert len(classes) > 50
    assert {name for name in classes if f".{name}" not in kept} == set()


def test_the_books_letters_are_in_its_font(site):
    from fontTools.ttLib import TTFont

    font = TTFont(site / "_static" / "fonts" / "book.woff2").getBestCmap()
    hangul = {char for name in pages() for char in (site / name).read_text(encoding="utf-8") if "가" <= char <= "힣"}
    assert len(hangul) > 500
    assert {char for char in hangul if ord(char) not in font} == set()


def test_chapters_and_labs_lead_to_each_other(parsed):
    """Every lab is read in a chapter that links to it, and says which."""
    chapters = {name: page.links for name, page in parsed.items() if name.startswith("book/")}
    for lab in lab_pages():
        back = [link for link in parsed[lab].links if link.startswith("../../book/")]
        linked = [name for name, links in chapters.items() if f"../{lab}" in links and f"../../{name}" in back]
        assert [name for name in linked if name not in ("book/labs.html", "book/incidents.html")], lab


def test_theme_ships_no_icon_script(site):
    assert not [name for name in pages() if "fontawesome" in (site / name).read_text(encoding="utf-8")]
