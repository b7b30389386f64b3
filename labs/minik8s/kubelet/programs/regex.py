"""Regular expressions of grep and sed (POSIX, basic and extended) as Python's."""

from __future__ import annotations

import re

_CLASSES = {
    "alpha": "A-Za-z", "digit": "0-9", "alnum": "A-Za-z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s",
    "blank": r" \t", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


def compiled(pattern: str, *, extended: bool, ignore_case: bool = False) -> re.Pattern[str]:
    """re.error for one that is none."""
    return re.compile("".join(_pieces(pattern, extended)), re.IGNORECASE if ignore_case else 0)


def _pieces(pattern: str, extended: bool) -> list[str]:
    out: list[str] = []
    i = 0
    while i < len(pattern):
        char = pattern[i]
        if char == "[":
            end = _bracket_end(pattern, i)
            out.append(_bracket(pattern[i:end]))
            i = end
        elif char == "\\" and i + 1 < len(pattern):
            follow = pattern[i + 1]
            out.append(follow if not extended and follow in "(){}|+?" else _escape(follow))
            i += 2
        else:
            literal = (not extended and char in "(){}|+?") or (char == "*" and not out)
            out.append("\\" + char if literal else char)
            i += 1
    return out


def _escape(follow: str) -> str:
    if follow in "<>":
        return r"\b"
    return follow if follow.isalpha() and follow not in "wWsSbBn" else "\\" + follow


def _bracket_end(pattern: str, i: int) -> int:
    end = i + 1 + pattern.startswith("^", i + 1)
    end += pattern.startswith("]", end)
    while end < len(pattern) and pattern[end] != "]":
        end = pattern.find(":]", end) + 2 if pattern.startswith("[:", end) and ":]" in pattern[end:] else end + 1
    if end >= len(pattern):
        raise re.error("brackets ([ ]) not balanced")
    return end + 1


def _bracket(text: str) -> str:
    """`[...]`: in POSIX a backslash in it is a character as any other."""

    def piece(match: re.Match[str]) -> str:
        return _CLASSES.get(match[1], "") if match[1] else "\\" + match[0]

    return "[" + re.sub(r"\[:(\w+):\]|[\\\[\]]", piece, text[1:-1]) + "]"
