"""Notebooks as cells: read from MyST or .ipynb, written as .ipynb with nbgrader's metadata, solutions cut out.

Only what assignments need of MyST-NB: `{code-cell}` fences with a YAML header, everything else is Markdown.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect
from dataclasses import dataclass, field
from typing import Any

import yaml

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
ANSWER = "%%answer"
_OPENS, _CLOSES = re.compile(r"(`{3,})\{code-cell\}"), re.compile(r"(`{3,})[ \t]*")
_HEADER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_BOMB = re.compile(r"[&*!]|<<")
MAX_HEADERS = 50_000
"""Characters of all cells' headers together: they are YAML from strangers, read outside of any box."""
MAX_BYTES = 5_000_000
"""An honest notebook with pictures is smaller; a larger one is refused unread."""


class BadNotebook(ValueError):
    """A submission that cannot be read; the message is for its author."""


@dataclass
class Cell:
    """One cell. `nbgrader`: {} or grade_id, solution, grade, points."""

    kind: str
    source: str
    nbgrader: dict[str, Any] = field(default_factory=dict)

    @property
    def answer(self) -> str:
        """The answer's name when this is an answer cell, else ""."""
        return str(self.nbgrader.get("grade_id", "")) if self.nbgrader.get("solution") else ""


def from_myst(text: str) -> list[Cell]:
    """Cells of a MyST notebook. ValueError for a header that is no YAML, or more than a header.

    Every line is looked at once: a text of openings without an end must not keep its reader busy.
    """
    lines = _HEADER.sub("", text.replace("\r\n", "\n"), count=1).split("\n")
    closing: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        if found := _CLOSES.fullmatch(line):
            closing.setdefault(found[1], []).append(number)
    cells: list[Cell] = []
    at = number = headers = 0
    while number < len(lines):
        opens = _OPENS.match(lines[number])
        ends = closing.get(opens[1], []) if opens else []
        place = bisect(ends, number)
        if place == len(ends):
            number += 1
            continue
        cells.append(Cell("markdown", "\n".join(lines[at:number]).strip("\n")))
        body = "".join(f"{line}\n" for line in lines[number + 1 : ends[place]])
        at = number = ends[place] + 1
        header = _HEADER.match(body)
        headers += len(header[1]) if header else 0
        if header and (headers > MAX_HEADERS or _BOMB.search(header[1])):
            raise ValueError("header")
        meta = (yaml.safe_load(header[1]) or {}) if header else {}
        cells.append(Cell("code", (body[header.end() :] if header else body).rstrip("\n"), meta.get("nbgrader") or {}))
    cells.append(Cell("markdown", "\n".join(lines[at:]).strip("\n")))
    return [cell for cell in cells if cell.source.strip()]


def from_ipynb(text: str) -> list[Cell]:
    """Cells of an .ipynb, whatever its author did to it. BadNotebook."""
    if len(text) > MAX_BYTES:
        raise BadNotebook(f"노트북이 너무 크다({len(text):,}글자). 출력을 지우고 다시 내자.")
    try:
        cells = json.loads(text)["cells"]
        out = []
        for cell in cells:
            source = cell.get("source", "")
            source = "".join(source) if isinstance(source, list) else source
            meta = cell.get("metadata", {}).get("nbgrader") or {}
            if not isinstance(source, str) or not isinstance(meta, dict):
                raise TypeError("cell")
            out.append(Cell(str(cell.get("cell_type")), source.replace("\r\n", "\n"), meta))
        return out
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadNotebook("노트북 파일이 깨졌다. 주피터에서 열리는지 확인하고 다시 내자.") from None


def answers(cells: list[Cell], names: list[str]) -> dict[str, str]:
    """What the author wrote, by answer name; the first cell of a name counts, and only names that the task asks for."""
    out: dict[str, str] = {}
    for cell in cells:
        head, _, body = cell.source.lstrip("\n").partition("\n")
        named = head.split()[1] if head.startswith(ANSWER) and len(head.split()) > 1 else ""
        name = cell.answer if cell.answer in names else named
        if name in names and name not in out:
            out[name] = body if head.startswith("%%") else cell.source
    return out


def cleared(cell: Cell) -> Cell:
    """The cell without its solution: what a student is handed."""
    if BEGIN not in cell.source:
        return cell
    python = "yaml" not in cell.source.partition("\n")[0]
    out: list[str] = []
    inside = False
    for line in cell.source.splitlines():
        if line.strip() == BEGIN:
            indent = line[: len(line) - len(line.lstrip())]
            out.append(f"{indent}# 여기에 답을 쓴다")
            if python and indent:
                out.append(f'{indent}raise NotImplementedError("아직 쓰지 않았다")')
            inside = True
        elif line.strip() == END:
            inside = False
        elif not inside:
            out.append(line)
    return Cell(cell.kind, "\n".join(out), cell.nbgrader)


def solved(cell: Cell) -> Cell:
    """The cell with its solution, without the markers."""
    lines = [line for line in cell.source.splitlines() if line.strip() not in (BEGIN, END)]
    return Cell(cell.kind, "\n".join(lines), cell.nbgrader)


def to_ipynb(cells: list[Cell], extra: dict[str, Any] | None = None) -> str:
    """The .ipynb (nbformat 4.5) of these cells; the same bytes for the same cells."""
    return json.dumps(
        {
            "cells": [_cell(cell, number) for number, cell in enumerate(cells)],
            "metadata": {
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
                **(extra or {}),
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        ensure_ascii=False,
        indent=1,
        sort_keys=True,
    )


def _cell(cell: Cell, number: int) -> dict[str, Any]:
    meta: dict[str, Any] = {}
    if cell.nbgrader:
        solution, grade = bool(cell.nbgrader.get("solution")), bool(cell.nbgrader.get("grade"))
        meta["nbgrader"] = {
            "schema_version": 3,
            "task": False,
            "locked": not solution,
            "solution": solution,
            "grade": grade,
            **cell.nbgrader,
        }
    out: dict[str, Any] = {
        "cell_type": cell.kind,
        "id": hashlib.sha256(f"{number}\0{cell.nbgrader.get('grade_id', '')}".encode()).hexdigest()[:8],
        "metadata": meta,
        "source": cell.source.splitlines(keepends=True),
    }
    return out | ({"outputs": [], "execution_count": None} if cell.kind == "code" else {})
