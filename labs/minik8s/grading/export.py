"""Score files that other programs read: Excel, Canvas, Moodle, LTI tools, nbgrader's gradebook."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from minik8s.grading import gradebook
from minik8s.grading.assignment import Assignment
from minik8s.grading.batch import results
from minik8s.grading.course import Course, write
from minik8s.grading.feedback import number

Table = list[list[str]]
FORMULA = "=+-@\t\r\n＝＋－＠"
"""What a spreadsheet takes for the beginning of a formula; full-width letters count in East Asian ones."""


def export(course: Course, assignments: list[Assignment], kind: str) -> list[Path]:
    """Write the files of one kind into export/. CourseError when it cannot be done."""
    folder = course.root / "export"
    if kind == "nbgrader":
        return [gradebook.export(course, assignments, folder / "nbgrader")]
    if kind == "lti":
        write(folder / "lti.json", json.dumps(lti(course, assignments), ensure_ascii=False, indent=1) + "\n")
        return [folder / "lti.json"]
    makers = {"csv": scores, "canvas": canvas, "moodle": moodle}
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
        writer.writerow([f"'{cell}" if cell.lstrip(" ")[:1] in FORMULA and cell.strip(" ") else cell for cell in row])
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
    """Moodle's grade import: `ID number` is mapped to useridnumber, each other column to a grade item."""
    found = {a.name: results(course, a) for a in assignments}
    return [["ID number", "Full name", *(a.title for a in assignments)]] + [
        [s.id, s.name, *(number(found[a.name].get(s.id, {}).get("score")) for a in assignments)] for s in course.roster
    ]


def lti(course: Course, assignments: list[Assignment]) -> list[dict[str, Any]]:
    """A line item and its scores per assignment, as LTI's Assignment and Grade Services 2.0 take them.

    `userId` is the roster's id: an LTI tool that posts them replaces it by the platform's own where they differ.
    """
    out = []
    for assignment in assignments:
        item = {"label": assignment.title, "resourceId": assignment.name, "scoreMaximum": assignment.points}
        rows = []
        for student, result in results(course, assignment).items():
            waiting = any(c["got"] is None for c in result["checks"])
            graded = (course.root / "graded" / assignment.name / f"{student}.json").stat().st_mtime
            rows.append({
                "userId": student,
                "scoreGiven": result["score"],
                "scoreMaximum": result["points"],
                "timestamp": datetime.fromtimestamp(graded, UTC).isoformat(timespec="milliseconds"),
                "activityProgress": "Completed",
                "gradingProgress": "PendingManual" if waiting else "FullyGraded",
            })
        out.append({"lineItem": item, "scores": rows})
    return out
