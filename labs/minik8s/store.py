"""The store: what etcd is to Kubernetes, with the same promises.

One revision counts every write. A write may demand the revision that it read
(optimistic locking). Watches start at a revision and see every later write
once, in order, until compaction forgets it. Values are frozen on the way in,
so readers share them without copies.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from minik8s.objects.frozen import FrozenDict, Object, freeze


class Key(NamedTuple):
    """Where an object is kept: resource is `pods` or `deployments.apps`; namespace "" for cluster scope."""

    resource: str
    namespace: str
    name: str


class Event(NamedTuple):
    """One write: type is ADDED, MODIFIED or DELETED; `object` after it (last state for DELETED), `old` before it.

    `time` is when it happened, in seconds since the Unix epoch by the cluster's clock.
    """

    revision: int
    type: str
    key: Key
    object: Object
    old: Object | None
    time: float = 0.0


Objects = list[Object]
Names = list[str]


class Exists(Exception):
    """create: the key is taken."""


class Missing(Exception):
    """update, delete: no such key."""


class Conflict(Exception):
    """update, delete: the object is at another revision than expected."""


class Compacted(Exception):
    """watch: the revision asked for has been forgotten. `args[0]` is the oldest that is still known."""


class Journal(Protocol):
    """Where writes are made durable before they are acknowledged (see edge/sqlite)."""

    def append(self, event: Event) -> None: ...


class Watcher:
    """A queue of events of one resource; drained by its holder, filled by the store."""

    def __init__(self, store: Store, resource: str, namespace: str | None):
        self._store, self.resource, self.namespace = store, resource, namespace
        self._queue: deque[Event] = deque()
        self.wake: Callable[[], None] | None = None
        self.closed = False

    def push(self, event: Event) -> None:
        if self.namespace is not None and event.key.namespace != self.namespace:
            return
        self._queue.append(event)
        if len(self._queue) == 1 and self.wake is not None:
            self.wake()

    def drain(self) -> list[Event]:
        out = list(self._queue)
        self._queue.clear()
        return out

    def close(self) -> None:
        self.closed = True
        self._store.forget(self)


class Store:
    """All objects of a cluster, in memory; durable when given a journal.

    `history` bounds how many events are remembered for watches and time travel
    (None: all of them, as a lab wants; a long-lived server sets a number).
    """

    def __init__(self, journal: Journal | None = None, history: int | None = None):
        self._objects: dict[str, dict[tuple[str, str], Object]] = {}
        self._by_namespace: dict[tuple[str, str], dict[str, Object]] = {}
        self._watchers: dict[str, list[Watcher]] = {}
        self._journal = journal
        self._history = history
        self.now: Callable[[], float] = lambda: 0.0
        self.events: list[Event] = []
        self.revision = 1
        self.compacted = 1

    # ---- reads ---------------------------------------------------------
    def get(self, key: Key) -> Object | None:
        return self._objects.get(key[0], _NOTHING).get((key[1], key[2]))

    def list(self, resource: str, namespace: str | None = None) -> Objects:
        """Objects ordered by (namespace, name), as etcd's keys are. `namespace` None: all of them."""
        if namespace is None:
            table = self._objects.get(resource, _NOTHING)
            return [table[key] for key in sorted(table)]
        names = self._by_namespace.get((resource, namespace), {})
        return [names[name] for name in sorted(names)]

    def count(self, resource: str, namespace: str | None = None) -> int:
        if namespace is None:
            return len(self._objects.get(resource, _NOTHING))
        return len(self._by_namespace.get((resource, namespace), ()))

    def resources(self) -> Names:
        """Names of all resources that hold at least one object."""
        return sorted(name for name, table in self._objects.items() if table)

    # ---- writes --------------------------------------------------------
    def create(self, key: Key, obj: Object) -> Object:
        """Store a new object under the next revision, which becomes its resourceVersion. Exists when taken."""
        if self.get(key) is not None:
            raise Exists(key)
        return self._commit("ADDED", key, obj, None)

    def update(self, key: Key, obj: Object, expected: str | None = None) -> Object:
        """Replace an object. `expected`: the resourceVersion that it must still have. Missing, Conflict."""
        return self._commit("MODIFIED", key, obj, self._current(key, expected))

    def delete(self, key: Key, expected: str | None = None, final: Object | None = None) -> Object:
        """Remove an object and return its last state, `final` if given, with the revision of the removal."""
        old = self._current(key, expected)
        return self._commit("DELETED", key, final if final is not None else old, old)

    def _current(self, key: Key, expected: str | None) -> Object:
        old = self.get(key)
        if old is None:
            raise Missing(key)
        if expected and old["metadata"]["resourceVersion"] != expected:
            raise Conflict(key)
        return old

    def _commit(self, type_: str, key: Key, obj: Object, old: Object | None) -> Object:
        revision = self.revision + 1
        stored = freeze({**obj, "metadata": {**obj["metadata"], "resourceVersion": str(revision)}})
        event = Event(revision, type_, key, stored, old, self.now())
        if self._journal is not None:
            self._journal.append(event)
        self._apply(event)
        return stored  # type: ignore[no-any-return]

    def _apply(self, event: Event) -> None:
        key, place = event.key, (event.key.namespace, event.key.name)
        table = self._objects.setdefault(key.resource, {})
        names = self._by_namespace.setdefault((key.resource, key.namespace), {})
        if event.type == "DELETED":
            del table[place], names[key.name]
        else:
            table[place] = names[key.name] = event.object
        self.revision = event.revision
        self.events.append(event)
        for watcher in self._watchers.get(key.resource, ()):
            watcher.push(event)
        if self._history is not None and len(self.events) > 2 * self._history:
            self.compact(self.events[-self._history].revision)

    def restore(self, events: Iterable[Event]) -> None:
        """Play back a journal into an empty store (nothing is journalled again)."""
        for event in events:
            self._apply(event._replace(object=freeze(event.object)))

    # ---- watches -------------------------------------------------------
    def watch(self, resource: str, namespace: str | None = None, since: int | None = None) -> Watcher:
        """A watcher that sees writes after revision `since` (None: from now on). Compacted when it is too old."""
        watcher = Watcher(self, resource, namespace)
        if since is not None:
            if since < self.compacted - 1:
                raise Compacted(self.compacted)
            for event in self.events[bisect_right(self.events, since, key=lambda e: e.revision) :]:
                if event.key.resource == resource:
                    watcher.push(event)
        # The list is replaced, not changed: a watcher may come or go while one of its neighbours is being served.
        self._watchers[resource] = [*self._watchers.get(resource, ()), watcher]
        return watcher

    def forget(self, watcher: Watcher) -> None:
        self._watchers[watcher.resource] = [w for w in self._watchers.get(watcher.resource, ()) if w is not watcher]

    def compact(self, revision: int) -> None:
        """Forget events before `revision`; watches from before it are refused from now on."""
        if revision > self.compacted:
            self.compacted = min(revision, self.revision)
            del self.events[: bisect_right(self.events, self.compacted - 1, key=lambda e: e.revision)]

    # ---- time travel -----------------------------------------------------
    def at(self, revision: int) -> dict[Key, Object]:
        """Everything as it stood after `revision`. Compacted when that is no longer known."""
        if revision < self.compacted - 1:
            raise Compacted(self.compacted)
        state = {
            Key(resource, *place): obj for resource, table in self._objects.items() for place, obj in table.items()
        }
        for event in reversed(self.events):
            if event.revision <= revision:
                break
            if event.old is None:
                state.pop(event.key, None)
            else:
                state[event.key] = event.old
        return state


_NOTHING: dict[tuple[str, str], Object] = FrozenDict()  # type: ignore[assignment]
