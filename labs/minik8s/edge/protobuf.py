"""Request bodies in application/vnd.kubernetes.protobuf, as Go's typed clients (kubectl create, drain) send them.

They are turned into the JSON value that means the same; answers stay JSON, which those clients accept. The table of
messages says for each field number its JSON name, its type (s string, b bytes, B bool, v varint, d double, or another
message) and flags: r repeated, m map, p pointer (zero is a value), i inline. protobuf_data.py makes it.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from minik8s.objects.frozen import Object
from minik8s.objects.meta import rfc3339, rfc3339_micro

MEDIA = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
_META = "k8s.io.apimachinery.pkg.apis.meta.v1"
_MAX_DEPTH = 64


class ProtobufError(ValueError):
    """Bytes that are no Kubernetes protobuf, or of a kind that the table does not have."""


@cache
def _table() -> dict[str, Any]:
    data = files("minik8s.edge").joinpath("data/protobuf.json.zlib").read_bytes()
    return json.loads(zlib.decompress(data))  # type: ignore[no-any-return]


def decode(data: bytes) -> Object:
    """The object in a request body. ProtobufError."""
    if not data.startswith(MAGIC):
        raise ProtobufError("does not start with the protobuf prefix")
    try:
        envelope = {number: value for number, _, value in _fields(data[4:])}
        type_meta = {number: bytes(value).decode() for number, _, value in _fields(envelope.get(1, b""))}
        version, kind = type_meta.get(1, ""), type_meta.get(2, "")
        obj = _message(_name(version, kind), bytes(envelope.get(2, b"")), 0)
    except (struct.error, IndexError, TypeError, UnicodeDecodeError) as error:
        raise ProtobufError(f"broken protobuf: {error}") from None
    return {"kind": kind, "apiVersion": version, **obj}


def _name(version: str, kind: str) -> str:
    package = _table()["groups"].get(version)
    for name in (f"{package}.{kind}", f"{_META}.{kind}"):
        if name in _table()["messages"]:
            return name
    raise ProtobufError(f'no kind "{kind}" is registered for version "{version}"')


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """(field number, wire type, value) of each field."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        value: Any
        if wire == 0:
            value, at = _varint(data, at)
        elif wire == 2:
            size, at = _varint(data, at)
            if at + size > end:
                raise ProtobufError("a field is longer than its message")
            value, at = data[at : at + size], at + size
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, at = struct.unpack_from("<d" if wire == 1 else "<f", data, at)[0], at + size
        else:
            raise ProtobufError(f"unknown wire type {wire}")
        yield number, wire, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ProtobufError("a number is too long")


def _message(name: str, data: bytes, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise ProtobufError("nested too deeply")
    special = _SPECIAL.get(name)
    if special is not None:
        return special(data)
    table = _table()["messages"][name]
    out: dict[str, Any] = {}
    for number, _, value in _fields(data):
        field = table.get(str(number))
        if field is None:
            continue  # from a newer release
        json_name, kind, flags = field
        if "m" in flags:
            key, item = _entry(kind, value, depth)
            out.setdefault(json_name, {})[key] = item
        elif "r" in flags:
            out.setdefault(json_name, []).append(_value(kind, value, depth))
        elif "i" in flags:
            out.update(_value(kind, value, depth))
        else:
            item = _value(kind, value, depth)
            if item is not None and ("p" in flags or not _is_zero(item)):
                out[json_name] = item
    return out


def _is_zero(value: Any) -> bool:
    """Go writes fields that are no pointers even when they hold nothing."""
    return value in ("", 0, False) if not isinstance(value, dict | list) else not value


def _value(kind: str, value: Any, depth: int) -> Any:
    if kind == "s":
        return bytes(value).decode()
    if kind == "v":
        return value - (1 << 64) if value >= 1 << 63 else value
    if kind == "B":
        return bool(value)
    if kind == "b":
        return base64.b64encode(bytes(value)).decode()
    if kind == "d":
        return value
    return _message(kind, bytes(value), depth + 1)


def _entry(kind: str, data: bytes, depth: int) -> tuple[str, Any]:
    fields = {number: value for number, _, value in _fields(data)}
    empty: Any = b"" if kind not in ("v", "B") else 0
    return bytes(fields.get(1, b"")).decode(), _value(kind, fields.get(2, empty), depth)


# ---- types that write themselves in their own way ----------------------------------------


def _time(data: bytes) -> str | None:
    seconds, _ = _moment(data)
    return rfc3339(seconds) if seconds else None


def _micro_time(data: bytes) -> str | None:
    seconds, nanos = _moment(data)
    return rfc3339_micro(seconds + nanos / 1e9) if seconds or nanos else None


def _moment(data: bytes) -> tuple[int, int]:
    fields = {number: _value("v", value, 0) for number, _, value in _fields(data)}
    seconds = fields.get(1, 0)
    if not 0 <= seconds < 253402300800:  # year 10000; Go's zero time is before the epoch
        return 0, 0
    return seconds, fields.get(2, 0)


def _quantity(data: bytes) -> str:
    return next((bytes(value).decode() for number, _, value in _fields(data) if number == 1), "0")


def _int_or_string(data: bytes) -> int | str:
    fields = {number: value for number, _, value in _fields(data)}
    if fields.get(1, 0) == 0:
        return int(_value("v", fields.get(2, 0), 0))
    return bytes(fields.get(3, b"")).decode()


def _raw_json(data: bytes) -> Any:
    raw = next((bytes(value) for number, _, value in _fields(data) if number == 1), b"")
    try:
        return json.loads(raw) if raw else None
    except ValueError as error:
        raise ProtobufError(f"broken JSON inside: {error}") from None


def _strings(data: bytes) -> list[str]:
    return [bytes(value).decode() for number, _, value in _fields(data) if number == 1]


_SPECIAL = {
    f"{_META}.Time": _time,
    f"{_META}.MicroTime": _micro_time,
    f"{_META}.FieldsV1": _raw_json,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": _quantity,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    "k8s.io.apimachinery.pkg.runtime.RawExtension": _raw_json,
    "k8s.io.api.authorization.v1.ExtraValue": _strings,
    "k8s.io.api.authentication.v1.ExtraValue": _strings,
    "k8s.io.api.certificates.v1.ExtraValue": _strings,
    f"{_META}.Verbs": _strings,
}
