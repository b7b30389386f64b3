"""x-kubernetes-validations: the CEL rules of a custom kind.

Source: apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go.
"""

from __future__ import annotations

from typing import Any

from minik8s.apiserver import cel
from minik8s.apiserver.cel_values import Optional, from_schema
from minik8s.objects import Object
from minik8s.objects.validation import field

_MISSING: Any = object()
_BLOCKING = frozenset({field.REQUIRED, field.TYPE_INVALID, field.TOO_LONG, field.TOO_MANY})
_BLOCKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
_REASONS = {
    "FieldValueForbidden": field.forbidden,
    "FieldValueRequired": field.required,
}


def evaluate(schema: Object, new: Object, old: Object | None, earlier: field.Errors) -> field.Errors:
    """The rules that `new` breaks. `earlier`: what is wrong already; some faults keep rules from being checked."""
    if not _has_rules(schema):
        return []
    if any(fault.type in _BLOCKING for fault in earlier):
        return [field.invalid("<nil>", None, _BLOCKED)]
    out: field.Errors = []
    _visit(schema, new, _MISSING if old is None else old, "", out, root=True)
    return out


def _has_rules(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    if schema.get("x-kubernetes-validations"):
        return True
    inner = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(_has_rules(sub) for sub in inner)


def _visit(schema: Object, value: Any, old: Any, path: str, out: field.Errors, *, root: bool = False) -> None:
    if value is None:
        return
    rules = schema.get("x-kubernetes-validations")
    if rules:
        _rules(rules, schema, value, old, path, out, root)
    if isinstance(value, dict):
        before = old if isinstance(old, dict) else {}
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, item in value.items():
            sub = properties.get(key) or (extra if isinstance(extra, dict) else None)
            if sub and _has_rules(sub):
                inner = f"{path}.{key}" if key in properties else f"{path}[{key}]"
                _visit(sub, item, before.get(key, _MISSING), inner.removeprefix("."), out)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict) and _has_rules(schema["items"]):
        for index, item in enumerate(value):
            _visit(schema["items"], item, _same_item(schema, item, old), f"{path}[{index}]", out)


def _same_item(schema: Object, item: Any, old: Any) -> Any:
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if schema.get("x-kubernetes-list-type") == "map" and isinstance(old, list) and isinstance(item, dict):
        for other in old:
            if all(other.get(key) == item.get(key) for key in keys):
                return other
    return _MISSING


_TYPE_META: Object = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
_ROOT_META = ("name", "generateName")


def _seen(schema: Object, value: Any, root: bool) -> Any:
    """What `self` is: the root shows of metadata its name only."""
    if root and isinstance(value, dict):
        metadata = {key: value["metadata"][key] for key in _ROOT_META if key in value.get("metadata", {})}
        value = {**value, "metadata": metadata}
        schema = {**schema, "properties": {**_TYPE_META, **(schema.get("properties") or {})}}
    return from_schema(value, schema)


def _rules(
    rules: list[Object], schema: Object, value: Any, old: Any, path: str, out: field.Errors, root: bool
) -> None:
    variables = {"self": _seen(schema, value, root)}
    known = old is not _MISSING
    for rule in rules:
        text = rule["rule"]
        try:
            transition = cel.uses(text, "oldSelf")
        except cel.CelError as error:
            out.append(field.invalid(path or "<nil>", schema.get("type", ""), f"rule compile error: {error}"))
            continue
        scope = dict(variables)
        if transition and rule.get("optionalOldSelf"):
            scope["oldSelf"] = Optional.of(_seen(schema, old, root)) if known else Optional.none()
        elif transition:
            if not known:
                continue
            scope["oldSelf"] = _seen(schema, old, root)
        elif known and old == value:
            continue  # what did not change is not faulted
        _rule(rule, schema, value, scope, path, out)


def _rule(rule: Object, schema: Object, value: Any, scope: Object, path: str, out: field.Errors) -> None:
    kind = schema.get("type", "")
    try:
        passed = cel.evaluate(rule["rule"], scope)
    except cel.CelError as error:
        text = "; ".join(rule["rule"].strip().splitlines())
        out.append(field.invalid(path or "<nil>", kind, f"{error} evaluating rule: {text}"))
        return
    if passed is True:
        return
    where = path + rule["fieldPath"] if rule.get("fieldPath") else path
    reason, message = rule.get("reason", ""), _message(rule, scope)
    shown = kind if kind in ("object", "array") else value
    out.append(_fault(where.removeprefix(".") or "<nil>", shown, message, reason))


def _fault(path: str, value: Any, message: str, reason: str) -> field.FieldError:
    if reason in _REASONS:
        return _REASONS[reason](path, message)
    if reason == "FieldValueDuplicate":
        return field.duplicate(path, value)
    return field.invalid(path, value, message)


def _message(rule: Object, scope: Object) -> str:
    expression = (rule.get("messageExpression") or "").strip()
    if expression:
        try:
            found = cel.evaluate(expression, scope)
        except cel.CelError:
            found = None
        if isinstance(found, str) and found.strip() and "\n" not in found:
            return found
    text = (rule.get("message") or "").strip()
    return text or "failed rule: " + "; ".join(rule["rule"].strip().splitlines())
