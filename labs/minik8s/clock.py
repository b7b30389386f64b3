"""The virtual clock: one total order of events, seeded random numbers, and identifiers.

Everything that happens in a cluster happens in an event of this clock. Events are
ordered by (time, priority, sequence), so that the same manifests and the same seed
give the same history. Real time is a driver at the edge that calls `run_until` with
the wall clock; nothing here knows of it.
"""

from __future__ import annotations

import heapq
import random
import zlib
from collections.abc import Callable
from typing import Any

EPOCH = 1767225600.0
"""2026-01-01T00:00:00Z, where virtual time starts unless told otherwise."""

SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names (k8s.io/apimachinery/pkg/util/rand): no vowels, so no words."""


class Timer:
    """A planned event. `cancel()` makes it do nothing."""

    __slots__ = ("args", "cancelled", "fn", "priority", "sequence", "when")

    def __init__(self, when: float, priority: int, sequence: int, fn: Callable[..., object], args: tuple[Any, ...]):
        self.when, self.priority, self.sequence = when, priority, sequence
        self.fn, self.args, self.cancelled = fn, args, False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """Virtual time in seconds since the Unix epoch, and the heap of planned events."""

    def __init__(self, start: float = EPOCH, seed: int = 0):
        self._now = float(start)
        self.start = float(start)
        self.seed = seed
        self._heap: list[tuple[float, int, int, Timer]] = []
        self._sequence = 0
        self._streams: dict[str, random.Random] = {}
        self.executed = 0

    def now(self) -> float:
        return self._now

    def call_at(self, when: float, fn: Callable[..., object], *args: Any, priority: int = 0) -> Timer:
        """Plan `fn(*args)` for `when`; a time in the past means now."""
        self._sequence += 1
        timer = Timer(when if when > self._now else self._now, priority, self._sequence, fn, args)
        heapq.heappush(self._heap, (timer.when, priority, timer.sequence, timer))
        return timer

    def call_later(self, delay: float, fn: Callable[..., object], *args: Any, priority: int = 0) -> Timer:
        return self.call_at(self._now + delay, fn, *args, priority=priority)

    def call_soon(self, fn: Callable[..., object], *args: Any, priority: int = 0) -> Timer:
        return self.call_at(self._now, fn, *args, priority=priority)

    def next_time(self) -> float | None:
        """When the next event is due, or None."""
        while self._heap and self._heap[0][3].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def step(self) -> bool:
        """Run the next event, moving time to it. False when nothing is planned."""
        while self._heap:
            when, _, _, timer = heapq.heappop(self._heap)
            if timer.cancelled:
                continue
            if when > self._now:
                self._now = when
            self.executed += 1
            timer.fn(*timer.args)
            return True
        return False

    def run_until(self, t: float) -> None:
        """Run every event due up to and including `t`; afterwards `now() == t` (unless it was later already)."""
        while (due := self.next_time()) is not None and due <= t:
            self.step()
        if t > self._now:
            self._now = t

    def run_ready(self) -> None:
        """Run what is due now, without moving time."""
        self.run_until(self._now)

    def rng(self, stream: str) -> random.Random:
        """The seeded random numbers of `stream`; a stream's draws do not disturb another's."""
        found = self._streams.get(stream)
        if found is None:
            found = self._streams[stream] = random.Random(self.seed << 32 ^ zlib.crc32(stream.encode()))
        return found

    def uid(self) -> str:
        """A UUID (version 4) drawn from the seed."""
        bits = self.rng("uid").getrandbits(128) & ~(0xF000 << 64) & ~(0xC000 << 48) | 4 << 76 | 2 << 62
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def suffix(self, n: int = 5) -> str:
        """`n` letters as `metadata.generateName` appends them."""
        rng = self.rng("suffix")
        return "".join([SUFFIX_ALPHABET[int(rng.random() * 27)] for _ in range(n)])
