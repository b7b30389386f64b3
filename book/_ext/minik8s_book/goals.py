"""Learning goals as data: each goal names the cell that shows it and the exercise that checks it.

    :::{goals}
    - 파드가 Pending에 머무는 까닭을 말할 수 있다 :: unschedulable, ex-pending
    :::

The names after `::` are names of code cells, quizzes and exercises of the same page. A name that is not there,
or a goal without a cell and a check, is a build warning (and so, under -W, an error).

The whole book's goals are its list of claims: `claims.json` beside the pages, and `{claims}` as a table for teachers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)
LABELS = {"cell": "셀", "exercise": "연습", "quiz": "퀴즈"}
CHECKS = ("exercise", "quiz")


def claims(env: Any) -> dict[str, list[dict[str, Any]]]:
    """Page -> its goals, each ``{"goal": text, "cell": [names], "exercise": [names], "quiz": [names]}``."""
    if not hasattr(env, "minik8s_claims"):
        env.minik8s_claims = {}
    found: dict[str, list[dict[str, Any]]] = env.minik8s_claims
    return found


class Goals(SphinxDirective):
    has_content = True

    def run(self) -> list[nodes.Node]:
        box = nodes.admonition("", nodes.title("", "학습 목표"), classes=["admonition", "box-goals"])
        self.set_source_info(box)
        targets = []
        lines = []
        for line in self.content:
            text, _, names = line.partition(" :: ")
            lines.append(text)
            if line.startswith("- "):
                targets.append([name.strip() for name in names.split(",") if name.strip()])
            elif names and targets:
                targets[-1] += [name.strip() for name in names.split(",") if name.strip()]
        content = StringList(lines, self.content.source(0) if len(self.content) else "")
        self.state.nested_parse(content, self.content_offset, box)
        box["goal_targets"] = targets
        return [box]


def kind_of(node: nodes.Element) -> str | None:
    if node.get("nb_element") == "cell_code":
        return "cell"
    classes = node.get("classes", [])
    return next((kind for kind in ("exercise", "quiz") if kind in classes), None)


class LinkGoals(SphinxTransform):
    """Appends links to the goals once all names of the page are known."""

    default_priority = 400

    def apply(self) -> None:
        named = {id_: kind_of(node) for node in self.document.findall(nodes.Element) for id_ in node.get("ids", [])}
        for box in self.document.findall(nodes.admonition):
            if "goal_targets" not in box:
                continue
            items = [item for item in box.findall(nodes.list_item) if isinstance(item.parent.parent, nodes.admonition)]
            for item, targets in zip(items, box["goal_targets"], strict=False):
                self.link(item, targets, named)

    def link(self, item: nodes.list_item, targets: list[str], named: dict[str, str | None]) -> None:
        claim: dict[str, Any] = {"goal": item.astext().strip(), **{kind: [] for kind in LABELS}}
        for target in targets:
            kind = named.get(target)
            if kind is None:
                logger.warning(
                    "학습 목표 %r: 이 쪽에 %r라는 셀·퀴즈·연습문제가 없다", claim["goal"], target, location=item
                )
                continue
            claim[kind].append(target)
            link = nodes.reference("", LABELS[kind], refid=target, internal=True, classes=["goal-link", f"goal-{kind}"])
            item[-1] += [nodes.Text(" "), link] if isinstance(item[-1], nodes.paragraph) else []
        if not claim["cell"] or not any(claim[kind] for kind in CHECKS):
            logger.warning(
                "학습 목표 %r: 보여 주는 셀과 확인하는 연습문제(퀴즈)가 모두 있어야 한다", claim["goal"], location=item
            )
        env = self.document.settings.env
        claims(env).setdefault(env.docname, []).append(claim)


class claims_table(nodes.General, nodes.Element):
    """Where the table of all claims goes, once every page has been read."""


class Claims(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        self.env.metadata[self.env.docname]["claims"] = "1"
        return [claims_table()]


def reading_order(env: Any) -> list[str]:
    """Pages in the order of the table of contents."""
    order = [env.config.root_doc]
    for page in order:
        order += [below for below in env.toctree_includes.get(page, []) if below not in order]
    return order


def row(*entries: list[nodes.Node]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *parts)) for parts in entries))


def fill_table(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for place in list(doctree.findall(claims_table)):
        body = nodes.tbody()
        for page in reading_order(app.env):
            for claim in claims(app.env).get(page, []):
                body += row(
                    [to(app, docname, page, "", app.env.titles[page].astext())],
                    [nodes.Text(claim["goal"])],
                    links(app, docname, page, claim, ("cell",)),
                    links(app, docname, page, claim, CHECKS),
                )
        head = nodes.thead("", row(*([nodes.Text(text)] for text in ("장", "학습 목표", "보여 주는 셀", "확인"))))
        widths = [nodes.colspec(colwidth=width) for width in (20, 50, 15, 15)]
        place.replace_self(nodes.table("", nodes.tgroup("", *widths, head, body, cols=4), classes=["claims"]))


def to(app: Sphinx, docname: str, page: str, name: str, text: str) -> nodes.reference:
    address = app.builder.get_relative_uri(docname, page) + (f"#{name}" if name else "")
    return nodes.reference("", text, refuri=address, internal=True)


def links(app: Sphinx, docname: str, page: str, claim: dict[str, Any], kinds: tuple[str, ...]) -> list[nodes.Node]:
    parts: list[nodes.Node] = []
    for name in (name for kind in kinds for name in claim[kind]):
        parts += [nodes.Text(", ")] if parts else []
        parts.append(to(app, docname, page, name, name))
    return parts


def forget(app: Sphinx, env: Any, docname: str) -> None:
    claims(env).pop(docname, None)


def merge(app: Sphinx, env: Any, docnames: list[str], other: Any) -> None:
    claims(env).update({name: claims(other)[name] for name in docnames if name in claims(other)})


def tables_again(app: Sphinx, env: Any) -> list[str]:
    """A page with the table shows other pages' goals, so it is written whenever one of them was read."""
    return [page for page, meta in env.metadata.items() if "claims" in meta]


def write_claims(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.name == "html":
        found = claims(app.env)
        pages = [{"page": page, "goals": found[page]} for page in reading_order(app.env) if page in found]
        text = json.dumps(pages, ensure_ascii=False, indent=1)
        (Path(app.outdir) / "claims.json").write_text(text + "\n", encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.add_node(claims_table)
    app.add_directive("goals", Goals)
    app.add_directive("claims", Claims)
    app.add_transform(LinkGoals)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", tables_again)
    app.connect("doctree-resolved", fill_table)
    app.connect("build-finished", write_claims)
