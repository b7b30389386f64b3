"""꺾은선과 막대: 시간에 따른 수를 그리는 작은 도화지."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from minik8s.lab.views import svg
from minik8s.lab.views.timeline import clock, ticks

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720.0, 240.0, 46.0, 30.0, 28.0
COLOURS = (svg.DONE, svg.OK, svg.WAIT, svg.BAD, "#6a1b9a", "#00695c", svg.IDLE, "#ad1457")


@dataclass
class Series:
    """A named row of (seconds, value) points; `step`: the value holds until the next point."""

    name: str
    points: Sequence[tuple[float, float]]
    fill: str = ""
    step: bool = False
    dash: str = ""


def lines(
    series: Sequence[Series],
    *,
    title: str,
    unit: str = "",
    marks: Sequence[tuple[float, str]] = (),
    low: float = 0.0,
    high: float | None = None,
) -> svg.View:
    """A chart of several series over time, with a legend above and vertical marks."""
    every = [point for one in series for point in one.points]
    start = min((t for t, _ in every), default=0.0)
    end = max((t for t, _ in every), default=1.0)
    top = high if high is not None else max((v for _, v in every), default=1.0) * 1.08 or 1.0
    span = max(end - start, 0.001)

    def x(t: float) -> float:
        return LEFT + (t - start) / span * (WIDTH - LEFT - 10)

    def y(v: float) -> float:
        return HEIGHT - BOTTOM - (v - low) / max(top - low, 1e-9) * (HEIGHT - BOTTOM - TOP - 14)

    parts = _axes(start, span, low, top, unit, x, y)
    words = []
    at = LEFT
    for i, one in enumerate(series):
        colour = one.fill or COLOURS[i % len(COLOURS)]
        points = _steps(one.points, end) if one.step else list(one.points)
        if points:
            parts.append(svg.path([(x(t), y(v)) for t, v in points], stroke=colour, dash=one.dash))
        parts += [svg.rect(at, 6, 14, 10, fill=colour, r=2), svg.text(at + 19, 15, one.name, size=12)]
        at += 32 + svg.width_of(one.name, 12)
        words.append(f"{one.name}: " + ", ".join(f"{clock(round(t, 1))} {v:g}" for t, v in _thin(one.points)))
    for when, word in marks:
        parts.append(svg.line(x(when), TOP, x(when), HEIGHT - BOTTOM, stroke=svg.BAD, dash="4 3"))
        parts.append(svg.text(x(when) + 4, TOP + 10, word, size=11))
        words.append(f"[{word}] {when:.1f}초")
    return svg.View(svg.document(WIDTH, HEIGHT, parts, title), "\n".join(words), title)


Scale = Callable[[float], float]


def _axes(start: float, span: float, low: float, top: float, unit: str, x: Scale, y: Scale) -> list[str]:
    parts = []
    for tick in ticks(span, start=start):
        parts.append(svg.line(x(start + tick), TOP, x(start + tick), HEIGHT - BOTTOM, opacity=0.12))
        parts.append(svg.text(x(start + tick), HEIGHT - BOTTOM + 16, clock(start + tick), size=11, anchor="middle"))
    for value in _levels(low, top):
        parts.append(svg.line(LEFT, y(value), WIDTH - 10, y(value), opacity=0.12))
        parts.append(svg.text(LEFT - 6, y(value) + 4, f"{value:g}{unit}", size=11, anchor="end"))
    return parts


def _levels(low: float, top: float, most: int = 5) -> list[float]:
    """Round values between `low` and `top`."""
    step = 10.0 ** floor(log10(max(top - low, 1e-9) / most))
    step = next(step * by for by in (1, 2, 5, 10) if (top - low) / (step * by) <= most)
    return [round(i * step, 9) for i in range(ceil(low / step), floor(top / step) + 1)]


def _steps(points: Sequence[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    for t, v in points:
        if out:
            out.append((t, out[-1][1]))
        out.append((t, v))
    if out and out[-1][0] < end:
        out.append((end, out[-1][1]))
    return out


def _thin(points: Sequence[tuple[float, float]], most: int = 24) -> Sequence[tuple[float, float]]:
    """At most so many points, evenly taken, for the text form."""
    if len(points) <= most:
        return points
    return [points[i * (len(points) - 1) // (most - 1)] for i in range(most)]
