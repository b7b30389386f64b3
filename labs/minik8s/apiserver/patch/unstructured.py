"""Why a map cannot become an object of the API, in the words of runtime.DefaultUnstructuredConverter.

A strategic merge patch is converted this way rather than by the JSON decoder, and so words its faults differently.
Source: k8s.io/apimachinery/pkg/runtime/converter.go.
"""

from __future__ import annotations

from typing import Any

from minik8s.objects.kinds import Kind
from minik8s.objects.schema_types import go_type, resolve, struct, type_of
from minik8s.objects.schema_values import NUMBERS, READERS

_INTEGERS = NUMBERS - {"float32", "float64"}


class _Fault(Exception):
    pass


def conversion_error(kind: Kind, obj: Any) -> str:
    """The first fault in the order of the structs' fields; "" when there is none."""
    try:
        _struct(type_of(kind), obj)
    except _Fault as fault:
        return str(fault)
    return ""


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    for python, name in ((str, "string"), (int, "int64"), (float, "float64"), (list, "slice"), (dict, "map")):
        if isinstance(value, python):
            return name
    return "invalid"


def _struct(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise _Fault(f"cannot restore struct from: {_kind(value)}")
    for field in struct(name).fields:
        if value.get(field.name) is not None:
            _value(field.type, value[field.name])


def _value(expression: str, value: Any) -> None:
    if value is None:
        return
    expression = expression.lstrip("*")
    resolved = resolve(expression)
    if resolved in ("any", "raw", "interface{}"):
        return
    if resolved in READERS or resolved == "bytes":
        _reader(resolved, value)
    elif resolved.startswith("[]"):
        _each(resolved[2:], value, list, "slice")
    elif resolved.startswith("{"):
        _each(resolved[resolved.index("}") + 1 :], value, dict, "map")
    elif resolved in NUMBERS or resolved in ("string", "bool"):
        _scalar(expression, resolved, value)
    else:
        _struct(resolved, value)


def _each(inner: str, value: Any, wanted: type, name: str) -> None:
    if not isinstance(value, wanted):
        raise _Fault(f"cannot restore {name} from {_kind(value)}")
    items: Any = value.values() if isinstance(value, dict) else value
    for item in items:
        _value(inner, item)


def _reader(resolved: str, value: Any) -> None:
    if resolved not in READERS:
        if not isinstance(value, str):
            raise _Fault(f"cannot restore slice from {_kind(value)}")
        return
    try:
        READERS[resolved](value)
    except ValueError as error:
        raise _Fault(str(error)) from None


def _scalar(expression: str, resolved: str, value: Any) -> None:
    given = _kind(value)
    if given == resolved or (given == "int64" and resolved in NUMBERS) or (given == "float64" and "float" in resolved):
        return
    if given == "float64" and resolved in _INTEGERS:
        if value == int(value):
            return
        raise _Fault(f"cannot convert float64 to {go_type(expression)}")
    if given == "int64" and resolved == "string":
        raise _Fault(f"cannot convert int64 to {go_type(expression)}")
    raise _Fault(f"unrecognized type: {resolved}")
