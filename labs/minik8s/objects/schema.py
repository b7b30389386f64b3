"""Strict decoding: what Go's JSON decoder, protobuf storage and JSON encoder make of a request body, with their words.

``decode(kind, obj)`` gives the object as the real server would hold it: unknown fields pruned, quantities in canonical
form, times in UTC, empty values dropped or kept as each Go field's ``omitempty`` says. Two passes: a compiled one for
well-formed objects, and on the first surprise a careful one (``schema_slow``) that words every fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from minik8s.objects import schema_values as values
from minik8s.objects.frozen import Object
from minik8s.objects.kinds import Kind
from minik8s.objects.schema_slow import SlowDecoder
from minik8s.objects.schema_types import resolve, struct, type_of

__all__ = ["DecodeResult", "decode", "decode_type"]

Decoder = Callable[[Any], Any]


@dataclass
class DecodeResult:
    """``object``: the decoded object (partial when there is an ``error``); ``error``: the text of the decoder's error,
    "" when it was well formed; ``strict``: ``unknown field "spec.foo"`` and ``duplicate field "data.a"`` in document
    order, to refuse (fieldValidation Strict), warn of (Warn) or forget (Ignore)."""

    object: Object
    error: str = ""
    strict: list[str] = field(default_factory=list)


class Surprise(Exception):
    """The compiled pass met something it has no answer for; the slow pass will."""


OMIT = values.OMIT


def decode(kind: Kind | tuple[str, str, str], obj: Any, old: Object | None = None) -> DecodeResult:
    """Decode ``obj`` as ``kind``. ``old``: the stored object an update started from; its parts that are in ``obj``
    unchanged (the very same frozen objects) are taken as they are. KeyError for a kind without structure."""
    return decode_type(type_of(kind), obj, old)


def decode_type(name: str, obj: Any, old: Object | None = None) -> DecodeResult:
    """As :func:`decode`, for any struct by its short name (``meta.v1.ObjectMeta``, ``policy.v1.Eviction``)."""
    try:
        return DecodeResult(_decode_known(name, obj, old) if old is not None else struct_decoder(name)(obj))
    except Surprise:
        slow = SlowDecoder()
        result = slow.decode(name, obj)
        return DecodeResult(result, slow.error, slow.strict)


def _decode_known(name: str, obj: Any, old: Object) -> Object:
    """Only parts that are not the stored object's own."""
    if not isinstance(obj, dict):
        raise Surprise
    same = {k: v for k, v in obj.items() if isinstance(v, dict) and v is old.get(k)}
    if not same:
        return struct_decoder(name)(obj)  # type: ignore[no-any-return]
    result = struct_decoder(name)({k: v for k, v in obj.items() if k not in same})
    return {k: same.get(k, result.get(k)) for k in dict.fromkeys([*obj, *result]) if k in same or k in result}


@cache
def struct_decoder(name: str) -> Decoder:
    """The compiled decoder of a struct. Raises Surprise on anything but known fields of the right types."""
    shape = struct(name)
    fields: dict[str, Decoder] = {}
    always: list[tuple[str, Callable[[], Any]]] = []

    def compile_fields() -> None:  # at first use: types may be recursive
        for f in shape.fields:
            fields[f.name] = _field(f.type, f.omitempty, "z" in f.flags)
            if (zero := values.zero_maker(f)) is not None:
                always.append((f.name, zero))

    def run(value: Any) -> Any:
        if not isinstance(value, dict) or hasattr(value, "duplicates"):
            raise Surprise
        if not fields:
            compile_fields()
        out = {}
        for key, item in value.items():
            decoder = fields.get(key)
            if decoder is None:
                raise Surprise
            decoded = decoder(item)
            if decoded is not OMIT:
                out[key] = decoded
        for key, zero in always:
            if key not in out:
                out[key] = zero()
        return out

    return run


def _field(expression: str, omitempty: bool, omitzero: bool) -> Decoder:
    """The decoder of a field: of its type, plus what becomes of empty values."""
    if expression.startswith("*"):
        return _nullable(_value(expression[1:]), omitempty)
    resolved = resolve(expression)
    decoder = _value(expression)
    if not omitempty:
        return decoder
    if resolved == "string":
        return _string_omitempty
    if resolved in values.NUMBERS or resolved == "bool" or resolved == "bytes" or resolved[0] in "[{":
        return _falsy_omitted(decoder)
    if resolved == "time" and omitzero:
        return _nullable(decoder, True)
    return decoder


def _string_omitempty(value: Any) -> Any:
    if type(value) is str:
        return value or OMIT
    if value is None:
        return OMIT
    raise Surprise


def _falsy_omitted(decoder: Decoder) -> Decoder:
    def run(value: Any) -> Any:
        return (decoder(value) or OMIT) if value is not None else OMIT
    return run


def _nullable(decoder: Decoder, omitempty: bool) -> Decoder:
    absent = OMIT if omitempty else None

    def run(value: Any) -> Any:
        return decoder(value) if value is not None else absent
    return run


@cache
def _value(expression: str) -> Decoder:
    """The decoder of a value of a type, where no value may be dropped (list elements, map values, pointers)."""
    resolved = resolve(expression)
    if resolved.startswith("*"):
        return _nullable(_value(resolved[1:]), False)
    if resolved.startswith("[]"):
        return _list(_value(resolved[2:]))
    if resolved.startswith("{"):
        return _map(_value(resolved[resolved.index("}") + 1:]))
    simple = _SIMPLE.get(resolved)
    return simple if simple is not None else _struct_or_null(resolved)


def _struct_or_null(name: str) -> Decoder:
    run = struct_decoder(name)
    return lambda value: run({} if value is None else value)


def _list(decoder: Decoder) -> Decoder:
    def run(value: Any) -> Any:
        if isinstance(value, list):
            return [decoder(item) for item in value] or None
        if value is None:
            return None
        raise Surprise
    return run


def _map(decoder: Decoder) -> Decoder:
    def run(value: Any) -> Any:
        if isinstance(value, dict) and not hasattr(value, "duplicates"):
            return {key: decoder(item) for key, item in value.items()} or None
        if value is None:
            return None
        raise Surprise
    return run


def _exactly(kind: type, zero: Any) -> Decoder:
    def run(value: Any) -> Any:
        if type(value) is kind:
            return value
        if value is None:
            return zero
        raise Surprise
    return run


def _integer(bits: int) -> Decoder:
    limit = 1 << (bits - 1)

    def run(value: Any) -> Any:
        if type(value) is int and -limit <= value < limit:
            return value
        if value is None:
            return 0
        raise Surprise
    return run


def _float(value: Any) -> Any:
    if type(value) in (int, float):
        return value
    if value is None:
        return 0
    raise Surprise


def _checked(convert: Callable[[Any], Any]) -> Decoder:
    """A type that reads itself: ``convert`` raises ValueError on what the slow pass shall word."""
    def run(value: Any) -> Any:
        try:
            return convert(value)
        except ValueError:
            raise Surprise from None
    return run


_SIMPLE: dict[str, Decoder] = {
    "string": _exactly(str, ""), "bool": _exactly(bool, False), "int": _integer(64), "int32": _integer(32),
    "int64": _integer(64), "float64": _float, "float32": _float, "uint32": _integer(33), "uint64": _integer(65),
    "any": lambda value: value, "raw": lambda value: value, "interface{}": lambda value: value,
    "quantity": _checked(values.quantity), "intstr": _checked(values.int_or_string), "time": _checked(values.time),
    "microtime": _checked(values.microtime), "duration": _checked(values.duration), "bytes": _checked(values.base64),
}
