"""Does an applied configuration fit its type? Faults in the words of structured-merge-diff.

Source: sigs.k8s.io/structured-merge-diff/typed/validate.go.
"""

from __future__ import annotations

import json
from typing import Any

from minik8s.apiserver.fieldset import element_text
from minik8s.apiserver.typed import DEDUCED, LIST, MAP, Node


def check(node: Node, value: Any, path: str = "") -> list[str]:
    """The faults of `value`, as `.path: text`."""
    if value is None or node.any or node is DEDUCED:
        return []
    if node.kind == MAP:
        return _map(node, value, path)
    if node.kind == LIST:
        return _list(node, value, path)
    fault = _scalar(node.scalar, value)
    return [_at(path, fault)] if fault else []


def _at(path: str, text: str) -> str:
    return f"{path}: {text}" if path else text


def _map(node: Node, value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [_at(path, f"expected map, got &{go_value(value)}")]
    faults = []
    for key, item in value.items():
        child = node.child(key)
        if child is None:
            faults.append(f"{path}.{key}: field not declared in schema")
            break  # upstream stops looking at this map
        faults += check(child, item, f"{path}.{key}")
    return faults


def _list(node: Node, value: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        return [_at(path, f"expected list, got &{go_value(value)}")]
    faults: list[str] = []
    seen: set[str] = set()
    for index, item in enumerate(value):
        element = f"i:{index}"
        if not node.atomic:
            try:
                element = node.path_element(item)
            except ValueError as error:
                return [*faults, _at(path, f"element {index}: {error}")]
            if element in seen:
                faults.append(_at(path, f"duplicate entries for key {element_text(element)}"))
            seen.add(element)
        if node.element is not None:
            faults += check(node.element, item, path + element_text(element))
    return faults


def _scalar(wanted: str, value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if wanted == "numeric":
        return "" if number else f"expected numeric (int or float), got {_go_type(value)}"
    if wanted == "string":
        return "" if isinstance(value, str) else f"expected string, got &value.valueUnstructured{{Value:{_go(value)}}}"
    if wanted == "boolean":
        return "" if isinstance(value, bool) else f"expected boolean, got &{go_value(value)}"
    scalar = number or isinstance(value, str | bool)
    return "" if scalar else f"expected any scalar, got &{go_value(value)}"


def _go_type(value: Any) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return {str: "string", bool: "bool", int: "int64", float: "float64"}[type(value)]


def go_value(value: Any) -> str:
    """`{text}`: a Go struct with one member, printed by %v."""
    return f"{{{_plain(value)}}}"


def _plain(value: Any) -> str:
    """Go's %v."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_plain(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_plain(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)


def _go(value: Any) -> str:
    """Go's %#v."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)}:{_go(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(_go(item) for item in value) + "}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    return "interface {}(nil)" if value is None else str(value)
