"""What surrounds a chapter: Korean labels, description and version, no foreign scripts."""

from __future__ import annotations

import gettext
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)
KOREAN = {
    "Search": "검색",
    "Skip to main content": "본문으로 건너뛰기",
    "Back to top": "맨 위로",
    "Color mode": "밝기 바꾸기",
    "Light": "밝게",
    "Dark": "어둡게",
    "System Settings": "시스템 설정",
    "Next": "다음",
    "next": "다음",
    "Previous": "이전",
    "previous": "이전",
    "previous page": "이전 쪽",
    "next page": "다음 쪽",
    "On this page": "이 쪽의 차례",
    "Contents": "차례",
    "By %(name)s": "%(name)s",
    "By": "지은이",
    "Copyright": "저작권",
    "Download source file": "소스 내려받기",
    "Download this page": "이 쪽 내려받기",
    "Fullscreen mode": "전체 화면",
    "Toggle primary sidebar": "차례 여닫기",
    "Print to PDF": "PDF로 인쇄",
    "Last updated on": "마지막 갱신",
    "Error": "오류",
    "Link to this heading": "이 절의 주소",
    "Link to this term": "이 용어의 주소",
    "Link to this image": "이 그림의 주소",
    "Link to this table": "이 표의 주소",
    "Link to this code": "이 코드의 주소",
    "Link to this definition": "이 정의의 주소",
    "Link to this toctree": "이 차례의 주소",
    "Link to this equation": "이 식의 주소",
}


class KoreanLabels(gettext.NullTranslations):
    """A fallback catalogue for the theme's own strings, which has no Korean translation."""

    def gettext(self, message: str) -> str:
        return KOREAN.get(message) or super().gettext(message)


def describe(doctree: nodes.document | None) -> str:
    """The first paragraph of prose, as a search engine shows it."""
    if doctree is None:
        return ""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            text = re.sub(r"\s+", " ", paragraph.astext()).strip()
            if len(text) > 20:
                return text if len(text) <= 150 else text[:147].rsplit(" ", 1)[0] + "…"
    return ""


def page_context(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    meta = context.get("meta") or {}
    context["page_description"] = meta.get("description") or describe(doctree) or app.config.minik8s_description
    context["kubernetes_version"] = str(meta.get("kubernetes") or app.config.minik8s_kubernetes_version)
    context["script_files"] = scripts(context["script_files"])


# Scripts of Sphinx for its own search and highlighting, which our search replaces.
UNUSED_SCRIPTS = ("doctools.js", "sphinx_highlight.js", "translations.js", "searchtools.js", "language_data.js")


def scripts(files: list[Any]) -> list[Any]:
    """Only our own host's scripts, none of which may hold up the first paint."""
    kept = []
    for file in files:
        name = str(getattr(file, "filename", file) or "")
        attributes = getattr(file, "attributes", {})
        inline = str(attributes.get("body") or "")
        if "://" in name or name.rpartition("/")[2] in UNUSED_SCRIPTS or inline.startswith("DOCUMENTATION_OPTIONS."):
            continue
        if name and attributes.get("type") != "module":
            file = type(file)(name, priority=file.priority, **{**attributes, "defer": "defer"})
        kept.append(file)
    return kept


def localise(app: Sphinx) -> None:
    if app.config.language == "ko":
        app.translator.add_fallback(KoreanLabels())


def without_search_index(app: Sphinx) -> None:
    """Our search is Pagefind: Sphinx makes no index, which a second build would miss when it is gone."""
    if app.builder.name == "html":
        app.builder.search = False
        app.config.html_additional_pages = {**app.config.html_additional_pages, "search": "search.html"}


def frame_of_all(app: Sphinx, env: Any) -> list[str]:
    """Every page shows the titles of the others: when one changes, all are written again."""
    titles = {page: title.astext() for page, title in env.titles.items()}
    now = (titles, dict(env.toctree_includes))
    before, env.minik8s_frame = getattr(env, "minik8s_frame", now), now
    return [] if now == before else sorted(env.all_docs)


def setup(app: Sphinx) -> None:
    app.add_config_value("minik8s_description", "", "html")
    app.add_config_value("comments_config", {}, "html")  # Jupyter Book always sets it; its extension is not loaded
    app.add_config_value("minik8s_kubernetes_version", "1.36", "html")
    app.connect("builder-inited", localise)
    app.connect("builder-inited", without_search_index)
    app.connect("env-updated", frame_of_all)
    app.connect("html-page-context", page_context, priority=900)
