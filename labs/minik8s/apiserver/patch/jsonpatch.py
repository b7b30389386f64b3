"""JSON patch (RFC 6902)."""

from __future__ import annotations

from typing import Any

from minik8s.objects import thaw


class JsonPatchError(ValueError):
    """An operation cannot be applied; the message says why, as github.com/evanphx/json-patch words it."""


def json_patch(original: Any, operations: list[dict[str, Any]]) -> Any:
    """A copy of `original` with `operations` applied in order. JsonPatchError."""
    document = thaw(original)
    for operation in operations:
        document = _apply(document, operation)
    return document


def _apply(document: Any, operation: dict[str, Any]) -> Any:
    op, path = operation.get("op"), operation.get("path")
    if not isinstance(path, str):
        raise JsonPatchError("missing operation path" if path is None else "unable to decode path")
    if op == "add":
        return _add(document, path, _value(operation, "add"))
    if op == "remove":
        return _remove(document, path)[0]
    if op == "replace":
        _get(document, path, "replace")
        return _replace(document, path, _value(operation, "replace"))
    if op == "test":
        if _lookup(document, path) != operation.get("value"):
            raise JsonPatchError(f"testing value {path} failed: test failed")
        return document
    if op in ("move", "copy"):
        source = operation.get("from")
        if not isinstance(source, str):
            raise JsonPatchError(f"{op} operation failed to decode from: missing operation from")
        if op == "move":
            document, value = _remove(document, source)
        else:
            value = thaw(_get(document, source, "copy"))
        return _add(document, path, value)
    raise JsonPatchError(f"Unexpected kind: {op}")


def _value(operation: dict[str, Any], op: str) -> Any:
    if "value" not in operation:
        raise JsonPatchError(f"{op} operation failed to decode value: missing value")
    return thaw(operation["value"])


def _tokens(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise JsonPatchError(f"invalid path: {path}")
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _parent(document: Any, path: str, op: str) -> tuple[Any, str]:
    tokens = _tokens(path)
    node = document
    for token in tokens[:-1]:
        node = _child(node, token, path, op)
    if not isinstance(node, dict | list):
        raise JsonPatchError(f"{op} operation does not apply: doc is missing path: {path}: missing value")
    return node, tokens[-1]


def _child(node: Any, token: str, path: str, op: str) -> Any:
    if isinstance(node, dict) and token in node:
        return node[token]
    if isinstance(node, list):
        index = _index(token, len(node))
        if index is not None and index < len(node):
            return node[index]
    raise JsonPatchError(f"{op} operation does not apply: doc is missing path: {path}: missing value")


def _index(token: str, size: int) -> int | None:
    """The list index that `token` stands for; negative ones count from the end."""
    try:
        index = int(token)
    except ValueError:
        return None
    if index < 0:
        index += size
    return index if index >= 0 else None


def _get(document: Any, path: str, op: str) -> Any:
    if not path:
        return document
    node, token = _parent(document, path, op)
    return _child(node, token, path, op)


def _lookup(document: Any, path: str) -> Any:
    """The value at `path`, None when it is absent: `test` against null passes then."""
    try:
        return _get(document, path, "test")
    except JsonPatchError:
        return None


def _add(document: Any, path: str, value: Any) -> Any:
    if not path:
        return value
    node, token = _parent(document, path, "add")
    if isinstance(node, dict):
        node[token] = value
        return document
    if token == "-":
        node.append(value)
        return document
    index = _index(token, len(node) + 1)
    if index is None or index > len(node):
        raise JsonPatchError(f"add operation does not apply: doc is missing path: {path}: invalid index referenced")
    node.insert(index, value)
    return document


def _remove(document: Any, path: str) -> tuple[Any, Any]:
    if not path:
        raise JsonPatchError("remove operation does not apply: doc is missing path: missing value")
    node, token = _parent(document, path, "remove")
    value = _child(node, token, path, "remove")
    if isinstance(node, dict):
        del node[token]
    else:
        del node[_index(token, len(node)) or 0]
    return document, value


def _replace(document: Any, path: str, value: Any) -> Any:
    if not path:
        return value
    node, token = _parent(document, path, "replace")
    if isinstance(node, dict):
        node[token] = value
    else:
        node[_index(token, len(node)) or 0] = value
    return document
