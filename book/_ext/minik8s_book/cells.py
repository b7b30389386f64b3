"""Code cells of a page: names to link to, SVG inline, and the data from which the page runs them."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from myst_nb.core import render
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from .assignments import unmarked

logger = logging.getLogger(__name__)
OUTPUT_FOLDER = "jupyter_execute"
NAME = re.compile(r"[a-z][a-z0-9-]*")


class MarkCells(SphinxTransform):
    """Gives a cell its name as an id, and a class with its index in the notebook."""

    default_priority = 350

    def apply(self) -> None:
        for node in self.document.findall(nodes.container):
            if node.get("nb_element") != "cell_code":
                continue
            node["classes"].append(f"nb-cell-{node['cell_index']}")
            name = node["cell_metadata"].get("name")
            if not name:
                continue
            if not NAME.fullmatch(name):
                logger.warning("셀 이름 %r: 소문자·숫자·붙임표만 쓴다", name, location=node)
                continue
            node["names"].append(name)
            self.document.note_explicit_target(node, node)


def join_streams(outputs: list[Any]) -> list[Any]:
    """Text that the kernel sent in pieces, as one; unlike MyST-NB's own, never across another output."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream" == last.get("output_type") and output["name"] == last["name"]:
            joined[-1] = nbformat.from_dict({**last, "text": last["text"] + output["text"]})
        else:
            joined.append(output)
    return joined


def render_svg_inline(original):
    """Keep an SVG in the page: it then follows the theme's colours and fonts, and equals the live output."""

    def render_image(self, data):
        if data.mime_type != "image/svg+xml":
            return original(self, data)
        text = data.string
        if "Matplotlib" in text[:2000]:  # its <style> and ids would reach the whole page: keep it a picture
            images = original(self, data)
            for image in images:
                image["alt"] = data.cell_metadata.get("alt", "")
                if not image["alt"]:
                    self.logger.warning("그림 셀에는 `:alt:`로 그림 설명을 적는다", subtype="alt", line=data.line)
            return images
        start = text.find("<svg")
        return [nodes.raw(text=text[max(start, 0) :], format="html", classes=["output", "image_svg"])]

    return render_image


BAR = """<div class="live-bar pst-js-only">
<button type="button" class="live-run" aria-label="셀 {number} 실행"><span class="live-label">실행</span></button>
<button type="button" class="live-again" aria-label="셀 {number}: 처음부터 여기까지 실행">처음부터</button>
<button type="button" class="live-edit" aria-label="셀 {number} 고치기">고치기</button>
<button type="button" class="live-undo" aria-label="셀 {number} 되돌리기" hidden>되돌리기</button>
<span class="live-state" role="status"></span>
</div>"""
TOOLS = """<div class="live-tools pst-js-only" role="group" aria-label="이 쪽의 코드">
<button type="button" data-live="all">모두 실행</button>
<button type="button" data-live="reset">모두 되돌리기</button>
<button type="button" data-live="notebook">.ipynb 내려받기</button>
<button type="button" data-live="python">.py 내려받기</button>
</div>"""
NO_REASON = "이 셀은 페이지 안에서 돌지 않는다."


class AddBars(SphinxPostTransform):
    """The buttons of each cell, in the page from the start so that nothing moves when the program loads."""

    default_priority = 3
    builders = ("html",)

    def run(self, **kwargs: Any) -> None:
        if self.document.settings.env.metadata.get(self.env.docname, {}).get("live") in (False, "false"):
            return
        number = 0
        for cell in self.document.findall(nodes.container):
            if cell.get("nb_element") != "cell_code":
                continue
            number += 1
            source = next((part for part in cell.children if "cell_input" in part.get("classes", [])), None)
            if source is None:
                continue
            if "no-live" in cell["cell_metadata"].get("tags", []):
                why = cell["cell_metadata"].get("why")
                if not why:
                    logger.warning("no-live 셀에는 `:why:`로 까닭을 적는다", location=cell)
                source += nodes.paragraph("", why or NO_REASON, classes=["live-why"])
            else:
                source += nodes.raw("", BAR.format(number=number), format="html")
        if number:
            title = next(iter(self.document.findall(nodes.title)), None)
            if title is not None:
                place = title.parent.index(title) + 1
                title.parent.insert(place, nodes.raw("", TOOLS, format="html"))


def render_widget_static(self: Any, data: Any) -> list[nodes.Node]:
    """A widget before its page runs: what its Output shows, and how its controls stand."""
    metadata = self.renderer.nb_client.nb_metadata
    state = metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    content = data.content if isinstance(data.content, dict) else json.loads(data.string)
    return [
        nodes.raw(text=f'<div class="output widget">{widget_html(state, content["model_id"])}</div>', format="html")
    ]


def widget_html(state: dict[str, Any], model_id: str) -> str:
    model = state.get(model_id, {})
    name, values = model.get("model_name", ""), model.get("state", {})
    label = escape(str(values.get("description") or "값"))
    if "children" in values:
        return "".join(widget_html(state, child.removeprefix("IPY_MODEL_")) for child in values["children"])
    if name == "OutputModel":
        return "".join(output_html(item) for item in values.get("outputs", []))
    if "value" in values and name.endswith(("SliderModel", "TextModel", "CheckboxModel")):
        shown = {True: "켬", False: "끔"}[values["value"]] if name == "CheckboxModel" else str(values["value"])
        return f'<p class="widget-row">{label}: <span class="widget-value">{escape(shown)}</span></p>'
    return ""


def output_html(item: dict[str, Any]) -> str:
    data = item.get("data", {})
    rich = data.get("text/html") or data.get("image/svg+xml")
    if rich:
        kind = "text_html" if "text/html" in data else "image_svg"
        return f'<div class="output {kind}">{"".join(rich)}</div>'
    kind = "stream" if item.get("output_type") == "stream" else "text_plain"
    text = escape("".join(item.get("text", "") or data.get("text/plain", "")))
    return f'<div class="output {kind} highlight-none notranslate"><div class="highlight"><pre>{text}</pre></div></div>'


def live_page(app: Sphinx, pagename: str, meta: dict[str, Any]) -> dict[str, Any] | None:
    """The cells of a page as data for live.js, or None if it has none."""
    path = Path(app.outdir).parent / OUTPUT_FOLDER / f"{pagename}.ipynb"
    if pagename not in app.env.all_docs or not path.exists():
        return None
    notebook = nbformat.read(path, as_version=4)
    cells = [
        {
            "index": index,
            "source": cell.source,
            "tags": cell.metadata.get("tags", []),
            "name": cell.metadata.get("name", ""),
            "why": cell.metadata.get("why", ""),
        }
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code"
    ]
    if not cells or (meta or {}).get("live") in (False, "false"):
        return None
    return {"page": pagename, "cells": cells}


def add_live(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    page = live_page(app, pagename, context.get("meta") or {}) if app.builder.name == "html" else None
    if page is None:
        return
    text = json.dumps(page, ensure_ascii=False).replace("</", "<\\/")
    context["body"] += f'\n<script type="application/json" id="live-page">{text}</script>\n'
    app.add_js_file("live/live.js", type="module")
    app.add_css_file("live/live.css")


def write_notebooks(app: Sphinx, exception: Exception | None) -> None:
    """Each page as a notebook without outputs, which the page's export fills with the reader's edits."""
    if exception is not None or app.builder.name != "html":
        return
    folder, made = Path(app.outdir) / "_static" / "notebooks", Path(app.outdir).parent / OUTPUT_FOLDER
    for path in sorted(made.rglob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        for index, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{index}"
            cell.source = unmarked(cell.source)
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            cell.metadata = {key: value for key, value in cell.metadata.items() if key in ("name", "tags")}
        notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        target = folder / path.relative_to(made)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(nbformat.writes(notebook, version=4) + "\n", encoding="utf-8")


def code_fold(self: Any, node: nodes.Element) -> None:
    """MyST-NB's fold of a cell, with a label that says the same to everyone."""
    classes = " ".join(node["classes"])
    what = "코드와 결과" if "all" in classes else "결과" if "output" in classes and "input" not in classes else "코드"
    if "tag_solution" in (node.parent or {}).get("classes", []):
        what = "풀이"
    self.body.append(f'<details class="fold code-fold"><summary>{what} 보기</summary>\n')


def setup(app: Sphinx) -> None:
    from myst_nb.sphinx_ import HideCodeCellNode

    fold = (code_fold, lambda self, node: self.body.append("</details>\n"))
    app.add_node(HideCodeCellNode, override=True, html=fold, epub=fold)
    render.NbElementRenderer.render_image = render_svg_inline(render.NbElementRenderer.render_image)
    render.coalesce_streams = join_streams
    render.NbElementRenderer.render_widget_view = render_widget_static
    render.NbElementRenderer.render_nb_finalise = lambda self, metadata: None  # no widget manager in the page
    app.add_transform(MarkCells)
    app.add_post_transform(AddBars)
    app.connect("build-finished", write_notebooks)
    app.connect("html-page-context", add_live)
