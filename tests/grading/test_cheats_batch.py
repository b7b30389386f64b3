# ruff: noqa: E501
"""A folder of submissions that mean harm to the batch: each costs only its own author."""

import json
import os
import threading
from pathlib import Path

import pytest

from grading.conftest import hand_in, needs_box
from minik8s.grading import batch
from minik8s.grading import course as courses
from minik8s.grading.assignment import find
from minik8s.grading.course import Course

NAME = "01-first-manifest"
GOOD = "2026002"


def _place(course: Course) -> Path:
    folder = course.root / "submitted" / NAME / "2026001"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.skipif(os.name != "posix", reason="POSIX의 특별한 파일")
@pytest.mark.parametrize("kind", ["fifo", "link", "device", "folder", "hard link", "newline"])
def test_a_special_file_is_never_waited_for_or_followed(course: Course, kind: str) -> None:
    secret, path = course.root / "secret.key", _place(course) / "submission.ipynb"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(secret)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "hard link":
        os.link(secret, path)
    else:
        path.with_name("a\nb\u202e.ipynb").write_text("{}")
    data = batch.submission(path.parent)
    assert data in (b"", b"{}") or kind == "hard link"
    result = batch.judge(find(NAME), course.secret, "2026001", data)
    assert result["score"] == 0 and course.secret.hex() not in json.dumps(result)


@needs_box
def test_a_check_that_takes_every_process_along_is_given_up_after_two(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[list[str]] = []

    def dies(task: dict[str, list[str]]) -> list[dict[str, str]]:
        runs.append(task["checks"])
        return [{"begin": task["checks"][0]}]

    monkeypatch.setattr(batch, "_run", dies)
    result = batch.judge(find(NAME), course.secret, "2026001", json.dumps({"answers": {"pod": "a: 1"}}).encode())
    assert len(runs) == batch.MAX_FENCES and result["score"] == 0
    assert {row["message"] for row in result["checks"]} == {batch.FENCED}


@needs_box
def test_two_graders_at_once_agree(course: Course) -> None:
    assignment = find(NAME)
    hand_in(course, NAME, GOOD, assignment.model(assignment.variant(course.secret, GOOD)))
    runs = [threading.Thread(target=batch.grade, args=(Course(course.root), assignment)) for _ in range(2)]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    assert batch.results(course, assignment)[GOOD]["score"] == 10
    assert [p.name for p in (course.root / "graded" / NAME).iterdir()] == [f"{GOOD}.json"]


def test_a_full_disk_leaves_the_old_result_and_no_half_of_the_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    courses.write(path, "old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        courses.write(path, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"] and path.read_text() == "old"
