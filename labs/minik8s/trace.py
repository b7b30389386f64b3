"""The ordered record of what happened: the one source of plots, explanations and grading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from minik8s.clock import Clock


class Record(NamedTuple):
    """One thing that happened.

    seq     position in the history, from 1
    time    virtual seconds since the Unix epoch
    actor   who did it: "kubelet/node-1", "deployment-controller", "admin", "fault"
    verb    what: an API verb (create, update, patch, delete) or a decision (schedule, kill, inject)
    object  "resource/namespace/name" or "resource/name"
    detail  JSON-able facts
    """

    seq: int
    time: float
    actor: str
    verb: str
    object: str
    detail: dict[str, Any]


class Trace:
    """Append-only list of records, with listeners for live views."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self.records: list[Record] = []
        self.listeners: list[Callable[[Record], None]] = []
        self.limit: int | None = None
        """How many records are remembered at least; None: all of them. A server that runs for days sets it."""
        self._forgotten = 0

    def record(self, actor: str, verb: str, object: str = "", **detail: Any) -> Record:
        entry = Record(self._forgotten + len(self.records) + 1, self._clock.now(), actor, verb, object, detail)
        self.records.append(entry)
        if self.limit is not None and len(self.records) > 2 * self.limit:
            self._forgotten += len(self.records) - self.limit
            del self.records[: -self.limit]
        for listener in self.listeners:
            listener(entry)
        return entry

    def select(
        self, *, actor: str | None = None, verb: str | None = None, object: str | None = None, since: int = 0
    ) -> Iterator[Record]:
        """Records after `since` (a seq) whose fields equal those given; `object` may end in `*`."""
        for entry in self.records[max(0, since - self._forgotten) :]:
            if (
                (actor is None or entry.actor == actor)
                and (verb is None or entry.verb == verb)
                and (object is None or _fits(object, entry.object))
            ):
                yield entry


def _fits(pattern: str, value: str) -> bool:
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern
