"""The structure of the API's types, read from package data: what ``decode``, patches, OpenAPI and explain share.

``data/schema.json`` (made by ``tools/gen_schema.py``): ``types`` maps a short name (``core.v1.PodSpec``) to
``{"f": fields, "g": [[group, version, kind]], "m": "atomic"}``; a field is
``[json name, Go name, type, flags, extra?]``.

* type: ``*T`` pointer, ``[]T`` list, ``{K}T`` map, ``bytes``, ``string bool int32 int64 float64``, a name in
  ``aliases`` (a named Go type) or ``types`` (a struct), or one that reads itself: ``quantity intstr time microtime
  duration raw any``;
* flags: ``o`` omitempty, ``z`` omitzero, ``r`` required by the OpenAPI schema;
* extra: ``l`` list type, ``k`` list map keys (when they are not ``[p]``), ``p`` patch merge key, ``s`` patch strategy,
  ``m`` map type.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import Any

from minik8s.objects.kinds import Kind

SCALARS = frozenset({"string", "bool", "int", "int32", "int64", "uint32", "uint64", "float32", "float64"})


@dataclass(frozen=True)
class Field:
    """One field of a struct."""

    name: str
    go: str
    type: str
    flags: str
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def omitempty(self) -> bool:
        return "o" in self.flags

    @property
    def required(self) -> bool:
        return "r" in self.flags

    @property
    def merge_key(self) -> str:
        """The strategic merge patch's key of a list, or ""."""
        return str(self.extra.get("p", ""))

    @property
    def patch_strategies(self) -> tuple[str, ...]:
        """Some of ``merge``, ``replace``, ``retainKeys``."""
        text = str(self.extra.get("s", ""))
        return tuple(text.split(",")) if text else ()

    @property
    def list_type(self) -> str:
        """``map``, ``set``, ``atomic`` or "" (then atomic)."""
        return str(self.extra.get("l", ""))

    @property
    def map_type(self) -> str:
        return str(self.extra.get("m", ""))

    @cached_property
    def list_map_keys(self) -> tuple[str, ...]:
        if "k" in self.extra:
            return tuple(self.extra["k"])
        return (self.merge_key,) if self.list_type == "map" else ()

    @cached_property
    def base(self) -> str:
        """The type at the end of pointers, lists, maps and aliases: a struct's name or a basic type."""
        return base_type(self.type)


@dataclass(frozen=True)
class Struct:
    """One object type. ``kinds`` lists its (group, version, kind), empty for inner types."""

    name: str
    fields: tuple[Field, ...]
    kinds: tuple[tuple[str, str, str], ...] = ()
    map_type: str = ""

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {f.name: f for f in self.fields}

    @property
    def go_name(self) -> str:
        """``PodSpec``"""
        return self.name.rpartition(".")[2]

    @property
    def openapi_name(self) -> str:
        """``io.k8s.api.core.v1.PodSpec``"""
        package, _, last = self.name.rpartition(".")
        return f"{_data()['prefixes'][package]}.{last}"


@cache
def _data() -> dict[str, Any]:
    file = resources.files("minik8s.objects").joinpath("data/schema.json")
    loaded: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return loaded


@cache
def descriptions() -> dict[str, tuple[str, dict[str, str]]]:
    """Type name -> (description, field -> description); empty where the file is left out (the browser's wheel)."""
    file = resources.files("minik8s.objects").joinpath("data/descriptions.json")
    if not file.is_file():
        return {}
    types = json.loads(file.read_text("utf-8"))["types"]
    return {name: (text, fields) for name, (text, fields) in types.items()}


@cache
def struct(name: str) -> Struct:
    """The struct of a short name; KeyError when there is none."""
    record = _data()["types"][name]
    fields = tuple(Field(*row) for row in record["f"])
    return Struct(name, fields, tuple(map(tuple, record.get("g", ()))), record.get("m", ""))


def is_struct(name: str) -> bool:
    return name in _data()["types"]


def struct_names() -> list[str]:
    return list(_data()["types"])


@cache
def resolve(expression: str) -> str:
    """A type expression without named types at its head: ``core.v1.Protocol`` -> ``string``."""
    aliases = _data()["aliases"]
    while expression in aliases:
        expression = aliases[expression]
    return expression


def element(expression: str) -> str:
    """The type of the elements of a list or map type, "" for others."""
    expression = resolve(expression.lstrip("*"))
    if expression.startswith("[]"):
        return expression[2:]
    return expression[expression.index("}") + 1:] if expression.startswith("{") else ""


@cache
def base_type(expression: str) -> str:
    expression = resolve(expression.lstrip("*"))
    while inner := element(expression):
        expression = resolve(inner.lstrip("*"))
    return expression


_GO_SPECIAL = {"quantity": "resource.Quantity", "intstr": "intstr.IntOrString", "time": "v1.Time", "bytes": "[]uint8",
               "microtime": "v1.MicroTime", "duration": "v1.Duration", "raw": "runtime.RawExtension",
               "any": "interface {}"}


@cache
def go_type(expression: str) -> str:
    """The type as Go's reflect prints it: ``[]core.v1.Container`` -> ``[]v1.Container``."""
    if expression.startswith("*"):
        return "*" + go_type(expression[1:])
    if expression.startswith("[]"):
        return "[]" + go_type(expression[2:])
    if expression.startswith("{"):
        key, _, value = expression[1:].partition("}")
        return f"map[{go_type(key)}]{go_type(value)}"
    if expression in _GO_SPECIAL:
        return _GO_SPECIAL[expression]
    parts = expression.split(".")
    return ".".join(parts[-2:])


@cache
def _by_gvk() -> dict[tuple[str, str, str], str]:
    found: dict[tuple[str, str, str], str] = {}
    for name, record in _data()["types"].items():
        for group, version, kind in record.get("g", ()):
            found.setdefault((group, version, kind), name)
    return found


def type_of(kind: Kind | tuple[str, str, str]) -> str:
    """The short type name of a kind or (group, version, kind); "" when there is no structure for it."""
    if isinstance(kind, Kind):
        kind = (kind.group, kind.version, kind.kind)
    return _by_gvk().get(kind, "")
