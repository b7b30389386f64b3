"""What a controller has asked for and not yet seen in its (possibly stale) cache.

pkg/controller/controller_utils.go: ControllerExpectations and UIDTrackingControllerExpectations. A controller that
creates or deletes several objects must not act again on a cache that does not show them yet, or it would create
or delete twice. Expectations expire after five minutes, so that a lost event cannot block a controller for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from minik8s.clock import Clock

TIMEOUT = 300.0


@dataclass(slots=True)
class _Expected:
    since: float
    creations: int = 0
    deletions: set[str] = field(default_factory=set)


class Expectations:
    """Outstanding creations (counted) and deletions (by the key of the object) per owner key."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self._by_owner: dict[str, _Expected] = {}

    def expect_creations(self, owner: str, count: int) -> None:
        self._by_owner[owner] = _Expected(self._clock.now(), creations=count)

    def expect_deletions(self, owner: str, keys: Iterable[str]) -> None:
        self._by_owner[owner] = _Expected(self._clock.now(), deletions=set(keys))

    def expect(self, owner: str, creations: int, deletions: Iterable[str]) -> None:
        self._by_owner[owner] = _Expected(self._clock.now(), creations, set(deletions))

    def creation_observed(self, owner: str, count: int = 1) -> None:
        if (expected := self._by_owner.get(owner)) is not None:
            expected.creations = max(0, expected.creations - count)

    def deletion_observed(self, owner: str, key: str) -> None:
        if (expected := self._by_owner.get(owner)) is not None:
            expected.deletions.discard(key)

    def satisfied(self, owner: str) -> bool:
        """True when nothing is outstanding, or it has been for too long."""
        expected = self._by_owner.get(owner)
        if expected is None or (not expected.creations and not expected.deletions):
            return True
        return self._clock.now() - expected.since > TIMEOUT

    def expires_in(self, owner: str) -> float | None:
        """Seconds after which to look again although nothing was seen; None when nothing is outstanding.

        Upstream only checks the age when an event comes by. Looking again on time costs nothing and means that
        a lost event delays a controller, instead of stopping it.
        """
        if self.satisfied(owner):
            return None
        return max(0.0, self._by_owner[owner].since + TIMEOUT - self._clock.now()) + 0.001

    def forget(self, owner: str) -> None:
        self._by_owner.pop(owner, None)
