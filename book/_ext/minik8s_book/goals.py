"""Learning goals as data: each goal names the cell that shows it and the exercise that checks it.

    :::{goals}
    - 파드가 Pending에 머무는 까닭을 말할 수 있다 :: unschedulable, ex-pending
    :::

The names after `::` are names of code cells, quizzes and exercises of the same page. A name that is not there,
or a goal without a cell and a check, is a build warning (and so, under -W, an error).
"""

from __future__ import annotations

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)
LABELS = {"cell": "셀", "exercise": "연습", "quiz": "퀴즈"}


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
        goal = item.astext().strip()
        kinds = set()
        for target in targets:
            kind = named.get(target)
            if kind is None:
                logger.warning("학습 목표 %r: 이 쪽에 %r라는 셀·퀴즈·연습문제가 없다", goal, target, location=item)
                continue
            kinds.add(kind)
            link = nodes.reference("", LABELS[kind], refid=target, internal=True, classes=["goal-link", f"goal-{kind}"])
            item[-1] += [nodes.Text(" "), link] if isinstance(item[-1], nodes.paragraph) else []
        if "cell" not in kinds or not kinds & {"exercise", "quiz"}:
            logger.warning(
                "학습 목표 %r: 보여 주는 셀과 확인하는 연습문제(퀴즈)가 모두 있어야 한다", goal, location=item
            )


def setup(app: Sphinx) -> None:
    app.add_directive("goals", Goals)
    app.add_transform(LinkGoals)
