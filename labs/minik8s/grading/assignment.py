"""An assignment: a folder with its source, its rubric, its checks, its variants and its known wrong answers.

    assignment.md   what the student reads and fills in (MyST; nbgrader's metadata and solution markers)
    rubric.yaml     title, answers {name: yaml | python | text}, checks [{id, points, title, hidden, manual, read}],
                    allows: more kinds and annotations that answers may have (rules.py)
    checks.py       one function per check id: `def check(case: Case) -> None`, failing by case.need(...)
    variant.yaml    see variants.py
    wrong.yaml      [{title, replace: {answer: [[old, new], ...]} or answers: {...}, loses: [check ids]}]
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from minik8s.grading import notebook, variants
from minik8s.grading.notebook import Cell

SHIPPED = (Path(__file__).parents[2] / "assignments", Path(__file__).parents[1] / "assignments")
"""Where the assignments are: in a checkout, and in an installed wheel."""
BOOK = Path(__file__).parents[3] / "book"
PRACTICE = b"practice"
"""The secret of variants that nobody is graded on."""


@dataclass(frozen=True)
class Check:
    """One line of the rubric.

    read    a page of the book (`09-rollouts`)
    needs   answers it cannot go without
    manual  a person gives the points, after `guide`: what to look for
    """

    id: str
    points: float
    title: str
    hidden: bool = False
    manual: bool = False
    read: str = ""
    guide: str = ""
    needs: tuple[str, ...] = ()


@dataclass
class Assignment:
    """One assignment, read from its folder."""

    folder: Path
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.folder.name

    @cached_property
    def rubric(self) -> dict[str, Any]:
        found: dict[str, Any] = self._yaml("rubric.yaml")
        return found

    @property
    def title(self) -> str:
        return str(self.rubric["title"])

    @property
    def answers(self) -> dict[str, str]:
        """Kinds of the answers by name: yaml, python, text."""
        return dict(self.rubric["answers"])

    @property
    def allows(self) -> tuple[str, ...]:
        """Kinds, annotations and `resource/subresource`s that answers may write beyond the usual (rules.py)."""
        return tuple(self.rubric.get("allows") or ())

    @cached_property
    def checks(self) -> list[Check]:
        rows = [{**row, "needs": tuple(row.get("needs") or self._code_and_yaml())} for row in self.rubric["checks"]]
        return [Check(**row) for row in rows]

    def _code_and_yaml(self) -> tuple[str, ...]:
        return tuple(name for name, kind in self.answers.items() if kind != "text")

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @cached_property
    def functions(self) -> ModuleType:
        """The module of checks."""
        name = f"minik8s_assignment_{self.name.replace('-', '_')}"
        spec = importlib.util.spec_from_file_location(name, self.folder / "checks.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    def function(self, check: Check) -> Callable[[Any], None]:
        found: Callable[[Any], None] = getattr(self.functions, check.id.replace("-", "_"))
        return found

    @cached_property
    def fields(self) -> dict[str, Any]:
        """What differs from student to student: variants.py says how."""
        found: dict[str, Any] = self._yaml("variant.yaml")
        return found

    def variant(self, secret: bytes = PRACTICE, student: str = "practice") -> dict[str, Any]:
        """The student's own values."""
        return variants.variant(self.fields, secret, self.name, student)

    def cells(self, values: Mapping[str, Any]) -> list[Cell]:
        """The source with the student's values, solutions still marked."""
        text = (self.folder / "assignment.md").read_text(encoding="utf-8")
        return notebook.from_myst(variants.fill(text, values))

    def handout(self, values: Mapping[str, Any]) -> list[Cell]:
        """What a student is handed."""
        return [notebook.cleared(cell) for cell in self.cells(values)]

    def model(self, values: Mapping[str, Any]) -> dict[str, str]:
        """The model solution's answers."""
        return notebook.answers([notebook.solved(cell) for cell in self.cells(values)], list(self.answers))

    def wrong(self) -> list[dict[str, Any]]:
        """Known wrong answers, as they stand in the file."""
        found: list[dict[str, Any]] = self._yaml("wrong.yaml")
        return found

    def wrong_answers(self, entry: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
        """The answers of one known wrong answer. ValueError when an edit finds nothing to replace."""
        out = self.model(values)
        for name, edits in (entry.get("replace") or {}).items():
            for old, new in edits:
                old, new = variants.fill(str(old), values), variants.fill(str(new), values)
                if old not in out[name]:
                    raise ValueError(f"{self.name}: 오답 {entry['title']!r}이 바꿀 글 {old!r}이 답에 없다.")
                out[name] = out[name].replace(old, new)
        for name, text in (entry.get("answers") or {}).items():
            out[name] = variants.fill(text, values)
        return out

    def _yaml(self, name: str) -> Any:
        return yaml.safe_load((self.folder / name).read_text(encoding="utf-8"))


def chapters() -> dict[str, str]:
    """Titles of the book's chapters by name; none where the book is not beside us."""
    out = {}
    for path in sorted(BOOK.glob("*.md")) if BOOK.is_dir() else ():
        text = path.read_text(encoding="utf-8")
        heading = next((line for line in text.splitlines() if line.startswith("# ")), "")
        if heading:
            out[path.stem] = heading.removeprefix("# ").strip()
    return out


def shipped(folders: tuple[Path, ...] = SHIPPED) -> list[Assignment]:
    """All assignments that come with the project, by name."""
    home = next((folder for folder in folders if folder.is_dir()), None)
    if home is None:
        return []
    return [Assignment(path) for path in sorted(home.iterdir()) if (path / "rubric.yaml").exists()]


def find(name: str, folder: Path | None = None) -> Assignment:
    """The assignment of this name. FileNotFoundError in Korean, with the names there are."""
    known = shipped((folder,) if folder else SHIPPED)
    for each in known:
        if each.name == name:
            return each
    raise FileNotFoundError(f"{name!r}이라는 과제는 없다. 있는 것: {', '.join(a.name for a in known) or '없음'}")
