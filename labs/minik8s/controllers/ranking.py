"""Which pods a ReplicaSet deletes first (pkg/controller/controller_utils.go ActivePodsWithRanks)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, log2
from typing import Any

from minik8s.controllers.podutil import created, is_ready, phase, ready_since, restarts
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def deletion_cost(pod: Object) -> int:
    try:
        return int(annotations_of(pod).get(DELETION_COST, "0"))
    except ValueError:
        return 0


def deletion_order(pods: Sequence[Object], rank: Mapping[str, int], now: float) -> list[Object]:
    """`pods`, the first to be deleted first.

    rank  by node name: how many related pods run there; of two alike pods the one with more company goes
    """

    def key(pod: Object) -> tuple[Any, ...]:
        node = pod["spec"].get("nodeName") or ""
        ready = is_ready(pod)
        since = ready_since(pod) if ready else None
        return (
            bool(node),
            _PHASES.get(phase(pod), 2),
            ready,
            deletion_cost(pod),
            -rank.get(node, 0),
            _age(since, now) if ready else 0,
            -restarts(pod),
            _age(created(pod), now),
            pod["metadata"]["uid"],
        )

    return sorted(pods, key=key)


def _age(since: float | None, now: float) -> int:
    """The age in powers of two (LogarithmicScaleDown): pods of about the same age are alike, the uid decides."""
    if not since:
        return -1
    elapsed = now - since
    return floor(log2(elapsed * 1e9)) if elapsed > 0 else 0
