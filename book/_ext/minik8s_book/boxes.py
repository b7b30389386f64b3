"""Boxes that every chapter uses: a prediction, a misconception, a summary, a word on real clusters."""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .folds import make_fold


class Box(SphinxDirective):
    """An admonition with a fixed class and a default Korean title; the argument replaces or follows the title."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {"name": directives.unchanged, "class": directives.class_option}
    kind = ""
    title = ""
    argument_follows = False

    def run(self) -> list[nodes.Node]:
        box = nodes.admonition("", classes=["admonition", f"box-{self.kind}", *self.options.get("class", [])])
        self.set_source_info(box)
        box += self._title()
        self.state.nested_parse(self.content, self.content_offset, box)
        self.add_name(box)
        return [box]

    def _title(self) -> nodes.title:
        text = self.title
        if self.arguments:
            text = f"{self.title}: {self.arguments[0]}" if self.argument_follows else self.arguments[0]
        children, messages = self.state.inline_text(text, self.lineno)
        return nodes.title(text, "", *children, *messages)


class Predict(Box):
    """A question to answer before running the next cell; `{reveal}` inside folds the check."""

    kind, title, argument_follows = "predict", "먼저 예측해 보기", True


class Misconception(Box):
    """The myth is the argument, the correction the body."""

    kind, title, argument_follows = "misconception", "흔한 오해", True


class Summary(Box):
    kind, title = "summary", "한눈 요약"


class RealCluster(Box):
    kind, title = "realcluster", "실제 클러스터에서는"


class Story(Box):
    kind, title = "story", "이야기"


class Reveal(SphinxDirective):
    """A fold with any title."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    title = "확인하기"
    kind = "reveal"

    def run(self) -> list[nodes.Node]:
        block = make_fold(self.arguments[0] if self.arguments else self.title, classes=[self.kind])
        self.state.nested_parse(self.content, self.content_offset, block)
        return [block]


class Hint(Reveal):
    """Also MyST's own `hint` with `:class: dropdown`, as notebooks write it: JupyterLab folds that form too."""

    option_spec: ClassVar = {"class": directives.class_option}
    title, kind = "힌트", "hint"


def setup(app: Sphinx) -> None:
    for box in (Predict, Misconception, Summary, RealCluster, Story):
        app.add_directive(box.kind, box)
    app.add_directive("reveal", Reveal)
    app.add_directive("clue", Hint)
    app.add_directive("hint", Hint, override=True)
