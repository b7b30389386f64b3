"""The class at a glance: how the points are spread, which checks are hard, which mistakes are common."""

from __future__ import annotations

from collections import Counter
from statistics import mean, median
from typing import Any

from minik8s.grading.assignment import Assignment

_DIGITS = str.maketrans("0123456789", "##########")
WIDTH = 30


def text(assignment: Assignment, found: dict[str, dict[str, Any]], students: int) -> str:
    """Korean text about one assignment's results."""
    scores = [result["score"] for result in found.values()]
    lines = [f"{assignment.name} {assignment.title}: {students}명 가운데 {len(scores)}명 제출"]
    if not scores:
        return lines[0] + "\n"
    lines.append(f"  평균 {mean(scores):.1f}, 가운데값 {median(scores):g}, 만점 {assignment.points:g}점")
    lines += ["  점수의 분포", *_distribution(scores, assignment.points)]
    lines += ["  어려운 검사", *_hardest(assignment, found)]
    for title, rows in (("흔한 오해", _misconceptions(assignment, found)), ("흔한 실패", _mistakes(found))):
        lines += [f"  {title}", *rows] if rows else []
    return "\n".join(lines) + "\n"


def _distribution(scores: list[float], points: float) -> list[str]:
    steps = Counter(min(9, int(10 * score / points)) if points else 0 for score in scores)
    most = max(steps.values())
    return [f"    {10 * i:3d}% 이상 {'█' * round(WIDTH * steps[i] / most):<{WIDTH}} {steps[i]}" for i in range(10)]


def _hardest(assignment: Assignment, found: dict[str, dict[str, Any]]) -> list[str]:
    rows = []
    for check in assignment.checks:
        got = [c["got"] for r in found.values() for c in r["checks"] if c["id"] == check.id and c["got"] is not None]
        if got:
            rows.append((sum(g >= check.points for g in got) / len(got), check))
    rows.sort(key=lambda row: (row[0], row[1].id))
    return [f"    {rate:4.0%} 통과  {check.title}{' (숨은 검사)' if check.hidden else ''}" for rate, check in rows]


def _misconceptions(assignment: Assignment, found: dict[str, dict[str, Any]]) -> list[str]:
    """Known wrong answers that lose exactly the checks that somebody lost. Several may: then all are named."""
    known: dict[frozenset[str], list[str]] = {}
    for entry in assignment.wrong():
        known.setdefault(frozenset(entry["loses"]), []).append(entry["title"])
    counts: Counter[frozenset[str]] = Counter()
    for result in found.values():
        counts[frozenset(c["id"] for c in result["checks"] if not c["manual"] and c["got"] < c["points"])] += 1
    ranked = sorted(((n, lost) for lost, n in counts.items() if lost in known), key=lambda p: (-p[0], sorted(p[1])))
    return [f"    {count:3d}명  {' 또는 '.join(known[lost])}" for count, lost in ranked]


def _mistakes(found: dict[str, dict[str, Any]], most: int = 8) -> list[str]:
    """Messages that several students got, numbers aside: their own values make the numbers differ."""
    counts: Counter[tuple[str, str]] = Counter()
    for result in found.values():
        for check in result["checks"]:
            if check["message"] and not check["manual"]:
                counts[check["title"], check["message"].translate(_DIGITS)] += 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [f"    {count:3d}명  {title}: {message}" for (title, message), count in ranked[:most]]
