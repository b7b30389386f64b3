"""Is the schema of a custom kind structural?

A structural schema types every field it mentions outside of logical junctors, so that pruning and defaulting are well
defined. Sources: apiextensions-apiserver/pkg/apiserver/schema/validation.go and the OpenAPI part of
pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

import re
from typing import Any

from minik8s.apiserver import cel, crd_schema, crd_values
from minik8s.objects import Object, thaw
from minik8s.objects.validation import field

_LEVELS = {"root": "at the root", "item": "for specified array items", "field": "for specified object fields"}
_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_ANY = "x-kubernetes-int-or-string"
_NESTED_EMPTY = ("title", "description")
_NESTED_FALSE = ("nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", _ANY)
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]


def validate(schema: Object, path: str) -> field.Errors:
    """The faults of a version's schema."""
    errors: field.Errors = []
    _invariants(errors, schema, "root", path)
    _complete(errors, schema, path)
    errors.sort(key=str)
    if not errors:
        _defaults(errors, schema, path)
    _openapi(errors, schema, path, root=True)
    return errors


def _invariants(errors: field.Errors, schema: Object, level: str, path: str) -> None:
    kind = schema.get("type", "")
    if kind == "array" and schema.get("items") is None:
        errors.append(field.required(f"{path}.items", "must be specified"))
    if isinstance(schema.get("items"), dict):
        _invariants(errors, schema["items"], "item", f"{path}.items")
    for name, sub in (schema.get("properties") or {}).items():
        _invariants(errors, sub, "field", f"{path}.properties[{name}]")
    extra = schema.get("additionalProperties")
    if extra is not None and level == "root":
        errors.append(field.forbidden(f"{path}.additionalProperties", "must not be used at the root"))
    if isinstance(extra, dict):
        _invariants(errors, extra, "field", f"{path}.additionalProperties")
    _extensions(errors, schema, path)
    _junctors(errors, schema, path)
    embedded = schema.get(crd_schema.EMBEDDED)
    if embedded and kind != "object":
        _embedded_type(errors, kind, path)
    elif not kind and not schema.get(_ANY) and not schema.get(crd_schema.PRESERVE):
        errors.append(field.required(f"{path}.type", f"must not be empty {_LEVELS[level]}"))
    if level == "root" and kind and kind != "object":
        errors.append(field.invalid(f"{path}.type", kind, "must be object at the root"))
    if level == "root" or embedded:
        _type_meta(errors, schema, level, path)


def _embedded_type(errors: field.Errors, kind: str, path: str) -> None:
    why = "must be object if x-kubernetes-embedded-resource is true"
    errors.append(field.invalid(f"{path}.type", kind, why) if kind else field.required(f"{path}.type", why))


def _type_meta(errors: field.Errors, schema: Object, level: str, path: str) -> None:
    properties = schema.get("properties") or {}
    for name in ("kind", "apiVersion"):
        if name in properties and properties[name].get("type") != "string":
            where = f"{path}.properties[{name}].type"
            errors.append(field.invalid(where, properties[name].get("type", ""), "must be string"))
    metadata = properties.get("metadata")
    if metadata is None:
        return
    if metadata.get("type") != "object":
        where = f"{path}.properties[metadata].type"
        errors.append(field.invalid(where, metadata.get("type", ""), "must be object"))
    known = {"type", "properties", "description"}
    if level == "root" and (set(metadata) - known or set(metadata.get("properties") or ()) - {"name", "generateName"}):
        why = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        errors.append(field.forbidden(f"{path}.properties[metadata]", why))


def _extensions(errors: field.Errors, schema: Object, path: str) -> None:
    if not schema.get(_ANY):
        return
    for name in (crd_schema.PRESERVE, crd_schema.EMBEDDED):
        if schema.get(name):
            errors.append(field.invalid(f"{path}.{name}", True, f"must be false if {_ANY} is true"))


def _junctors(errors: field.Errors, schema: Object, path: str) -> None:
    if schema.get("anyOf") != _INT_OR_STRING:
        for index, sub in enumerate(schema.get("anyOf") or ()):
            _nested(errors, sub, f"{path}.anyOf[{index}]")
    for index, sub in enumerate(schema.get("allOf") or ()):
        if not (index == 0 and sub.get("anyOf") == _INT_OR_STRING):
            _nested(errors, sub, f"{path}.allOf[{index}]")
    for index, sub in enumerate(schema.get("oneOf") or ()):
        _nested(errors, sub, f"{path}.oneOf[{index}]")
    if isinstance(schema.get("not"), dict):
        _nested(errors, schema["not"], f"{path}.not")
    pattern = schema.get("pattern")
    if pattern:
        try:
            re.compile(pattern)
        except re.error as error:
            why = f"must be a valid regular expression, but isn't: error parsing regexp: {error}"
            errors.append(field.invalid(f"{path}.pattern", pattern, why))


def _nested(errors: field.Errors, schema: Object, path: str) -> None:
    """What stands inside of a junctor may only restrict values."""
    _junctors(errors, schema, path)
    if isinstance(schema.get("items"), dict):
        _nested(errors, schema["items"], f"{path}.items")
    for name, sub in (schema.get("properties") or {}).items():
        _nested(errors, sub, f"{path}.properties[{name}]")
    if schema.get("type"):
        errors.append(field.forbidden(f"{path}.type", "must be empty to be structural"))
    for name in ("additionalProperties", "default"):
        if schema.get(name) is not None:
            errors.append(field.forbidden(f"{path}.{name}", "must be undefined to be structural"))
    for name in _NESTED_EMPTY:
        if schema.get(name):
            errors.append(field.forbidden(f"{path}.{name}", "must be empty to be structural"))
    for name in _NESTED_FALSE:
        if schema.get(name):
            errors.append(field.forbidden(f"{path}.{name}", "must be false to be structural"))
    if schema.get("x-kubernetes-validations"):
        errors.append(field.forbidden(f"{path}.x-kubernetes-validations", "must be empty to be structural"))
    if "metadata" in (schema.get("properties") or {}):
        where = f"{path}.properties[metadata]"
        errors.append(field.forbidden(where, "must not be specified in a nested context"))


def _complete(errors: field.Errors, schema: Object, path: str) -> None:
    """Every field that a junctor restricts is also specified outside of it."""
    for name, sub in (schema.get("properties") or {}).items():
        _complete(errors, sub, f"{path}.properties[{name}]")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            _complete(errors, schema[name], f"{path}.{name}")
    for junctor in ("allOf", "anyOf", "oneOf"):
        for index, sub in enumerate(schema.get(junctor) or ()):
            _specified(errors, schema, sub, path, f"{path}.{junctor}[{index}]")
    if isinstance(schema.get("not"), dict):
        _specified(errors, schema, schema["not"], path, f"{path}.not")


def _specified(errors: field.Errors, outer: Object | None, inner: Object, path: str, where: str) -> None:
    if outer is None:
        why = f"because it is defined in {where}"
        errors.append(field.required(path, why))
        return
    for name, sub in (inner.get("properties") or {}).items():
        known = (outer.get("properties") or {}).get(name)
        if known is None and isinstance(outer.get("additionalProperties"), dict):
            known = outer["additionalProperties"]
        if known is None and outer.get(crd_schema.PRESERVE):
            continue
        _specified(errors, known, sub, f"{path}.properties[{name}]", f"{where}.properties[{name}]")
    if isinstance(inner.get("items"), dict):
        _specified(errors, outer.get("items"), inner["items"], f"{path}.items", f"{where}.items")


def _defaults(errors: field.Errors, schema: Object, path: str) -> None:
    """Defaults must fit their own schema, and hold nothing that would be pruned."""
    for name, sub in (schema.get("properties") or {}).items():
        here = f"{path}.properties[{name}]"
        _default(errors, sub, here)
        _defaults(errors, sub, here)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            _default(errors, schema[name], f"{path}.{name}")
            _defaults(errors, schema[name], f"{path}.{name}")


def _default(errors: field.Errors, schema: Object, path: str) -> None:
    value: Any = schema.get("default")
    if value is None:
        return
    kept = thaw(value)
    found = crd_schema.prune(kept, schema)
    if found:
        errors.append(field.invalid(f"{path}.default", value, "must not have unknown fields"))
    for fault in crd_values.validate(value, schema, f"{path}.default"):
        errors.append(fault)


def _openapi(errors: field.Errors, schema: Object, path: str, *, root: bool = False) -> None:
    """Rules of apiextensions that are not about structure."""
    kind = schema.get("type", "")
    if kind and kind not in _TYPES:
        errors.append(field.not_supported(f"{path}.type", kind, _TYPES))
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        errors.append(field.forbidden(f"{path}.uniqueItems", why))
    items = schema.get("items")
    if items is not None and not isinstance(items, dict):
        errors.append(field.forbidden(f"{path}.items", "items must be a schema object and not an array"))
    extra = schema.get("additionalProperties")
    if extra is not None and not isinstance(extra, bool | dict):
        errors.append(field.invalid(f"{path}.additionalProperties", extra, "must be a schema or a boolean"))
    if extra is False:
        errors.append(field.forbidden(f"{path}.additionalProperties", "additionalProperties cannot be set to false"))
    if extra is not None and schema.get("properties"):
        why = "additionalProperties and properties are mutual exclusive"
        errors.append(field.forbidden(f"{path}.additionalProperties", why))
    if schema.get("$ref"):
        errors.append(field.forbidden(f"{path}.$ref", "$ref is not supported"))
    if schema.get(crd_schema.PRESERVE) is False:
        errors.append(field.invalid(f"{path}.{crd_schema.PRESERVE}", False, "must be true or undefined"))
    _list_rules(errors, schema, path)
    _map_rules(errors, schema, path)
    _cel_rules(errors, schema, path)
    for name, sub in (schema.get("properties") or {}).items():
        _openapi(errors, sub, f"{path}.properties[{name}]")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            _openapi(errors, schema[name], f"{path}.{name}")


def _map_rules(errors: field.Errors, schema: Object, path: str) -> None:
    how, kind = schema.get("x-kubernetes-map-type"), schema.get("type", "")
    if how is None:
        return
    if kind != "object":
        why = "must be object if x-kubernetes-map-type is specified"
        errors.append(field.invalid(f"{path}.type", kind, why) if kind else field.required(f"{path}.type", why))
    if how not in ("atomic", "granular"):
        errors.append(field.not_supported(f"{path}.x-kubernetes-map-type", how, ("atomic", "granular")))


def _list_rules(errors: field.Errors, schema: Object, path: str) -> None:
    how, kind = schema.get("x-kubernetes-list-type"), schema.get("type", "")
    keys = schema.get("x-kubernetes-list-map-keys") or []
    if how is not None and kind != "array":
        why = "must be array if x-kubernetes-list-type is specified"
        errors.append(field.invalid(f"{path}.type", kind, why) if kind else field.required(f"{path}.type", why))
    if how is not None and how not in ("atomic", "set", "map"):
        errors.append(field.not_supported(f"{path}.x-kubernetes-list-type", how, ("atomic", "set", "map")))
    if keys and how != "map":
        why = "must be map if x-kubernetes-list-map-keys is non-empty"
        where = f"{path}.x-kubernetes-list-type"
        errors.append(field.required(where, why) if how is None else field.invalid(where, how, why))
    if how != "map":
        return
    if not keys:
        why = "must not be empty if x-kubernetes-list-type is map"
        errors.append(field.required(f"{path}.x-kubernetes-list-map-keys", why))
    items = schema.get("items")
    if not isinstance(items, dict):
        errors.append(field.required(f"{path}.items", "must have a schema if x-kubernetes-list-type is map"))
        return
    if items.get("type") != "object":
        why = "must be object if parent array's x-kubernetes-list-type is map"
        errors.append(field.invalid(f"{path}.items.type", items.get("type", ""), why))
        return
    _list_keys(errors, items, keys, path)


def _list_keys(errors: field.Errors, items: Object, keys: list[str], path: str) -> None:
    for key in keys:
        sub = (items.get("properties") or {}).get(key)
        if sub is None:
            why = "entries must all be names of item properties"
            errors.append(field.invalid(f"{path}.x-kubernetes-list-map-keys", keys, why))
        elif key not in (items.get("required") or ()) and sub.get("default") is None:
            why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            errors.append(field.required(f"{path}.items.properties[{key}].default", why))


def _cel_rules(errors: field.Errors, schema: Object, path: str) -> None:
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        where = f"{path}.x-kubernetes-validations[{index}]"
        text = (rule.get("rule") or "").strip()
        if not text:
            errors.append(field.required(f"{where}.rule", "rule is not specified"))
            continue
        if "\n" in text and not (rule.get("message") or "").strip():
            why = "message must be specified if rule contains line breaks"
            errors.append(field.required(f"{where}.message", why))
        try:
            cel.parse(text)
        except cel.CelError as error:
            shown = field.GoValue(rule, "apiextensions.v1.ValidationRule")
            errors.append(field.invalid(f"{where}.rule", shown, f"compilation failed: {error}"))
