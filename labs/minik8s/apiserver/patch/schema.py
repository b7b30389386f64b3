"""The strategic merge patch's view of the API's types."""

from __future__ import annotations

from functools import cache

from minik8s.apiserver.patch.strategic import PatchSchema
from minik8s.objects.kinds import Kind
from minik8s.objects.schema_types import base_type, element, is_struct, resolve, struct, type_of


class _Free:
    """Below maps and values without a declared structure: maps are merged, lists are replaced."""

    def field(self, name: str) -> tuple[PatchSchema, bool, str]:
        return _MAP, True, ""


class _Values:
    """A map of scalars: all that is left is to merge it key by key."""

    def field(self, name: str) -> tuple[PatchSchema, bool, str]:
        return self, False, ""


_MAP = _Values()


class _Struct:
    """A struct of the API."""

    def __init__(self, name: str):
        self._shape = struct(name)
        self._found: dict[str, tuple[PatchSchema, bool, str]] = {}

    def field(self, name: str) -> tuple[PatchSchema, bool, str]:
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._look_up(name)
        return found

    def _look_up(self, name: str) -> tuple[PatchSchema, bool, str]:
        field = self._shape.by_name.get(name)
        if field is None:
            return _MAP, False, ""
        base = base_type(field.type)
        inner: PatchSchema = _of(base) if is_struct(base) else _MAP
        is_list = resolve(field.type.lstrip("*")).startswith("[]")
        strategies = field.patch_strategies
        merged = "merge" in strategies if is_list else "replace" not in strategies
        return inner, merged, field.merge_key if is_list else ""


@cache
def _of(name: str) -> PatchSchema:
    return _Struct(name)


@cache
def patch_schema(kind: Kind) -> PatchSchema:
    """The patch schema of a built-in kind."""
    return _of(type_of(kind))


__all__ = ["element", "patch_schema"]
