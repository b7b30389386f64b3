"""Score files, column by column, as the programs that read them want them."""

import csv
import io
import json
from datetime import datetime
from pathlib import Path

import pytest

from minik8s.grading import export
from minik8s.grading.assignment import find, shipped
from minik8s.grading.course import Course, create, write

TASK = find("13-diagnose")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Three students: one done, one waiting for a person, one who handed in nothing."""
    made = create(tmp_path / "강의", "시험", "")
    (made.root / "roster.csv").write_bytes("id,name\n001,김철수\n002,이 영희\n003,=박민\n".encode("cp949"))
    for student, why in (("001", 2), ("002", None)):
        checks = [{**vars(c), "got": why if c.manual else c.points, "message": "", "story": []} for c in TASK.checks]
        result = {"student": student, "values": {}, "problem": "", "checks": checks, "points": TASK.points,
                  "score": sum(c["got"] or 0 for c in checks)}
        write(made.root / "graded" / TASK.name / f"{student}.json", json.dumps(result))
    return Course(made.root)


def table(path: Path) -> list[list[str]]:
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")  # without the mark, Excel on Korean Windows reads cp949
    assert b"\n" not in data.replace(b"\r\n", b"")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def test_excel(course: Course) -> None:
    scores, details = export.export(course, [TASK], "csv")
    assert table(scores) == [["학번", "이름", "13-diagnose (10)", "합계"], ["001", "김철수", "10", "10"],
                             ["002", "이 영희", "8", "8"], ["003", "'=박민", "", "0"]]
    head, first, second, third = table(details)
    assert head[:3] == ["학번", "이름", "파드가 모두 준비된다 (2)"] and head[-1] == "점수"
    why = head.index("두 고장의 까닭과 알아낸 길을 적는다 (2)")
    assert (first[why], second[why], third[why]) == ("2", "", "")


def test_canvas(course: Course) -> None:
    """Student, ID, SIS User ID, SIS Login ID, Section, in this order; then the points possible, then the students."""
    (path,) = export.export(course, [TASK], "canvas")
    head, possible, first, *_ = table(path)
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "고장 난 가게"]
    assert possible[0].strip() == "Points Possible" and possible[5] == "10"
    assert first == ["김철수", "", "001", "001", "", "10"]


def test_moodle(course: Course) -> None:
    (path,) = export.export(course, [TASK], "moodle")
    assert table(path)[:2] == [["ID number", "Full name", "고장 난 가게"], ["001", "김철수", "10"]]


def test_lti(course: Course) -> None:
    (path,) = export.export(course, [TASK], "lti")
    (found,) = json.loads(path.read_text(encoding="utf-8"))
    assert found["lineItem"] == {"label": "고장 난 가게", "resourceId": "13-diagnose", "scoreMaximum": 10}
    first, second = found["scores"]
    assert datetime.fromisoformat(first.pop("timestamp")).tzinfo is not None
    assert first == {"userId": "001", "scoreGiven": 10, "scoreMaximum": 10, "activityProgress": "Completed",
                     "gradingProgress": "FullyGraded"}
    assert second["gradingProgress"] == "PendingManual"
    assert "." in second["timestamp"]


def test_points_by_hand_are_merged_and_kept_within_bounds(course: Course) -> None:
    write(course.root / "manual" / "13-diagnose.csv", "student,check,points,comment\n002,why,5,훌륭하다\n", "utf-8-sig")
    (path,) = export.export(course, [TASK], "moodle")
    assert table(path)[2] == ["002", "이 영희", "10"]


def test_tasks_have_titles_that_a_gradebook_can_tell_apart() -> None:
    titles = [assignment.title for assignment in shipped()]
    assert len(set(titles)) == len(titles)
