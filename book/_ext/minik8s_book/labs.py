"""Chapters and their labs point at each other: `book/NN-topic` and `labs/notebooks/NN-topic`, by name.

A lab whose name is no chapter's names its own: `chapter: 20-troubleshooting` in its head. Labs are not executed at
build time: their pages show no result before the reader has run the cells.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

FOLDER = "labs/notebooks"
PER_LAB = "처음에는 결과가 비어 있다. 셀을 차례로 돌리면 여러분의 결과가 찍힌다."
JUPYTER = ("JupyterLab에서는 ", "python3 run.py lab", "을 실행하고 ", "{file}", "을 두 번 누른다.")
KIND = ("kind에서는 ", "MINIK8S_CONTEXT=kind-minik8s python3 run.py lab", "으로 열면 같은 셀이 그 클러스터에서 돈다.")


def refer(document: str, text: str | None = None) -> addnodes.pending_xref:
    """A link to another page; its own title when no text is given."""
    inner = nodes.inline("", text or document, classes=["xref", "doc"])
    return addnodes.pending_xref(
        "", inner, reftype="doc", refdomain="std", reftarget=f"/{document}", refexplicit=text is not None, refwarn=True
    )


def mixed(parts: tuple[str, ...], **values: str) -> list[nodes.Node]:
    """Text and literals in turn."""
    made = [part.format(**values) for part in parts]
    return [nodes.literal("", part) if n % 2 else nodes.Text(part) for n, part in enumerate(made)]


def box(title: str, *paragraphs: nodes.paragraph) -> nodes.admonition:
    return nodes.admonition("", nodes.title("", title), *paragraphs, classes=["admonition", "box-lab"])


class LinkLabs(SphinxTransform):
    """Adds to a lab where it belongs and how to open it elsewhere, and to a chapter its labs."""

    default_priority = 420

    def apply(self) -> None:
        page = PurePosixPath(self.env.docname)
        sections = [node for node in self.document.children if isinstance(node, nodes.section)]
        if not sections:
            return
        if page.parent.as_posix() == FOLDER:
            sections[0].insert(1, self.head(page))
        elif found := [lab for lab in self.env.config.minik8s_labs.get(page.name, ()) if lab in self.env.found_docs]:
            self.place(sections[0], found)

    def head(self, page: PurePosixPath) -> nodes.admonition:
        first = nodes.paragraph()
        for name, labs in self.env.config.minik8s_labs.items():
            if page.as_posix() in labs and f"book/{name}" in self.env.found_docs:
                first += [nodes.Text("배우는 장: "), refer(f"book/{name}"), nodes.Text(". ")]
        first += nodes.Text(PER_LAB)
        second = nodes.paragraph("", "", *mixed(JUPYTER, file=f"notebooks/{page.name}.md"))
        second += [nodes.Text(" "), *mixed(KIND)]
        return box("이 실습을 여는 법", first, second)

    def place(self, section: nodes.section, found: list[str]) -> None:
        paragraph = nodes.paragraph()
        for number, lab in enumerate(found):
            paragraph += [nodes.Text(", ")] if number else []
            paragraph += refer(lab)
        paragraph += nodes.Text(". 이 쪽에서처럼 그 자리에서 돌리고, 단계마다 확인 셀이 알려 준다.")
        made = box("손으로 해 보기", paragraph)
        summary = next((node for node in section.findall(nodes.admonition) if "box-summary" in node["classes"]), None)
        if summary is not None:
            summary.parent.insert(summary.parent.index(summary) + 1, made)
        else:
            section += made


def find_labs(app: Sphinx, config: Any) -> None:
    """chapter name -> its labs, read from the labs' heads; a change re-reads the chapters."""
    import yaml

    found: dict[str, list[str]] = {}
    folder = PurePosixPath(FOLDER)
    for path in sorted(app.srcdir.joinpath(*folder.parts).glob("*.md")):
        head = yaml.safe_load(path.read_text(encoding="utf-8").split("---", 2)[1]) or {}
        found.setdefault(str(head.get("chapter") or path.stem), []).append(f"{FOLDER}/{path.stem}")
    config.minik8s_labs = found


def setup(app: Sphinx) -> None:
    app.add_config_value("minik8s_labs", {}, "env")
    app.connect("config-inited", find_labs)
    app.add_transform(LinkLabs)
