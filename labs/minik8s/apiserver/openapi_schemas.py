"""OpenAPI schemas of the API's types, made from their published structure and descriptions.

One converter serves OpenAPI 3 (`#/components/schemas/`) and 2 (`#/definitions/`); version 2 knows no `oneOf`, and
refers to types without `allOf`. `data/openapi.json` holds the enumerations of `+enum` types and the descriptions of
types that read themselves (Quantity, Time, ...).

Source: kube-openapi's generators; https://github.com/kubernetes/kubernetes/tree/master/api/openapi-spec.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from minik8s.objects import Object, schema_types
from minik8s.objects.schema_types import Field, Struct

_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_SPECIAL_NAMES = {
    "quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "intstr": "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "time": f"{_META}.Time",
    "microtime": f"{_META}.MicroTime",
    "duration": f"{_META}.Duration",
    "raw": "io.k8s.apimachinery.pkg.runtime.RawExtension",
}
_SPECIAL_TYPES: dict[str, Object] = {
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "intstr": {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"},
    "time": {"type": "string", "format": "date-time"},
    "microtime": {"type": "string", "format": "date-time"},
    "duration": {"type": "string"},
    "raw": {"type": "object"},
}
_BASIC: dict[str, Object] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "int": {"type": "integer", "format": "int32"},
    "int32": {"type": "integer", "format": "int32"},
    "uint32": {"type": "integer", "format": "int64"},
    "int64": {"type": "integer", "format": "int64"},
    "uint64": {"type": "integer", "format": "int64"},
    "float32": {"type": "number", "format": "float"},
    "float64": {"type": "number", "format": "double"},
    "any": {},
    "interface{}": {},
}
V3 = "#/components/schemas/"
V2 = "#/definitions/"


@cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        resources.files("minik8s.apiserver").joinpath("data/openapi.json").read_text("utf-8")
    )
    return loaded


class Schemas:
    """Collects the schemas that documents refer to, each once."""

    def __init__(self, prefix: str = V3):
        self.prefix = prefix
        self.found: dict[str, Object] = {}

    def reference(self, name: str) -> Object:
        return {"$ref": self.prefix + name}

    def type_name(self, type_: str) -> str:
        """The OpenAPI name of a struct; it and all it refers to are collected."""
        shape = schema_types.struct(type_)
        name = shape.openapi_name
        if name not in self.found:
            self.found[name] = {}  # types may be recursive
            self.found[name] = self._struct(shape)
        return name

    def _special(self, type_: str) -> str:
        name = _SPECIAL_NAMES[type_]
        if name not in self.found:
            schema = dict(_SPECIAL_TYPES[type_])
            if self.prefix == V2 and "oneOf" in schema:
                schema = {"type": "string", **{k: v for k, v in schema.items() if k != "oneOf"}}
            text = _data()["special"].get(type_, "")
            self.found[name] = {"description": text, **schema} if text else schema
        return name

    def _struct(self, shape: Struct) -> Object:
        text, fields = schema_types.descriptions().get(shape.name, ("", {}))
        out: Object = {"description": text} if text else {}
        out["type"] = "object"
        required = [field.name for field in shape.fields if field.required]
        if required:
            out["required"] = sorted(required)
        out["properties"] = {field.name: self._field(field, fields.get(field.name, "")) for field in shape.fields}
        if shape.kinds:
            out["x-kubernetes-group-version-kind"] = [
                {"group": group, "version": version, "kind": kind} for group, version, kind in shape.kinds
            ]
        if shape.map_type:
            out["x-kubernetes-map-type"] = shape.map_type
        return out

    def _field(self, field: Field, text: str) -> Object:
        values = _data()["enums"].get(field.type.lstrip("*"))
        out: Object = {}
        if values:
            text = f"{text}\n\nPossible enum values:\n{_enum_text(values)}"
        if text:
            out["description"] = text
        out |= self._type(field.type, text != "")
        if values:
            out["enum"] = list(values)
        out |= _extensions(field)
        return out

    def _type(self, expression: str, wrap: bool = True) -> Object:
        """The schema of a type expression; `wrap`: a reference stands beside other members, so goes into allOf."""
        item_values = _data()["enums"].get(expression.lstrip("*"))
        expression = schema_types.resolve(expression.lstrip("*"))
        if expression.startswith("[]"):
            return {"type": "array", "items": self._item(expression[2:])}
        if expression.startswith("{"):
            value = expression[expression.index("}") + 1 :]
            return {"type": "object", "additionalProperties": self._item(value)}
        if schema_types.is_struct(expression):
            return self._refer(self.type_name(expression), wrap)
        if expression in _SPECIAL_NAMES:
            return self._refer(self._special(expression), wrap)
        basic = dict(_BASIC[expression])
        return basic | {"enum": list(item_values)} if item_values else basic

    def _item(self, expression: str) -> Object:
        return self._type(expression, True)

    def _refer(self, name: str, wrap: bool) -> Object:
        return {"allOf": [self.reference(name)]} if wrap and self.prefix == V3 else self.reference(name)

    def list_type(self, item: str, group: str, version: str, kind: str) -> str:
        """The OpenAPI name of the list of a kind; `item` is the item's OpenAPI name."""
        name = f"{item}List"
        if name not in self.found:
            meta = schema_types.descriptions().get("meta.v1.ListMeta", ("", {}))[0] or "Standard list metadata."
            self.found[name] = {
                "description": f"{kind} is a list of {item.rpartition('.')[2]}.",
                "type": "object",
                "required": ["items"],
                "properties": {
                    "apiVersion": {"type": "string"},
                    "items": {"type": "array", "items": self._refer(item, True)},
                    "kind": {"type": "string"},
                    "metadata": {"description": meta, **self._refer(self.type_name("meta.v1.ListMeta"), True)},
                },
                "x-kubernetes-group-version-kind": [{"group": group, "version": version, "kind": kind}],
            }
        return name

    def custom(self, name: str, schema: Object, group: str, version: str, kind: str) -> str:
        """The schema of a custom kind, with its type and metadata filled in."""
        own = dict(schema)
        base = schema_types.descriptions().get("core.v1.ConfigMap", ("", {}))[1]
        properties = dict(own.get("properties") or {})
        properties["apiVersion"] = {"description": base.get("apiVersion", ""), "type": "string"}
        properties["kind"] = {"description": base.get("kind", ""), "type": "string"}
        meta = self._refer(self.type_name("meta.v1.ObjectMeta"), True)
        properties["metadata"] = {"description": base.get("metadata", ""), **meta}
        own["properties"] = properties
        own["x-kubernetes-group-version-kind"] = [{"group": group, "version": version, "kind": kind}]
        self.found[name] = own
        return name


def _enum_text(values: dict[str, str]) -> str:
    return "\n".join(f' - `"{value}"` {text}'.rstrip() for value, text in values.items())


def _extensions(field: Field) -> Object:
    out: Object = {}
    if field.list_type:
        out["x-kubernetes-list-type"] = field.list_type
        if field.list_type == "map":
            out["x-kubernetes-list-map-keys"] = list(field.list_map_keys)
    if field.map_type:
        out["x-kubernetes-map-type"] = field.map_type
    if field.merge_key:
        out["x-kubernetes-patch-merge-key"] = field.merge_key
    if field.patch_strategies:
        out["x-kubernetes-patch-strategy"] = ",".join(field.patch_strategies)
    return out


def custom_name(group: str, version: str, kind: str) -> str:
    """`com.example.stable.v1.CronTab` for a kind of group stable.example.com."""
    return ".".join([*reversed(group.split(".")), version, kind])
