"""What students are handed: a notebook with their own values, and the visible checks beside it.

The same two things make a page of the book: its text with practice values, and the practice kit that the page's
Python carries. A student who opens the own kit there gets the own values (`cells` in the order of the page).
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from minik8s.grading import notebook
from minik8s.grading.assignment import Assignment
from minik8s.grading.course import Course, Student, write


def kit(assignment: Assignment, values: dict[str, Any], student: str) -> dict[str, Any]:
    """All that the visible checks need, without a word of the hidden ones."""
    visible = [check for check in assignment.checks if not check.hidden]
    source = (assignment.folder / "checks.py").read_text(encoding="utf-8")
    return {
        "assignment": assignment.name,
        "student": student,
        "title": assignment.title,
        "answers": assignment.answers,
        "allows": assignment.allows,
        "values": values,
        "checks": [
            {"id": c.id, "points": c.points, "title": c.title, "manual": c.manual, "read": c.read, "needs": c.needs}
            for c in visible
        ],
        "source": only(source, {c.id.replace("-", "_") for c in visible if not c.manual}),
        "cells": [cell.source for cell in assignment.handout(values) if cell.kind == "code"],
    }


def only(source: str, names: set[str]) -> str:
    """The module with these functions and what they need, and nothing else: no docstring, no name, no constant."""
    body = ast.parse(source).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    makers = {name: node for node in body for name in _made(node)}
    wanted, todo = set[str](), sorted(names)
    while todo:
        name = todo.pop()
        if name not in wanted and name in makers:
            wanted.add(name)
            todo += sorted(_used(makers[name]))
    kept = [node for node in body if not _made(node).isdisjoint(wanted)]
    used = {name for node in kept for name in _used(node)}
    for node in imports:
        node.names = [each for each in node.names if (each.asname or each.name).partition(".")[0] in used]
    return ast.unparse(ast.Module([*(node for node in imports if node.names), *kept], [])) + "\n"


def _made(node: ast.stmt) -> set[str]:
    """Names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def _used(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def handout(assignment: Assignment, values: dict[str, Any], student: str) -> str:
    """The student's notebook."""
    extra = {"minik8s": {"assignment": assignment.name, "student": student}}
    return notebook.to_ipynb(assignment.handout(values), extra)


def release(course: Course, assignment: Assignment, student: Student) -> Path:
    """Write one student's notebook and kit; the notebook's path."""
    values = assignment.variant(course.secret, student.id)
    folder = course.root / "release" / student.id
    write(folder / f"{assignment.name}.ipynb", handout(assignment, values, student.id) + "\n")
    text = json.dumps(kit(assignment, values, student.id), ensure_ascii=False, indent=1, sort_keys=True)
    write(folder / f"{assignment.name}.assignment.json", text + "\n")
    return folder / f"{assignment.name}.ipynb"
