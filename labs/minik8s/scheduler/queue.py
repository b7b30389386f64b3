"""The scheduling queue: pods to try now, pods that back off, pods that wait for something to change.

    active          in the order of the QueueSort plugin
    backoff         tried lately; come back after 1 s, 2 s, 4 s ... 10 s (at once when nobody else waits, KEP-5142)
    unschedulable   no node would do; come back when an event gives one of the plugins that refused them hope, or
                    after five minutes; pods that PreEnqueue holds back stay until they themselves change

Source: kube-scheduler `backend/queue/scheduling_queue.go`. Time comes from outside: nothing here looks at a clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from minik8s.objects import Object
from minik8s.scheduler.framework import PluginError, Profile, Status
from minik8s.scheduler.snapshot import PodInfo

INITIAL_BACKOFF, MAX_BACKOFF = 1.0, 10.0
MAX_UNSCHEDULABLE = 300.0


@dataclass
class Queued:
    """A pod in the queue: since when, how often tried, who refused it last."""

    pod: PodInfo
    arrival: float
    attempts: int = 0
    tried_at: float = 0.0
    refused_by: set[str] = field(default_factory=set)
    gate: Status | None = None
    failed: bool = False
    """Whether the last attempt ended in an error, after which the back-off is always waited out."""


class SchedulingQueue:
    """Pods by key, each in one of the three places."""

    def __init__(
        self,
        profile_of: Callable[[PodInfo], Profile],
        initial: float = INITIAL_BACKOFF,
        longest: float = MAX_BACKOFF,
    ) -> None:
        self._profile_of = profile_of
        self._initial, self._longest = initial, longest
        self._active: dict[str, Queued] = {}
        self._heap: list[tuple[Any, int, str]] = []
        self._backoff: dict[str, Queued] = {}
        self._unschedulable: dict[str, Queued] = {}
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._active) + len(self._backoff) + len(self._unschedulable)

    def __contains__(self, key: str) -> bool:
        return self.where(key) is not None

    def where(self, key: str) -> str | None:
        """ "active", "backoff", "unschedulable", "gated", or None."""
        if key in self._active:
            return "active"
        if key in self._backoff:
            return "backoff"
        waiting = self._unschedulable.get(key)
        if waiting is None:
            return None
        return "gated" if waiting.gate else "unschedulable"

    def get(self, key: str) -> Queued | None:
        return self._active.get(key) or self._backoff.get(key) or self._unschedulable.get(key)

    def pods(self) -> list[Queued]:
        """Everybody, in no particular order of trial."""
        return [*self._active.values(), *self._backoff.values(), *self._unschedulable.values()]

    # Coming in

    def add(self, pod: PodInfo, now: float) -> None:
        """A new pod."""
        self._admit(Queued(pod, now))

    def update(self, pod: PodInfo, now: float, events: tuple[str, ...] = ()) -> None:
        """A pod changed: it keeps its place, unless the change (see actor.py) may make it schedulable."""
        known = self.get(pod.key)
        if known is None:
            self.add(pod, now)
            return
        place = self.where(pod.key)
        known.pod = pod
        if place == "gated":
            self._take(pod.key)
            self._admit(known)
        elif place == "unschedulable" and any(self._hopes(known, event, None, pod.pod) for event in events):
            self._take(pod.key)
            self._place(known, now)
        elif place == "active":
            self._take(pod.key)
            self._activate(known)

    def remove(self, key: str) -> None:
        self._take(key)

    def requeue(self, queued: Queued, refused_by: set[str], now: float, *, failed: bool = False) -> None:
        """Back after an attempt: to wait for an event, or to back off when something went wrong."""
        queued.refused_by, queued.failed, queued.tried_at = refused_by, failed, now
        if failed:
            self._backoff[queued.pod.key] = queued
        else:
            self._unschedulable[queued.pod.key] = queued

    # Going out

    def pop(self, now: float) -> Queued | None:
        """The pod to try next, or None."""
        self.flush(now)
        key = self._first_active()
        queued = self._active.pop(key) if key is not None else self._first_backoff()
        if queued is not None:
            queued.attempts += 1
        return queued

    def next_time(self) -> float | None:
        """When the next pod comes back by itself, or None."""
        times = [self._back_at(queued) for queued in self._backoff.values()]
        times += [q.tried_at + MAX_UNSCHEDULABLE for q in self._unschedulable.values() if q.gate is None]
        return min(times, default=None)

    def ready(self, now: float) -> bool:
        """Whether pop would give a pod."""
        self.flush(now)
        return bool(self._active) or any(not queued.failed for queued in self._backoff.values())

    def flush(self, now: float) -> None:
        """Let those come back whose time has come."""
        for key in [k for k, queued in self._backoff.items() if self._back_at(queued) <= now]:
            self._admit(self._backoff.pop(key))
        overdue = [
            k for k, q in self._unschedulable.items() if q.gate is None and q.tried_at + MAX_UNSCHEDULABLE <= now
        ]
        for key in overdue:
            self._place(self._unschedulable.pop(key), now)

    # Events

    def move(self, event: str, old: Object | None, new: Object | None, now: float) -> int:
        """Something happened in the cluster: bring back the pods that it gives hope. Returns how many."""
        hopeful = [key for key, q in self._unschedulable.items() if q.gate is None and self._hopes(q, event, old, new)]
        for key in hopeful:
            self._place(self._unschedulable.pop(key), now)
        return len(hopeful)

    def _hopes(self, queued: Queued, event: str, old: Object | None, new: Object | None) -> bool:
        """Whether one of the plugins that refused the pod expects something of the event."""
        if not queued.refused_by:
            return True
        known = self._profile_of(queued.pod).by_name
        for name in sorted(queued.refused_by):
            plugin = known.get(name)
            if plugin is None or not ("*" in plugin.events or event in plugin.events):
                continue
            try:
                if plugin.hint(event, queued.pod, old, new):
                    return True
            except Exception:  # a wrong hint must not lose the pod
                return True
        return False

    # Places

    def _admit(self, queued: Queued) -> None:
        """Into the active queue, unless a PreEnqueue plugin holds the pod back."""
        profile = self._profile_of(queued.pod)
        try:
            queued.gate = profile.pre_enqueue(queued.pod)
        except PluginError as problem:
            queued.gate = Status("Error", (str(problem),), problem.plugin)
        if queued.gate is None:
            self._activate(queued)
        else:
            queued.refused_by = {queued.gate.plugin}
            self._unschedulable[queued.pod.key] = queued

    def _activate(self, queued: Queued) -> None:
        self._sequence += 1
        self._active[queued.pod.key] = queued
        order = self._profile_of(queued.pod).sort_key(queued.pod, queued.arrival)
        heapq.heappush(self._heap, (order, self._sequence, queued.pod.key))

    def _place(self, queued: Queued, now: float) -> None:
        """Out of the waiting room: to back off first if the last attempt is too fresh."""
        if self._back_at(queued) > now:
            self._backoff[queued.pod.key] = queued
        else:
            self._admit(queued)

    def _back_at(self, queued: Queued) -> float:
        if not queued.attempts:
            return 0.0
        return queued.tried_at + min(self._initial * 2.0 ** min(queued.attempts - 1, 30), self._longest)

    def _take(self, key: str) -> None:
        for place in (self._active, self._backoff, self._unschedulable):
            place.pop(key, None)

    def _first_active(self) -> str | None:
        """The key at the top; entries of pods that have left, or been put in again, are thrown away."""
        while self._heap:
            order, _, key = heapq.heappop(self._heap)
            queued = self._active.get(key)
            if queued is not None and order == self._profile_of(queued.pod).sort_key(queued.pod, queued.arrival):
                return key
        return None

    def _first_backoff(self) -> Queued | None:
        """With nobody active, whoever is done soonest need not wait, errors excepted."""
        waiting = [queued for queued in self._backoff.values() if not queued.failed]
        for queued in sorted(waiting, key=lambda q: (self._back_at(q), q.pod.key)):
            del self._backoff[queued.pod.key]
            self._admit(queued)
            if queued.pod.key in self._active:
                self._first_active()
                return self._active.pop(queued.pod.key)
        return None
