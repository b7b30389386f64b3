"""What legitimately differs from run to run becomes a placeholder: <uid:1>, <time>, <hash>, <rand>, <ip>, ..."""

from __future__ import annotations

import re
from typing import Any

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_IP = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_RAND = re.compile(rf"(?<=[a-z0-9>])-[{ALPHABET}]{{5}}(?![a-z0-9-])")
_HASH = re.compile(rf"-(?:[{ALPHABET}]{{8,10}}|(?=[{ALPHABET}]*\d)[{ALPHABET}]{{6,7}})(?![a-z0-9])")
_MINUTES = re.compile(r"-\d{8}(?![0-9a-z])")
_NODE = re.compile(r"\bnode-\d+\b")
_DURATION = re.compile(r'"?[0-9.]+(µs|ms|s)\b')


def _scalars(value: Any, into: set[str]) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            into.add(str(key))
            _scalars(item, into)
    elif isinstance(value, list):
        for item in value:
            _scalars(item, into)
    elif value is not None and not isinstance(value, bool):
        into.add(str(value))


class Normaliser:
    """Replaces values that no step of the story names literally."""

    def __init__(self, steps: Any):
        self._literals: set[str] = set()
        _scalars(steps, self._literals)
        self._blob = "\n".join(sorted(self._literals))
        self._uids: dict[str, str] = {}

    def loose(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.loose(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.loose(item) for item in value]
        return self.suffixes(self.text(value)) if isinstance(value, str) else value

    def text(self, value: str) -> str:
        if value in self._literals:
            return value
        value = _UID.sub(self._uid, value)
        value = _TIME.sub(lambda m: m[0] if m[0] in self._blob else "<time>", value)
        return _IP.sub(lambda m: m[0] if m[0] in self._blob else "<ip>", value)

    def suffixes(self, value: str) -> str:
        if value in self._literals:
            return value
        value = _MINUTES.sub("-<sched>", value)
        value = _HASH.sub(lambda m: m[0] if m[0][1:] in self._blob else "-<hash>", value)
        return _RAND.sub(lambda m: m[0] if m[0][1:] in self._blob else "-<rand>", value)

    def event_message(self, value: str) -> str:
        return _DURATION.sub("<dur>", _NODE.sub("<node>", self.suffixes(self.text(value))))

    def _uid(self, match: re.Match[str]) -> str:
        if match[0] in self._blob:
            return match[0]
        return self._uids.setdefault(match[0], f"<uid:{len(self._uids) + 1}>")


def differences(want: Any, got: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """(path, wanted, got) of every field that differs."""
    if isinstance(want, dict) and isinstance(got, dict):
        out: list[tuple[str, Any, Any]] = []
        for key in sorted(want.keys() | got.keys()):
            place = f"{path}.{key}" if path else str(key)
            if key not in got or key not in want:
                out.append((place, want.get(key, "<absent>"), got.get(key, "<absent>")))
            else:
                out += differences(want[key], got[key], place)
        return out
    if isinstance(want, list) and isinstance(got, list):
        out = [(path + ".length", len(want), len(got))] if len(want) != len(got) else []
        for i, (one, other) in enumerate(zip(want, got, strict=False)):
            out += differences(one, other, f"{path}[{i}]")
        return out
    return [(path, want, got)] if want != got or type(want) is not type(got) else []
