"""Real time: the virtual clock led by the wall clock, inside an asyncio loop.

The clock never runs ahead of the wall. When there is more to do than time allows it runs behind, and the loop still
serves requests between slices of events.
"""

from __future__ import annotations

import asyncio
import time

from minik8s.clock import Clock

SLICE = 0.005
"""Seconds of events that are run before the loop may serve requests again."""


class RealTime:
    """Drives `clock`. `touch()` before a request brings it up to now; `kick()` after one plans what came of it."""

    def __init__(self, clock: Clock, loop: asyncio.AbstractEventLoop):
        self._clock, self._loop = clock, loop
        self._wall, self._started = time.time(), loop.time()
        self._handle: asyncio.Handle | None = None
        self._planned: float | None = None
        self._stopped = False

    def now(self) -> float:
        """The wall clock in seconds since the epoch; never goes back while the server runs."""
        return self._wall + self._loop.time() - self._started

    def touch(self) -> None:
        """Bring the clock up to now, unless events are due that must come first."""
        due, now = self._clock.next_time(), self.now()
        if due is None or due > now:
            self._clock.run_until(now)

    def kick(self) -> None:
        """Plan the next slice of events; cheap when it is planned already."""
        due = self._clock.next_time()
        if due is None or self._stopped or (self._planned is not None and self._planned <= due):
            return
        if self._handle is not None:
            self._handle.cancel()
        self._planned = due
        delay = due - self.now()
        self._handle = self._loop.call_later(delay, self._run) if delay > 0 else self._loop.call_soon(self._run)

    def stop(self) -> None:
        self._stopped = True
        if self._handle is not None:
            self._handle.cancel()

    def _run(self) -> None:
        self._handle = self._planned = None
        until = self._loop.time() + SLICE
        while (due := self._clock.next_time()) is not None and due <= self.now() and self._loop.time() < until:
            self._clock.step()
        self.kick()
