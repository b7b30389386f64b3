"""InterPodAffinity: pods that want to be near, or away from, other pods, within a topology (node, zone, ...).

Source: kube-scheduler `plugins/interpodaffinity/` (filtering.go, scoring.go).
"""

from __future__ import annotations

from collections.abc import Sequence

from minik8s.objects import Object
from minik8s.scheduler.framework import (
    MAX_NODE_SCORE,
    SKIP,
    CycleState,
    Plugin,
    Status,
    unresolvable,
    unschedulable,
)
from minik8s.scheduler.snapshot import AffinityTerm, NodeInfo, PodInfo, Snapshot

REASON_EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"
REASON_AFFINITY = "node(s) didn't match pod affinity rules"
REASON_ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"

Labels = dict[str, str] | None
Counts = dict[tuple[str, str], int]
"""(topology key, value) -> number of matches in that domain"""


def count(counts: Counts, terms: Sequence[AffinityTerm], node: NodeInfo, by: int) -> None:
    """Add `by` in the domain of `node` for each term whose topology key the node has."""
    for term in terms:
        value = node.labels.get(term.topology_key)
        if value is not None:
            pair = (term.topology_key, value)
            counts[pair] = counts.get(pair, 0) + by
            if not counts[pair]:
                del counts[pair]


class Matches:
    """For one pod: in which domains live pods that it wants near, pods it keeps away from, and pods that refuse it."""

    def __init__(
        self, pod: PodInfo, affinity: Sequence[AffinityTerm], anti: Sequence[AffinityTerm], ns: Labels
    ) -> None:
        self.pod, self.affinity, self.anti, self.namespace_labels = pod, affinity, anti, ns
        self.near: Counts = {}
        self.away: Counts = {}
        self.refused: Counts = {}

    def copy(self) -> Matches:
        twin = Matches(self.pod, self.affinity, self.anti, self.namespace_labels)
        twin.near, twin.away, twin.refused = dict(self.near), dict(self.away), dict(self.refused)
        return twin

    def count_wanted(self, other: PodInfo, node: NodeInfo, by: int) -> None:
        """Count a pod that lives on `node` for the terms of the incoming pod."""
        if self.affinity and all(term.matches(other, None) for term in self.affinity):
            count(self.near, self.affinity, node, by)
        if self.anti:
            count(self.away, [term for term in self.anti if term.matches(other, None)], node, by)

    def count_refusing(self, other: PodInfo, node: NodeInfo, by: int) -> None:
        """Count a pod that lives on `node` for its own anti-affinity against the incoming pod."""
        terms = other.required_anti_affinity
        if terms:
            count(self.refused, [t for t in terms if t.matches(self.pod, self.namespace_labels)], node, by)

    def count_all(self, other: PodInfo, node: NodeInfo, by: int) -> None:
        self.count_refusing(other, node, by)
        self.count_wanted(other, node, by)

    def affinity_holds(self, node: NodeInfo) -> bool:
        """Every affinity term finds a match in the node's domain; the first pod of a group may match itself."""
        missing = False
        for term in self.affinity:
            value = node.labels.get(term.topology_key)
            if value is None:
                return False
            missing = missing or self.near.get((term.topology_key, value), 0) <= 0
        if not missing:
            return True
        return not self.near and all(term.matches(self.pod, self.namespace_labels) for term in self.affinity)

    def anti_affinity_holds(self, node: NodeInfo) -> bool:
        return not self.away or all(
            self.away.get((term.topology_key, node.labels.get(term.topology_key, "\0")), 0) <= 0 for term in self.anti
        )

    def nobody_refuses(self, node: NodeInfo) -> bool:
        return not self.refused or all(node.labels.get(key) != value for key, value in self.refused)


class InterPodAffinity(Plugin):
    name = "InterPodAffinity"
    events = ("pod/add", "pod/delete", "pod/label", "node/add", "node/label")

    # Filter

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Status | None:
        matches = Matches(
            pod,
            self._resolved(pod.required_affinity),
            self._resolved(pod.required_anti_affinity),
            self._namespace_labels(pod.namespace),
        )
        for node in snapshot.nodes:
            for other in node.with_anti_affinity.values():
                matches.count_refusing(other, node, 1)
        if not matches.affinity and not matches.anti:
            if not matches.refused:
                return SKIP
        else:
            for node in snapshot.nodes:
                for other in node.pods.values():
                    matches.count_wanted(other, node, 1)
        state[self.name] = matches
        return None

    def add_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo) -> None:
        state[self.name].count_all(other, node, 1)

    def remove_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo) -> None:
        state[self.name].count_all(other, node, -1)

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        matches: Matches = state[self.name]
        if not matches.affinity_holds(node):
            return unresolvable(REASON_AFFINITY)
        if not matches.anti_affinity_holds(node):
            return unschedulable(REASON_ANTI_AFFINITY)
        if not matches.nobody_refuses(node):
            return unschedulable(REASON_EXISTING)
        return None

    # Score

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]) -> Status | None:
        near, away = self._resolved(pod.preferred_affinity), self._resolved(pod.preferred_anti_affinity)
        if not near and not away and self.args.get("ignorePreferredTermsOfExistingPods"):
            return SKIP
        everyone = bool(near or away)
        scores: Counts = {}
        labels = self._namespace_labels(pod.namespace)
        for node in self.handle.snapshot.nodes:
            for other in (node.pods if everyone else node.with_affinity).values():
                weigh(scores, [t for t in near if t.matches(other, None)], node, 1)
                weigh(scores, [t for t in away if t.matches(other, None)], node, -1)
                if other.has_affinity:
                    self._weigh_existing(scores, pod, labels, other, node)
        if not scores:
            return SKIP
        state["Score" + self.name] = scores
        return None

    def _weigh_existing(self, scores: Counts, pod: PodInfo, labels: Labels, other: PodInfo, node: NodeInfo) -> None:
        """What a pod that is there already thinks of the incoming one."""
        hard = self.args.get("hardPodAffinityWeight", 1)
        if hard:
            met = [term for term in other.required_affinity if term.matches(pod, labels)]
            weigh(scores, met, node, 1, hard)
        if self.args.get("ignorePreferredTermsOfExistingPods"):
            return
        weigh(scores, [t for t in other.preferred_affinity if t.matches(pod, labels)], node, 1)
        weigh(scores, [t for t in other.preferred_anti_affinity if t.matches(pod, labels)], node, -1)

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        scores: Counts = state["Score" + self.name]
        return sum(weight for (key, value), weight in scores.items() if node.labels.get(key) == value)

    def normalize(self, state: CycleState, pod: PodInfo, scores: dict[str, int]) -> dict[str, int]:
        low, high = min(scores.values()), max(scores.values())
        spread = high - low
        if not spread:
            return dict.fromkeys(scores, 0)
        return {node: int(MAX_NODE_SCORE * ((score - low) / spread)) for node, score in scores.items()}

    # Namespaces

    def _namespace_labels(self, name: str) -> Labels:
        namespace = self.handle.listers.get("namespaces", "", name)
        return None if namespace is None else namespace["metadata"].get("labels") or {}

    def _resolved(self, terms: Sequence[AffinityTerm]) -> list[AffinityTerm]:
        if not terms:
            return []
        namespaces: list[Object] = self.handle.listers.list("namespaces")
        return [term.resolved(namespaces) for term in terms]


def weigh(scores: Counts, terms: Sequence[AffinityTerm], node: NodeInfo, sign: int, weight: int | None = None) -> None:
    """Add the weight of each term in the domain of `node`. Sums of zero stay: they still mean that someone cares."""
    for term in terms:
        value = node.labels.get(term.topology_key)
        if value is not None:
            pair = (term.topology_key, value)
            scores[pair] = scores.get(pair, 0) + sign * (term.weight if weight is None else weight)
