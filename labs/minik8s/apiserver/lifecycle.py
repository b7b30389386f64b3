"""What the server itself does after a write: served custom kinds, Events that expire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minik8s.apiserver import crd
from minik8s.objects import Object
from minik8s.objects.kinds import Kind
from minik8s.store import Conflict, Key, Missing

if TYPE_CHECKING:
    from minik8s.apiserver.server import ApiServer


class Lifecycle:
    """Hooks of the store's writes."""

    def __init__(self, server: ApiServer):
        self._server = server
        self._since: dict[tuple[str, str], tuple[str, int]] = {}

    def load(self) -> None:
        """Take up what the store holds from before: custom kinds, and Events that have to expire."""
        crd.load(self._server)
        for event in self._server.store.list("events"):
            self._plan_expiry(event)

    def stored(self, kind: Kind, obj: Object) -> None:
        if kind.resource_name == crd.RESOURCE:
            crd.stored(self._server, obj)
            self._note_served(obj)
        elif kind.kind == "Event" and kind.storage_resource == "events":
            self._plan_expiry(obj)

    def removed(self, kind: Kind, obj: Object) -> None:
        self._server.allocators.release(kind, obj)
        if kind.resource_name == crd.RESOURCE:
            crd.removed(self._server, obj)

    def served_since(self, kind: Kind) -> int:
        """The revision at which a custom kind was first served, where its watch cache begins; 0 for other kinds."""
        return self._since.get((kind.group, kind.plural), ("", 0))[1] if kind.custom else 0

    def _note_served(self, definition: Object) -> None:
        spec, uid = definition["spec"], definition["metadata"]["uid"]
        place = (spec["group"], spec["names"]["plural"])
        if self._since.get(place, ("", 0))[0] != uid:
            self._since[place] = (uid, self._server.store.revision)

    def _plan_expiry(self, event: Object) -> None:
        """An Event lives for the TTL after its last write, like a key with a lease in etcd."""
        if self._server.config.event_ttl > 0:
            meta = event["metadata"]
            key = Key("events", meta["namespace"], meta["name"])
            self._server.clock.call_later(
                self._server.config.event_ttl, self._expire, key, meta["resourceVersion"], priority=1
            )

    def _expire(self, key: Key, version: str) -> None:
        try:
            self._server.store.delete(key, expected=version)
        except (Missing, Conflict):
            pass
