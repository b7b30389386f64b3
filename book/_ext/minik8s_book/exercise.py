"""Exercises with folded hints and solutions.

`{exercise}` and `{solution}` hold prose; the gated pairs `{exercise-start}` … `{exercise-end}` and
`{solution-start}` … `{solution-end}` may hold code cells too, which MyST-NB allows at the top level only.
"""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from .folds import make_fold

logger = logging.getLogger(__name__)
LEVELS = ("기본", "응용", "도전")


class gate(nodes.Invisible, nodes.Element):
    """Marks where a gated block starts or ends; gone after :class:`CloseGates`."""


def exercise_box(directive: SphinxDirective) -> nodes.admonition:
    counter = directive.env.temp_data
    counter["minik8s_exercise"] = counter.get("minik8s_exercise", 0) + 1
    title = f"연습문제 {counter['minik8s_exercise']}"
    if directive.arguments:
        title += f". {directive.arguments[0]}"
    children, _ = directive.state.inline_text(title, directive.lineno)
    level = directive.options.get("level", LEVELS[0])
    box = nodes.admonition("", nodes.title(title, "", *children), classes=["admonition", "exercise"])
    box[0] += [nodes.Text(" "), nodes.inline("", level, classes=["level"])]
    directive.set_source_info(box)
    directive.add_name(box)
    return box


class Exercise(SphinxDirective):
    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {
        "name": directives.unchanged_required,
        "level": lambda value: directives.choice(value, LEVELS),
    }

    def run(self) -> list[nodes.Node]:
        box = exercise_box(self)
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


class ExerciseStart(Exercise):
    def run(self) -> list[nodes.Node]:
        box = exercise_box(self)
        self.state.nested_parse(self.content, self.content_offset, box)
        return [gate("", box, side="start", kind="exercise")]


class Solution(SphinxDirective):
    """The argument is the name of the exercise."""

    has_content = True
    required_arguments = 1

    def fold(self) -> nodes.Element:
        block = make_fold("풀이", classes=["solution"])
        block["solution_of"] = self.arguments[0]
        self.set_source_info(block)
        self.state.nested_parse(self.content, self.content_offset, block)
        return block

    def run(self) -> list[nodes.Node]:
        return [self.fold()]


class SolutionStart(Solution):
    def run(self) -> list[nodes.Node]:
        return [gate("", self.fold(), side="start", kind="solution")]


class GateEnd(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return [gate("", side="end", kind=self.name.removesuffix("-end"))]


class CloseGates(SphinxTransform):
    """Moves what lies between a start and its end into the start's block."""

    default_priority = 300

    def apply(self) -> None:
        for start in list(self.document.findall(gate)):
            if start["side"] != "start" or start.parent is None:
                continue
            self.close(start)
        for end in list(self.document.findall(gate)):
            logger.warning("짝이 없는 {%s-end}", end["kind"], location=end)
            end.parent.remove(end)
        exercises = {id_ for node in self.document.findall(nodes.admonition) for id_ in node["ids"]}
        for block in self.document.findall(lambda node: isinstance(node, nodes.Element) and "solution_of" in node):
            if block["solution_of"] not in exercises:
                logger.warning("풀이가 가리키는 연습문제 %r가 이 쪽에 없다", block["solution_of"], location=block)

    def close(self, start: gate) -> None:
        parent, box = start.parent, start[0]
        first = parent.index(start) + 1
        inside = []
        for node in parent.children[first:]:
            inside.append(node)
            if isinstance(node, gate) and node["side"] == "end" and node["kind"] == start["kind"]:
                break
        else:
            logger.warning("{%s-start}가 같은 절 안에서 닫히지 않았다", start["kind"], location=box)
            inside = []
        for node in inside:
            parent.remove(node)
        box.extend(node for node in inside if not (isinstance(node, gate) and node["side"] == "end"))
        start.replace_self(box)


def setup(app: Sphinx) -> None:
    app.add_node(gate)
    app.add_directive("exercise", Exercise)
    app.add_directive("exercise-start", ExerciseStart)
    app.add_directive("exercise-end", GateEnd)
    app.add_directive("solution", Solution)
    app.add_directive("solution-start", SolutionStart)
    app.add_directive("solution-end", GateEnd)
    app.add_transform(CloseGates)
