"""The scheduler: takes one pod at a time and decides on which node it goes.

    queue -> snapshot -> PreFilter, Filter -> PreScore, Score -> select -> Reserve, Permit, PreBind -> Bind

Every step asks the plugins of the pod's profile (framework.py) and writes down what they say (record.py).
Source: kube-scheduler `schedule_one.go`.
"""

from __future__ import annotations

from minik8s.scheduler.framework import (
    CycleState,
    Diagnosis,
    PluginError,
    Profile,
    Status,
    error,
    unresolvable,
)
from minik8s.scheduler.record import NO_NODES, Decision, PluginScores, no_fit
from minik8s.scheduler.snapshot import NodeInfo, PodInfo, Snapshot

MIN_NODES = 100
"""Below this many feasible nodes, the search never stops early."""


class Scheduler:
    """Decides; keeps no pods. `percentage` of the nodes is enough to choose among (0: adaptive, 100: all)."""

    def __init__(self, snapshot: Snapshot, percentage: int = 0) -> None:
        self.snapshot = snapshot
        self.percentage = percentage
        self.next_start = 0

    def schedule(self, pod: PodInfo, profile: Profile) -> tuple[Decision, CycleState]:
        """One scheduling cycle: the decision, and the plugins' state for the binding that follows."""
        state = CycleState()
        decision = Decision(pod.key, profile=profile.name, nodes=len(self.snapshot))
        try:
            self._decide(decision, state, pod, profile)
        except PluginError as problem:
            decision.outcome, decision.message = "error", str(problem)
            decision.diagnosis.plugins.add(problem.plugin)
        return decision, state

    def _decide(self, decision: Decision, state: CycleState, pod: PodInfo, profile: Profile) -> None:
        if not len(self.snapshot):
            decision.message = NO_NODES
            return
        nodes = self.find_feasible(decision.diagnosis, state, pod, profile)
        decision.feasible = [node.name for node in nodes]
        if not nodes:
            self.explain_and_preempt(decision, state, pod, profile)
            return
        if len(nodes) > 1:
            self.score(decision, state, pod, profile, nodes)
        decision.best = best_of(decision.totals) or decision.feasible
        decision.node = self.select(decision)
        decision.outcome = "scheduled"

    # 1. Which nodes will do?

    def find_feasible(self, diagnosis: Diagnosis, state: CycleState, pod: PodInfo, profile: Profile) -> list[NodeInfo]:
        """The nodes that every filter lets pass; the diagnosis says why the others do not."""
        names, narrowed, refusal = profile.pre_filter(state, pod, self.snapshot)
        if refusal is not None:
            diagnosis.prefilter = diagnosis.absent = refusal
            diagnosis.plugins.add(refusal.plugin)
            return []
        nominated = self.snapshot.by_name.get(pod.nominated) if pod.nominated else None
        if nominated is not None and self._passes(nominated, diagnosis, state, pod, profile):
            return [nominated]
        nodes = self.snapshot.nodes
        if names is not None:
            nodes = [node for node in nodes if node.name in names]
            diagnosis.absent = unresolvable(f"node(s) didn't satisfy plugin(s) [{' '.join(narrowed)}]")
        return self._scan(nodes, diagnosis, state, pod, profile)

    def _scan(
        self, nodes: list[NodeInfo], diagnosis: Diagnosis, state: CycleState, pod: PodInfo, profile: Profile
    ) -> list[NodeInfo]:
        """Look at the nodes in turn, from where the last scan stopped, until there are enough to choose among."""
        enough = nodes_to_find(len(nodes), profile.percentage or self.percentage)
        feasible: list[NodeInfo] = []
        for i in range(len(nodes)):
            node = nodes[(self.next_start + i) % len(nodes)]
            if self._passes(node, diagnosis, state, pod, profile):
                if len(feasible) == enough:
                    break
                feasible.append(node)
        looked_at = len(feasible) + len(diagnosis.nodes)
        self.next_start = (self.next_start + looked_at) % len(self.snapshot)
        return feasible

    def _passes(self, node: NodeInfo, diagnosis: Diagnosis, state: CycleState, pod: PodInfo, profile: Profile) -> bool:
        status = profile.filter_with_nominated(state, pod, node)
        if status is None:
            return True
        diagnosis.nodes[node.name] = status
        diagnosis.plugins.add(status.plugin)
        return False

    # 2. None will do: say why, and see whether removing pods would help

    def explain_and_preempt(self, decision: Decision, state: CycleState, pod: PodInfo, profile: Profile) -> None:
        decision.nomination, status = profile.post_filter(state, pod, decision.diagnosis)
        after = status.message if status is not None else ""
        decision.message = no_fit(decision.nodes, decision.diagnosis, after)

    # 3. Which of them is best?

    def score(
        self, decision: Decision, state: CycleState, pod: PodInfo, profile: Profile, nodes: list[NodeInfo]
    ) -> None:
        """The weighted sum of what the score plugins give each node."""
        profile.pre_score(state, pod, nodes)
        for name, (raw, normalized) in profile.score(state, pod, nodes).items():
            decision.scores[name] = PluginScores(profile.weights[name], raw, normalized)
        for node in decision.feasible:
            decision.totals[node] = sum(s.weight * s.normalized[node] for s in decision.scores.values())

    def select(self, decision: Decision) -> str:
        """One of the best. kube-scheduler takes the top of a heap over the feasible nodes."""
        if len(decision.best) == 1:
            return decision.best[0]
        return heap_top(decision.feasible, set(decision.best))

    # 4. Keep the place, and bind

    def reserve(self, decision: Decision, state: CycleState, pod: PodInfo, profile: Profile) -> Status | None:
        """Let plugins take what the pod will need. When one objects, all is undone and its Status returned."""
        assert decision.node is not None
        try:
            status = profile.run("reserve", state, pod, decision.node)
        except PluginError as problem:
            status = error(str(problem))
        if status is not None:
            profile.unreserve(state, pod, decision.node)
        return status


def nodes_to_find(nodes: int, percentage: int) -> int:
    """How many feasible nodes are enough: all below 100, else the percentage, which falls from 50 to 5 by itself."""
    if nodes < MIN_NODES or percentage >= 100:
        return nodes
    share = percentage or max(5, 50 - nodes // 125)
    return max(MIN_NODES, nodes * share // 100)


def best_of(totals: dict[str, int]) -> list[str]:
    """The nodes with the highest total, sorted by name."""
    top = max(totals.values(), default=0)
    return sorted(node for node, total in totals.items() if total == top)


def heap_top(nodes: list[str], best: set[str]) -> str:
    """Which of equals ends at the root of a binary heap built over `nodes`: the first in pre-order."""
    places = [i for i, node in enumerate(nodes) if node in best]
    return nodes[min(places, key=preorder)]


def preorder(place: int) -> str:
    """The way from the root of a heap to an index, as left (0) and right (1) turns: sorts in pre-order."""
    return f"{place + 1:b}"[1:]
