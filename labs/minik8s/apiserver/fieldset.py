"""Sets of field paths, kept in the very form in which they are written: FieldsV1.

A set is a dict from path elements (`f:name`, `k:{"name":"a"}`, `v:"a"`, `i:0`) to sets of what is below. A path is a
member when its dict is empty or holds `"."`. Sets are never changed in place; what an operation leaves as it was is
shared, so that unchanged ownership costs nothing.

Source: sigs.k8s.io/structured-merge-diff/fieldpath/set.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from minik8s.objects.frozen import freeze

FieldSet = dict[str, Any]
MEMBER = "."
LEAF: FieldSet = {}


def _is_member(node: FieldSet) -> bool:
    return not node or MEMBER in node


def _node(member: bool, children: FieldSet) -> FieldSet | None:
    """The set below one path element; None when it holds nothing."""
    if not children:
        return LEAF if member else None
    return {MEMBER: LEAF, **children} if member else children


def _children(node: FieldSet) -> FieldSet:
    return {key: sub for key, sub in node.items() if key != MEMBER} if MEMBER in node else node


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    """Paths in either; `left` itself when it holds all of `right`."""
    out: FieldSet | None = None
    for key, sub in right.items():
        mine = left.get(key)
        if mine is None:
            joined = sub
        elif key == MEMBER or mine is sub:
            continue
        else:
            joined = _join(mine, sub)
            if joined is mine:
                continue
        if out is None:
            out = dict(left)
        out[key] = joined
    return left if out is None else out


def _join(left: FieldSet, right: FieldSet) -> FieldSet:
    """Union of two sets below one path element, where {} means the element itself."""
    if not right:
        return left if _is_member(left) else {MEMBER: LEAF, **left}
    if not left:
        return right if MEMBER in right else {MEMBER: LEAF, **right}
    return union(left, right)


def difference(left: FieldSet, right: FieldSet, *, recursive: bool = False) -> FieldSet:
    """Paths of `left` that are not in `right`; `left` itself when there is none to drop.

    recursive: everything below a member of `right` goes too.
    """
    out: FieldSet | None = None
    for key, other in right.items():
        if key == MEMBER:
            continue
        mine = left.get(key)
        if mine is None:
            continue
        rest = None if recursive and _is_member(other) else _subtract(mine, other, recursive)
        if rest is mine:
            continue
        if out is None:
            out = dict(left)
        if rest is None:
            del out[key]
        else:
            out[key] = rest
    return left if out is None else out


def _subtract(mine: FieldSet, other: FieldSet, recursive: bool) -> FieldSet | None:
    if not mine:
        return None if _is_member(other) else mine
    rest = difference(mine, other, recursive=recursive) if other else mine
    member = MEMBER in mine and not _is_member(other)
    if member == (MEMBER in mine):
        if rest is mine:
            return mine
        return _node(member, _children(rest))
    return _node(False, _children(rest))


def shared(fields: FieldSet) -> FieldSet:
    """The one frozen set of this content.

    Ten thousand pods of a few templates have a few sets of fields: kept once, they cost no memory and no freezing.
    """
    return _shared(json.dumps(fields))


@lru_cache(maxsize=2048)
def _shared(text: str) -> FieldSet:
    found: FieldSet = freeze(json.loads(text))
    return found


def intersection(left: FieldSet, right: FieldSet) -> FieldSet:
    """Paths in both."""
    out: FieldSet = {}
    for key, mine in left.items():
        other = right.get(key)
        if key == MEMBER or other is None:
            continue
        both = _is_member(mine) and _is_member(other)
        node = _node(both, intersection(mine, other))
        if node is not None:
            out[key] = node
    return out


def contains(fields: FieldSet, path: tuple[str, ...]) -> bool:
    """Whether the path is a member."""
    for element in path:
        found = fields.get(element)
        if found is None:
            return False
        fields = found
    return _is_member(fields)


def from_path(path: tuple[str, ...]) -> FieldSet:
    """The set of one path."""
    node = LEAF
    for element in reversed(path):
        node = {element: node}
    return node


def paths(fields: FieldSet, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every member path: the members of a level first, then what is below, each in order."""
    keys = sorted((key for key in fields if key != MEMBER), key=_order)
    for key in keys:
        if _is_member(fields[key]):
            yield (*prefix, key)
    for key in keys:
        yield from paths(fields[key], (*prefix, key))


_KINDS = {"f": 0, "k": 1, "v": 2, "i": 3}


def _order(element: str) -> tuple[Any, ...]:
    kind, text = element[0], element[2:]
    if kind == "k":
        return (1, tuple((name, _comparable(value)) for name, value in sorted(json.loads(text).items())))
    if kind == "v":
        return (2, _comparable(json.loads(text)))
    return (0, text) if kind == "f" else (3, int(text))


def _comparable(value: Any) -> tuple[int, Any]:
    """Numbers before strings before booleans, as value.Compare."""
    if isinstance(value, bool):
        return (2, value)
    return (0, value) if isinstance(value, int | float) else (1, str(value))


def path_text(path: tuple[str, ...]) -> str:
    """`.spec.containers[name="a"].image`"""
    return "".join(element_text(element) for element in path)


def element_text(element: str) -> str:
    kind, text = element[0], element[2:]
    if kind == "f":
        return f".{text}"
    if kind == "v":
        return f"[={text}]"
    if kind == "i":
        return f"[{text}]"
    pairs = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in sorted(json.loads(text).items()))
    return f"[{','.join(pairs)}]"
