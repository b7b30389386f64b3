"""Informers: a cache of one resource, kept up to date by a watch, and a bell for those who care.

A change reaches the cache when the clock delivers it, never inside somebody's write.
So a reader of a cache may see the past for a moment, as on a real cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from minik8s.client.api import Client
from minik8s.clock import Clock
from minik8s.objects.frozen import Object
from minik8s.objects.selectors import matches
from minik8s.wire import StatusError, WatchStream

Handler = Callable[[Object | None, Object | None], None]
Objects = list[Object]
IndexFunction = Callable[[Object], Iterable[str]]

RETRY_SECONDS = 1.0
"""How long an informer waits before it lists again after the server refused it (client-go: 0.8 s and growing)."""


class Informer:
    """The cache of one resource over all namespaces. Objects are frozen; handlers get (old, new), None for absent."""

    def __init__(self, client: Client, clock: Clock, resource: str):
        self._client, self._clock, self.resource = client, clock, resource
        self._objects: dict[tuple[str, str], Object] = {}
        self._indexes: dict[str, tuple[IndexFunction, dict[str, dict[tuple[str, str], Object]]]] = {}
        self._handlers: list[Handler] = []
        self._stream: WatchStream | None = None
        self._paused = False
        self.synced = False
        self.delay = 0.0

    # ---- reads -----------------------------------------------------------
    def get(self, namespace: str, name: str) -> Object | None:
        return self._objects.get((namespace, name))

    def list(self, namespace: str | None = None, selector: Object | None = None) -> Objects:
        """Objects in order of (namespace, name); `selector` is a LabelSelector."""
        out = [self._objects[k] for k in sorted(self._objects) if namespace is None or k[0] == namespace]
        if selector is not None:
            out = [o for o in out if matches(selector, o["metadata"].get("labels") or {})]
        return out

    def __len__(self) -> int:
        return len(self._objects)

    def add_index(self, name: str, fn: IndexFunction) -> None:
        """Keep objects findable by the values that `fn(obj)` gives. A name that is taken keeps its function."""
        if name in self._indexes:
            return
        table: dict[str, dict[tuple[str, str], Object]] = {}
        self._indexes[name] = (fn, table)
        for place, obj in self._objects.items():
            for value in fn(obj):
                table.setdefault(value, {})[place] = obj

    def by_index(self, name: str, value: str) -> Objects:
        found = self._indexes[name][1].get(value)
        return [found[place] for place in sorted(found)] if found else []

    # ---- changes -----------------------------------------------------------
    def on_change(self, handler: Handler) -> None:
        """Call `handler(old, new)` for every change from now on, and at once for what is there."""
        self._handlers.append(handler)
        for place in sorted(self._objects):
            handler(None, self._objects[place])

    def start(self) -> None:
        """List, then watch from there. A refused list is tried again later."""
        if self._stream is not None or self._paused:
            return
        try:
            items, version = self._client.list_with_version(self.resource)
            stream = self._client.watch(self.resource, resource_version=version)
        except StatusError:
            self._clock.call_later(RETRY_SECONDS, self.start)
            return
        self._replace(items)
        self._stream = stream
        stream.wake = self._ring
        self.synced = True
        self._ring()

    def stop(self) -> None:
        """Close the watch and keep the cache as it is (a process that ended, or lost its connection)."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def pause(self) -> None:
        """Stop hearing the server until `resume`, which lists anew."""
        self._paused = True
        self.stop()

    def resume(self) -> None:
        self._paused = False
        self.start()

    def _ring(self) -> None:
        self._clock.call_later(self.delay, self._drain, self._stream)

    def _drain(self, stream: WatchStream | None) -> None:
        if stream is None or stream is not self._stream:
            return
        for event in stream.drain():
            if event.type == "ERROR":
                self.stop()
                self._clock.call_soon(self.start)
                return
            if event.type != "BOOKMARK":
                self._apply(event.type, event.object)
        if stream.closed and stream is self._stream:
            self._stream = None
            self._clock.call_soon(self.start)

    def _apply(self, kind: str, obj: Object) -> None:
        meta = obj["metadata"]
        place = (meta.get("namespace", ""), meta["name"])
        old = self._objects.get(place)
        if kind == "DELETED":
            if old is None:
                return
            del self._objects[place]
            self._index(place, old, None)
            self._tell(obj, None)
            return
        self._objects[place] = obj
        self._index(place, old, obj)
        self._tell(old, obj)

    def _replace(self, items: Iterable[Object]) -> None:
        fresh = {(o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in items}
        for place in sorted(self._objects.keys() - fresh.keys()):
            self._apply("DELETED", self._objects[place])
        for place in sorted(fresh):
            if self._objects.get(place) is not fresh[place]:
                self._apply("ADDED", fresh[place])

    def _tell(self, old: Object | None, new: Object | None) -> None:
        for handler in self._handlers:
            handler(old, new)

    def _index(self, place: tuple[str, str], old: Object | None, new: Object | None) -> None:
        for fn, table in self._indexes.values():
            was = tuple(fn(old)) if old is not None else ()
            now = tuple(fn(new)) if new is not None else ()
            for value in was:
                if value not in now:
                    group = table[value]
                    group.pop(place, None)
                    if not group:
                        del table[value]
            for value in now:
                table.setdefault(value, {})[place] = new  # type: ignore[assignment]


class Informers:
    """The informers of one process, made when first asked for and shared by name."""

    def __init__(self, client: Client, clock: Clock, delay: float = 0.0):
        """`delay` seconds pass between a write and its news (network and watch cache of a real cluster)."""
        self._client, self._clock, self._delay = client, clock, delay
        self._made: dict[str, Informer] = {}
        self._started = False

    def __call__(self, resource: str) -> Informer:
        found = self._made.get(resource)
        if found is None:
            found = self._made[resource] = Informer(self._client, self._clock, resource)
            found.delay = self._delay
            if self._started:
                found.start()
        return found

    def start(self) -> None:
        """Start all of them, and from now on each new one when it is made."""
        self._started = True
        for informer in list(self._made.values()):
            informer.start()

    def slow_down(self, seconds: float) -> None:
        """News comes this much later from now on (negative: sooner)."""
        self._delay += seconds
        for informer in self._made.values():
            informer.delay += seconds

    def stop(self) -> None:
        self._started = False
        for informer in self._made.values():
            informer.stop()

    def pause(self) -> None:
        """The connection is lost: no informer hears anything."""
        for informer in self._made.values():
            informer.pause()

    def resume(self) -> None:
        for informer in self._made.values():
            informer.resume()
