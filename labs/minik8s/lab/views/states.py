"""상태 그림: 상태는 상자, 사건은 화살표. 상태 기계의 표에서 그대로 그린다."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import Enum

from minik8s.kubelet.lifecycle import Move
from minik8s.lab.views import svg

WIDTH, BOX_W, BOX_H, ROW_H, SIZE = 760.0, 110.0, 34.0, 86.0, 11.0

Place = tuple[float, float]


def render(
    table: Mapping[tuple[Enum, Enum], Move],
    places: Mapping[Enum, tuple[int, int]],
    *,
    words: Mapping[Enum, str] | None = None,
    fills: Mapping[Enum, str] | None = None,
    leave_out: Collection[tuple[Enum, Enum]] = (),
    title: str = "상태 그림",
) -> svg.View:
    """The rows of `table` as arrows between boxes; the text form names every row, drawn or not.

    places: (column, row) of every state; words: what to write at an event; fills: colour of a state;
    leave_out: (state, event) pairs that are not drawn.
    """
    words, fills = words or {}, fills or {}
    columns = max(c for c, _ in places.values()) + 1
    pitch = (WIDTH - BOX_W) / max(1, columns - 1)
    at = {s: (BOX_W / 2 + c * pitch, 20 + BOX_H / 2 + r * ROW_H) for s, (c, r) in places.items()}
    edges: dict[tuple[Enum, Enum], list[str]] = {}
    for (state, event), move in table.items():
        if state is not move.next and (state, event) not in leave_out:
            edges.setdefault((state, move.next), []).append(words.get(event, str(event.value)))
    parts = [piece for pair, said in edges.items() for piece in _edge(pair, at, said, pair[::-1] in edges)]
    for state, (x, y) in at.items():
        parts += _box(x, y, str(state.value), fills.get(state, svg.IDLE))
    text = [f"{s.value} --{words.get(e, e.value)}--> {m.next.value}" for (s, e), m in table.items()]
    height = max(y for _, y in at.values()) + BOX_H / 2 + 8
    return svg.View(svg.document(WIDTH, height, parts, title), "\n".join(text), title)


def _box(x: float, y: float, name: str, fill: str) -> list[str]:
    parts = [svg.rect(x - BOX_W / 2, y - BOX_H / 2, BOX_W, BOX_H, fill=fill)]
    lines = [name]
    if svg.width_of(name, SIZE) > BOX_W - 8:
        pieces = re.findall(r"[A-Z][a-z]+", name)
        half = len(pieces) // 2
        lines = ["".join(pieces[:half]), "".join(pieces[half:])]
    for i, line in enumerate(lines):
        down = 4 + (i - (len(lines) - 1) / 2) * 13
        parts.append(svg.text(x, y + down, line, size=SIZE, anchor="middle", fill="#fff"))
    return parts


def _edge(pair: tuple[Enum, Enum], at: Mapping[Enum, Place], said: list[str], both_ways: bool) -> list[str]:
    (x1, y1), (x2, y2) = at[pair[0]], at[pair[1]]
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    aside = 14.0 if both_ways else 0.0
    start = _border(x1 - uy * aside, y1 + ux * aside, ux, uy, x1, y1)
    end = _border(x2 - uy * aside, y2 + ux * aside, -ux, -uy, x2, y2)
    parts = [svg.line(*start, *end, arrow=True, opacity=0.8)]
    mx, my = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    flat, lean = abs(uy) < 0.2, ux * uy  # a word stands below a rising line and above a falling one
    down = 5.0 if lean < -0.05 else -6.0 if lean > 0.05 else 0.0
    for i, word in enumerate(said):
        above = -BOX_H / 2 - 4 - 12 * (len(said) - 1 - i) if flat else 4.0 + 12 * i + down
        anchor = "middle" if flat else ("end" if both_ways and uy > 0 else "start")
        beside = 0.0 if flat else (-5.0 if anchor == "end" else 5.0)
        parts.append(svg.text(mx + beside, my + above, word, size=SIZE, anchor=anchor))
    return parts


def _border(x: float, y: float, ux: float, uy: float, cx: float, cy: float) -> Place:
    """Where a ray from (x, y) leaves the box around (cx, cy)."""
    reach = []
    if ux:
        reach.append(((BOX_W / 2 + 2) * (1 if ux > 0 else -1) - (x - cx)) / ux)
    if uy:
        reach.append(((BOX_H / 2 + 2) * (1 if uy > 0 else -1) - (y - cy)) / uy)
    step = min(reach)
    return x + ux * step, y + uy * step
