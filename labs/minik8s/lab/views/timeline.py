"""시간표: 오브젝트마다 한 줄, 가로는 시간, 색은 그때의 상태."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, floor

from minik8s.lab.views import svg

LABEL_W, WIDTH, ROW = 190.0, 760.0, 24.0


@dataclass
class Row:
    """One object's life: segments are (start, end, word, fill), seconds since the start of the picture."""

    name: str
    segments: list[tuple[float, float, str, str]] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)


def ticks(span: float, most: int = 8, start: float = 0.0) -> list[float]:
    """Round moments for an axis of `span` seconds from `start` on, as offsets from it."""
    for step in (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400):
        if span / step <= most:
            break
    first = ceil(round(start / step, 6))
    return [i * step - start for i in range(first, floor(round((start + span) / step, 6)) + 1)]


def clock(seconds: float) -> str:
    """`0s`, `90s`, `5m`, `1h30m`: short words for an axis."""
    seconds = round(seconds, 3)
    if seconds < 120:
        return f"{seconds:g}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 120:
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m" if minutes else f"{hours}h"


def render(
    rows: list[Row], start: float, end: float, marks: Iterable[tuple[float, str]] = (), *, title: str = "시간표"
) -> svg.View:
    """Rows between `start` and `end` (seconds), with vertical marks for what happened to the whole cluster."""
    span = max(end - start, 0.001)
    plot = WIDTH - LABEL_W - 8
    marks = [m for m in marks if start <= m[0] <= end]

    def x(t: float) -> float:
        return LABEL_W + (min(max(t, start), end) - start) / span * plot

    top = 18.0 * min(len(marks), 3) + 8
    height = top + len(rows) * ROW + 30
    parts, words = [], []
    for tick in ticks(span, start=start):
        parts.append(svg.line(x(start + tick), top, x(start + tick), height - 22, opacity=0.15))
        parts.append(svg.text(x(start + tick), height - 6, clock(start + tick), size=11, anchor="middle", opacity=0.8))
    for i, row in enumerate(rows):
        y = top + i * ROW
        parts.append(svg.text(LABEL_W - 8, y + 16, svg.shorten(row.name, LABEL_W - 10, 12), size=12, anchor="end"))
        said = []
        for begin, stop, word, fill in row.segments:
            if stop < start or begin > end:
                continue
            wide = max(x(stop) - x(begin), 1.5)
            parts.append(
                svg.rect(
                    x(begin),
                    y + 3,
                    wide,
                    ROW - 6,
                    fill=fill,
                    r=3,
                    tip=f"{row.name}: {word} {clock(round(begin, 1))}~{clock(round(stop, 1))}",
                )
            )
            if wide > svg.width_of(word, 11) + 8:
                parts.append(svg.text(x(begin) + wide / 2, y + 16, word, size=11, anchor="middle", fill="#fff"))
            said.append(f"{word} {begin:.1f}~{stop:.1f}초")
        for when, word in row.marks:
            parts.append(svg.circle(x(when), y + ROW / 2, 4, fill=svg.BAD, tip=f"{word} {clock(round(when, 1))}"))
            said.append(f"{word} {when:.1f}초")
        words.append(f"{row.name}: " + ", ".join(said))
    for i, (when, word) in enumerate(marks):
        parts.append(svg.line(x(when), 14 + 18 * (i % 3), x(when), height - 22, stroke=svg.BAD, dash="4 3"))
        anchor = "end" if x(when) > WIDTH - 120 else "start"
        parts.append(
            svg.text(x(when) + (-4 if anchor == "end" else 4), 12 + 18 * (i % 3), word, size=11, anchor=anchor)
        )
        words.append(f"[{word}] {when:.1f}초")
    return svg.View(svg.document(WIDTH, height, parts, title), "\n".join(words), title)
