"""The careful decoding pass: every fault in document order, in the words of Go's JSON decoder.

Rules (``encoding/json`` as forked in ``sigs.k8s.io/json``): a value of the wrong type is skipped and the first such
fault is reported at the end; a type that reads itself (a quantity, a time) stops decoding at once with its own text.
"""

from __future__ import annotations

from typing import Any

from minik8s.objects import schema_values as values
from minik8s.objects.frozen import Object
from minik8s.objects.schema_types import Field, Struct, go_type, resolve, struct
from minik8s.objects.schema_values import OMIT, TypeMismatch, json_name

MAX_STRICT = 100


class _Stop(Exception):
    """Decoding ends here."""


class SlowDecoder:
    """One decoding. Afterwards ``error`` is the text of the fault ("" for none), ``strict`` lists unknown and duplicate
    fields with their paths."""

    def __init__(self) -> None:
        self.error = ""
        self.strict: list[str] = []
        self._struct = ""
        self._fields: list[str] = []

    def decode(self, name: str, value: Any) -> Object:
        result: Object = {}
        try:
            decoded = self._struct_value(name, value, "")
            result = decoded if isinstance(decoded, dict) else {}
        except _Stop:
            pass
        return result

    # -- faults ---------------------------------------------------------------------------------------------------
    def _mismatch(self, value: str, type_name: str) -> str:
        if self._struct:
            where = f"Go struct field {self._struct}.{'.'.join(self._fields)}"
        else:
            where = "Go value"
        return f"json: cannot unmarshal {value} into {where} of type {type_name}"

    def _save(self, value: str, type_name: str) -> Any:
        self.error = self.error or self._mismatch(value, type_name)
        return OMIT

    def _stop(self, fault: ValueError) -> None:
        self.error = self._mismatch(fault.value, fault.type) if isinstance(fault, TypeMismatch) else str(fault)
        raise _Stop

    def _note(self, text: str) -> None:
        if len(self.strict) < MAX_STRICT and text not in self.strict:
            self.strict.append(text)

    # -- values ---------------------------------------------------------------------------------------------------
    def _struct_value(self, name: str, value: Any, path: str) -> Any:
        shape = struct(name)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            return self._save(json_name(value), go_type(name))
        out: Object = {}
        duplicates = getattr(value, "duplicates", ())
        for key, item in value.items():
            inner = f"{path}.{key}" if path else key
            f = shape.by_name.get(key)
            if f is None:
                self._note(f'unknown field "{inner}"')
                continue
            decoded = self._field_value(shape, f, item, inner)
            if key in duplicates:
                self._note(f'duplicate field "{inner}"')
            if not _dropped(f, decoded):
                out[key] = decoded
        for f in shape.fields:
            if f.name not in out and (zero := values.zero_maker(f)) is not None:
                out[f.name] = zero()
        return out

    def _field_value(self, shape: Struct, f: Field, value: Any, path: str) -> Any:
        before = self._struct
        self._struct = shape.go_name
        self._fields.append(f.name)
        try:
            return self._value(f.type, value, path)
        finally:
            self._struct = before
            self._fields.pop()

    def _value(self, expression: str, value: Any, path: str) -> Any:
        if expression.startswith("*"):
            return None if value is None else self._value(expression[1:], value, path)
        resolved = resolve(expression)
        if resolved in ("any", "raw", "interface{}"):
            return value
        if resolved.startswith("[]"):
            return self._list(expression, resolved[2:], value, path)
        if resolved.startswith("{"):
            return self._map(expression, resolved[resolved.index("}") + 1:], value, path)
        if resolved in values.READERS:
            try:
                return values.READERS[resolved](value)
            except ValueError as fault:
                self._stop(fault)
        if resolved == "bytes":
            return self._bytes(value)
        if resolved in ("string", "bool") or resolved in values.NUMBERS:
            return self._scalar(expression, resolved, value)
        return self._struct_value(resolved, value, path)

    def _list(self, expression: str, inner: str, value: Any, path: str) -> Any:
        if value is None:
            return None
        if not isinstance(value, list):
            return self._save(json_name(value), go_type(expression))
        items = [self._value(inner, item, f"{path}[{i}]") for i, item in enumerate(value)]
        return [item if item is not OMIT else None for item in items] or None

    def _map(self, expression: str, inner: str, value: Any, path: str) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict):
            return self._save(json_name(value), go_type(expression))
        out = {}
        duplicates = getattr(value, "duplicates", ())
        for key, item in value.items():
            decoded = self._value(inner, item, f"{path}.{key}")
            if key in duplicates:
                self._note(f'duplicate field "{path}.{key}"')
            if decoded is not OMIT:
                out[key] = decoded
        return out or None

    def _bytes(self, value: Any) -> Any:
        try:
            return values.base64(value)
        except TypeMismatch as fault:
            return self._save(fault.value, fault.type)
        except ValueError as fault:
            self.error = self.error or str(fault)
            return OMIT

    def _scalar(self, expression: str, resolved: str, value: Any) -> Any:
        if value is None:
            return _SCALAR_ZERO.get(resolved, 0)
        name = json_name(value)
        if resolved == "string":
            return value if name == "string" else self._save(name, go_type(expression))
        if resolved == "bool":
            return value if name == "bool" else self._save(name, go_type(expression))
        if name != "number":
            return self._save(name, go_type(expression))
        if resolved.startswith("float"):
            return value
        bits = 32 if resolved.endswith("32") else 64
        limit = 1 << (bits - 1)
        if isinstance(value, float) or not -limit <= value < limit:
            return self._save(f"number {_number_text(value)}", go_type(expression))
        return value


_SCALAR_ZERO: dict[str, Any] = {"string": "", "bool": False}


def _number_text(value: float) -> str:
    return repr(value).replace("e+", "e")


def _dropped(f: Field, value: Any) -> bool:
    """Whether an (empty) value of the field is left out when the object is written."""
    if value is OMIT:
        return True
    if not f.omitempty:
        return False
    if f.type.startswith("*"):
        return value is None
    resolved = resolve(f.type)
    if resolved[0] in "[{" or resolved in ("string", "bool", "bytes") or resolved in values.NUMBERS:
        return not value
    return resolved == "time" and "z" in f.flags and value is None
