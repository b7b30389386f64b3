"""`13장` in running text becomes a link to that chapter: a reader should not have to count in the table of contents."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.nodes import make_refnode

MENTION = re.compile(r"(?<![\d가-힣.])(\d{1,2})장(?=[^\d]|$)")
CHAPTER = re.compile(r"(\d\d)-")
LEFT_ALONE = (nodes.reference, nodes.literal, nodes.FixedTextElement, nodes.title, nodes.raw, nodes.image)
"""Where a link would be nested, or change what is quoted."""


def chapters(names: set[str]) -> dict[int, str]:
    """The document of each numbered chapter: book/13-config-secrets is 13."""
    found = {}
    for name in names:
        path = PurePosixPath(name)
        number = CHAPTER.match(path.name)
        if number and path.parent.name == "book":
            found[int(number[1])] = name
    return found


def link_mentions(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    known = chapters(app.env.found_docs)
    for text in list(doctree.findall(nodes.Text)):
        if MENTION.search(text) and not _inside(text):
            text.parent.replace(text, _linked(app, text, known, docname))


def _inside(text: nodes.Text) -> bool:
    node = text.parent
    while node is not None:
        if isinstance(node, LEFT_ALONE) or node.tagname == "fold_title":
            return True
        node = node.parent
    return False


def _linked(app: Sphinx, text: nodes.Text, known: dict[int, str], docname: str) -> list[nodes.Node]:
    out: list[nodes.Node] = []
    words, end = text.astext(), 0
    for match in MENTION.finditer(words):
        target = known.get(int(match[1]))
        if target is None or target == docname:
            continue
        out.append(nodes.Text(words[end : match.start()]))
        out.append(make_refnode(app.builder, docname, target, "", nodes.Text(match[0])))
        end = match.end()
    out.append(nodes.Text(words[end:]))
    return [node for node in out if not isinstance(node, nodes.Text) or node]


def setup(app: Sphinx) -> None:
    app.connect("doctree-resolved", link_mentions)
