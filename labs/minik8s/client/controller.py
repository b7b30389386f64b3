"""The contract of a controller: look at one object by key, bring the world closer to its spec, say when to look again.

A reconciler is level-based: it is told *which* object to look at, never what happened
to it. It may be called at any time, twice, or late, and must then do the right thing
(controller-runtime, pkg/reconcile).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minik8s.client.api import Client
from minik8s.client.informer import Informers
from minik8s.client.recorder import EventRecorder
from minik8s.client.workqueue import WorkQueue
from minik8s.clock import Clock
from minik8s.trace import Trace
from minik8s.wire import StatusError


@dataclass
class Context:
    """What an actor is given: the only ways out of it."""

    client: Client
    informers: Informers
    clock: Clock
    recorder: EventRecorder
    trace: Trace
    options: Mapping[str, Any] = field(default_factory=dict)


class Controller:
    """Base of all controllers. Subclasses set `name`, watch in `__init__`, and write `reconcile`."""

    name = "controller"

    def __init__(self, ctx: Context):
        self.ctx = ctx
        self.client, self.informers, self.clock = ctx.client, ctx.informers, ctx.clock
        self.queue = WorkQueue(ctx.clock, self._handle)

    def enqueue(self, key: str) -> None:
        self.queue.add(key)

    def reconcile(self, key: str) -> float | None:
        """Bring `key` (namespace/name) closer to its spec. Returns seconds after which to look again, or None."""
        raise NotImplementedError

    def start(self) -> None:
        self.queue.start()

    def stop(self) -> None:
        self.queue.stop()

    def _handle(self, key: str) -> None:
        try:
            again = self.reconcile(key)
        except StatusError as error:
            # Conflicts are the normal way of losing a race; the others are worth a line in the history.
            if error.code != 409:
                self.ctx.trace.record(self.name, "retry", key, reason=error.reason, message=error.message)
            self.queue.add_rate_limited(key)
            return
        self.queue.forget(key)
        if again is not None:
            self.queue.add_after(key, again)
