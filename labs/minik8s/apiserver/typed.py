"""Types as server-side apply sees them: maps, lists and scalars, and how each merges.

A `Node` says whether a map or list is owned as a whole (atomic), item by item (granular maps, set and map lists), and
by which keys items of a list are told apart. Made lazily from the published types of built-in kinds, and from the
structural schema of custom kinds.

Sources: sigs.k8s.io/structured-merge-diff/typed, kube-openapi's conversion of x-kubernetes-list-type and -map-type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from minik8s.objects import Object, schema_types, schema_values
from minik8s.objects.kinds import Kind

MAP, LIST, SCALAR = "map", "list", "scalar"


class Node:
    """One type.

    kind      MAP, LIST or SCALAR
    atomic    a map or list that has one owner; a list without list type is atomic
    element   the type of map values and list items; None: only declared fields
    keys      of a list of type map; empty for a set
    scalar    "string", "numeric", "boolean" or "untyped"
    zeros     field -> value that Go writes even when nothing was set (no omitempty, or a struct by value)
    defaults  field -> value assumed for a missing list key
    """

    __slots__ = ("_fields", "_make", "any", "atomic", "defaults", "element", "keys", "kind", "scalar", "zeros")

    def __init__(
        self,
        kind: str,
        *,
        atomic: bool = False,
        element: Node | None = None,
        keys: tuple[str, ...] = (),
        scalar: str = "",
        fields: Callable[[], Mapping[str, Node]] | None = None,
        zeros: Mapping[str, Any] | None = None,
        defaults: Mapping[str, Any] | None = None,
        any: bool = False,
    ):
        self.kind, self.atomic, self.element, self.keys, self.scalar = kind, atomic, element, keys, scalar
        self.zeros: Mapping[str, Any] = zeros or {}
        self.defaults: Mapping[str, Any] = defaults or {}
        self.any = any  # takes any JSON value; `kind` is then of no meaning
        self._make = fields
        self._fields: Mapping[str, Node] | None = None if fields else {}

    @property
    def fields(self) -> Mapping[str, Node]:
        if self._fields is None:
            assert self._make is not None
            self._fields = self._make()
        return self._fields

    def child(self, name: str) -> Node | None:
        """The type of a map's field; None when it is not declared."""
        return self.fields.get(name) or self.element

    def path_element(self, item: Any) -> str:
        """The path element of a list item, in FieldsV1 form: `k:{"name":"a"}` or `v:"a"`.

        ValueError, with structured-merge-diff's words, for an item that has none.
        """
        if not self.keys:
            if isinstance(item, dict | list) or item is None:
                raise ValueError(_SET_ERRORS[type(item).__name__.lower().removeprefix("frozen")])
            return value_element(item)
        if item is None:
            raise ValueError("associative list with keys may not have a null element")
        if not isinstance(item, dict):
            raise ValueError("associative list with keys may not have non-map elements")
        found = [(key, item.get(key)) for key in self.keys]
        if None in [value for _, value in found]:
            defaults = self.element.defaults if self.element else {}
            found = [(key, defaults.get(key) if value is None else value) for key, value in found]
            found = [(key, value) for key, value in found if value is not None]
            if not found:
                names = " ".join(f'"{key}"' for key in self.keys)
                raise ValueError(
                    f"associative list with keys has an element that omits all key fields [{names}] "
                    "(and doesn't have default values for any key fields)"
                )
        names_, values = tuple(key for key, _ in found), [value for _, value in found]
        if any(isinstance(value, dict | list) for value in values):  # of the wrong type, as will be found
            return key_element.__wrapped__(names_, *values)
        return key_element(names_, *values)


_SET_ERRORS = {
    "dict": "associative list without keys has an element that's a map type",
    "list": "not supported: associative list with lists as elements",
    "nonetype": "associative list without keys has an element that's an explicit null",
}


@lru_cache(maxsize=16384, typed=True)
def key_element(names: tuple[str, ...], *values: Any) -> str:
    """`k:{"containerPort":80,"protocol":"TCP"}`, keys sorted."""
    return "k:" + go_json(dict(sorted(zip(names, values, strict=True))))


@lru_cache(maxsize=4096, typed=True)
def value_element(value: Any) -> str:
    return "v:" + go_json(value)


def go_json(value: Any) -> str:
    """JSON as Go's encoder writes it: no spaces, `<`, `>` and `&` escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


UNTYPED_SCALAR = Node(SCALAR, scalar="untyped")
ANY = Node(MAP, atomic=True, any=True)
"""Any JSON value, with one owner."""

_SCALARS = {
    "string": "string",
    "bool": "boolean",
    "bytes": "string",
    "time": "string",
    "microtime": "string",
    "duration": "string",
    "quantity": "untyped",
    "intstr": "untyped",
}
_LIST_KEY_DEFAULTS = {
    "core.v1.ContainerPort": {"protocol": "TCP"},
    "core.v1.ServicePort": {"protocol": "TCP"},
}


def of_kind(kind: Kind) -> Node:
    """The type of a kind's objects."""
    own = getattr(kind, "node", None)
    if own is not None:
        found: Node = own
        return found
    name = schema_types.type_of(kind)
    return _struct(name) if name else ANY


@cache
def _struct(name: str) -> Node:
    shape = schema_types.struct(name)
    zeros = {}
    for field in shape.fields:
        maker = schema_values.zero_maker(field)
        if maker is not None:
            zeros[field.name] = maker()
    return Node(
        MAP,
        atomic=shape.map_type == "atomic",
        fields=lambda: {field.name: _field(field) for field in shape.fields},
        zeros=zeros,
        defaults=_LIST_KEY_DEFAULTS.get(name),
    )


def _field(field: schema_types.Field) -> Node:
    expression = schema_types.resolve(field.type.lstrip("*"))
    if expression.startswith("[]"):
        item = _type(expression[2:])
        if field.list_type in ("map", "set"):
            return Node(LIST, element=item, keys=field.list_map_keys if field.list_type == "map" else ())
        return Node(LIST, atomic=True, element=item)
    node = _type(expression)
    if field.map_type == "atomic" and not node.atomic and node.kind == MAP:
        inner = node
        return Node(MAP, atomic=True, element=inner.element, fields=lambda: inner.fields, zeros=inner.zeros)
    return node


@cache
def _type(expression: str) -> Node:
    expression = schema_types.resolve(expression.lstrip("*"))
    if expression.startswith("[]"):
        return Node(LIST, atomic=True, element=_type(expression[2:]))
    if expression.startswith("{"):
        return Node(MAP, element=_type(expression[expression.index("}") + 1 :]))
    if schema_types.is_struct(expression):
        return _struct(expression)
    if expression in ("any", "raw", "interface{}"):
        return ANY
    return Node(SCALAR, scalar=_SCALARS.get(expression, "numeric"))


_META = Node(MAP, fields=lambda: _struct("meta.v1.ObjectMeta").fields)


def of_schema(schema: Object) -> Node:
    """The type of custom resources with this structural schema (the `openAPIV3Schema` of a version)."""
    properties = {name: _custom(sub) for name, sub in (schema.get("properties") or {}).items()}
    properties |= {"apiVersion": _STRING, "kind": _STRING, "metadata": _META}
    open_ended = _extra(schema)
    return Node(MAP, fields=lambda: properties, element=open_ended)


_STRING = Node(SCALAR, scalar="string")
_DEDUCED: Node


def _extra(schema: Object) -> Node | None:
    """The type of members that are not declared."""
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        return _custom(more)
    if more is True or schema.get("x-kubernetes-preserve-unknown-fields"):
        return DEDUCED
    return None


def _custom(schema: Object) -> Node:
    if schema.get("x-kubernetes-int-or-string"):
        return UNTYPED_SCALAR
    kind = schema.get("type", "")
    if kind == "array":
        item = _custom(schema["items"]) if isinstance(schema.get("items"), dict) else DEDUCED
        how = schema.get("x-kubernetes-list-type", "atomic")
        keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
        return Node(LIST, atomic=how == "atomic", element=item, keys=keys if how == "map" else ())
    if kind == "object" or (not kind and schema.get("properties")):
        return _custom_map(schema)
    if not kind:
        return DEDUCED if schema.get("x-kubernetes-preserve-unknown-fields") else ANY
    return Node(SCALAR, scalar={"string": "string", "boolean": "boolean"}.get(kind, "numeric"))


def _custom_map(schema: Object) -> Node:
    if schema.get("x-kubernetes-embedded-resource"):
        schema = {**schema, "properties": {**_EMBEDDED, **(schema.get("properties") or {})}}
    subs = schema.get("properties") or {}
    fields = {name: _custom(sub) for name, sub in subs.items()}
    defaults = {name: sub["default"] for name, sub in subs.items() if isinstance(sub, dict) and "default" in sub}
    element = _extra(schema)
    if not subs and "additionalProperties" not in schema and element is None:
        element = DEDUCED
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    return Node(MAP, atomic=atomic, fields=lambda: fields, element=element, defaults=defaults)


_EMBEDDED: Object = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}


class _Deduced(Node):
    """Unknown content: maps are granular, lists atomic (structured-merge-diff's `__untyped_deduced_`)."""

    __slots__ = ()

    def child(self, name: str) -> Node | None:
        return self


DEDUCED: Node = _Deduced(MAP, any=True)
