"""Assignments as pages: values of the practice variant that the page exchanges for a student's own.

tools/site_assignments.py writes the pages; it marks each value in the text, because a value may stand within code.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from .marks import BEGIN, MARK


def unmarked(text: str) -> str:
    return MARK.sub(r"\2", text)


class ShowValues(SphinxTransform):
    """A marked value becomes an inline of the class `variant-FIELD`."""

    default_priority = 340

    def apply(self) -> None:
        for text in [node for node in self.document.findall(nodes.Text) if BEGIN in node]:
            parts: list[nodes.Node] = []
            at = 0
            for mark in MARK.finditer(text):
                parts.append(nodes.Text(text[at : mark.start()]))
                parts.append(nodes.inline("", mark[2], classes=["variant", f"variant-{mark[1]}"]))
                at = mark.end()
            parts.append(nodes.Text(text[at:]))
            text.parent.replace(text, [part for part in parts if part.astext()])


def setup(app: Sphinx) -> None:
    app.add_transform(ShowValues)
