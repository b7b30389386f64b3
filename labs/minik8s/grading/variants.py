"""Every student's own numbers and names, from HMAC(course secret, assignment, student): equal in difficulty.

A variant file maps field names to one of

    {choose: [a, b, c]}          one of these
    {range: [low, high, step]}   a whole number low, low+step, ... up to and with high
    {sample: [a, b, c], count: 2}   several, each once; the field becomes a list
    {rows: [{x: 1, y: 2}, ...]}     one row, whose columns become fields themselves: values that belong together
    anything else                the same for everybody
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def plain(text: str) -> str:
    """Text as everybody writes it: NFC (macOS hands out NFD), without spaces at the ends."""
    return unicodedata.normalize("NFC", text).strip()


def shown(text: str) -> str:
    """Text of a stranger's as one line of a terminal or a page: nothing in it moves, colours, hides or turns around."""
    return _UNSEEN.sub("\ufffd", " ".join(text.split()))


class Dice:
    """A keyed stream of numbers; the same on every Python, today and in ten years."""

    def __init__(self, secret: bytes, *words: str):
        self._secret, self._words = secret, "\0".join(plain(w) for w in words)

    def below(self, bound: int, field: str) -> int:
        """A whole number in [0, bound)."""
        message = f"{self._words}\0{field}".encode()
        return int.from_bytes(hmac.new(self._secret, message, hashlib.sha256).digest(), "big") % bound


def variant(spec: Mapping[str, Any], secret: bytes, assignment: str, student: str) -> dict[str, Any]:
    """The values of all fields for one student. ValueError for a specification that is none."""
    dice = Dice(secret, assignment, student)
    out: dict[str, Any] = {}
    for name, value in spec.items():
        if isinstance(value, Mapping) and "rows" in value:
            out |= value["rows"][dice.below(len(value["rows"]), name)]
        else:
            out[name] = _draw(value, dice, name)
    return out


def _draw(value: Any, dice: Dice, field: str) -> Any:
    if not isinstance(value, Mapping):
        return value
    if "choose" in value:
        return value["choose"][dice.below(len(value["choose"]), field)]
    if "range" in value:
        low, high, *step = value["range"]
        every = step[0] if step else 1
        return low + every * dice.below((high - low) // every + 1, field)
    if "sample" in value:
        rest, out = list(value["sample"]), []
        for number in range(value["count"]):
            out.append(rest.pop(dice.below(len(rest), f"{field}/{number}")))
        return out
    raise ValueError(f"변형 {field!r}을 알 수 없다: choose, range, sample, rows 가운데 하나여야 한다.")


def fill(text: str, values: Mapping[str, Any]) -> str:
    """Text with every `{{field}}` replaced. KeyError names a field that is missing."""
    return PLACEHOLDER.sub(lambda found: str(values[found.group(1)]), text)
