"""Do custom resources fit their schema? Faults in the words of kube-openapi's validator.

Sources: k8s.io/kube-openapi/pkg/validation/validate, apiextensions-apiserver/pkg/apiserver/validation and
pkg/apiserver/schema/listtype. On update, parts that did not change are not faulted (ratcheting).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from minik8s.apiserver import crd_formats
from minik8s.objects import Object
from minik8s.objects.validation import field

Errors = list[field.FieldError]
_MISSING: Any = object()
_NO_PATH = "<nil>"


def validate(value: Any, schema: Object, path: str = "", old: Any = _MISSING) -> Errors:
    """The faults of `value`; `path` is "" for a whole resource, `status` for its status."""
    found: Errors = []
    _check(value, schema, path, old, found)
    return found


def _check(value: Any, schema: Object, path: str, old: Any, out: Errors) -> None:
    if old is not _MISSING and (old is value or old == value):
        return
    if value is None:
        if _types(schema) and not schema.get("nullable"):
            out.append(_type_error(path, ",".join(_types(schema)), "null"))
        return
    _type(value, schema, path, out)
    _combinations(value, schema, path, out)
    if isinstance(value, str):
        _string(value, schema, path, out)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _number(value, schema, path, out)
    elif isinstance(value, list):
        _list(value, schema, path, old, out)
    _enum(value, schema, path, out)
    if isinstance(value, dict):
        _object(value, schema, path, old, out)


def _name(path: str) -> str:
    """The field of an error: the root has none."""
    return path.removeprefix(".") or _NO_PATH


def _invalid(path: str, value: Any, text: str) -> field.FieldError:
    return field.invalid(_name(path), value, f"{path} in body {text}")


def _types(schema: Object) -> list[str]:
    if schema.get("x-kubernetes-int-or-string"):
        return ["integer", "string"]
    return [schema["type"]] if schema.get("type") else []


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    for kind, name in ((str, "string"), (int, "integer"), (float, "number"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "object"


def _type_error(path: str, wanted: str, given: str) -> field.FieldError:
    detail = f'{path} in body must be of type {wanted}: "{given}"'
    return field.type_invalid(_name(path), given, detail)


def _type(value: Any, schema: Object, path: str, out: Errors) -> None:
    wanted, form, given = _types(schema), schema.get("format", ""), _json_type(value)
    if not wanted:
        return
    fits = given in wanted
    fits = fits or (given == "number" and float(value).is_integer() and "integer" in wanted)
    fits = fits or (given == "integer" and "number" in wanted)
    if fits:
        return
    if form and given not in ("string", "array"):
        out.append(_type_error(path, form, {"integer": "int64", "number": "float64"}.get(given, "")))
    elif form and not {"number", "integer"}.intersection(wanted):
        return
    else:
        out.append(_type_error(path, ",".join(wanted), given))


def _string(value: str, schema: Object, path: str, out: Errors) -> None:
    longest, shortest, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    if longest is not None and len(value) > longest:
        out.append(field.too_long(_name(path), longest))
    if shortest is not None and len(value) < shortest:
        out.append(_invalid(path, value, f"should be at least {shortest} chars long"))
    if pattern and not matches(pattern, value):
        out.append(_invalid(path, value, f"should match '{pattern}'"))
    form = schema.get("format", "")
    if form and not crd_formats.fits(form, value):
        detail = f"{path} in body must be of type {form}: {field.quote(value)}"
        out.append(field.type_invalid(_name(path), value, detail))


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(re.sub(r"\\z", r"\\Z", pattern))
    except re.error:
        return None


def matches(pattern: str, value: str) -> bool:
    """Go's regexp.MatchString, for the patterns that both languages share."""
    compiled = _compiled(pattern)
    if compiled is None:
        return False
    found = compiled.search(value)
    # Go's $ does not match before a last line feed
    return found is not None and not (pattern.endswith("$") and value.endswith("\n") and found.end() < len(value))


def go_number(value: Any) -> str:
    """Go's %v of a float64 or int64."""
    if isinstance(value, int):
        return str(value)
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    return f"{value:g}"


def _number(value: int | float, schema: Object, path: str, out: Errors) -> None:
    factor = schema.get("multipleOf")
    if factor:
        whole = value % int(factor) == 0 if isinstance(value, int) and int(factor) else (value / factor).is_integer()
        if not whole:
            out.append(_invalid(path, value, f"should be a multiple of {go_number(factor)}"))
    limit = schema.get("maximum")
    if limit is not None:
        limit = int(limit) if isinstance(value, int) else limit
        if schema.get("exclusiveMaximum") and value >= limit:
            out.append(_invalid(path, value, f"should be less than {go_number(limit)}"))
        elif value > limit:
            out.append(_invalid(path, value, f"should be less than or equal to {go_number(limit)}"))
    limit = schema.get("minimum")
    if limit is not None:
        limit = int(limit) if isinstance(value, int) else limit
        if schema.get("exclusiveMinimum") and value <= limit:
            out.append(_invalid(path, value, f"should be greater than {go_number(limit)}"))
        elif value < limit:
            out.append(_invalid(path, value, f"should be greater than or equal to {go_number(limit)}"))


def _enum(value: Any, schema: Object, path: str, out: Errors) -> None:
    allowed = schema.get("enum")
    if allowed and not any(one == value and isinstance(one, bool) == isinstance(value, bool) for one in allowed):
        texts = [one if isinstance(one, str) else field.go_json(one) for one in allowed]
        out.append(field.not_supported(_name(path), value, texts))


def _list(value: list[Any], schema: Object, path: str, old: Any, out: Errors) -> None:
    items = schema.get("items")
    if isinstance(items, dict):
        before = _old_items(schema, old)
        for index, item in enumerate(value):
            _check(item, items, f"{path}[{index}]", before(item), out)
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and len(value) < least:
        out.append(_invalid(path, len(value), f"should have at least {least} items"))
    if most is not None and len(value) > most:
        out.append(field.too_many(_name(path), len(value), most))
    if schema.get("uniqueItems") and any(item in value[:index] for index, item in enumerate(value)):
        out.append(_invalid(path, "", "shouldn't contain duplicates"))


def _old_items(schema: Object, old: Any) -> Callable[[Any], Any]:
    """Finds the old item that has the same key; only items of map lists can be told apart."""
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if not isinstance(old, list) or schema.get("x-kubernetes-list-type") != "map":
        return lambda item: _MISSING
    known = {_key(item, keys): item for item in old}
    return lambda item: known.get(_key(item, keys), _MISSING)


def _key(item: Any, keys: Any) -> str:
    return field.go_json([item.get(key) for key in keys] if isinstance(item, dict) else item)


def _object(value: Object, schema: Object, path: str, old: Any, out: Errors) -> None:
    before = old if isinstance(old, dict) else {}
    least, most = schema.get("minProperties"), schema.get("maxProperties")
    if least is not None and len(value) < least:
        out.append(_invalid(path, len(value), f"should have at least {least} properties"))
    if most is not None and len(value) > most:
        out.append(field.too_many(_name(path), len(value), most))
    properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
    for key, item in value.items():
        if key in properties:
            continue
        if extra is False:
            out.append(field.invalid(_name(path), key, f"{path}.{key} in body is a forbidden property"))
        elif isinstance(extra, dict):
            _check(item, extra, f"{path}.{key}", before.get(key, _MISSING), out)
    for key, sub in properties.items():
        if key in value:
            _check(value[key], sub, f"{path}.{key}" if path else key, before.get(key, _MISSING), out)
    for key in schema.get("required") or ():
        if key not in value:
            out.append(field.required(_name(f"{path}.{key}")))


def _combinations(value: Any, schema: Object, path: str, out: Errors) -> None:
    """allOf, anyOf, oneOf and not. Their summaries have no path of their own."""
    any_of, one_of, all_of = schema.get("anyOf"), schema.get("oneOf"), schema.get("allOf")
    if any_of:
        results: list[Errors] = [validate(value, sub, path) for sub in any_of]
        if all(results):
            out.append(_summary(f'"{path}" must validate at least one schema (anyOf)'))
            out += _fewest(results)
    if one_of:
        results = [validate(value, sub, path) for sub in one_of]
        good = sum(not result for result in results)
        if good != 1:
            what = "Found none valid" if not good else f"Found {good} valid alternatives"
            out.append(_summary(f'"{path}" must validate one and only one schema (oneOf). {what}'))
            if not good:
                out += _fewest(results)
    if all_of:
        results = [validate(value, sub, path) for sub in all_of]
        good = sum(not result for result in results)
        if good != len(results):
            none = ". None validated" if not good else ""
            out.append(_summary(f'"{path}" must validate all the schemas (allOf){none}'))
            out += [fault for result in results for fault in result]
    if schema.get("not") and not validate(value, schema["not"], path):
        out.append(_summary(f'"{path}" must not validate the schema (not)'))


def _fewest(results: list[Errors]) -> Errors:
    return min(results, key=len)


def _summary(text: str) -> field.FieldError:
    return field.invalid(_NO_PATH, "", text)


def list_types(value: Any, schema: Object | None, path: str = "") -> Errors:
    """Items of sets and map lists that repeat."""
    out: Errors = []
    if not schema:
        return out
    if isinstance(value, list):
        items = schema.get("items")
        out += _repeats(value, schema, path)
        for index, item in enumerate(value):
            out += list_types(item, items, f"{path}[{index}]")
    elif isinstance(value, dict):
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, item in value.items():
            sub = properties.get(key) or (extra if isinstance(extra, dict) else None)
            inner = f"{path}.{key}" if key in properties else f"{path}[{key}]"
            out += list_types(item, sub, inner.removeprefix("."))
    return out


def _repeats(items: list[Any], schema: Object, path: str) -> Errors:
    how = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if how not in ("set", "map"):
        return []
    out: Errors = []
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        shown = item
        if how == "map" and isinstance(item, dict):
            shown = {key: item[key] for key in keys if key in item}
        text = field.go_json(shown)
        if seen.setdefault(text, 0) == 1:
            out.append(field.duplicate(f"{path}[{index}]", shown))
        seen[text] += 1
    return out
