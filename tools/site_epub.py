"""The book as an EPUB, by Sphinx' own builder from the cells already executed."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "_build" / "epub"


def main() -> int:
    from jupyter_book.config import get_final_config
    from sphinx.application import Sphinx

    settings, _ = get_final_config(
        user_yaml=ROOT / "_config.yml", sourcedir=str(ROOT), cli_config={"latex_individualpages": False}
    )
    settings.update(
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
        epub_uid="book-id",
        epub_contributor="minik8s",
        epub_description=settings["minik8s_description"],
        epub_identifier="urn:minik8s:book",
        epub_scheme="URN",
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
