"""Why a text is not JSON, in the words of Go's encoding/json scanner, and where it repeats object keys.

`json.loads` decides first; this slower reader explains. Source: encoding/json/scanner.go.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 200
"""How deep a body may nest. Upstream allows 10,000; no schema of the API comes near a tenth of this one."""

_SPACE = " \t\r\n"
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_END = "unexpected end of JSON input"


class JsonError(ValueError):
    """The text is not JSON; the message is Go's."""


class _Duplicate(Exception):
    """Some object repeats a key."""


def loads(text: str) -> tuple[Any, list[str]]:
    """(value, [`duplicate field "a.b"`, ...]). JsonError; for repeated keys the last value stands."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except _Duplicate:
        value = json.loads(text, object_pairs_hook=_repeating, parse_constant=_constant)
        return value, duplicates(text)
    except RecursionError:
        raise JsonError("exceeded max depth") from None
    except ValueError:
        raise JsonError(explain(text)) from None
    if (text.count("{") + text.count("[")) > MAX_DEPTH and too_deep(value):
        raise JsonError("exceeded max depth")
    return value, []


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise _Duplicate
    return out


class Repeating(dict[str, Any]):
    """An object that repeated keys in its text; `duplicates` names them. Decoders look for that attribute."""

    duplicates: tuple[str, ...]


def _repeating(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) == len(pairs):
        return out
    marked, seen, again = Repeating(out), set(), []
    for key, _ in pairs:
        if key in seen:
            again.append(key)
        seen.add(key)
    marked.duplicates = tuple(dict.fromkeys(again))
    return marked


def _constant(name: str) -> Any:
    raise ValueError(name)


def too_deep(value: Any) -> bool:
    """Whether a JSON value nests deeper than MAX_DEPTH."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(v for v in item.values() if isinstance(v, dict | list))
            elif isinstance(item, list):
                inner.extend(v for v in item if isinstance(v, dict | list))
        if not inner:
            return False
        level = inner
    return True


def duplicates(text: str) -> list[str]:
    """`duplicate field "spec.a"` for each key that an object of valid JSON repeats, in the order of the text."""
    found: list[str] = []

    def build(pairs: list[tuple[str, Any]]) -> Any:
        seen: dict[str, Any] = {}
        notes: list[tuple[str, bool]] = []
        for key, value in pairs:
            for path, _ in getattr(value, "notes", ()):
                notes.append((key + path if path.startswith("[") else f"{key}.{path}", True))
            if isinstance(value, list):
                notes.extend((f"{key}{path}", True) for path in _in_list(value))
            if key in seen:
                notes.append((key, True))
            seen[key] = value
        node = _Noted(seen)
        node.notes = notes
        return node

    value = json.loads(text, object_pairs_hook=build)
    paths = [path for path, _ in value.notes] if isinstance(value, _Noted) else _in_list(value)
    for path in paths:
        note = f'duplicate field "{path}"'
        if note not in found:
            found.append(note)
    return found


class _Noted(dict[str, Any]):
    """A dict that remembers the paths of the keys repeated below it."""

    notes: list[tuple[str, bool]]


def _in_list(value: Any) -> list[str]:
    out: list[str] = []
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, _Noted):
                out.extend(f"[{index}].{path}" for path, _ in item.notes)
            else:
                out.extend(f"[{index}]{path}" for path in _in_list(item))
    return out


def explain(text: str) -> str:
    """Go's error for a text that is no JSON."""
    try:
        at = _value(text, _skip(text, 0), 0)
        at = _skip(text, at)
        if at < len(text):
            return _bad(text[at], "after top-level value")
    except JsonError as error:
        return str(error)
    return "invalid character '\\x00' looking for beginning of value"


def _quote(letter: str) -> str:
    """A byte as Go shows it: the scanner sees bytes, so of a letter beyond ASCII it sees the first one."""
    if letter == "'":
        return r"'\''"
    if letter == '"':
        return "'\"'"
    code = ord(letter) & 0xFF if 0xDC80 <= ord(letter) <= 0xDCFF else letter.encode()[0]
    if code in _ESCAPES:
        return f"'{_ESCAPES[code]}'"
    if code < 0x20 or code == 0x7F:
        return f"'\\x{code:02x}'"
    if 0x80 <= code < 0xA1 or code == 0xAD:
        return f"'\\u{code:04x}'"
    return f"'{chr(code)}'"


_ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 92: "\\\\"}


def _bad(letter: str, where: str) -> str:
    return f"invalid character {_quote(letter)} {where}"


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _need(text: str, at: int) -> str:
    if at >= len(text):
        raise JsonError(_END)
    return text[at]


def _value(text: str, at: int, depth: int) -> int:
    letter = _need(text, at)
    if depth > MAX_DEPTH:
        raise JsonError("exceeded max depth")
    if letter == "{":
        return _members(text, at + 1, depth)
    if letter == "[":
        return _items(text, at + 1, depth)
    if letter == '"':
        return _string(text, at + 1)
    if letter in "tfn":
        return _literal(text, at, {"t": "true", "f": "false", "n": "null"}[letter])
    if letter == "-" or letter.isdigit():
        return _number(text, at)
    raise JsonError(_bad(letter, "looking for beginning of value"))


def _members(text: str, at: int, depth: int) -> int:
    at = _skip(text, at)
    if _need(text, at) == "}":
        return at + 1
    while True:
        at = _skip(text, at)
        letter = _need(text, at)
        if letter != '"':
            raise JsonError(_bad(letter, "looking for beginning of object key string"))
        at = _skip(text, _string(text, at + 1))
        letter = _need(text, at)
        if letter != ":":
            raise JsonError(_bad(letter, "after object key"))
        at = _skip(text, _value(text, _skip(text, at + 1), depth + 1))
        letter = _need(text, at)
        if letter == "}":
            return at + 1
        if letter != ",":
            raise JsonError(_bad(letter, "after object key:value pair"))
        at += 1


def _items(text: str, at: int, depth: int) -> int:
    at = _skip(text, at)
    if _need(text, at) == "]":
        return at + 1
    while True:
        at = _skip(text, _value(text, _skip(text, at), depth + 1))
        letter = _need(text, at)
        if letter == "]":
            return at + 1
        if letter != ",":
            raise JsonError(_bad(letter, "after array element"))
        at += 1


def _string(text: str, at: int) -> int:
    while True:
        letter = _need(text, at)
        if letter == '"':
            return at + 1
        if letter < " ":
            raise JsonError(_bad(letter, "in string literal"))
        if letter == "\\":
            at += 1
            escape = _need(text, at)
            if escape == "u":
                for offset in range(1, 5):
                    digit = _need(text, at + offset)
                    if digit not in "0123456789abcdefABCDEF":
                        raise JsonError(_bad(digit, "in \\u hexadecimal character escape"))
                at += 4
            elif escape not in '"\\/bfnrt':
                raise JsonError(_bad(escape, "in string escape code"))
        at += 1


def _literal(text: str, at: int, word: str) -> int:
    for offset, wanted in enumerate(word):
        letter = _need(text, at + offset)
        if letter != wanted:
            raise JsonError(_bad(letter, f"in literal {word} (expecting {_quote(wanted)})"))
    return at + len(word)


def _number(text: str, at: int) -> int:
    found = _NUMBER.match(text, at)
    if found is None:
        raise JsonError(_bad(_need(text, at + 1), "in numeric literal"))
    end = found.end()
    rest = text[end : end + 1]
    if rest == "." and found.group(2) is None and found.group(3) is None:
        raise JsonError(_bad(_need(text, end + 1), "after decimal point in numeric literal"))
    if rest in ("e", "E") and found.group(3) is None:
        after = end + 2 if text[end + 1 : end + 2] in ("+", "-") else end + 1
        raise JsonError(_bad(_need(text, after), "in exponent of numeric literal"))
    return end
