"""The book as an EPUB, by Sphinx' own builder from the cells already executed."""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.builders.epub3 import Epub3Builder

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "_build" / "epub"


ITEM = re.compile(r'<item id="[^"]+" href="([^"]+\.xhtml)" media-type="[^"]+"(?= />)')


class Epub(Epub3Builder):
    """What Sphinx' own builder leaves out for a book like this one: pages in several folders, drawings within pages."""

    def get_toc(self) -> None:
        """Sphinx lists pages from the first one's folder: others become book/../labs/…, which no reader finds."""
        super().get_toc()
        for node in self.refnodes:
            node["refuri"] = posixpath.normpath(node["refuri"])

    def build_content(self) -> None:
        """The package says which pages hold SVG (EPUB 3.3, manifest properties)."""
        super().build_content()
        package = Path(self.outdir) / "content.opf"
        package.write_text(ITEM.sub(self._with_properties, package.read_text(encoding="utf-8")), encoding="utf-8")

    def _with_properties(self, item: re.Match[str]) -> str:
        page = (Path(self.outdir) / item[1]).read_text(encoding="utf-8")
        return item[0] + (' properties="svg"' if "<svg" in page else "")


def without_sheet(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """MyST-NB's sheet is copied only after the package is closed, and is written for browsers alone."""
    context["css_files"] = [file for file in context["css_files"] if "mystnb." not in str(file)]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_builder(Epub, override=True)
    app.connect("html-page-context", without_sheet, priority=900)
    return {"parallel_read_safe": True}


def main() -> int:
    from jupyter_book.config import get_final_config

    settings, _ = get_final_config(
        user_yaml=ROOT / "_config.yml", sourcedir=str(ROOT), cli_config={"latex_individualpages": False}
    )
    sys.path.insert(0, str(ROOT / "tools"))
    settings.update(
        extensions=[*settings["extensions"], "site_epub"],
        project=settings["html_title"],
        version="0.1",
        release="0.1",
        epub_title=settings["html_title"],
        epub_language="ko",
        epub_basename="minik8s-book",
        epub_show_urls="no",
        epub_tocscope="includehidden",
        epub_tocdup=False,
        epub_theme="epub",
        epub_uid="minik8s-book",
        epub_contributor="minik8s",
        epub_description=settings["minik8s_description"],
        epub_identifier="minik8s-book",
        epub_scheme="ID",
        epub_publisher="minik8s",
        epub_copyright="CC BY 4.0",
        html_static_path=[],
        html_css_files=[],
        html_js_files=[],
        templates_path=[],
        epub_css_files=["epub.css"],
        epub_exclude_files=["_static/*.js", "_static/scripts/*"],
        html_theme_options={},
        epub_use_index=False,
        epub_writing_mode="horizontal",
    )
    os.environ.setdefault("SOURCE_DATE_EPOCH", "1767225600")  # the same book, the same bytes
    shutil.rmtree(OUT, ignore_errors=True)
    app = Sphinx(
        str(ROOT), None, str(OUT), str(ROOT / "_build" / "epub-doctrees"), "epub", settings, warningiserror=False
    )
    app.build()
    return app.statuscode


if __name__ == "__main__":
    sys.exit(main())
