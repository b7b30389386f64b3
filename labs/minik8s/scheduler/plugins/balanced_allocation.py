"""NodeResourcesBalancedAllocation: prefers nodes whose resources the pod makes evenly used.

Source: kube-scheduler `plugins/noderesources/balanced_allocation.go`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from minik8s.scheduler import resources
from minik8s.scheduler.framework import MAX_NODE_SCORE, SKIP, CycleState, Handle, Plugin, Status
from minik8s.scheduler.resources import CPU, MEMORY
from minik8s.scheduler.snapshot import NodeInfo, PodInfo


def balance(shares: Sequence[tuple[int, int]]) -> int:
    """[(used, size), ...] -> 100 when all shares are equal, less the further they spread (standard deviation)."""
    fractions = [min(used / size, 1.0) for used, size in shares]
    if len(fractions) == 2:
        deviation = abs((fractions[0] - fractions[1]) / 2)
    elif len(fractions) > 2:
        mean = sum(fractions) / len(fractions)
        deviation = sqrt(sum((fraction - mean) * (fraction - mean) for fraction in fractions) / len(fractions))
    else:
        deviation = 0.0
    return int((1 - deviation) * MAX_NODE_SCORE)


def improvement(before: int, after: int) -> int:
    """75 when the pod changes nothing, up to 100 when it evens out, down to 50 when it tilts."""
    half = MAX_NODE_SCORE // 2
    return half + int((half + after - before) / 2)


class NodeResourcesBalancedAllocation(Plugin):
    name = "NodeResourcesBalancedAllocation"

    def __init__(self, handle: Handle, args: Mapping[str, Any] | None = None) -> None:
        super().__init__(handle, args)
        stated = self.args.get("resources") or [{"name": CPU}, {"name": MEMORY}]
        self.names = [entry["name"] for entry in stated]

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]) -> Status | None:
        return None if any(pod.requests.get(name) for name in self.names) else SKIP

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        before, after = [], []
        for name in self.names:
            size, wanted = node.allocatable.get(name, 0), pod.requests.get(name, 0)
            if size and (wanted or not resources.is_scalar(name)):
                used = node.requested.get(name, 0)
                before.append((used, size))
                after.append((used + wanted, size))
        return improvement(balance(before), balance(after))
