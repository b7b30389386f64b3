"""`<details>` as document nodes: a fold opens without JavaScript, in print and in an e-book alike."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx


class fold(nodes.General, nodes.Element):
    """A foldable block; its first child is a :class:`fold_title`."""


class fold_title(nodes.General, nodes.TextElement):
    """The line that stays visible."""


def make_fold(title: str, *children: nodes.Node, classes: list[str] | None = None) -> fold:
    return fold("", fold_title(title, title), *children, classes=["fold", *(classes or [])])


def setup(app: Sphinx) -> None:
    def tag(name: str, plain: bool) -> tuple:
        def visit(self, node):
            self.body.append(self.starttag(node, name, ""))

        def depart(self, node):
            self.body.append(f"</{name}>\n")

        def skip(self, node):
            pass

        return (visit, depart) if not plain else (skip, skip)

    for node, name in ((fold, "details"), (fold_title, "summary")):
        app.add_node(node, html=tag(name, False), epub=tag(name, False), latex=tag(name, True), text=tag(name, True))
