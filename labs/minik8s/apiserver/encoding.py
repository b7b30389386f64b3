"""Answers as they go over the wire: bytes of JSON or YAML.

In-process callers get objects. In the items of a built-in kind's list, apiVersion and kind are left out on the wire
only: `ObjectList` marks such a list, and its items stay the very objects of the store.
"""

from __future__ import annotations

import json
from typing import Any

from minik8s.apiserver import yamlform
from minik8s.objects import Object
from minik8s.wire import Response


class ObjectList(dict[str, Any]):
    """The body of a list whose items lose apiVersion and kind when they are written."""

    __slots__ = ()


def to_wire(body: Any) -> Any:
    """The JSON value that is written for `body`."""
    if isinstance(body, ObjectList):
        return {**body, "items": [without_type(item) for item in body["items"]]}
    return body


def without_type(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if key != "apiVersion" and key != "kind"}


def dumps(value: Any) -> bytes:
    """Compact JSON, with the line feed that the real server ends with."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def encode(response: Response) -> bytes:
    """The body of a response in the content type that its headers name."""
    body = response.body
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if response.headers.get("content-type", "").startswith("application/yaml"):
        return yamlform.dumps(to_wire(body)).encode()
    return dumps(to_wire(body))


def warning_header(text: str) -> str:
    """The value of a Warning header (RFC 7234): `299 - "text"`."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{escaped}"'
