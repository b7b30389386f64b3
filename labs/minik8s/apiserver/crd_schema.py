"""Custom resources by their structural schema: unknown fields, defaults.

Sources: apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting,objectmeta}.
"""

from __future__ import annotations

import re
from typing import Any

from minik8s.objects import Object, thaw
from minik8s.objects.schema import DecodeResult, decode_type

PRESERVE = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
_TYPE_META = ("apiVersion", "kind", "metadata")
_QUOTED = re.compile(r'^((?:unknown|duplicate) field) "')


def decode(obj: Object, schema: Object) -> DecodeResult:
    """`obj` as it would be read: metadata typed, unknown fields pruned and named, in the order of their paths."""
    strict = _repeated(obj, "")
    out: Object = thaw(obj)
    error = ""
    metadata = out.get("metadata")
    if metadata is not None:
        found = decode_type("meta.v1.ObjectMeta", metadata)
        out["metadata"], error = found.object, found.error
        unknown = [_QUOTED.sub(r'\1 "metadata.', note) for note in found.strict]
        strict += [note for note in unknown if note not in strict]
    pruned: list[str] = []
    _prune(out, schema, "", pruned, root=True)
    strict += [f'unknown field "{path}"' for path in sorted(pruned)]
    return DecodeResult(out, error, strict)


def _repeated(value: Any, path: str) -> list[str]:
    """Notes about keys that the text of the body repeated."""
    out: list[str] = []
    if isinstance(value, dict):
        here = f"{path}." if path else ""
        out += [f'duplicate field "{here}{key}"' for key in getattr(value, "duplicates", ())]
        for key, item in value.items():
            out += _repeated(item, f"{here}{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            out += _repeated(item, f"{path}[{index}]")
    return out


def prune(value: Any, schema: Object) -> list[str]:
    """Drop what the schema does not know from `value`, in place; the paths of what went, sorted."""
    found: list[str] = []
    _prune(value, schema, "", found)
    return sorted(found)


def _prune(value: Any, schema: Object | None, path: str, found: list[str], *, root: bool = False) -> None:
    """Drop members of `value` that the schema does not know; their paths go to `found`."""
    if isinstance(value, list):
        items = schema.get("items") if schema else None
        for index, item in enumerate(value):
            _prune(item, items, f"{path}[{index}]", found)
        return
    if not isinstance(value, dict):
        return
    here = f"{path}." if path else ""
    schema = schema or {}
    meta = root or schema.get(EMBEDDED)
    properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
    for key in list(value):
        if meta and key in _TYPE_META:
            continue
        if key in properties:
            _prune(value[key], properties[key], here + key, found)
        elif extra:
            _prune(value[key], extra if isinstance(extra, dict) else None, here + key, found)
        elif not schema.get(PRESERVE):
            found.append(here + key)
            del value[key]


def default(value: Any, schema: Object | None) -> None:
    """Set the schema's defaults in `value`, in place; nulls that may not be null go."""
    if not schema:
        return
    if isinstance(value, list):
        items = schema.get("items")
        for item in value:
            default(item, items)
        return
    if not isinstance(value, dict):
        return
    properties = schema.get("properties") or {}
    extra = schema.get("additionalProperties")
    extra = extra if isinstance(extra, dict) else None
    for key, sub in properties.items():
        if sub.get("default") is not None and (
            key not in value or (value[key] is None and not sub.get("nullable"))
        ):
            value[key] = thaw(sub["default"])
    for key in list(value):
        known = properties.get(key) or extra
        if value[key] is None and known and not known.get("nullable"):
            if known.get("default") is None:
                del value[key]
                continue
            value[key] = thaw(known["default"])
        default(value[key], known)


def without_status(schema: Object) -> Object:
    """The schema of everything but status."""
    properties = {key: sub for key, sub in (schema.get("properties") or {}).items() if key != "status"}
    return {**schema, "properties": properties}
