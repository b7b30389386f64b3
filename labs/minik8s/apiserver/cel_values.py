"""Values of CEL beyond JSON, how values compare, and how they are read from objects by their schema."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from minik8s.apiserver.cel_syntax import CelError, Uint
from minik8s.objects import Object
from minik8s.objects.quantity import parse_quantity


class Optional:
    """optional_type: a value or nothing."""

    __slots__ = ("present", "value")

    def __init__(self, present: bool, value: Any):
        self.present, self.value = present, value

    @classmethod
    def of(cls, value: Any) -> Optional:
        return cls(True, value)

    @classmethod
    def none(cls) -> Optional:
        return cls(False, None)


class Quantity:
    """quantity("1Gi"): an exact number."""

    __slots__ = ("number",)

    def __init__(self, number: Fraction):
        self.number = number

    @classmethod
    def parse(cls, text: str) -> Quantity:
        try:
            return cls(parse_quantity(text).exact)
        except ValueError as error:
            raise CelError(str(error)) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.number == other.number

    def __hash__(self) -> int:
        return hash(self.number)


class TypeValue(str):
    """A type as a value: `type(1) == int`."""


def type_name(value: Any) -> str:
    """CEL's name of a value's type."""
    if value is None:
        return "null_type"
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    return type(value).__name__


_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (Uint, "uint"),
    (int, "int"),
    (float, "double"),
    (TypeValue, "type"),
    (str, "string"),
    (bytes, "bytes"),
    (list, "list"),
    (dict, "map"),
    (datetime, "google.protobuf.Timestamp"),
    (timedelta, "google.protobuf.Duration"),
    (Optional, "optional_type"),
    (Quantity, "kubernetes.Quantity"),
)


def same(left: Any, right: Any) -> bool:
    """CEL's `==`: numbers compare by value, other types only with themselves."""
    if isinstance(left, bool) or isinstance(right, bool):
        return isinstance(left, bool) and isinstance(right, bool) and left == right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, Optional) and isinstance(right, Optional):
        return left.present == right.present and same(left.value, right.value)
    return type_name(left) == type_name(right) and bool(left == right)


_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(text: str) -> timedelta:
    """Go's duration text: `1h30m`. CelError."""
    body = text.lstrip("+-")
    parts = _DURATION.findall(body)
    if body != "0" and (not parts or "".join(a + b for a, b in parts) != body):
        raise CelError(f'time: invalid duration "{text}"')
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    return timedelta(seconds=-seconds if text.startswith("-") else seconds)


def timestamp(text: str) -> datetime:
    """RFC 3339. CelError."""
    try:
        moment = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError:
        raise CelError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}"') from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def from_schema(value: Any, schema: Object | None) -> Any:
    """A value of an object, with strings whose schema says so as timestamps, durations and bytes."""
    if not schema or value is None:
        return value
    if isinstance(value, dict):
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        extra = extra if isinstance(extra, dict) else None
        return {key: from_schema(item, properties.get(key) or extra) for key, item in value.items()}
    if isinstance(value, list):
        items = schema.get("items")
        return [from_schema(item, items if isinstance(items, dict) else None) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and schema.get("type") == "number":
        return float(value)
    return _text(value, schema.get("format", "")) if isinstance(value, str) else value


def _text(value: str, form: str) -> Any:
    try:
        if form in ("date-time", "date"):
            return timestamp(value if form == "date-time" else f"{value}T00:00:00Z")
        if form == "duration":
            return duration(value)
        if form == "byte":
            return base64.b64decode(value)
    except (CelError, binascii.Error):
        pass
    return value
