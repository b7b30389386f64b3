"""The visible checks where the learner is: a notebook or the page, with no process to start."""

import base64
import json
import re

import pytest

from minik8s import lab
from minik8s.grading import batch
from minik8s.grading.assignment import find


@pytest.mark.parametrize("name", ["01-first-manifest", "04-scheduler-plugin", "05-controller"])
def test_visible_checks_pass_for_the_model_and_say_what_is_missing(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    task, source = lab.assignment(name), find(name)
    visible = [check.id for check in source.checks if not check.hidden]
    assert not any(task.check(check) for check in visible)
    for answer, text in source.model(task.values).items():
        task.answer(answer, text)
    assert all(task.check(check) for check in visible)
    assert "비어 있다" in capsys.readouterr().out


def test_nbgraders_own_run_counts_what_was_earned_and_no_hidden_check() -> None:
    """Its autograder reads a cell's value as points; what is no number would be full points."""
    task = lab.assignment("01-first-manifest")
    assert [float(repr(value)) for value in (task.check("found"), task.export())] == [0, 0]
    task.answer("pod", find("01-first-manifest").model(task.values)["pod"])
    assert [float(repr(value)) for value in (task.check("found"), task.export())] == [3, 0]


def test_what_the_page_exports_is_what_the_grader_reads() -> None:
    task = lab.assignment("01-first-manifest", "2026001")
    task.answer("pod", "kind: Pod # 한글")
    html = task.export()._repr_html_()
    data = re.search(r"base64,([\w+/=]+)", html)
    assert data and "01-first-manifest-2026001.json" in html
    assert batch.read(base64.b64decode(data[1]), ["pod"]) == {"pod": "kind: Pod # 한글"}
    assert json.loads(base64.b64decode(data[1]))["student"] == "2026001"
