"""A course from its beginning to its scores, as an instructor runs it."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from grading.conftest import SECRET, hand_in, needs_box
from minik8s.edge.cli import main
from minik8s.grading import batch
from minik8s.grading import sandbox as boxes
from minik8s.grading.assignment import find
from minik8s.grading.course import Course

NAME = "01-first-manifest"


def run(course: Course, *words: str) -> int:
    step, *rest = words
    return main(["class", step, "--course", str(course.root), *rest])


def tree(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


@needs_box
def test_a_class_from_release_to_scores(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    assignment = find(NAME)
    assert run(course, "release", NAME) == 0
    notebook = (course.root / "release" / "2026001" / f"{NAME}.ipynb").read_text(encoding="utf-8")
    kit = (course.root / "release" / "2026001" / f"{NAME}.assignment.json").read_text(encoding="utf-8")
    assert "SOLUTION" not in notebook and "restartPolicy: Always" not in notebook
    assert "comes_back" not in kit and "has_room" not in kit and "def runs" in kit
    good, bad = (assignment.model(assignment.variant(SECRET, who)) for who in ("2026001", "2026002"))
    hand_in(course, NAME, "2026001", good)
    hand_in(course, NAME, "2026002", {"pod": bad["pod"].replace("Always", "Never")})
    assert run(course, "grade", NAME) == 0
    first = tree(course.root / "graded")
    assert run(course, "grade", NAME) == 0
    assert "그대로 2" in capsys.readouterr().out
    assert run(course, "grade", "--again", NAME) == 0
    assert tree(course.root / "graded") == first
    assert {who: r["score"] for who, r in batch.results(course, assignment).items()} == {"2026001": 10, "2026002": 8}

    assert run(course, "feedback", NAME) == run(course, "export", NAME) == run(course, "report", NAME) == 0
    page = (course.root / "feedback" / NAME / "2026002.html").read_text(encoding="utf-8")
    assert "이영희" in page and "https://book.example/book/14-self-healing.html" in page
    assert not any(check.title in page for check in assignment.checks if check.hidden)
    assert "http" not in page.replace("https://book.example", "")
    csv = (course.root / "export" / "scores.csv").read_bytes()
    assert csv.startswith(b"\xef\xbb\xbf") and "2026002,이영희,8,8\r\n" in csv.decode("utf-8-sig")
    for kind in ("canvas", "moodle", "lti"):
        assert run(course, "export", "--format", kind, NAME) == 0
    assert "컨테이너가 죽어도 다시 뜬다 (숨은 검사)" in capsys.readouterr().out
    assert run(course, "similar", NAME) == 0


@needs_box
@pytest.mark.parametrize("results", [1, 3, 5])
def test_a_killed_run_goes_on_where_it_was(course: Course, results: int) -> None:
    """Killed when so many results are there: those stay as they are, the rest comes, and all is as if unbroken."""
    assignment = find(NAME)
    students = [f"202600{number}" for number in range(1, 7)]
    (course.root / "roster.csv").write_text("id,name\n" + "".join(f"{who},학생\n" for who in students))
    course = Course(course.root)
    for who in students:
        hand_in(course, NAME, who, assignment.model(assignment.variant(SECRET, who)))
    command = [sys.executable, "-m", "minik8s", "class", "grade", "--course", str(course.root), "--jobs", "2", NAME]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    done = course.root / "graded" / NAME
    while process.poll() is None and len(list(done.glob("2*.json")) if done.is_dir() else ()) < results:
        pass
    process.kill()
    process.wait()
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in done.glob("2*.json")}
    counts = batch.grade(course, assignment)
    assert counts["graded"] + counts["kept"] == len(students) and counts["kept"] == len(before) >= results
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before} == before
    assert sorted(path.name for path in done.iterdir()) == [f"{who}.json" for who in students]
    resumed = tree(done)
    batch.grade(course, assignment, again=True)
    assert tree(done) == resumed


def test_without_a_box_nothing_is_graded(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boxes, "refusal", lambda: "bubblewrap이 없다.")
    hand_in(course, NAME, "2026001", {"pod": "a: 1"})
    assert run(course, "grade", NAME) == 1
    assert "--unsafe" in capsys.readouterr().err and not (course.root / "graded").exists()


def test_unsafe_grading_says_what_it_means(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    assignment = find(NAME)
    hand_in(course, NAME, "2026001", assignment.model(assignment.variant(SECRET, "2026001")))
    assert run(course, "grade", "--unsafe", NAME) == 0
    assert "다른 학생의 답" in capsys.readouterr().err
    assert json.loads((course.root / "graded" / NAME / "2026001.json").read_text(encoding="utf-8"))["score"] == 10
