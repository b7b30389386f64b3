"""The book's own Sphinx extension: boxes, quizzes, exercises, live cells and the Korean frame of a page.

Each module registers its own part; nothing here knows a chapter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    # Here, because tools that want marks.py alone should not wait for all of Sphinx.
    from . import assignments, boxes, cells, chapters, exercise, folds, frame, goals, kernel, labs, quiz

    for part in (folds, boxes, goals, exercise, quiz, assignments, cells, chapters, labs, kernel, frame):
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
