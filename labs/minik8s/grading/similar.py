"""Pairs of submissions that are more alike than chance and the handout explain.

Every answer becomes the set of its five-token windows (names of the student's own variant put back to their
fields, comments gone); what the handout or the model gives everybody, or most of the class shares, does not count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from typing import Any, NamedTuple

_TOKEN = re.compile(r"[A-Za-z가-힣_][\w가-힣.\-/]*|\d+|[^\s\w]")
_COMMENT = re.compile(r"(^|\s)#.*$", re.MULTILINE)
WINDOW = 5
COMMON = 0.5


class Pair(NamedTuple):
    """`likeness` 0..1 of what is their own; `foreign`: values of the other's variant found in an answer."""

    first: str
    second: str
    likeness: float
    same: bool
    foreign: tuple[str, ...]


def pairs(
    answers: Mapping[str, Mapping[str, str]],
    values: Mapping[str, Mapping[str, Any]],
    given: str = "",
    threshold: float = 0.6,
) -> list[Pair]:
    """Suspicious pairs, most suspicious first. answers, values: by student."""
    prints = {who: windows("\n".join(texts.values()), values.get(who, {})) for who, texts in answers.items()}
    counts = Counter(window for found in prints.values() for window in found)
    usual = windows(given, {}) | {w for w, n in counts.items() if n > max(2, COMMON * len(prints))}
    own = {who: found - usual for who, found in prints.items()}
    out = []
    for first, second in combinations(sorted(answers), 2):
        both, either = own[first] & own[second], own[first] | own[second]
        likeness = len(both) / len(either) if len(both) >= WINDOW else 0.0
        foreign = (*_foreign(answers[first], values, first, second), *_foreign(answers[second], values, second, first))
        same = bool(prints[first]) and dict(answers[first]) == dict(answers[second])
        if likeness >= threshold or foreign or same:
            out.append(Pair(first, second, round(likeness, 3), same, foreign))
    return sorted(out, key=lambda p: (not p.same, -len(p.foreign), -p.likeness, p.first, p.second))


def windows(text: str, values: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """Runs of WINDOW tokens, the student's own values replaced by their fields."""
    fields = {str(value): f"<{name}>" for name, value in values.items()}
    tokens = [fields.get(t, t) for t in _TOKEN.findall(_COMMENT.sub("", text))]
    return {tuple(tokens[i : i + WINDOW]) for i in range(len(tokens) - WINDOW + 1)}


def _foreign(texts: Mapping[str, str], values: Mapping[str, Mapping[str, Any]], who: str, other: str) -> list[str]:
    """Words of the other's variant that stand in this answer, though not in its author's own variant."""
    words = set(_TOKEN.findall("\n".join(texts.values())))
    mine = {str(v) for v in values.get(who, {}).values()}
    theirs = {str(v) for v in values.get(other, {}).values() if isinstance(v, str) and len(v) > 3}
    own_of_others = Counter(str(v) for w, found in values.items() if w != who for v in set(map(str, found.values())))
    return [f"{who}의 답에 {other}의 값 {word}" for word in sorted((theirs - mine) & words) if own_of_others[word] == 1]
