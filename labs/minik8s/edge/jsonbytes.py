"""Bodies as bytes of JSON, with the bytes of stored objects kept.

Stored objects are frozen, so one that is the same object has the same bytes. A list of a thousand pods is then a join,
and a change that a hundred watchers see is written once.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from minik8s.apiserver import encoding
from minik8s.objects.frozen import FrozenDict, Object
from minik8s.wire import Response, WatchEvent

LIMIT = 4 * 1024 * 1024
"""Bytes of JSON that are kept at most."""


class Encoder:
    """Turns bodies and watch events into bytes. One for a server; not thread-safe, nor need it be."""

    def __init__(self, limit: int = LIMIT):
        self._limit = limit
        self._kept: OrderedDict[int, tuple[Object, bytes]] = OrderedDict()
        self._size = 0
        self._last: tuple[WatchEvent | None, bytes] = (None, b"")

    def body(self, response: Response) -> bytes:
        """The bytes of an answer in the content type that its headers name."""
        if response.headers.get("content-type", "application/json").startswith("application/json"):
            if isinstance(response.body, encoding.ObjectList):
                return self._list(response.body)
            if isinstance(response.body, FrozenDict):
                return self._object(response.body) + b"\n"
        return encoding.encode(response)

    def event(self, event: WatchEvent) -> bytes:
        """One line of a watch. Neighbouring watchers get the same event: its line is made once."""
        known, line = self._last
        if known is not None and known.type == event.type and known.object is event.object:
            return line
        obj = event.object
        data = self._object(obj) if isinstance(obj, FrozenDict) else encoding.dumps(encoding.to_wire(obj)).rstrip(b"\n")
        line = b'{"type":"%s","object":%s}\n' % (event.type.encode(), data)
        self._last = (event, line)
        return line

    def _list(self, body: encoding.ObjectList) -> bytes:
        head = encoding.dumps({key: value for key, value in body.items() if key != "items"})[:-2]
        parts = [head + b',"items":[']
        for item in body["items"]:
            parts += (self._inner(item), b",")
        if len(parts) > 1:
            parts.pop()
        parts.append(b"]}\n")
        return b"".join(parts)

    def _object(self, obj: Object) -> bytes:
        kind, version = obj.get("kind"), obj.get("apiVersion")
        inner = self._inner(obj)
        if kind is None or version is None:
            return encoding.dumps(obj).rstrip(b"\n") if kind or version else inner
        head = b'{"kind":"%s","apiVersion":"%s"' % (kind.encode(), version.encode())
        return head + (b"," + inner[1:] if len(inner) > 2 else b"}")

    def _inner(self, obj: Any) -> bytes:
        """The bytes of an object without kind and apiVersion."""
        found = self._kept.get(id(obj))
        if found is not None and found[0] is obj:
            self._kept.move_to_end(id(obj))
            return found[1]
        data = encoding.dumps(encoding.without_type(obj)).rstrip(b"\n")
        if isinstance(obj, FrozenDict):
            self._keep(obj, data)
        return data

    def _keep(self, obj: Object, data: bytes) -> None:
        self._kept[id(obj)] = (obj, data)
        self._size += len(data)
        while self._size > self._limit:
            self._size -= len(self._kept.popitem(last=False)[1][1])
