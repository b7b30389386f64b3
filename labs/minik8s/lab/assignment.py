"""과제를 노트북에서: `task = lab.assignment("01-first-manifest")`, `%%answer`, `task.check("runs")`, `task.export()`.

The same visible checks as the grader's, on the same fresh clusters. In the page there are no boxes and no need for any:
the code that runs is the reader's own.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from html import escape
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from minik8s.lab import magics

Kit = dict[str, Any]
PRACTICE = "practice"
"""Whose variant it is when nobody has handed one out."""


class Points(float):
    """확인 하나가 얻은 점수.

    nbgrader takes the text of a check cell's value for its points, and anything that is no number for full ones. A
    reader has been told in words already: where HTML is shown, nothing more appears.
    """

    def _repr_html_(self) -> str:
        return ""


class Download:
    """내려받을 파일 하나로 잇는 링크."""

    def __init__(self, html: str):
        self._html = html

    def __repr__(self) -> str:
        return "0"  # for nbgrader: this cell alone earns none of the hidden checks' points, see Points

    def _repr_html_(self) -> str:
        return self._html


class Assignment:
    """손에 든 과제 하나. 답은 `%%answer 이름 yaml` 셀이나 `task.answer("이름", 글)`로 적는다."""

    def __init__(self, kit: Kit):
        self.name, self.student, self.title = kit["assignment"], kit["student"], kit["title"]
        self.values: Mapping[str, Any] = kit["values"]
        self.answers: dict[str, str] = {}
        self._kit = kit
        self._checks = {row["id"]: row for row in kit["checks"]}
        self._functions = ModuleType("minik8s_visible_checks")
        exec(compile(kit["source"], f"<{self.name}의 검사>", "exec"), self._functions.__dict__)

    def answer(self, name: str, text: str) -> None:
        """답 하나를 기억한다. ValueError: 그런 답이 없을 때."""
        if name not in self._kit["answers"]:
            raise ValueError(f"{name!r}이라는 답은 없다. 있는 것: {', '.join(self._kit['answers'])}")
        self.answers[name] = text

    def check(self, name: str) -> Points:
        """보이는 검사 하나를 새 클러스터에서 해 보고, 무엇이 되었는지 말하고, 얻은 점수를 돌려준다."""
        if name not in self._checks:
            raise ValueError(f"{name!r}이라는 검사는 없다. 있는 것: {', '.join(self._checks)}")
        row = self._checks[name]
        if row["manual"]:
            print(f"[사람] {row['title']} ({row['points']:g}점): 사람이 읽고 채점한다.")
            return Points(0)
        inside = import_module("minik8s.grading.inside")
        function = getattr(self._functions, name.replace("-", "_"))
        kinds, allows = self._kit["answers"], self._kit.get("allows", ())
        message = inside.judge(function, row["needs"], self.answers, kinds, self.values, allows)
        print(f"[아직] {row['title']}\n       {message}" if message else f"[통과] {row['title']} ({row['points']:g}점)")
        return Points(0 if message else row["points"])

    def check_all(self) -> None:
        """보이는 검사를 모두 해 본다."""
        mine = [name for name, row in self._checks.items() if not row["manual"]]
        done = sum(bool(self.check(name)) for name in mine)
        print(f"{self.title}: 보이는 검사 {len(mine)}개 가운데 {done}개 통과")

    def export(self, student: str = "") -> Download:
        """제출 파일을 만들어 내려받게 한다. 이름은 `과제-학번.json`이다."""
        who = student or self.student
        content = {"assignment": self.name, "student": who, "answers": self.answers}
        data = base64.b64encode(json.dumps(content, ensure_ascii=False, indent=1).encode()).decode()
        file = escape(f"{self.name}-{who}.json", quote=True)
        missing = [name for name in self._kit["answers"] if not self.answers.get(name, "").strip()]
        note = f"<p>아직 비어 있는 답: {escape(', '.join(missing))}</p>" if missing else ""
        if who == PRACTICE:
            note += "<p>연습용 값으로 푼 답이라 제출해도 점수가 없다. 수업에서 받은 과제 파일을 먼저 열자.</p>"
        link = f'<a download="{file}" href="data:application/json;base64,{data}">제출 파일 {file} 내려받기</a>'
        return Download(f"<p>{link}</p>{note}")


_current: list[Assignment] = []


def assignment(name: str, student: str = "") -> Assignment:
    """과제를 펼친다. 나누어 받은 `과제.assignment.json`이 곁에 있으면 그것을, 없으면 연습용 변형을 쓴다."""
    beside = Path(f"{name}.assignment.json")
    if beside.exists():
        kit = json.loads(beside.read_text(encoding="utf-8"))
    else:
        found = import_module("minik8s.grading.assignment").find(name)
        who = student or PRACTICE
        kit = import_module("minik8s.grading.release").kit(found, found.variant(student=who), who)
    task = Assignment(kit)
    _current[:] = [task]
    shell = magics.shell()
    if shell is not None:
        shell.register_magic_function(_answer, "cell", "answer")
    return task


def _answer(line: str, cell: str) -> None:
    """`%%answer 이름 yaml|python`: 아래의 글을 답으로 기억한다."""
    name = (line.split() or [""])[0]
    _current[0].answer(name, cell)
    print(f"답 `{name}`을 기억했다({len(cell.splitlines())}줄).")
