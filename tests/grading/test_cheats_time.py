# ruff: noqa: E501
"""Code that sleeps costs its grader a bounded wait, counted in boxes and seconds that a counterfeit box tells."""

from typing import Any

import pytest

from grading.conftest import SECRET, needs_box
from minik8s.grading import case as cases
from minik8s.grading import judge
from minik8s.grading.assignment import Assignment, find
from minik8s.grading.sandbox import Box, BoxDied, BoxError


class Sleeper:
    """A box whose code answers late, or never. What it is asked is counted."""

    made: int
    asked: int

    def __init__(self, handle: Any, takes: float, dies: bool, where: str):
        Sleeper.made += 1
        self.waited, self.writes, self._takes, self._dies, self._where = 0.0, 0, takes, dies, where

    def load(self, text: str) -> None:
        self._answer("load")

    def call(self, name: str, *args: Any) -> None:
        self._answer("call")

    def yaml(self, text: str) -> list[Any]:
        self._answer("yaml")
        return []

    def _answer(self, where: str) -> None:
        Sleeper.asked += 1
        if where == self._where:
            self.waited += self._takes
            if self._dies:
                raise BoxDied("너무 오래 걸렸다.")

    def __enter__(self) -> "Sleeper":
        return self

    def __exit__(self, *error: object) -> None:
        return

    def close(self) -> None:
        return


def outcomes(assignment: Assignment, takes: float, dies: bool, where: str) -> list[dict[str, Any]]:
    Sleeper.made = Sleeper.asked = 0
    answers = dict.fromkeys(assignment.answers, "x = 1")
    values = assignment.variant(SECRET, "cheat")
    return list(judge.outcomes(assignment, answers, values, lambda handle: Sleeper(handle, takes, dies, where)))  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(("name", "where"), [("05-controller", "load"), ("05-controller", "call"), ("04-scheduler-plugin", "load"),
                                             ("01-first-manifest", "yaml")])
def test_the_wall_clock_is_waited_for_once(name: str, where: str) -> None:
    found = outcomes(find(name), 20.0, True, where)
    assert Sleeper.made == 1 and len(found) > 3
    assert [o["passed"] for o in found] == [False] * len(found)
    assert {o["message"] for o in found} == {"너무 오래 걸렸다."}


def test_many_short_sleeps_are_added_up() -> None:
    found = outcomes(find("05-controller"), 19.0, False, "load")
    assert Sleeper.made == int(cases.PATIENCE / 19) + 1 < len(found)
    assert found[-1]["message"] == cases.TIRED


def test_quick_code_is_asked_by_every_check() -> None:
    found = outcomes(find("05-controller"), 0.1, False, "load")
    assert Sleeper.made == len(found)


@needs_box
def test_a_dead_box_says_at_once_why_it_died() -> None:
    with Box(wall=0.3) as box:
        box.load("import time\ndef f(): time.sleep(1000)")
        said = []
        for _ in range(50):
            with pytest.raises(BoxError) as died:
                box.call("f")
            said.append(str(died.value))
        assert len(set(said)) == 1 and "실제 시간" in said[0]
        assert 0.2 < box.waited < 5
