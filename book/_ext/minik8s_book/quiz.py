"""Quizzes: multiple choice, ordering, and predict-the-output.

    :::{quiz} q-owner
    파드를 지우면 어떻게 될까?

    - [ ] 그대로 사라진다
      > 디플로이먼트가 만든 파드라면 레플리카셋이 모자란 수를 채운다.
    - [x] 새 파드가 생긴다
      > 맞다. 이름과 IP는 달라진다.
    :::

`:type: order` takes a numbered list in the right order (shown shuffled, the same way in every build);
`:type: output` takes an `:answer:` to type in, or options as above. Feedback is a quote inside an option.
Without JavaScript the answers stand in a fold below.
"""

from __future__ import annotations

import random
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from .folds import make_fold

logger = logging.getLogger(__name__)
TYPES = ("choice", "order", "output")
MARKS = {"[x]": True, "[X]": True, "[ ]": False}


class quiz_box(nodes.General, nodes.Element):
    """The frame of one quiz; `quiz` holds its data attributes."""


def feedback_of(item: nodes.list_item) -> list[nodes.Node]:
    quotes = [child for child in item.children if isinstance(child, nodes.block_quote)]
    for quote in quotes:
        item.remove(quote)
    return [node for quote in quotes for node in quote.children]


def take_mark(item: nodes.list_item) -> bool | None:
    """Strip the leading `[x]`; None if there is no mark."""
    text = next(iter(item.findall(nodes.Text)), None)
    if text is None:
        return None
    value = str(text)
    for mark, right in MARKS.items():
        if value.startswith(mark):
            text.parent.replace(text, nodes.Text(value[len(mark) :].lstrip()))
            return right
    return None


class Quiz(SphinxDirective):
    has_content = True
    required_arguments = 1
    option_spec: ClassVar = {
        "type": lambda value: directives.choice(value, TYPES),
        "answer": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        counter = self.env.temp_data
        counter["minik8s_quiz"] = counter.get("minik8s_quiz", 0) + 1
        kind = self.options.get("type", "choice")
        box = quiz_box("", classes=["quiz"], names=[self.arguments[0]], quiz={"type": kind, "id": self.arguments[0]})
        self.set_source_info(box)
        box += nodes.paragraph("", f"퀴즈 {counter['minik8s_quiz']}", classes=["quiz-title"])
        self.state.nested_parse(self.content, self.content_offset, box)
        self.state.document.note_explicit_target(box, box)
        answers = self.order(box) if kind == "order" else self.choices(box, kind)
        box += make_fold("정답과 해설", *answers, classes=["quiz-answers"])
        return [box]

    def problem(self, text: str) -> None:
        logger.warning("퀴즈 %s: %s", self.arguments[0], text, location=(self.env.docname, self.lineno))

    def choices(self, box: quiz_box, kind: str) -> list[nodes.Node]:
        options = next((child for child in box.children if isinstance(child, nodes.bullet_list)), None)
        if "answer" in self.options:
            box["quiz"]["answer"] = self.options["answer"]
            if options is None:
                return [nodes.paragraph("", "", nodes.Text("정답: "), nodes.literal("", self.options["answer"]))]
        if options is None:
            self.problem("보기 목록이 없다")
            return []
        answers = nodes.enumerated_list(enumtype="arabic", prefix="", suffix=".", classes=["quiz-feedback"])
        right = []
        for number, item in enumerate(options.children):
            correct = take_mark(item)
            if correct is None:
                self.problem(f"{number + 1}번째 보기에 [x]나 [ ]가 없다")
            if correct:
                right.append(number)
            notes = feedback_of(item)
            if not notes:
                self.problem(f"{number + 1}번째 보기에 해설(인용문)이 없다")
            verdict = nodes.paragraph("", "", nodes.strong("", "맞다" if correct else "아니다"))
            answers += nodes.list_item("", verdict, *notes)
        if not right:
            self.problem("정답이 없다")
        box["quiz"]["right"] = " ".join(map(str, right))
        options["classes"].append("quiz-options")
        return [answers]

    def order(self, box: quiz_box) -> list[nodes.Node]:
        options = next((child for child in box.children if isinstance(child, nodes.enumerated_list)), None)
        if options is None:
            self.problem("순서대로 적은 번호 목록이 없다")
            return []
        items = list(options.children)
        answers = nodes.enumerated_list(enumtype="arabic", prefix="", suffix=".", classes=["quiz-feedback"])
        for item in items:
            notes = feedback_of(item)
            answers += nodes.list_item("", *[child.deepcopy() for child in item.children], *notes)
        order = list(range(len(items)))
        shuffler = random.Random(self.arguments[0])
        while len(order) > 1 and order == sorted(order):
            shuffler.shuffle(order)
        shown = nodes.bullet_list("", *[items[index] for index in order], classes=["quiz-options"], bullet="-")
        options.replace_self(shown)
        box["quiz"]["right"] = " ".join(str(order.index(index)) for index in range(len(items)))
        return [answers]


def setup(app: Sphinx) -> None:
    def visit(self, node):
        data = {f"data-quiz-{key}": value for key, value in node["quiz"].items()}
        self.body.append(self.starttag(node, "div", "", **data))

    def depart(self, node):
        self.body.append("</div>\n")

    def skip(self, node):
        pass

    app.add_node(quiz_box, html=(visit, depart), epub=(visit, depart), latex=(skip, skip), text=(skip, skip))
    app.add_directive("quiz", Quiz)
