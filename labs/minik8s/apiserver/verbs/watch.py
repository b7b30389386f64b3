"""Watches: what changes in a collection from a revision on, as a stream.

Source: k8s.io/apiserver/pkg/storage/cacher and pkg/endpoints/handlers/watch.go.
"""

from __future__ import annotations

from collections.abc import Callable

from minik8s.apiserver.call import Call
from minik8s.apiserver.errors import too_large_resource_version
from minik8s.apiserver.options import ListOptions, list_options
from minik8s.apiserver.selectors import Predicate
from minik8s.apiserver.verbs.read import parse_version, predicate
from minik8s.clock import Timer
from minik8s.objects import Object, freeze
from minik8s.store import Compacted, Event, Watcher
from minik8s.wire import Response, StatusError, WatchEvent, gone

BOOKMARK_PERIOD = 60.0
"""Seconds between the bookmarks of an idle watch."""

INITIAL_EVENTS_END = "k8s.io/initial-events-end"

Shape = Callable[[WatchEvent], WatchEvent]


class Stream:
    """A watch in progress: the store's events of one collection, seen through selectors and a representation."""

    def __init__(self, call: Call, watcher: Watcher, keep: Predicate | None, shape: Shape | None):
        self._call, self._watcher, self._keep, self._shape = call, watcher, keep, shape
        self._ready: list[WatchEvent] = []
        self._timers: list[Timer] = []
        self._wake: Callable[[], None] | None = None
        self._seen = call.server.store.revision
        self.closed = False

    @property
    def wake(self) -> Callable[[], None] | None:
        return self._wake

    @wake.setter
    def wake(self, notify: Callable[[], None] | None) -> None:
        self._wake = self._watcher.wake = notify

    def put(self, events: list[WatchEvent]) -> None:
        """Queue events that do not come from the store."""
        self._ready.extend(events)
        if events and self._wake is not None:
            self._wake()

    def drain(self) -> list[WatchEvent]:
        out, self._ready = self._ready, []
        for event in self._watcher.drain():
            self._seen = event.revision
            seen = self._through(event)
            if seen is not None:
                out.append(seen)
        if self._shape is not None:
            out = [self._shape(event) for event in out]
        return out

    def _through(self, event: Event) -> WatchEvent | None:
        """The event as a holder of the selectors sees it: objects that start or stop matching come and go."""
        keep, kind, server = self._keep, self._call.kind, self._call.server
        obj = event.object if kind.storage is None else server.versioned(kind, event.object)
        if keep is None:
            return WatchEvent(event.type, obj)
        old = event.old
        if old is not None and kind.storage is not None:
            old = server.versioned(kind, old)
        before = old is not None and keep(old)
        if event.type == "DELETED":
            return WatchEvent("DELETED", obj) if before else None
        if keep(obj):
            return WatchEvent("MODIFIED" if before else "ADDED", obj)
        if before and old is not None:
            meta = {**old["metadata"], "resourceVersion": str(event.revision)}
            return WatchEvent("DELETED", freeze({**old, "metadata": meta}))
        return None

    def start_timers(self, timeout: float, bookmarks: bool) -> None:
        clock = self._call.server.clock
        if timeout > 0:
            self._timers.append(clock.call_later(timeout, self.close))
        if bookmarks:
            self._plan_bookmark()

    def _plan_bookmark(self) -> None:
        period = self._call.server.config.bookmark_period
        if period > 0:
            self._timers.append(self._call.server.clock.call_later(period, self._bookmark))

    def _bookmark(self) -> None:
        self._timers = [timer for timer in self._timers if timer.when > self._call.now]
        if not self.closed:
            self.put([bookmark(self._call, self._call.server.store.revision)])
            self._plan_bookmark()

    def close(self) -> None:
        """End the watch; queued events can still be drained."""
        if self.closed:
            return
        self.closed = True
        for timer in self._timers:
            timer.cancel()
        self._watcher.close()
        if self._wake is not None:
            self._wake()


def bookmark(call: Call, revision: int, initial: bool = False) -> WatchEvent:
    """An event that only tells how far the watch has come."""
    meta: Object = {"resourceVersion": str(revision)}
    if initial:
        meta["annotations"] = {INITIAL_EVENTS_END: "true"}
    return WatchEvent("BOOKMARK", {"kind": call.kind.kind, "apiVersion": call.kind.api_version, "metadata": meta})


def watch(call: Call) -> Response:
    """Open a watch. A revision that is too old is told in the stream, as the real server does."""
    options = list_options(call.request, True)
    keep = predicate(call, options)
    store = call.server.store
    since, initial = _start(call, options)
    namespace = call.info.namespace or None if call.kind.namespaced else ""
    if call.info.name:
        keep = _named(call.info.name, keep)
    shape = call.server.watch_shape(call)
    too_old = _too_old(call, since)
    try:
        watcher = store.watch(call.kind.storage_resource, namespace, None if initial or too_old else since)
    except Compacted as error:
        too_old, watcher = int(error.args[0]), store.watch(call.kind.storage_resource, namespace)
    stream = Stream(call, watcher, keep, shape)
    if too_old:
        status = gone(f"too old resource version: {since} ({too_old})").status()
        stream.put([WatchEvent("ERROR", status)])
        stream.close()
    else:
        if initial:
            stream.put(_current(call, namespace, keep))
            if options.initial_events and options.bookmarks:
                stream.put([bookmark(call, store.revision, initial=True)])
        stream.start_timers(options.timeout or call.server.config.watch_timeout, options.bookmarks)
    return Response(200, None, {"content-type": call.output.media}, stream=stream)


def _start(call: Call, options: ListOptions) -> tuple[int | None, bool]:
    """(the revision to start after, whether the current objects come first as ADDED)."""
    version = options.resource_version
    if options.initial_events is not None and version in ("", "0"):
        return None, options.initial_events
    if version in ("", "0"):
        return None, True
    wanted = parse_version(version)
    if wanted > call.server.store.revision:
        raise _too_new(call, wanted)
    if options.initial_events:
        return None, True
    return wanted, False


def _too_new(call: Call, wanted: int) -> StatusError:
    return too_large_resource_version(wanted, call.server.store.revision)


def _too_old(call: Call, since: int | None) -> int:
    """The watch cache of a custom resource begins with its definition; 0 when `since` is not before it."""
    begin = call.server.served_since(call.kind)
    return begin if since is not None and since < begin else 0


def _named(name: str, keep: Predicate | None) -> Predicate:
    if keep is None:
        return lambda obj: obj["metadata"]["name"] == name
    return lambda obj: obj["metadata"]["name"] == name and keep(obj)


def _current(call: Call, namespace: str | None, keep: Predicate | None) -> list[WatchEvent]:
    objects = call.server.store.list(call.kind.storage_resource, namespace)
    if call.kind.storage is not None:
        objects = [call.server.versioned(call.kind, obj) for obj in objects]
    return [WatchEvent("ADDED", obj) for obj in objects if keep is None or keep(obj)]
