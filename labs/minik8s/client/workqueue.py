"""The work queue of a controller: keys to look at again, each at most once at a time.

The delays are those of client-go's default controller rate limiter.
"""

from __future__ import annotations

from collections.abc import Callable

from minik8s.clock import Clock, Timer

BASE_DELAY, MAX_DELAY = 0.005, 1000.0


class WorkQueue:
    """Calls `handle(key)` for every added key, one key per event of the clock."""

    def __init__(self, clock: Clock, handle: Callable[[str], None], *, priority: int = 0):
        self._clock, self._handle, self._priority = clock, handle, priority
        self._waiting: dict[str, None] = {}
        self._later: dict[str, Timer] = {}
        self._failures: dict[str, int] = {}
        self._planned = False
        self._stopped = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: str) -> None:
        """Look at `key` soon; adding a key that waits already changes nothing."""
        self._waiting[key] = None
        self._plan()

    def add_after(self, key: str, seconds: float) -> None:
        """Look at `key` after a while; of several such wishes the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        when = self._clock.now() + seconds
        timer = self._later.get(key)
        if timer is not None:
            if timer.when <= when:
                return
            timer.cancel()
        self._later[key] = self._clock.call_at(when, self._due, key, priority=self._priority)

    def add_rate_limited(self, key: str) -> None:
        """Look again after a failure: 5 ms doubling to 1,000 s."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(BASE_DELAY * 2.0 ** min(failures, 30), MAX_DELAY))

    def failures(self, key: str) -> int:
        return self._failures.get(key, 0)

    def forget(self, key: str) -> None:
        """Success: the next failure starts at the smallest delay again."""
        self._failures.pop(key, None)

    def stop(self) -> None:
        """Handle nothing until `start`; what is added meanwhile waits."""
        self._stopped = True

    def start(self) -> None:
        self._stopped = False
        self._plan()

    def clear(self) -> None:
        """Forget everything, as a process that died."""
        self._waiting.clear()
        self._failures.clear()
        for timer in self._later.values():
            timer.cancel()
        self._later.clear()

    def _due(self, key: str) -> None:
        self._later.pop(key, None)
        self.add(key)

    def _plan(self) -> None:
        if self._waiting and not self._planned and not self._stopped:
            self._planned = True
            self._clock.call_soon(self._work, priority=self._priority)

    def _work(self) -> None:
        self._planned = False
        if self._stopped or not self._waiting:
            return
        key = next(iter(self._waiting))
        del self._waiting[key]
        self._plan()
        self._handle(key)
