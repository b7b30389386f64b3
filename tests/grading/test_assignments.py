"""Every assignment: the model earns everything, nothing earns nothing, wrong answers lose what they must."""

import os
from collections.abc import Iterator
from functools import partial
from math import prod
from typing import Any

import pytest
import yaml

from grading.conftest import SECRET
from minik8s.grading import judge
from minik8s.grading.assignment import BOOK, Assignment, shipped
from minik8s.grading.case import Case
from minik8s.grading.sandbox import Box
from minik8s.grading.variants import PLACEHOLDER

ALL = shipped()
VARIANTS = int(os.environ.get("MINIK8S_VARIANTS", "2"))
"""How many random variants the model solutions and the wrong answers are tried on, beside the corners."""
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


def values_of(field: Any) -> list[dict[str, Any] | Any]:
    """All values that a field of a variant file can take, lowest first."""
    if not isinstance(field, dict):
        return [field]
    if "range" in field:
        low, high, *step = field["range"]
        return list(range(low, high + 1, *step))
    return list(field.get("choose") or field.get("rows") or [field["sample"][: field["count"]]])


def corner(assignment: Assignment, index: int) -> dict[str, Any]:
    """The variant that takes the first (0) or the last (-1) value of every field."""
    out: dict[str, Any] = {}
    for name, field in assignment.fields.items():
        value = values_of(field)[index]
        out |= value if isinstance(field, dict) and "rows" in field else {name: value}
    return out


@pytest.mark.parametrize("assignment", ALL, ids=lambda a: a.name)
def test_the_model_solution_earns_everything_on_every_variant(assignment: Assignment) -> None:
    some = [assignment.variant(SECRET, f"학생 {number}") for number in range(VARIANTS)]
    for values in [corner(assignment, 0), corner(assignment, -1), *some]:
        assert failed(assignment, assignment.model(values), values) == {}, values


@pytest.mark.parametrize("assignment", ALL, ids=lambda a: a.name)
def test_a_class_gets_variants_that_differ(assignment: Assignment) -> None:
    """Two neighbours have the same variant at most once in fifty; a field that never differs is no field."""
    ranges = [len(values_of(field)) for field in assignment.fields.values()]
    assert prod(ranges) >= 50
    assert min(ranges) >= 2


def test_a_team_can_reach_each_of_its_limits() -> None:
    """The quota on pods is met before that on CPU by small pods, and after it by large ones, on every variant."""
    team = next(assignment for assignment in ALL if assignment.name == "11-team-limits")
    field = {name: values_of(team.fields[name]) for name in ("pods", "cpu", "each")}
    assert max(field["pods"]) * max(field["each"]) < min(field["cpu"])
    assert max(field["cpu"]) // 400 < min(field["pods"])


def test_the_broken_shop_that_is_shown_is_the_one_that_is_judged() -> None:
    shop = next(assignment for assignment in ALL if assignment.name == "13-diagnose")
    for index in (0, -1):
        values = corner(shop, index)
        shown = next(c.source.partition("\n")[2] for c in shop.cells(values) if c.source.startswith("%%manifest"))
        judged = shop.functions._broken(Case({}, {}, values, box))
        assert list(yaml.safe_load_all(shown)) == judged


@pytest.mark.parametrize("assignment", ALL, ids=lambda a: a.name)
def test_nothing_and_the_untouched_handout_earn_nothing(assignment: Assignment) -> None:
    values = assignment.variant(SECRET, "빈손")
    every = {check.id for check in assignment.checks if not check.manual}
    handout = {cell.answer: cell.source.partition("\n")[2] for cell in assignment.handout(values) if cell.answer}
    assert set(failed(assignment, {}, values)) == every
    assert set(failed(assignment, handout, values)) == every


@pytest.mark.parametrize(("assignment", "entry"), list(wrong()))
def test_a_known_wrong_answer_loses_exactly_what_it_should(assignment: Assignment, entry: dict[str, Any]) -> None:
    for number in range(max(1, VARIANTS - 1)):
        values = assignment.variant(SECRET, f"{entry['title']} {number}")
        found = failed(assignment, assignment.wrong_answers(entry, values), values)
        assert set(found) == set(entry["loses"]), (values, found)


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


def test_the_instructors_guide_knows_every_assignment() -> None:
    guide = (BOOK / "a4-instructors.md").read_text(encoding="utf-8")
    assert [a.name for a in ALL if f"assignment-{a.name}.md" not in guide] == []
    assert {path.stem for path in BOOK.glob("[0-9]*.md")} >= {c.read for a in ALL for c in a.checks if c.read[0] != "a"}
