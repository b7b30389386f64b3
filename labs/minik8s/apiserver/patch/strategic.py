"""Strategic merge patch: lists are merged by the keys that the API's schema declares.

Follows k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (the directives `$patch`, `$retainKeys`,
`$setElementOrder/…` and `$deleteFromPrimitiveList/…`), as a function that changes neither of its arguments.
"""

from __future__ import annotations

from typing import Any, Protocol

from minik8s.objects import Object

_PATCH, _RETAIN = "$patch", "$retainKeys"
_ORDER, _DELETE_FROM = "$setElementOrder/", "$deleteFromPrimitiveList/"


class PatchSchema(Protocol):
    """How the fields of one object are patched."""

    def field(self, name: str) -> tuple[PatchSchema, bool, str]:
        """(schema of the value or of the list's items, whether the field is merged, the merge key of a list).

        Lists are replaced unless merged; maps are merged unless their strategy is `replace`.
        """
        ...


class BadPatch(ValueError):
    """The patch is malformed: 400."""


class Unprocessable(ValueError):
    """The patch cannot be carried out: 422."""


class PatchFailed(ValueError):
    """Any other failure; the API answers 500 with this text."""


def strategic_merge(original: Object, patch: Object, schema: PatchSchema) -> Object:
    """`original` with `patch` merged into it. BadPatch, Unprocessable, PatchFailed."""
    return _merge_map(original, patch, schema)


def go_map(value: Any) -> str:
    """A value as Go's `%v` prints it; maps have their keys sorted."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_map(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_map(item) for item in value) + "]"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _merge_map(original: Object, patch: Object, schema: PatchSchema) -> Object:
    if _PATCH in patch:
        directive = patch[_PATCH]
        if directive == "replace":
            return {key: value for key, value in patch.items() if key != _PATCH}
        if directive == "delete":
            return {}
        raise PatchFailed(f"unknown patch type: {directive} in map: {go_map(patch)}")
    patch = dict(patch)
    out = _retain(dict(original), patch)
    _ordered_lists(out, patch, schema)
    for key, value in patch.items():
        deleting = key.startswith(_DELETE_FROM)
        if deleting:
            key = key[len(_DELETE_FROM) :]
        if value is None:
            out.pop(key, None)
        elif key not in out or _type(out[key]) is not _type(value):
            if not deleting:
                _put(out, key, value)
        elif isinstance(value, dict):
            sub, merged, _ = schema.field(key)
            out[key] = _merge_map(out[key], value, sub) if merged else value
        elif isinstance(value, list):
            sub, merged, merge_key = schema.field(key)
            if merged or deleting:
                out[key] = _merge_list(out[key], value, sub, merge_key, deleting)
            else:
                out[key] = value
        else:
            out[key] = value
    return out


def _type(value: Any) -> type:
    """dict and list for their frozen kinds too, so that old and patched values compare."""
    return dict if isinstance(value, dict) else list if isinstance(value, list) else type(value)


def _put(out: Object, key: str, value: Any) -> None:
    if isinstance(value, dict) and _PATCH in value:
        out.pop(key, None)
    else:
        out[key] = _clean(value)


def _clean(value: Any) -> Any:
    """A patch value as new content: nulls and the elements that carry directives are dropped."""
    if isinstance(value, dict):
        return {
            key: _clean(item)
            for key, item in value.items()
            if item is not None and not (isinstance(item, dict) and _PATCH in item)
        }
    if isinstance(value, list):
        return [_clean(item) for item in value if not (isinstance(item, dict) and _PATCH in item)]
    return value


def _retain(out: Object, patch: Object) -> Object:
    keys = patch.pop(_RETAIN, None)
    if keys is None:
        return out
    if not isinstance(keys, list):
        raise BadPatch("invalid patch format of retainKeys")
    for key, value in patch.items():
        if value is not None and not key.startswith((_DELETE_FROM, _ORDER)) and key not in keys:
            raise BadPatch("invalid patch format of retainKeys")
    return {key: value for key, value in out.items() if key in keys}


def _ordered_lists(out: Object, patch: Object, schema: PatchSchema) -> None:
    """Carry out every `$setElementOrder/<list>` together with its list, and take both from `patch`."""
    for directive in [key for key in patch if key.startswith(_ORDER)]:
        order, key = patch.pop(directive), directive[len(_ORDER) :]
        if not isinstance(order, list):
            raise PatchFailed(f"expected a []interface {{}}, but received a {_go_type(order)}")
        live, change = out.get(key), patch.get(key)
        for value in (live, change):
            if value is not None and not isinstance(value, list):
                raise PatchFailed(f"expected a []interface {{}}, but received a {_go_type(value)}")
        sub, merged, merge_key = schema.field(key)
        _check_order(change or [], order, merge_key)
        if live is None and change is None:
            continue
        if change is None:
            result = live
        elif live is None:
            result = _clean(change)
        else:
            result = _merge_list(live, change, sub, merge_key, False) if merged else change
        out[key] = _arrange(result or [], order, live or [], merge_key)
        patch.pop(key, None)


def _check_order(change: list[Any], order: list[Any], merge_key: str) -> None:
    if not change or not order:
        return
    wanted = [_key_of(item, merge_key) for item in change if not (isinstance(item, dict) and _PATCH in item)]
    at = 0
    for item in order:
        if at < len(wanted) and wanted[at] == _key_of(item, merge_key):
            at += 1
    if at < len(wanted):
        raise PatchFailed(
            f"The order in patch list:\n{go_map(change)}\n doesn't match $setElementOrder list:\n{go_map(order)}\n"
        )


def _key_of(item: Any, merge_key: str) -> Any:
    if not merge_key:
        return item
    if not isinstance(item, dict):
        raise PatchFailed(f"expected a map[string]interface {{}}, but received a {_go_type(item)}")
    if merge_key not in item:
        raise PatchFailed(f"map: {go_map(item)} does not contain declared merge key: {merge_key}")
    key = item[merge_key]
    if isinstance(key, dict | list):
        raise PatchFailed(f"map: {go_map(item)} has a merge key that is no scalar: {merge_key}")
    return key


def _merge_list(
    original: list[Any], patch: list[Any], schema: PatchSchema, merge_key: str, deleting: bool
) -> list[Any]:
    if not original and not patch:
        return original
    kinds = {_type(item) for item in (*original, *patch)}
    if list in kinds:
        raise Unprocessable("lists of lists are not supported")
    if len(kinds) > 1:
        raise PatchFailed(f"list element types are not identical: {go_map([original, patch])}")
    if kinds != {dict}:
        if deleting:
            return [item for item in original if item not in patch]
        merged = list(dict.fromkeys([*original, *patch]))
        return _arrange(merged, patch, original, "")
    if not merge_key:
        raise PatchFailed("cannot merge lists without merge key for")
    base, changes = _directives(list(original), patch, merge_key)
    for change in changes:
        wanted = _key_of(change, merge_key)
        for index, item in enumerate(base):
            if item.get(merge_key) == wanted:
                base[index] = _merge_map(item, change, schema)
                break
        else:
            base.append(_clean(change))
    return _arrange(base, changes, original, merge_key)


def _directives(base: list[Any], patch: list[Any], merge_key: str) -> tuple[list[Any], list[Any]]:
    """Carry out the list elements that are directives; (what is left of `base`, the other patch elements)."""
    changes, replace = [], False
    for item in patch:
        if _PATCH not in item:
            changes.append(item)
        elif item[_PATCH] == "delete":
            wanted = _key_of(item, merge_key)
            base = [old for old in base if old.get(merge_key) != wanted]
        elif item[_PATCH] == "replace":
            replace = True
        elif item[_PATCH] == "merge":
            raise PatchFailed("merging lists cannot yet be specified in the patch")
        else:
            raise PatchFailed(f"unknown patch type: {item[_PATCH]} in map: {go_map(item)}")
    return (changes, []) if replace else (base, changes)


def _arrange(merged: list[Any], order: list[Any], live: list[Any], merge_key: str) -> list[Any]:
    """Items named in `order` in that order; the others keep their places of the live list among them."""
    keys = [_key_of(item, merge_key) for item in merged]
    rank: dict[Any, int] = {}
    for index, item in enumerate(order):
        rank.setdefault(_key_of(item, merge_key), index)
    place: dict[Any, int] = {}
    for index, item in enumerate(live):
        place.setdefault(_key_of(item, merge_key) if merge_key else item, index)
    ordered = sorted((i for i, key in enumerate(keys) if key in rank), key=lambda i: rank[keys[i]])
    others = sorted((i for i, key in enumerate(keys) if key not in rank), key=lambda i: place.get(keys[i], len(live)))
    out: list[int] = []
    left, right = 0, 0
    while left < len(ordered) and right < len(others):
        first, second = place.get(keys[ordered[left]]), place.get(keys[others[right]])
        if first is not None and second is not None and second < first:
            out.append(others[right])
            right += 1
        else:
            out.append(ordered[left])
            left += 1
    return [merged[i] for i in (*out, *ordered[left:], *others[right:])]


def _go_type(value: Any) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return {str: "string", bool: "bool", int: "int64", float: "float64"}.get(type(value), "<nil>")
