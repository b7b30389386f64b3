"""`kubectl explain`: 서버의 OpenAPI 문서에서 필드의 뜻을 찾아 보여 준다."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from minik8s.lab.kubectl.args import UsageError
from minik8s.lab.kubectl.customkinds import custom_kinds
from minik8s.lab.kubectl.session import Session
from minik8s.objects import Object


def lines(s: Session, path: str, *, recursive: bool = False) -> list[str]:
    """The page of `pods.spec.containers` and the like."""
    word, *fields = path.split(".")
    resource = s.resource(word)
    kind = s.kind_of(resource) or next((k for k in custom_kinds(s.client) if k.resource_name == resource), None)
    if kind is None:
        raise UsageError(f'error: couldn\'t find resource for "{word}"')
    prefix = f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"
    schemas = _document(s, f"/openapi/v3/{prefix}")["components"]["schemas"]
    root = _root(schemas, kind.group, kind.version, kind.kind)
    node, said, shown = root, str(root.get("description", "")), ""
    for field in fields:
        node = _resolve(schemas, node)
        found = (node.get("properties") or {}).get(field)
        if found is None:
            raise UsageError(f'error: field "{field}" does not exist')
        shown, said, node = f"{field} <{_type(found, schemas)}>", found.get("description", ""), found
    head = ([f"GROUP:      {kind.group}"] if kind.group else []) + [
        f"KIND:       {kind.kind}",
        f"VERSION:    {kind.version}",
    ]
    out = [*head, ""]
    if shown:
        out += [f"FIELD: {shown}", *_enum(node, ""), "", ""]
    told = [text for text in dict.fromkeys((said, str(_resolve(schemas, node).get("description", "")))) if text]
    out += ["DESCRIPTION:", *(line for text in told or [""] for line in _wrap(text, 4)), "    "]
    target = _resolve(schemas, node)
    if target.get("properties"):
        out += ["FIELDS:", *_fields(schemas, target, 2, recursive)]
    return [*out, ""]


def _document(s: Session, path: str) -> Object:
    """The server made its answer once, as bytes; over HTTP it arrives parsed."""
    found = s.client.call("GET", path)
    document: Object = json.loads(found) if isinstance(found, bytes) else found
    return document


def _root(schemas: Object, group: str, version: str, kind: str) -> Object:
    for schema in schemas.values():
        for gvk in schema.get("x-kubernetes-group-version-kind") or ():
            if (gvk.get("group", ""), gvk["version"], gvk["kind"]) == (group, version, kind):
                found: Object = schema
                return found
    raise UsageError(f"error: {kind}의 스키마가 서버에 없다.")


def _resolve(schemas: Object, node: Any) -> Object:
    """Follow $ref, allOf and items to the schema that has the fields."""
    while True:
        ref = node.get("$ref") or next((part["$ref"] for part in node.get("allOf") or () if "$ref" in part), None)
        if ref:
            node = schemas[ref.rpartition("/")[2]]
        elif node.get("type") == "array":
            node = node["items"]
        elif isinstance(node.get("additionalProperties"), dict) and not node.get("properties"):
            node = node["additionalProperties"]
        else:
            out: Object = node
            return out


def _type(node: Object, schemas: Object) -> str:
    ref = node.get("$ref") or next((part["$ref"] for part in node.get("allOf") or () if "$ref" in part), None)
    if ref:
        named = schemas[ref.rpartition("/")[2]].get("type", "object")
        return str(ref.rpartition(".")[2] if named == "object" else named)  # Time is a string
    if node.get("type") == "array":
        return f"[]{_type(node['items'], schemas)}"
    if isinstance(node.get("additionalProperties"), dict):
        return f"map[string]{_type(node['additionalProperties'], schemas)}"
    return {"object": "Object"}.get(node.get("type", ""), node.get("type") or "Object")


def _fields(schemas: Object, node: Object, pad: int, recursive: bool) -> list[str]:
    out, required = [], set(node.get("required") or ())
    for name, field in sorted(node["properties"].items()):
        mark = " -required-" if name in required else ""
        out.append(f"{' ' * pad}{name}\t<{_type(field, schemas)}>{mark}")
        out += _enum(field, " " * pad)
        if recursive:
            inner = _resolve(schemas, field)
            if inner.get("properties") and pad < 24:
                out += _fields(schemas, inner, pad + 2, True)
        else:
            out += [*_wrap(field.get("description", ""), pad + 2), ""]
    return out


def _enum(field: Object, pad: str) -> list[str]:
    """The values of an enumeration, the first four of them."""
    values = sorted(str(value) or '""' for value in field.get("enum") or ())
    if not values:
        return []
    return [f"{pad}enum: {', '.join(values[:4])}{', ....' if len(values) > 4 else ''}"]


def _wrap(text: str, pad: int) -> list[str]:
    return [
        line
        for part in (text or "<empty>").split("\n")
        for line in _fold(part, " " * pad) or [" " * pad]
    ]


def _fold(text: str, pad: str) -> list[str]:
    """80 columns; long words such as addresses stay whole."""
    return textwrap.wrap(
        text, 80, initial_indent=pad, subsequent_indent=pad, break_long_words=False, break_on_hyphens=False
    )
