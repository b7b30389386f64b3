"""JSON merge patch (RFC 7386)."""

from __future__ import annotations

from typing import Any

from minik8s.objects import Object


def merge_patch(original: Object, patch: Object) -> Object:
    """`original` with `patch` merged into it; subtrees that the patch does not name are shared."""
    out = dict(original)
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict):
            old = out.get(key)
            out[key] = merge_patch(old if isinstance(old, dict) else {}, value)
        else:
            out[key] = _without_nulls(value)
    return out


def _without_nulls(value: Any) -> Any:
    """What evanphx/json-patch keeps of a list in a merge patch: members that are null are dropped from its objects."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
