"""NodeResourcesFit: what a pod requests must be free on the node; scores by how much is (or is not) left.

Source: kube-scheduler `plugins/noderesources/` (fit.go, least_allocated.go, most_allocated.go,
requested_to_capacity_ratio.go).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from minik8s.objects import Object
from minik8s.scheduler import resources
from minik8s.scheduler.framework import MAX_NODE_SCORE, UNRESOLVABLE, UNSCHEDULABLE, CycleState, Handle, Plugin, Status
from minik8s.scheduler.resources import CPU, EPHEMERAL, MEMORY, Amounts
from minik8s.scheduler.snapshot import NodeInfo, PodInfo, Snapshot

TOO_MANY_PODS = "Too many pods"

Spec = tuple[str, int]
"""(resource name, weight)"""

Scorer = Callable[[Sequence[tuple[int, int, int]]], int]
"""[(requested with the pod, allocatable, weight), ...] -> 0..100"""


def shortages(requests: Amounts, node: NodeInfo, ignored: frozenset[str] = frozenset()) -> list[tuple[str, bool]]:
    """(reason, whether even the empty node would be too small) for each resource that does not suffice."""
    found = []
    if len(node.pods) + 1 > node.max_pods:
        found.append((TOO_MANY_PODS, False))
    for name in _in_order(requests):
        wanted, size = requests[name], node.allocatable.get(name, 0)
        if wanted > 0 and wanted > size - node.requested.get(name, 0) and not _ignored(name, ignored):
            found.append((f"Insufficient {name}", wanted > size))
    return found


def _in_order(requests: Amounts) -> list[str]:
    basic = [name for name in (CPU, MEMORY, EPHEMERAL) if name in requests]
    return basic + sorted(name for name in requests if name not in basic) if len(basic) < len(requests) else basic


def _ignored(name: str, ignored: frozenset[str]) -> bool:
    return bool(ignored) and (name in ignored or name.partition("/")[0] in ignored)


def least_allocated(parts: Sequence[tuple[int, int, int]]) -> int:
    """The share that stays free, weighted over the resources."""
    return _weighted([((size - used) * MAX_NODE_SCORE // size if used <= size else 0, w) for used, size, w in parts])


def most_allocated(parts: Sequence[tuple[int, int, int]]) -> int:
    """The share that is taken, weighted over the resources: packs pods."""
    return _weighted([(min(used, size) * MAX_NODE_SCORE // size, weight) for used, size, weight in parts])


def _weighted(scores: Sequence[tuple[int, int]]) -> int:
    total = sum(weight for _, weight in scores)
    return sum(score * weight for score, weight in scores) // total if total else 0


def requested_to_capacity_ratio(shape: Sequence[tuple[int, int]]) -> Scorer:
    """A scorer from points (utilization in per cent, score 0..100): straight lines between them."""

    def scorer(parts: Sequence[tuple[int, int, int]]) -> int:
        scores = [
            (_on_line(shape, used * 100 // size if used <= size else 100), weight) for used, size, weight in parts
        ]
        scores = [(score, weight) for score, weight in scores if score > 0]
        total = sum(weight for _, weight in scores)
        return _round(sum(score * weight for score, weight in scores), total) if total else 0

    return scorer


def _on_line(shape: Sequence[tuple[int, int]], p: int) -> int:
    for i, (x, y) in enumerate(shape):
        if p <= x:
            if i == 0:
                return y
            x0, y0 = shape[i - 1]
            rise = (y - y0) * (p - x0)
            return y0 + (rise // (x - x0) if rise >= 0 else -(-rise // (x - x0)))
    return shape[-1][1]


def _round(number: int, unit: int) -> int:
    """Nearest whole number, halves away from zero (math.Round)."""
    return (2 * number + unit) // (2 * unit)


def scorer_of(strategy: Mapping[str, Any]) -> tuple[Scorer, list[Spec]]:
    """The scorer and its resources from `scoringStrategy` in the arguments. ValueError if it makes no sense."""
    stated = strategy.get("resources") or [{"name": CPU, "weight": 1}, {"name": MEMORY, "weight": 1}]
    specs = [(entry["name"], entry.get("weight") or 1) for entry in stated]
    match strategy.get("type") or "LeastAllocated":
        case "LeastAllocated":
            return least_allocated, specs
        case "MostAllocated":
            return most_allocated, specs
        case "RequestedToCapacityRatio":
            shape = [(p["utilization"], p["score"] * 10) for p in strategy["requestedToCapacityRatio"]["shape"]]
            return requested_to_capacity_ratio(shape), specs
    raise ValueError(f"scoring strategy {strategy['type']} is not supported")


def parts(pod: Amounts, node: NodeInfo, specs: Sequence[Spec]) -> list[tuple[int, int, int]]:
    """(used with the pod, size, weight) of each resource that the node has and the pod has a say in."""
    found = []
    for name, weight in specs:
        size, wanted = node.allocatable.get(name, 0), pod.get(name, 0)
        if size and (wanted or not resources.is_scalar(name)):
            found.append((_counted(node, name) + wanted, size, weight))
    return found


def _counted(node: NodeInfo, name: str) -> int:
    if name == CPU:
        return node.counted_cpu
    return node.counted_memory if name == MEMORY else node.requested.get(name, 0)


class NodeResourcesFit(Plugin):
    name = "NodeResourcesFit"
    events = ("pod/delete", "pod/scaledown", "node/add", "node/allocatable")

    def __init__(self, handle: Handle, args: Mapping[str, Any] | None = None) -> None:
        super().__init__(handle, args)
        self.scorer, self.specs = scorer_of(self.args.get("scoringStrategy") or {})
        stated = [*(self.args.get("ignoredResources") or ()), *(self.args.get("ignoredResourceGroups") or ())]
        self.ignored = frozenset(stated)

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> None:
        state[self.name] = pod.requests

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        found = shortages(state[self.name], node, self.ignored)
        if not found:
            return None
        hopeless = any(too_small for _, too_small in found)
        return Status(UNRESOLVABLE if hopeless else UNSCHEDULABLE, tuple(reason for reason, _ in found))

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]) -> None:
        state["Score" + self.name] = pod.asked

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        return self.scorer(parts(state["Score" + self.name], node, self.specs))

    def hint(self, event: str, pod: PodInfo, old: Object | None, new: Object | None) -> bool:
        if not event.startswith("node/") or new is None:
            return True
        size = resources.allocatable(new)
        return all(amount <= size.get(name, 0) for name, amount in pod.requests.items())
