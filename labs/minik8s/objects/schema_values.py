"""Types that read and write themselves: quantities, times, int-or-string, base64; their forms and their errors' words.

Each reader takes a JSON value and gives the value as it is written again; it raises ValueError (the text is Go's) for
what it cannot read. ``TypeMismatch`` is the one that Go words with the path of the field.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final

from minik8s.objects.quantity import ERR_FORMAT_WRONG, QuantityError, canonical
from minik8s.objects.schema_types import Field, resolve


class _Omit:
    """The mark of a value that is not written at all."""

    def __repr__(self) -> str:
        return "OMIT"


OMIT: Final = _Omit()
NUMBERS = frozenset({"int", "int32", "int64", "uint32", "uint64", "float32", "float64"})


class TypeMismatch(ValueError):
    """A JSON value of the wrong type; ``value`` names it (``string``, ``number 1.5``), ``type`` the Go type."""

    def __init__(self, value: str, type: str) -> None:
        super().__init__(f"json: cannot unmarshal {value} into Go value of type {type}")
        self.value, self.type = value, type


def json_name(value: Any) -> str:
    """What Go calls the JSON value in an error: string, number, bool, array, object."""
    if isinstance(value, bool):
        return "bool"
    for kind, name in ((str, "string"), (int, "number"), (float, "number"), (list, "array"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "null"


def quantity(value: Any) -> Any:
    if value is None:
        return "0"
    if type(value) is bool or not isinstance(value, str | int | float):
        raise ValueError(ERR_FORMAT_WRONG)
    return _canonical(value.strip() if isinstance(value, str) else str(value))


@lru_cache(maxsize=2048)
def _canonical(text: str) -> str:
    try:
        return canonical(text)
    except QuantityError as error:
        raise ValueError(str(error)) from None


def int_or_string(value: Any) -> Any:
    if value is None:
        return 0
    if type(value) is str:
        return value
    if type(value) is int and -(1 << 31) <= value < (1 << 31):
        return value
    name = json_name(value)
    raise TypeMismatch(f"number {value}" if name == "number" else name, "int32")


def base64(value: Any) -> Any:
    """Standard base64 with padding; line breaks are ignored, as Go does."""
    if value is None:
        return None
    if type(value) is not str:
        raise TypeMismatch(json_name(value), "[]uint8")
    text = value.replace("\n", "").replace("\r", "") if "\n" in value or "\r" in value else value
    try:
        b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"illegal base64 data at input byte {_first_bad_byte(value)}") from None
    if len(text) % 4:
        raise ValueError(f"illegal base64 data at input byte {_first_bad_byte(value)}")
    return text


_ALPHABET = re.compile(r"[A-Za-z0-9+/]")


def _first_bad_byte(text: str) -> int:
    """The offset Go's decoder (``encoding/base64`` CorruptInputError) reports."""
    data = text.encode()
    in_group = 0
    position = 0
    while position < len(data):
        char = chr(data[position])
        if char in "\r\n":
            position += 1
            continue
        if char == "=":
            return _after_padding(data, position, in_group)
        if not _ALPHABET.match(char):
            return position
        in_group = (in_group + 1) % 4
        position += 1
    return len(data) - in_group if in_group else len(data)


def _after_padding(data: bytes, position: int, in_group: int) -> int:
    rest = data[position + 1:].translate(None, b"\r\n")
    if in_group < 2:
        return position
    if in_group == 2:
        if not rest.startswith(b"="):
            return len(data) if not rest else position
        rest = rest[1:]
    return len(data) - len(rest) if rest else position


_RFC3339 = "2006-01-02T15:04:05Z07:00"
_RFC3339_MICRO = "2006-01-02T15:04:05.000000Z07:00"
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)([.,]\d+)?(Z|[+-]\d\d:\d\d)")


def time(value: Any) -> Any:
    """metav1.Time: whole seconds in UTC."""
    if value is None:
        return None
    if type(value) is not str:
        raise TypeMismatch(json_name(value), "string")
    return _utc(value, _RFC3339)


def microtime(value: Any) -> Any:
    if value is None:
        return None
    if type(value) is not str:
        raise TypeMismatch(json_name(value), "string")
    return _utc(value, _RFC3339_MICRO)


@lru_cache(maxsize=1024)
def _utc(text: str, layout: str) -> str:
    match = _TIME.fullmatch(text)
    micro = layout is _RFC3339_MICRO
    if match is None or (micro and len(match[7] or "") < 7):
        raise ValueError(_parse_error(text, layout))
    zone = UTC if match[8] == "Z" else timezone(
        (1 if match[8][0] == "+" else -1) * timedelta(hours=int(match[8][1:3]), minutes=int(match[8][4:6])))
    try:
        moment = datetime(*(int(match[i]) for i in range(1, 7)), tzinfo=zone).astimezone(UTC)  # type: ignore[misc,arg-type]
    except (ValueError, OverflowError):
        raise ValueError(_out_of_range(text, match)) from None
    whole = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole:>019}" + (f".{(match[7] or '.')[1:7]:0<6}Z" if micro else "Z")


def _out_of_range(text: str, match: re.Match[str]) -> str:
    part = "day"
    for index, name, low, high in ((2, "month", 1, 12), (4, "hour", 0, 23), (5, "minute", 0, 59), (6, "second", 0, 59)):
        if not low <= int(match[index]) <= high:
            part = name
            break
    return f'parsing time "{text}": {part} out of range'


def _parse_error(text: str, layout: str) -> str:
    """The words of Go's ``time.ParseError``: how far the text fits the layout, and what was wanted there."""
    rest = text
    steps = (("2006", r"\d{4}"), ("-", "-"), ("01", r"\d\d"), ("-", "-"), ("02", r"\d\d"), ("T", "T"), ("15", r"\d\d"),
             (":", ":"), ("04", r"\d\d"), (":", ":"), ("05", r"\d\d"))
    for name, pattern in steps:
        found = re.match(pattern, rest)
        if found is None:
            return f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "{name}"'
        rest = rest[found.end():]
    if layout is _RFC3339_MICRO:
        found = re.match(r"\.\d{6,}", rest)
        if found is None:
            return f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as ".000000"'
        rest = rest[found.end():]
    elif found := re.match(r"[.,]\d+", rest):
        rest = rest[found.end():]
    found = re.match(r"Z|[+-]\d\d:\d\d", rest)
    if found is None:
        return f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "Z07:00"'
    return f'parsing time "{text}": extra text: "{rest[found.end():]}"'


_DURATION = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)")


def duration(value: Any) -> Any:
    if value is None:
        return "0s"
    if type(value) is not str:
        raise TypeMismatch(json_name(value), "string")
    if value != "0" and not re.fullmatch(f"(?:{_DURATION.pattern})+", value):
        raise ValueError(f'time: invalid duration "{value}"')
    return value


READERS: dict[str, Callable[[Any], Any]] = {
    "quantity": quantity, "intstr": int_or_string, "time": time, "microtime": microtime, "duration": duration}

_ZEROS: dict[str, Any] = {"string": "", "bool": False, "quantity": "0", "intstr": 0, "duration": "0s",
                          **dict.fromkeys(NUMBERS, 0)}


def zero_maker(f: Field) -> Callable[[], Any] | None:
    """What is written for a field that the object does not have; None when nothing is."""
    resolved = resolve(f.type)
    is_collection = resolved[0] in "*[{" or resolved in ("bytes", "any", "interface{}")
    is_scalar = resolved in ("string", "bool") or resolved in NUMBERS
    if f.omitempty and (is_collection or is_scalar or "z" in f.flags):
        return None
    if is_collection or resolved in ("time", "microtime", "raw"):
        return lambda: None
    if resolved in _ZEROS:
        zero = _ZEROS[resolved]
        return lambda: zero

    def make() -> Any:
        from minik8s.objects.schema import struct_decoder  # at run time: structs hold structs
        return struct_decoder(resolved)({})
    return make
