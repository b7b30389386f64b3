"""Every assignment: the model earns everything, nothing earns nothing, wrong answers lose what they must."""

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from grading.conftest import SECRET
from minik8s.grading import judge
from minik8s.grading.assignment import Assignment, shipped
from minik8s.grading.sandbox import Box
from minik8s.grading.variants import PLACEHOLDER

ALL = shipped()
VARIANTS = int(os.environ.get("MINIK8S_VARIANTS", "2"))
"""How many random variants the model solutions are tried on."""
# What is ours needs no walls around it.
box = partial(Box, safe=False)


def failed(assignment: Assignment, answers: dict[str, str], values: dict[str, Any]) -> dict[str, str]:
    """Messages of the checks that failed, by id."""
    found = judge.outcomes(assignment, answers, values, box)
    return {outcome["id"]: outcome["message"] for outcome in found if not outcome["passed"]}


def wrong() -> Iterator[Any]:
    for assignment in ALL:
        for entry in assignment.wrong():
            yield pytest.param(assignment, entry, id=f"{assignment.name}: {entry['title']}")


@pytest.mark.parametrize("assignment", ALL, ids=lambda a: a.name)
def test_the_model_solution_earns_everything_on_every_variant(assignment: Assignment) -> None:
    for number in range(VARIANTS):
        values = assignment.variant(SECRET, f"학생 {number}")
        assert failed(assignment, assignment.model(values), values) == {}, values


@pytest.mark.parametrize("assignment", ALL, ids=lambda a: a.name)
def test_nothing_and_the_untouched_handout_earn_nothing(assignment: Assignment) -> None:
    values = assignment.variant(SECRET, "빈손")
    every = {check.id for check in assignment.checks if not check.manual}
    handout = {cell.answer: cell.source.partition("\n")[2] for cell in assignment.handout(values) if cell.answer}
    assert set(failed(assignment, {}, values)) == every
    assert set(failed(assignment, handout, values)) == every


@pytest.mark.parametrize(("assignment", "entry"), list(wrong()))
def test_a_known_wrong_answer_loses_exactly_what_it_should(assignment: Assignment, entry: dict[str, Any]) -> None:
    values = assignment.variant(SECRET, entry["title"])
    found = failed(assignment, assignment.wrong_answers(entry, values), values)
    assert set(found) == set(entry["loses"]), found


@pytest.mark.parametrize("assignment", ALL, ids=lambda a: a.name)
def test_an_assignment_is_whole(assignment: Assignment) -> None:
    """Every check is killed by a known wrong answer, has a function and a chapter; points agree with the notebook's."""
    checks = [check for check in assignment.checks if not check.manual]
    lost = {name for entry in assignment.wrong() for name in entry["loses"]}
    assert {check.id for check in checks} == lost
    assert any(check.hidden for check in checks)
    assert all(callable(assignment.function(check)) and check.read for check in checks)
    cells = assignment.cells(assignment.variant(SECRET, "누구"))
    assert sum(cell.nbgrader.get("points", 0) for cell in cells) == assignment.points == 10
    assert not any(PLACEHOLDER.search(cell.source) for cell in cells)
    assert not any("SOLUTION" in cell.source for cell in assignment.handout(assignment.variant()))
