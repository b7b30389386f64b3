"""Which fields differ between two objects, and which fields an object names.

Source: sigs.k8s.io/structured-merge-diff/typed/{compare,tofieldset}.go. Frozen subtrees that both objects share are
skipped by identity, which makes a status patch cost what it changes.
"""

from __future__ import annotations

from typing import Any

from minik8s.apiserver.fieldset import LEAF, MEMBER, FieldSet
from minik8s.apiserver.typed import DEDUCED, LIST, MAP, SCALAR, Node
from minik8s.objects import Object

_ABSENT: Any = object()
_NOTHING: Node = Node(SCALAR, scalar="untyped")
STRIPPED_META = frozenset(
    {
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    }
)
"""Members of metadata that nobody owns (apimachinery's stripMetaManager)."""


def compare(node: Node, old: Object, new: Object) -> tuple[FieldSet, FieldSet]:
    """(removed, changed): fields only in `old`; fields that are new or have another value in `new`.

    apiVersion, kind and what the server sets in metadata are left out.
    """
    removed: FieldSet = {}
    changed: FieldSet = {}
    for key in {**old, **new}:
        left, right = old.get(key, _ABSENT), new.get(key, _ABSENT)
        if left is right or key == "apiVersion" or key == "kind":
            continue
        child = node.child(key) or _NOTHING
        if key == "metadata":
            gone, fresh = _compare_meta(child, left, right)
        else:
            gone, fresh = _field(node, child, key, left, right)
        if gone is not None:
            removed["f:" + key] = gone
        if fresh is not None:
            changed["f:" + key] = fresh
    return removed, changed


def _compare_meta(node: Node, left: Any, right: Any) -> tuple[FieldSet | None, FieldSet | None]:
    left = {} if left is _ABSENT else {k: v for k, v in left.items() if k not in STRIPPED_META}
    right = {} if right is _ABSENT else {k: v for k, v in right.items() if k not in STRIPPED_META}
    if left == right:
        return None, None
    return _maps(node, left, right)


def _field(
    parent: Node, node: Node, key: str, left: Any, right: Any
) -> tuple[FieldSet | None, FieldSet | None]:
    """One field of a map, where either side may lack it. What Go always writes is never new and never gone."""
    if left is _ABSENT or left is None:
        left = parent.zeros.get(key, _ABSENT)
    if right is _ABSENT or right is None:
        right = parent.zeros.get(key, _ABSENT)
    if left is right:
        return None, None
    if left is _ABSENT or (left is None and not _container(node)):
        return None, full(node, right)
    if right is _ABSENT or (right is None and not _container(node)):
        return full(node, left), None
    return _values(node, left, right)


def _container(node: Node) -> bool:
    return node.kind != SCALAR


def _values(node: Node, left: Any, right: Any) -> tuple[FieldSet | None, FieldSet | None]:
    """Two present values."""
    kind = _kind_of(node, left, right)
    if kind == MAP and not node.atomic:
        return _maps(node, left or {}, right or {})
    if kind == LIST and not node.atomic and node is not DEDUCED:
        return _lists(node, left or [], right or [])
    return (None, None) if left == right else (None, LEAF)


def _kind_of(node: Node, left: Any, right: Any) -> str:
    """MAP or LIST when both sides are of that form, else SCALAR (compared as a whole)."""
    if (left is None or isinstance(left, dict)) and (right is None or isinstance(right, dict)):
        return MAP if node.kind == MAP else SCALAR
    if (left is None or isinstance(left, list)) and (right is None or isinstance(right, list)):
        return LIST if node.kind == LIST else SCALAR
    return SCALAR


def _maps(node: Node, left: Object, right: Object) -> tuple[FieldSet | None, FieldSet | None]:
    removed: FieldSet = {}
    changed: FieldSet = {}
    for key, mine in left.items():
        other = right.get(key, _ABSENT)
        if mine is other:
            continue
        if type(mine) is str and type(other) is str:  # the common case, without further calls
            if mine != other:
                changed["f:" + key] = LEAF
            continue
        gone, fresh = _field(node, node.child(key) or _NOTHING, key, mine, other)
        if gone is not None:
            removed["f:" + key] = gone
        if fresh is not None:
            changed["f:" + key] = fresh
    for key, other in right.items():
        if key not in left:
            _, fresh = _field(node, node.child(key) or _NOTHING, key, _ABSENT, other)
            if fresh is not None:
                changed["f:" + key] = fresh
    return removed or None, changed or None


def _lists(node: Node, left: list[Any], right: list[Any]) -> tuple[FieldSet | None, FieldSet | None]:
    item_node = node.element or _NOTHING
    before, after = index(node, left), index(node, right)
    removed: FieldSet = {}
    changed: FieldSet = {}
    for element, mine in before.items():
        others = after.get(element)
        if others is None:
            removed[element] = full(item_node, mine[0]) if len(mine) == 1 else LEAF
        elif len(mine) == 1 and len(others) == 1:
            if mine[0] is others[0]:
                continue
            gone, fresh = _values(item_node, mine[0], others[0])
            if gone is not None:
                removed[element] = gone
            if fresh is not None:
                changed[element] = fresh
        else:
            _duplicates(item_node, element, mine, others, removed, changed)
    for element, others in after.items():
        if element not in before:
            changed[element] = full(item_node, others[0]) if len(others) == 1 else LEAF
    return removed or None, changed or None


def _duplicates(
    node: Node, element: str, left: list[Any], right: list[Any], removed: FieldSet, changed: FieldSet
) -> None:
    """Items with one key, several times: compared as a whole while there are several on both sides."""
    if len(left) > 1 and len(right) > 1:
        if left != right:
            changed[element] = LEAF
    elif len(left) > 1:
        changed[element] = full(node, right[0])
        removed[element] = LEAF
    else:
        removed[element] = full(node, left[0])
        changed[element] = LEAF


def index(node: Node, items: list[Any]) -> dict[str, list[Any]]:
    """The items of an associative list by path element; items without one are left out."""
    found: dict[str, list[Any]] = {}
    for item in items:
        try:
            found.setdefault(node.path_element(item), []).append(item)
        except ValueError:
            continue
    return found


def full(node: Node, value: Any) -> FieldSet:
    """The path itself and everything below it: what becomes owned when a value appears as a whole."""
    if isinstance(value, dict) and node.kind == MAP and not node.atomic:
        out: FieldSet = {}
        for key, item in value.items():
            if item is not None:
                out["f:" + key] = full(node.child(key) or _NOTHING, item)
        for key, item in node.zeros.items():
            if value.get(key) is None:
                out["f:" + key] = full(node.child(key) or _NOTHING, item)
        return {MEMBER: LEAF, **out} if out else LEAF
    if isinstance(value, list) and node.kind == LIST and not node.atomic and value:
        out = {element: full(node.element or _NOTHING, items[0]) for element, items in index(node, value).items()}
        return {MEMBER: LEAF, **out}
    return LEAF


def named(node: Node, value: Object) -> FieldSet:
    """The fields that an applied configuration names: its leaves, list items and map entries."""
    out: FieldSet = {}
    for key, item in value.items():
        child = node.child(key) or _NOTHING
        below = _named(child, item)
        member = key not in node.fields or item is None or (isinstance(item, dict) and not item)
        if below is None:
            if member:
                out["f:" + key] = LEAF
        else:
            out["f:" + key] = {MEMBER: LEAF, **below} if member and below and MEMBER not in below else below
    return out


def _named(node: Node, value: Any) -> FieldSet | None:
    """What is named below a path; {} is the path itself, None is nothing."""
    if value is None:
        return LEAF if node.kind == SCALAR or node.atomic else None
    if isinstance(value, dict) and node.kind == MAP and not node.atomic:
        return named(node, value) or None
    if isinstance(value, list) and node.kind == LIST and not node.atomic:
        out: FieldSet = {}
        for element, items in index(node, value).items():
            below = _named(node.element or _NOTHING, items[0]) if len(items) == 1 else None
            out[element] = {MEMBER: LEAF, **below} if below else LEAF
        return out or None
    return LEAF
