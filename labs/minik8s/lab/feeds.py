"""대시보드가 보는 것: 지금의 노드, 파드, 디플로이먼트, 이벤트. 내장 클러스터는 읽고, 실제 클러스터는 watch한다."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from minik8s.lab.chronicle import Change
from minik8s.objects import Object

if TYPE_CHECKING:
    from minik8s.lab.session import Lab


class Snapshot(NamedTuple):
    """A cluster at `now` (seconds since the Unix epoch); `trouble`: why it cannot be seen, in Korean, or ""."""

    now: float
    nodes: list[Object]
    pods: list[Object]
    deployments: list[Object]
    events: list[Object]
    changes: list[Change]
    trouble: str = ""


class Feed(Protocol):
    """Where a dashboard looks. `read` may block for some seconds on a real cluster, and is called from any thread."""

    def read(self) -> Snapshot: ...

    def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard`, from any thread, when there is something new."""
        ...

    def close(self) -> None: ...


class Reading:
    """The embedded cluster: read when asked."""

    def __init__(self, lab: Lab):
        self._lab = lab

    def read(self) -> Snapshot:
        lab, client = self._lab, self._lab.client
        found = (client.list(kind, lab.namespace) for kind in ("pods", "deployments.apps", "events"))
        pods, deployments, events = found
        return Snapshot(lab.place.now(), client.list("nodes"), pods, deployments, events, lab.place.changes())

    def listen(self, heard: Callable[[], None]) -> None:
        """Nothing happens behind the reader's back on virtual time."""

    def close(self) -> None:
        """There is nothing to stop."""


def feed_of(lab: Lab) -> Feed:
    """The feed for the place that the lab is at."""
    if lab.place.virtual:
        return Reading(lab)
    from minik8s.lab.remote_feed import Watching  # with the official client, so only on a real cluster

    return Watching(lab)


def latest(changes: list[Change], resource: str) -> list[Object]:
    """The objects of a resource after all changes, by name."""
    found: dict[str, Object] = {}
    for change in changes:
        if change.resource == resource:
            uid = change.object["metadata"]["uid"]
            if change.type == "DELETED":
                found.pop(uid, None)
            else:
                found[uid] = change.object
    return sorted(found.values(), key=lambda obj: str(obj["metadata"]["name"]))
