"""PodTopologySpread: keeps the numbers of like pods in zones, nodes, ... within maxSkew of one another.

Source: kube-scheduler `plugins/podtopologyspread/` (filtering.go, scoring.go, common.go).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from minik8s.objects import Object
from minik8s.objects.meta import controller_of
from minik8s.objects.selectors import EQUALS, NOTHING, Requirement, Selector, from_label_selector, match_labels
from minik8s.scheduler.framework import (
    MAX_NODE_SCORE,
    SKIP,
    CycleState,
    Listers,
    Plugin,
    Status,
    unresolvable,
    unschedulable,
)
from minik8s.scheduler.plugins.node_affinity import Required, required
from minik8s.scheduler.plugins.taint_toleration import untolerated
from minik8s.scheduler.snapshot import HOSTNAME, ZONE, NodeInfo, PodInfo, Snapshot

REASON = "node(s) didn't match pod topology spread constraints"
REASON_LABEL = REASON + " (missing required label)"

SYSTEM_DEFAULTS: tuple[Object, ...] = (
    {"topologyKey": HOSTNAME, "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 3},
    {"topologyKey": ZONE, "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 5},
)


@dataclass(frozen=True, slots=True)
class Constraint:
    """One topologySpreadConstraint, read."""

    max_skew: int
    key: str
    selector: Selector
    min_domains: int
    honor_affinity: bool
    honor_taints: bool

    def counts_on(self, pod: PodInfo, demand: Required, node: NodeInfo) -> bool:
        """Whether a node takes part: as nodeAffinityPolicy and nodeTaintsPolicy say."""
        if self.honor_affinity and not demand.matches(node.node):
            return False
        return not (self.honor_taints and untolerated(node.taints, pod.spec.get("tolerations") or ()))


def constraints(pod: PodInfo, stated: Iterable[Object], action: str) -> list[Constraint]:
    """Those of a pod's constraints that ask for `action`."""
    return [
        Constraint(
            entry["maxSkew"],
            entry["topologyKey"],
            _selector(pod, entry),
            entry.get("minDomains") or 1,
            (entry.get("nodeAffinityPolicy") or "Honor") == "Honor",
            (entry.get("nodeTaintsPolicy") or "Ignore") == "Honor",
        )
        for entry in stated
        if entry["whenUnsatisfiable"] == action
    ]


def _selector(pod: PodInfo, entry: Object) -> Selector:
    """The label selector with the pod's values of matchLabelKeys merged in."""
    selector = from_label_selector(entry.get("labelSelector"))
    keys = [key for key in entry.get("matchLabelKeys") or () if key in pod.labels]
    if not keys or selector.requirements is None:
        return selector
    merged = [*(Requirement(key, EQUALS, (pod.labels[key],)) for key in keys), *selector.requirements]
    return Selector(sorted(merged, key=lambda requirement: requirement.key))


def default_selector(pod: PodInfo, listers: Listers) -> Selector:
    """Whom the cluster takes for siblings of the pod: by the services that pick it and by its controller."""
    labels: dict[str, str] = {}
    for service in listers.list("services", pod.namespace):
        wanted = (service.get("spec") or {}).get("selector")
        if wanted is not None and match_labels(wanted, pod.labels):
            labels.update(wanted)
    more: tuple[Requirement, ...] = ()
    owner = controller_of(pod.pod)
    resource = _OWNERS.get((owner["apiVersion"], owner["kind"])) if owner else None
    found = listers.get(resource, pod.namespace, owner["name"]) if owner and resource else None
    if found is not None:
        selector = (found.get("spec") or {}).get("selector")
        if resource == "replicationcontrollers":
            labels.update(selector or {})
        else:
            more = from_label_selector(selector).requirements or ()
    own = tuple(Requirement(key, EQUALS, (value,)) for key, value in labels.items())
    return Selector(sorted(own + more, key=lambda requirement: requirement.key))


_OWNERS = {
    ("v1", "ReplicationController"): "replicationcontrollers",
    ("apps/v1", "ReplicaSet"): "replicasets.apps",
    ("apps/v1", "StatefulSet"): "statefulsets.apps",
}


def siblings(pods: Iterable[PodInfo], selector: Selector, namespace: str) -> int:
    """How many pods a selector matches; pods that are being deleted and other namespaces do not count."""
    if selector.empty or selector is NOTHING:
        return 0
    return sum(p.namespace == namespace and not p.terminating and selector.matches(p.labels) for p in pods)


def has_all_keys(node: NodeInfo, wanted: Sequence[Constraint]) -> bool:
    return all(constraint.key in node.labels for constraint in wanted)


@dataclass
class Counted:
    """Per constraint: matching pods by topology value."""

    constraints: list[Constraint]
    demand: Required
    counts: list[dict[str, int]] = field(default_factory=list)

    def copy(self) -> Counted:
        return Counted(self.constraints, self.demand, [dict(counts) for counts in self.counts])

    def fewest(self, index: int) -> int:
        """The global minimum: 0 while there are fewer domains than minDomains."""
        counts = self.counts[index]
        return 0 if len(counts) < self.constraints[index].min_domains else min(counts.values())

    def change(self, pod: PodInfo, other: PodInfo, node: NodeInfo, by: int) -> None:
        if other.namespace != pod.namespace or not has_all_keys(node, self.constraints):
            return
        for constraint, counts in zip(self.constraints, self.counts, strict=True):
            if constraint.selector.matches(other.labels) and constraint.counts_on(pod, self.demand, node):
                value = node.labels[constraint.key]
                counts[value] = counts.get(value, 0) + by


@dataclass(frozen=True, slots=True)
class Scoring:
    """Per soft constraint: matching pods by topology value among the candidates, and the weight of the topology."""

    constraints: list[Constraint]
    ignored: set[str]
    counts: list[dict[str, int]]
    weights: list[float]


class PodTopologySpread(Plugin):
    name = "PodTopologySpread"
    events = ("pod/add", "pod/delete", "pod/label", "node/add", "node/label", "node/taint", "node/delete")

    @property
    def _system_defaulted(self) -> bool:
        return (self.args.get("defaultingType") or "System") == "System"

    def _constraints(self, pod: PodInfo, action: str) -> list[Constraint]:
        stated = pod.spec.get("topologySpreadConstraints")
        if stated:
            return constraints(pod, stated, action)
        defaults = SYSTEM_DEFAULTS if self._system_defaulted else self.args.get("defaultConstraints") or ()
        found = constraints(pod, defaults, action)
        selector = default_selector(pod, self.handle.listers) if found else NOTHING
        if not found or selector.empty:
            return []
        return [Constraint(c.max_skew, c.key, selector, c.min_domains, c.honor_affinity, c.honor_taints) for c in found]

    # Filter

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Status | None:
        hard = self._constraints(pod, "DoNotSchedule")
        if not hard:
            return SKIP
        counted = Counted(hard, required(pod.spec), [{} for _ in hard])
        for node in snapshot.nodes:
            if has_all_keys(node, hard):
                for constraint, counts in zip(hard, counted.counts, strict=True):
                    if constraint.counts_on(pod, counted.demand, node):
                        value = node.labels[constraint.key]
                        found = siblings(node.pods.values(), constraint.selector, pod.namespace)
                        counts[value] = counts.get(value, 0) + found
        state[self.name] = counted
        return None

    def add_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo) -> None:
        state[self.name].change(pod, other, node, 1)

    def remove_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo) -> None:
        state[self.name].change(pod, other, node, -1)

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        counted: Counted = state[self.name]
        for index, constraint in enumerate(counted.constraints):
            value = node.labels.get(constraint.key)
            if value is None:
                return unresolvable(REASON_LABEL)
            self_match = constraint.selector.matches(pod.labels)
            if counted.counts[index].get(value, 0) + self_match - counted.fewest(index) > constraint.max_skew:
                return unschedulable(REASON)
        return None

    # Score

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]) -> Status | None:
        soft = self._constraints(pod, "ScheduleAnyway")
        if not soft:
            return SKIP
        every_key = bool(pod.spec.get("topologySpreadConstraints")) or not self._system_defaulted
        scoring = self._scoring(soft, nodes, every_key)
        demand = required(pod.spec)
        for node in self.handle.snapshot.nodes:
            if every_key and not has_all_keys(node, soft):
                continue
            for constraint, counts in zip(soft, scoring.counts, strict=True):
                value = node.labels.get(constraint.key, "")
                if value in counts and constraint.counts_on(pod, demand, node):
                    counts[value] += siblings(node.pods.values(), constraint.selector, pod.namespace)
        state["Score" + self.name] = scoring
        return None

    def _scoring(self, soft: list[Constraint], nodes: list[NodeInfo], every_key: bool) -> Scoring:
        """The domains of the candidate nodes, at zero. Nodes have their own count, made when they are scored."""
        ignored = {node.name for node in nodes if every_key and not has_all_keys(node, soft)}
        taken = [node for node in nodes if node.name not in ignored]
        counts: list[dict[str, int]] = [
            {} if c.key == HOSTNAME else dict.fromkeys((node.labels.get(c.key, "") for node in taken), 0) for c in soft
        ]
        sizes = [len(taken) if c.key == HOSTNAME else len(found) for c, found in zip(soft, counts, strict=True)]
        return Scoring(soft, ignored, counts, [math.log(size + 2) for size in sizes])

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        """How many like pods share the node's domains, small topologies weighing more: fewer is better."""
        scoring: Scoring = state["Score" + self.name]
        if node.name in scoring.ignored:
            return 0
        score = 0.0
        for constraint, counts, weight in zip(scoring.constraints, scoring.counts, scoring.weights, strict=True):
            value = node.labels.get(constraint.key)
            if value is not None:
                here = constraint.key == HOSTNAME
                found = siblings(node.pods.values(), constraint.selector, pod.namespace) if here else counts[value]
                score += found * weight + (constraint.max_skew - 1)
        return math.floor(score + 0.5)

    def normalize(self, state: CycleState, pod: PodInfo, scores: dict[str, int]) -> dict[str, int]:
        ignored = state["Score" + self.name].ignored
        counted = [score for node, score in scores.items() if node not in ignored]
        low, high = min(counted, default=0), max(counted, default=0)

        def bring(node: str, score: int) -> int:
            if node in ignored:
                return 0
            return MAX_NODE_SCORE * (high + low - score) // high if high else MAX_NODE_SCORE

        return {node: bring(node, score) for node, score in scores.items()}
