"""Request bodies in Kubernetes' protobuf encoding, which kubectl's typed commands send.

`decode` turns them into the object that the same request would carry as JSON. `data/protobuf.json` holds, per message,
field number -> [name, type]; types are `[]T` repeated, `{}T` a map from strings, a basic type, a message, or one that
reads itself (time, quantity, intstr, raw, ...). Answers are never given in protobuf.

Sources: generated.proto of k8s.io/api and k8s.io/apimachinery; k8s.io/apimachinery/pkg/runtime/serializer/protobuf.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import Any

from minik8s.objects import Object, schema_types
from minik8s.objects.kinds import split_api_version
from minik8s.objects.meta import rfc3339, rfc3339_micro

PREFIX = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_DEPTH = 100
_OPTIONS = "meta.v1.DeleteOptions"  # of every group


@cache
def _messages() -> dict[str, dict[str, tuple[str, str]]]:
    text = resources.files("minik8s.apiserver").joinpath("data/protobuf.json").read_text("utf-8")
    loaded: dict[str, dict[str, tuple[str, str]]] = json.loads(text)
    return loaded


def decode(data: bytes) -> Object:
    """The object in an encoded body, with its apiVersion and kind. ValueError when it cannot be read."""
    try:
        return _decode(data)
    except (AttributeError, TypeError, OverflowError, OSError, struct.error) as error:
        raise ValueError(f"proto: wrong wireType: {error}") from None


def _decode(data: bytes) -> Object:
    if not data.startswith(PREFIX):
        shown = " ".join(str(byte) for byte in PREFIX)
        raise ValueError(f"provided data does not appear to be a protobuf message, expected prefix [{shown}]")
    envelope = _read(data[len(PREFIX) :], "runtime.Unknown", 0)
    meta = envelope.get("typeMeta") or {}
    version, kind = meta.get("apiVersion", ""), meta.get("kind", "")
    name = _OPTIONS if kind == "DeleteOptions" else schema_types.type_of((*split_api_version(version), kind))
    if name not in _messages():
        raise ValueError(f'no kind "{kind}" is registered for version "{version}"')
    raw = base64.b64decode(envelope.get("raw", ""))
    return {"apiVersion": version, "kind": kind, **_read(raw, name, 0)}


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """(number, wire type, value) of each field of a message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        value: Any
        if wire == _VARINT:
            value, at = _varint(data, at)
        elif wire == _BYTES:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
            value, at = data[at : at + size], at + size
        else:
            raise ValueError(f"proto: illegal wireType {wire}")
        if at > len(data) or number == 0:
            raise ValueError("unexpected EOF")
        yield number, wire, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("unexpected EOF")
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7


def _read(data: bytes, name: str, depth: int) -> Object:
    """One message as a JSON object. Fields that the type does not know are left out, as protobuf does."""
    if depth > _MAX_DEPTH:
        raise ValueError("exceeded max depth")
    known, declared = _messages()[name], _json_fields(name)
    out: Object = {}
    for number, _, value in _fields(data):
        found = known.get(str(number))
        if found is None:
            continue
        field, kind = found
        if declared is not None and field not in declared:
            if kind in _messages():  # a struct that JSON inlines
                out.update(_read(value, kind, depth + 1))
            continue
        _add(out, field, kind, value, depth)
    return out


@cache
def _json_fields(name: str) -> frozenset[str] | None:
    """The JSON members of a type; None for types that JSON does not name (inlined structs)."""
    return frozenset(schema_types.struct(name).by_name) if schema_types.is_struct(name) else None


def _add(out: Object, field: str, kind: str, value: Any, depth: int) -> None:
    if kind.startswith("{}"):
        key, item = _entry(value, kind[2:], depth)
        out.setdefault(field, {})[key] = item
    elif kind.startswith("[]"):
        out.setdefault(field, []).append(_value(value, kind[2:], depth))
    else:
        out[field] = _value(value, kind, depth)


def _entry(data: bytes, kind: str, depth: int) -> tuple[str, Any]:
    """One entry of a map: a message of key (1) and value (2)."""
    key: str = ""
    item: Any = _value(b"", kind, depth) if kind not in _INTEGERS else 0
    for number, _, value in _fields(data):
        if number == 1:
            key = value.decode()
        elif number == 2:
            item = _value(value, kind, depth)
    return key, item


def _value(value: Any, kind: str, depth: int) -> Any:
    read = _READERS.get(kind)
    if read is not None:
        return read(value)
    if kind not in _messages():
        raise ValueError(f"unknown message {kind}")
    out = _read(value, kind, depth + 1)
    return out.get("items", []) if kind in _LISTS else out


_LISTS = frozenset({"authorization.v1.ExtraValue", "authentication.v1.ExtraValue", "certificates.v1.ExtraValue"})
"""Messages that stand for a list: JSON has it bare."""


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _double(value: bytes) -> float:
    return float(struct.unpack("<d", value)[0])


def _numbers(data: bytes) -> dict[int, Any]:
    return {number: value for number, _, value in _fields(data)}


def _time(data: bytes) -> str | None:
    if not data:
        return None
    return rfc3339(_signed(_numbers(data).get(1, 0)))


def _micro_time(data: bytes) -> str | None:
    if not data:
        return None
    found = _numbers(data)
    return rfc3339_micro(_signed(found.get(1, 0)) + found.get(2, 0) / 1e9)


def _duration(data: bytes) -> str:
    return f"{_signed(_numbers(data).get(1, 0)) / 1e9:g}s"


def _quantity(data: bytes) -> str:
    text: bytes = _numbers(data).get(1, b"0")
    return text.decode()


def _int_or_string(data: bytes) -> int | str:
    found = _numbers(data)
    if found.get(1, 0) == 1:
        text: bytes = found.get(3, b"")
        return text.decode()
    return _signed(found.get(2, 0))


def _raw(data: bytes) -> Any:
    text: bytes = _numbers(data).get(1, b"")
    return json.loads(text) if text else None


_INTEGERS = frozenset({"int32", "int64", "uint32", "uint64", "bool"})
_READERS: dict[str, Callable[[Any], Any]] = {
    "string": lambda value: value.decode(),
    "bytes": lambda value: base64.b64encode(value).decode(),
    "bool": bool,
    "int32": _signed,
    "int64": _signed,
    "uint32": int,
    "uint64": int,
    "double": _double,
    "time": _time,
    "microtime": _micro_time,
    "duration": _duration,
    "quantity": _quantity,
    "intstr": _int_or_string,
    "raw": _raw,
}
