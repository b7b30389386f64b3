"""Score files that other programs read: Excel, Canvas, Moodle, nbgrader's gradebook."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from minik8s.grading.assignment import Assignment
from minik8s.grading.batch import results
from minik8s.grading.course import Course, CourseError, write
from minik8s.grading.feedback import number

Table = list[list[str]]


def export(course: Course, assignments: list[Assignment], kind: str) -> list[Path]:
    """Write the files of one kind into export/. CourseError when it cannot be done."""
    folder = course.root / "export"
    if kind == "nbgrader":
        return [_gradebook(course, assignments, folder / "gradebook.db")]
    makers = {"csv": scores, "canvas": canvas, "moodle": moodle, "lti": lti}
    path = folder / ("scores.csv" if kind == "csv" else f"{kind}.csv")
    write(path, text(makers[kind](course, assignments)), "utf-8-sig")
    out = [path]
    if kind == "csv":
        for assignment in assignments:
            out.append(folder / f"{assignment.name}.csv")
            write(out[-1], text(details(course, assignment)), "utf-8-sig")
    return out


def text(table: Table) -> str:
    """CSV that Excel opens; a cell that looks like a formula is shown, not computed."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in table:
        writer.writerow([f"'{cell}" if cell[:1] in "=+-@\t\r" and cell[:1] else cell for cell in row])
    return out.getvalue()


def scores(course: Course, assignments: list[Assignment]) -> Table:
    """A row per student, a column per assignment, and the sum."""
    found = {a.name: results(course, a) for a in assignments}
    table = [["학번", "이름", *(f"{a.name} ({number(a.points)})" for a in assignments), "합계"]]
    for student in course.roster:
        got = [found[a.name].get(student.id, {}).get("score") for a in assignments]
        table.append([student.id, student.name, *map(number, got), number(sum(g or 0 for g in got))])
    return table


def details(course: Course, assignment: Assignment) -> Table:
    """A row per student, a column per check."""
    table = [["학번", "이름", *(f"{c.title} ({number(c.points)})" for c in assignment.checks), "점수"]]
    found = results(course, assignment)
    for student in course.roster:
        result = found.get(student.id)
        got = [number(c["got"]) for c in result["checks"]] if result else [""] * len(assignment.checks)
        table.append([student.id, student.name, *got, number(result["score"]) if result else ""])
    return table


def canvas(course: Course, assignments: list[Assignment]) -> Table:
    """Canvas' gradebook import: Student, ID, SIS User ID, Section, and a column per assignment with points possible."""
    found = {a.name: results(course, a) for a in assignments}
    head = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *(a.title for a in assignments)],
            ["    Points Possible", "", "", "", "", *(number(a.points) for a in assignments)]]
    return head + [
        [s.name, "", s.id, s.id, "", *(number(found[a.name].get(s.id, {}).get("score")) for a in assignments)]
        for s in course.roster
    ]


def moodle(course: Course, assignments: list[Assignment]) -> Table:
    """Moodle's grade import: idnumber and a column per grade item."""
    found = {a.name: results(course, a) for a in assignments}
    return [["idnumber", "fullname", *(a.title for a in assignments)]] + [
        [s.id, s.name, *(number(found[a.name].get(s.id, {}).get("score")) for a in assignments)] for s in course.roster
    ]


def lti(course: Course, assignments: list[Assignment]) -> Table:
    """One row per score, with the fields of LTI's Assignment and Grade Services (scoreGiven, scoreMaximum, ...)."""
    rows = [["userId", "lineItem", "scoreGiven", "scoreMaximum", "activityProgress", "gradingProgress"]]
    for assignment in assignments:
        for student, result in results(course, assignment).items():
            waiting = any(c["got"] is None for c in result["checks"])
            rows.append([student, assignment.name, number(result["score"]), number(result["points"]),
                         "Submitted", "PendingManual" if waiting else "FullyGraded"])
    return rows


def _gradebook(course: Course, assignments: list[Assignment], path: Path) -> Path:
    """nbgrader's own gradebook: a grade cell per visible check, and one for all hidden ones."""
    try:
        from nbgrader.api import Gradebook, MissingEntry  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise CourseError("nbgrader가 없다. `pip install nbgrader` 뒤에 다시 하자.") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    with Gradebook(f"sqlite:///{path}", course_id=str(course.settings.get("name") or "course")) as book:
        for student in course.roster:
            book.update_or_create_student(student.id, last_name=student.name)
        for assignment in assignments:
            book.update_or_create_assignment(assignment.name)
            book.update_or_create_notebook(assignment.name, assignment.name)
            for cell, points in grade_cells(assignment).items():
                book.update_or_create_grade_cell(cell, assignment.name, assignment.name,
                                                 max_score=points, cell_type="code")
            for student_id, result in results(course, assignment).items():
                book.update_or_create_submission(assignment.name, student_id)
                for cell, got in grade_cells(assignment, result).items():
                    try:
                        grade = book.find_grade(cell, assignment.name, assignment.name, student_id)
                    except MissingEntry:
                        continue
                    grade.auto_score = got
                book.db.commit()
    return path


def grade_cells(assignment: Assignment, result: dict[str, Any] | None = None) -> dict[str, float]:
    """Points by nbgrader grade cell: possible ones, or those that a result earned."""
    out: dict[str, float] = {}
    got = {c["id"]: c["got"] or 0 for c in result["checks"]} if result else {}
    for check in assignment.checks:
        cell = "hidden" if check.hidden else check.id
        out[cell] = out.get(cell, 0.0) + (got.get(check.id, 0) if result else check.points)
    return out
