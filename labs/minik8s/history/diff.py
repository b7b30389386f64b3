"""What differs between two states, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from minik8s.objects.frozen import Object
from minik8s.store import Key

NOISE = frozenset({"metadata.resourceVersion", "metadata.managedFields", "metadata.generation"})
"""Fields that change with every write and say nothing by themselves."""

MERGE_KEYS = ("name", "type", "uid", "ip")


class Field(NamedTuple):
    """`path` such as spec.containers[app].image; None where there was or is nothing."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """One object: added, removed, or changed in `fields`."""

    kind: str
    key: Key
    fields: tuple[Field, ...] = ()

    def __str__(self) -> str:
        place = "/".join(part for part in self.key if part)
        sign = {"added": "+", "removed": "-", "changed": "~"}[self.kind]
        lines = [f"{sign} {place}"]
        lines += [f"    {f.path}: {_short(f.before)} → {_short(f.after)}" for f in self.fields]
        return "\n".join(lines)


def changes(before: Mapping[Key, Object], after: Mapping[Key, Object]) -> list[Change]:
    """Every object that differs, in the order of keys."""
    out = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old is new:
            continue
        if old is None:
            out.append(Change("added", key))
        elif new is None:
            out.append(Change("removed", key))
        elif found := tuple(f for f in fields(old, new) if f.path not in NOISE):
            out.append(Change("changed", key, found))
    return out


def fields(old: Any, new: Any, path: str = "") -> Iterator[Field]:
    """Differences of two JSON values; list entries are matched by name, type, uid or ip where they have one."""
    if old is new or (old == new and type(old) is type(new)):
        return
    if path in NOISE:
        yield Field(path, old, new)
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(k for k in new if k not in old)]:
            yield from fields(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and (mark := _mark(old, new)):
        table, fresh = {e[mark]: e for e in old}, {e[mark]: e for e in new}
        for key in [*table, *(k for k in fresh if k not in table)]:
            yield from fields(table.get(key), fresh.get(key), f"{path}[{key}]")
    else:
        yield Field(path, old, new)


def _mark(old: list[Any], new: list[Any]) -> str:
    entries = [*old, *new]
    if not entries or not all(isinstance(e, dict) for e in entries):
        return ""
    return next((m for m in MERGE_KEYS if all(isinstance(e.get(m), str) for e in entries)), "")


def _short(value: Any) -> str:
    text = "없음" if value is None else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
