"""What students are handed: a notebook with their own values, and the visible checks beside it."""

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
        "values": values,
        "checks": [
            {"id": c.id, "points": c.points, "title": c.title, "manual": c.manual, "read": c.read, "needs": c.needs}
            for c in visible
        ],
        "source": without(source, {c.id.replace("-", "_") for c in assignment.checks if c.hidden}),
    }


def without(source: str, names: set[str]) -> str:
    """The module without these functions, and without helpers that only they use."""
    tree = ast.parse(source)
    kept = [node for node in tree.body if getattr(node, "name", "") not in names]
    while True:
        used = {n.id for node in kept for n in ast.walk(node) if isinstance(n, ast.Name)}
        left = [node for node in kept
                if not (isinstance(node, ast.FunctionDef) and node.name.startswith("_") and node.name not in used)]
        if len(left) == len(kept):
            break
        kept = left
    return ast.unparse(ast.Module(kept, [])) + "\n"


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
