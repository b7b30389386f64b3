"""Score files that other programs read: Excel, Canvas, Moodle, nbgrader's gradebook."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from minik8s.grading import gradebook
from minik8s.grading.assignment import Assignment
from minik8s.grading.batch import results
from minik8s.grading.course import Course, write
from minik8s.grading.feedback import number

Table = list[list[str]]


def export(course: Course, assignments: list[Assignment], kind: str) -> list[Path]:
    """Write the files of one kind into export/. CourseError when it cannot be done."""
    folder = course.root / "export"
    if kind == "nbgrader":
        return [gradebook.export(course, assignments, folder / "nbgrader")]
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
