"""Waiting longer after each failure (client-go util/flowcontrol Backoff: 10 s doubling to 300 s)."""

from __future__ import annotations

INITIAL_SECONDS, MAX_SECONDS = 10.0, 300.0


class Backoff:
    """One entry per key; an entry unused for twice the maximum starts over."""

    def __init__(self, initial: float = INITIAL_SECONDS, maximum: float = MAX_SECONDS):
        self._initial, self._maximum = initial, maximum
        self._entries: dict[str, tuple[float, float]] = {}

    def wait(self, key: str, since: float, now: float) -> float:
        """Seconds still to wait for `key`, whose failure happened at `since`; 0 when it may go on."""
        found = self._entries.get(key)
        if found is None or since - found[1] > 2 * self._maximum:
            return 0.0
        return max(0.0, since + found[0] - now)

    def delay(self, key: str) -> int:
        """The wait that `key` has come to, in whole seconds."""
        found = self._entries.get(key)
        return int(found[0]) if found else 0

    def next(self, key: str, now: float) -> None:
        """The key is tried at `now`: the next failure will wait longer."""
        found = self._entries.get(key)
        if found is None or now - found[1] > 2 * self._maximum:
            delay = self._initial
        else:
            delay = min(found[0] * 2, self._maximum)
        self._entries[key] = (delay, now)

    def forget(self, prefix: str = "") -> None:
        for key in [k for k in self._entries if k.startswith(prefix)]:
            del self._entries[key]

    def last(self, key: str) -> float:
        """When `key` was tried last."""
        found = self._entries.get(key)
        return found[1] if found else 0.0
