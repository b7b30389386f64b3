"""The time of one machine: the cluster's clock, as long as the machine runs, plus what its own clock is wrong by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minik8s.clock import Clock, Timer


class HostClock:
    """Plans events that happen only while the machine runs.

    freeze  events that come due wait and happen at thaw, in order
    halt    everything planned is lost (power failure)
    skew    seconds that this machine's clock is ahead; timers are not moved by it
    """

    def __init__(self, clock: Clock):
        self._clock = clock
        self._life = 0
        self._frozen = False
        self._parked: list[tuple[int, Callable[..., object], tuple[Any, ...]]] = []
        self.skew = 0.0

    def now(self) -> float:
        """What this machine's clock shows."""
        return self._clock.now() + self.skew

    def true_now(self) -> float:
        return self._clock.now()

    def call_later(self, delay: float, fn: Callable[..., object], *args: Any) -> Timer:
        return self._clock.call_later(delay, self._run, self._life, fn, args)

    def call_soon(self, fn: Callable[..., object], *args: Any) -> Timer:
        return self._clock.call_later(0.0, self._run, self._life, fn, args)

    @property
    def frozen(self) -> bool:
        return self._frozen

    def freeze(self) -> None:
        self._frozen = True

    def thaw(self) -> None:
        self._frozen = False
        parked, self._parked = self._parked, []
        for life, fn, args in parked:
            self._clock.call_soon(self._run, life, fn, args)

    def halt(self) -> None:
        self._life += 1
        self._parked.clear()
        self._frozen = False

    def _run(self, life: int, fn: Callable[..., object], args: tuple[Any, ...]) -> None:
        if life != self._life:
            return
        if self._frozen:
            self._parked.append((life, fn, args))
            return
        fn(*args)
