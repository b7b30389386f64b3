"""A course folder as nbgrader 0.9 keeps one: its formgrader shows what was graded here and takes a person's points.

    export/nbgrader/gradebook.db                 points by grade cell; a person's points come back from here
    export/nbgrader/source/NAME/NAME.ipynb       the teacher's version, with the solution
    export/nbgrader/autograded/ID/NAME/NAME.ipynb   the answers, with what each check said below its cell

All hidden checks of an assignment stand in one grade cell, `hidden`.
"""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minik8s.grading import notebook
from minik8s.grading.assignment import Assignment
from minik8s.grading.batch import read, results, submission
from minik8s.grading.course import Course, CourseError, decode, write
from minik8s.grading.variants import plain

CONFIG = """# `nbgrader formgrader`가 이 폴더에서 읽는 설정
c = get_config()
c.CourseDirectory.course_id = {name!r}
c.ClearSolutions.code_stub = {{"python": "# 여기에 답을 쓴다"}}
"""
HEAD = ["student", "check", "points", "comment"]


def export(course: Course, assignments: list[Assignment], folder: Path) -> Path:
    """Write the folder; the gradebook's path. Points that a person gave in it before are kept, also in manual/."""
    try:
        from nbgrader.api import Gradebook  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise CourseError("nbgrader가 없다. `pip install nbgrader` 뒤에 다시 하자.") from None
    name = str(course.settings.get("name") or "course")
    write(folder / "nbgrader_config.py", CONFIG.format(name=name))
    path = folder / "gradebook.db"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbgrader's own, about its use of SQLAlchemy
        with Gradebook(f"sqlite:///{path}", course_id=name) as book:
            for student in course.roster:
                book.update_or_create_student(student.id, last_name=student.name)
            for assignment in assignments:
                _describe(book, assignment)
                _take_back(course, book, assignment)
                source = notebook.to_ipynb(assignment.cells(assignment.variant()))
                write(folder / "source" / assignment.name / f"{assignment.name}.ipynb", source + "\n")
                for student_id, result in results(course, assignment).items():
                    _fill(book, assignment, student_id, result)
                    handed_in = submission(course.root / "submitted" / assignment.name / student_id)
                    for step in ("submitted", "autograded"):  # without the first, formgrader counts no submissions
                        where = folder / step / student_id / assignment.name / f"{assignment.name}.ipynb"
                        write(where, marked(assignment, result, handed_in) + "\n")
            book.db.commit()
    return path


def grade_cells(assignment: Assignment, result: Mapping[str, Any] | None = None) -> dict[str, float | None]:
    """Points by nbgrader grade cell: possible ones, or those that a result earned (None: waits for a person)."""
    out: dict[str, float | None] = {}
    got = {c["id"]: c["got"] for c in result["checks"]} if result else {}
    for check in assignment.checks:
        cell = "hidden" if check.hidden else check.id
        points = got.get(check.id, 0) if result else check.points
        out[cell] = None if points is None else (out.get(cell) or 0.0) + points
    return out


def marked(assignment: Assignment, result: Mapping[str, Any], data: bytes) -> str:
    """The notebook as nbgrader would have left it: the task's own cells, the answers, what the checks said."""
    try:
        answers = read(data, list(assignment.answers))
    except notebook.BadNotebook:
        answers = {}
    told: dict[str, list[str]] = {}
    for check in result["checks"]:
        verdict = "사람이 채점한다" if check["manual"] else "통과" if check["got"] else "아직"
        line = f"[{verdict}] {check['title']} {check['message']}".rstrip()
        told.setdefault("hidden" if check["hidden"] else check["id"], []).append(line)
    cells = []
    for cell in assignment.handout(result["values"]):
        if cell.answer in answers:
            head, _, _ = cell.source.partition("\n")
            cell = notebook.Cell(cell.kind, f"{head}\n{answers[cell.answer]}", cell.nbgrader)
        cells.append(cell)
    made = json.loads(notebook.to_ipynb(cells))
    for each in made["cells"]:
        lines = told.get(each["metadata"].get("nbgrader", {}).get("grade_id", ""))
        if lines and each["cell_type"] == "code":
            text = [line + "\n" for line in lines]
            each["outputs"] = [{"name": "stdout", "output_type": "stream", "text": text}]
    return json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True)


def _describe(book: Any, assignment: Assignment) -> None:
    name = assignment.name
    book.update_or_create_assignment(name)
    book.update_or_create_notebook(name, name)
    for cell, points in grade_cells(assignment).items():
        book.update_or_create_grade_cell(cell, name, name, max_score=points, cell_type="code")
    for answer in assignment.answers:
        book.update_or_create_solution_cell(answer, name, name)


def _fill(book: Any, assignment: Assignment, student: str, result: Mapping[str, Any]) -> None:
    name = assignment.name
    book.update_or_create_submission(name, student)
    manual = {check["id"]: check["message"] for check in result["checks"] if check["manual"]}
    for cell, got in grade_cells(assignment, result).items():
        grade = book.find_grade(cell, name, name, student)
        if cell in manual:
            grade.manual_score, grade.needs_manual_grade = got, got is None
            book.find_comment(cell, name, name, student).manual_comment = manual[cell] or None
        else:
            grade.auto_score, grade.needs_manual_grade = got, False
    book.db.commit()


def _take_back(course: Course, book: Any, assignment: Assignment) -> None:
    """Points that a person gave in formgrader go to manual/NAME.csv, unless a row there has spoken already."""
    manual = [check.id for check in assignment.checks if check.manual]
    path = course.root / "manual" / f"{assignment.name}.csv"
    old = list(csv.DictReader(io.StringIO(decode(path.read_bytes())))) if path.exists() else []
    rows = {(plain(row.get("student") or ""), row.get("check") or ""): row for row in old}
    before = len(rows)
    for given in book.assignment_submissions(assignment.name):
        student = given.student.id
        for check in manual:
            grade = book.find_grade(check, assignment.name, assignment.name, student)
            if grade.manual_score is not None and (student, check) not in rows:
                comment = book.find_comment(check, assignment.name, assignment.name, student).comment
                found = [student, check, f"{grade.manual_score:g}", comment or ""]
                rows[student, check] = dict(zip(HEAD, found, strict=True))
    if len(rows) > before:
        out = io.StringIO()
        writer = csv.DictWriter(out, HEAD, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows[key] for key in sorted(rows))
        write(path, out.getvalue(), "utf-8-sig")
