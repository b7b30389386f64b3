"""Merging an applied configuration into the live object, and taking fields out of it again.

Source: sigs.k8s.io/structured-merge-diff/typed/{merge,remove}.go.
"""

from __future__ import annotations

from typing import Any

from minik8s.apiserver.compare import named
from minik8s.apiserver.fieldset import LEAF, MEMBER, FieldSet
from minik8s.apiserver.typed import LIST, MAP, Node
from minik8s.objects import Object

_NOTHING = Node("scalar", scalar="untyped")
DROP: Any = object()


def merge(node: Node, live: Any, applied: Any) -> Any:
    """`live` with everything that `applied` says. Nothing is removed; lists keep live's order, then applied's."""
    if applied is None and not (node.kind in (MAP, LIST) and not node.atomic):
        return None
    if isinstance(applied, dict) and node.kind == MAP and not node.atomic and isinstance(live, dict):
        out = dict(live)
        for key, value in applied.items():
            child = node.child(key) or _NOTHING
            merged = merge(child, live[key], value) if live.get(key) is not None else clean(value)
            if merged is None:
                out.pop(key, None)
            else:
                out[key] = merged
        return out
    if isinstance(applied, list) and node.kind == LIST and not node.atomic and isinstance(live, list):
        return _merge_lists(node, live, applied)
    return live if applied is None else clean(applied)


def clean(value: Any) -> Any:
    """A copy of applied content without members that are null."""
    if isinstance(value, dict):
        return {key: clean(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [clean(item) for item in value]
    return value


def _merge_lists(node: Node, live: list[Any], applied: list[Any]) -> list[Any]:
    """Items of both. The order of `applied` rules among shared items; live's own items keep their places between."""
    left = [(node.path_element(item), item) for item in live]
    right = [(node.path_element(item), item) for item in applied]
    known, wanted = {}, dict(right)
    for element, item in left:
        known[element] = DROP if element in known else item  # duplicates are not merged but replaced
    shared = [element for element, _ in right if element in known]
    item_node = node.element or _NOTHING
    out: list[Any] = []
    done: set[str] = set()
    at = other = 0
    while at < len(left) or other < len(right):
        if at < len(left) and other < len(right):
            element = left[at][0]
            if element == right[other][0]:
                out.append(_merge_item(item_node, known[element], right[other][1]))
                done.add(element)
                shared = shared[1:]
                at += 1
                other += 1
                continue
            if element in wanted and shared and shared[0] != element:
                at += 1  # shared, but its turn comes later
                continue
        if at < len(left):
            element = left[at][0]
            if element not in wanted:
                out.append(left[at][1])
                at += 1
                continue
            if element in done:
                at += 1
        if other < len(right):
            element, item = right[other]
            out.append(_merge_item(item_node, known.get(element, DROP), item))
            done.add(element)
            other += 1
            if shared and shared[0] == element:
                shared = shared[1:]
    return out


def _merge_item(node: Node, live: Any, applied: Any) -> Any:
    return clean(applied) if live is DROP else merge(node, live, applied)


def remove(node: Node, value: Any, fields: FieldSet) -> Any:
    """`value` without the members of `fields`; DROP when nothing is left of a container."""
    if isinstance(value, dict) and node.kind == MAP:
        if not value or node.atomic:
            return DROP
        out = {}
        for key, item in value.items():
            below = fields.get("f:" + key)
            if below is None:
                out[key] = item
            elif below and MEMBER not in below:
                rest = remove(node.child(key) or _NOTHING, item, below)
                if rest is not DROP:
                    out[key] = rest
        return out or DROP
    if isinstance(value, list) and node.kind == LIST:
        return DROP if not value or node.atomic else _remove_items(node, value, fields)
    return value


def _remove_items(node: Node, items: list[Any], fields: FieldSet) -> Any:
    out = []
    for item in items:
        below = fields.get(node.path_element(item))
        if below is None:
            out.append(item)
        elif below and MEMBER not in below:
            rest = remove(node.element or _NOTHING, item, below)
            if rest is not DROP:
                out.append(rest)
    return out or DROP


def with_named_parents(node: Node, fields: FieldSet) -> FieldSet:
    """The set with every declared field on the way to a member made a member too (EnsureNamedFieldsAreMembers)."""
    out: FieldSet = {}
    for key, below in fields.items():
        if key == MEMBER or not below:
            out[key] = below
            continue
        if key[0] == "f":
            child = node.child(key[2:]) or _NOTHING
            member = key[2:] in node.fields
        else:
            child, member = node.element or _NOTHING, False
        inner = with_named_parents(child, below)
        out[key] = {MEMBER: LEAF, **inner} if member and MEMBER not in inner else inner
    return out


def everything(node: Node, value: Object) -> FieldSet:
    """The field set of a whole object (ToFieldSet), with named parents."""
    return with_named_parents(node, named(node, value))

