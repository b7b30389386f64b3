"""DefaultPreemption: makes room for a pod by removing pods of lower priority from one node.

Source: kube-scheduler `framework/preemption/preemption.go`, `plugins/defaultpreemption/default_preemption.go`.
The steps: may the pod preempt at all; on which nodes could removing pods help; whom would it take on each; which
node costs least. The victims are removed by whoever runs the scheduler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from minik8s.objects import Object
from minik8s.objects.selectors import from_label_selector
from minik8s.scheduler.framework import (
    UNRESOLVABLE,
    UNSCHEDULABLE,
    CycleState,
    Diagnosis,
    Nomination,
    Plugin,
    Profile,
    Status,
    unresolvable,
    unschedulable,
)
from minik8s.scheduler.record import no_fit
from minik8s.scheduler.snapshot import NodeInfo, PodInfo

NEVER = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node on which the pod would fit once the victims are gone."""

    node: str
    victims: tuple[PodInfo, ...]
    violations: int


def importance(pod: PodInfo) -> tuple[int, float]:
    """Sort key, most important first: higher priority, then longer running."""
    return -pod.priority, pod.start_time


class DefaultPreemption(Plugin):
    name = "DefaultPreemption"
    events = ("pod/delete",)

    def post_filter(
        self, state: CycleState, pod: PodInfo, diagnosis: Diagnosis
    ) -> tuple[Nomination | None, Status | None]:
        nomination, status = self._preempt(state, pod, diagnosis)
        if status is not None and status.reasons:
            return nomination, Status(status.code, ("preemption: " + status.message,))
        return nomination, status

    def _preempt(
        self, state: CycleState, pod: PodInfo, diagnosis: Diagnosis
    ) -> tuple[Nomination | None, Status | None]:
        refusal = self._not_eligible(pod, diagnosis)
        if refusal:
            return None, unschedulable(refusal)
        candidates, failed = self._candidates(state, pod, diagnosis)
        if candidates:
            return choose(candidates), None
        message = no_fit(len(self.handle.snapshot), Diagnosis(failed, unresolvable(NOT_HELPFUL)))
        return Nomination(""), unschedulable(message)

    def _not_eligible(self, pod: PodInfo, diagnosis: Diagnosis) -> str:
        """Why the pod may not preempt, or "". A pod waits for the victims it has already taken."""
        if pod.spec.get("preemptionPolicy") == "Never":
            return NEVER
        node = self.handle.snapshot.by_name.get(pod.nominated) if pod.nominated else None
        if node is None or diagnosis.status(pod.nominated).code == UNRESOLVABLE:
            return ""
        waiting = any(p.priority < pod.priority and _was_preempted(p) for p in node.pods.values())
        return TERMINATING if waiting else ""

    def _candidates(
        self, state: CycleState, pod: PodInfo, diagnosis: Diagnosis
    ) -> tuple[list[Candidate], dict[str, Status]]:
        """Nodes that preemption would open, those that respect every budget first, and why the others stay shut."""
        profile = self.handle.profile
        assert profile is not None
        nodes = [n for n in self.handle.snapshot.nodes if diagnosis.status(n.name).code == UNSCHEDULABLE]
        budgets = self.handle.listers.list("poddisruptionbudgets.policy")
        wanted = self._enough(len(self.handle.snapshot))
        clean: list[Candidate] = []
        violating: list[Candidate] = []
        failed: dict[str, Status] = {}
        for node in nodes:
            found = victims_on(profile, state.copy(), pod, node.clone(), budgets)
            if isinstance(found, Status):
                failed[node.name] = found
            else:
                (violating if found.violations else clean).append(found)
                if clean and len(clean) + len(violating) >= wanted:
                    break
        return clean + violating, failed

    def _enough(self, nodes: int) -> int:
        """How many candidates are looked for in a large cluster: 10 per cent of the nodes, at least 100."""
        share = int(self.args.get("minCandidateNodesPercentage", 10))
        least = int(self.args.get("minCandidateNodesAbsolute", 100))
        return min(nodes, max(nodes * share // 100, least))


def _was_preempted(pod: PodInfo) -> bool:
    """Being deleted because of preemption."""
    conditions = pod.status.get("conditions") or ()
    return pod.terminating and any(
        c["type"] == "DisruptionTarget" and c.get("status") == "True" and c.get("reason") == "PreemptionByScheduler"
        for c in conditions
    )


def victims_on(
    profile: Profile, state: CycleState, pod: PodInfo, node: NodeInfo, budgets: Sequence[Object]
) -> Candidate | Status:
    """Who must go from `node` (a copy, as is `state`): all of lower priority, then as many as possible come back."""

    def remove(other: PodInfo) -> None:
        node.remove(other)
        profile.remove_pod(state, pod, other, node)

    def add(other: PodInfo) -> None:
        node.add(other)
        profile.add_pod(state, pod, other, node)

    lower = [other for other in node.pods.values() if other.priority < pod.priority]
    if not lower:
        return unresolvable(NO_VICTIMS)
    for other in lower:
        remove(other)
    status = profile.filter_with_nominated(state, pod, node)
    if status is not None:
        return status

    victims: list[PodInfo] = []

    def reprieve(other: PodInfo) -> bool:
        add(other)
        if profile.filter_with_nominated(state, pod, node) is None:
            return True
        remove(other)
        victims.append(other)
        return False

    protected, others = split_by_budget(sorted(lower, key=importance), budgets)
    violations = sum(not reprieve(other) for other in protected)
    for other in others:
        reprieve(other)
    if not victims:
        return Status("Error", (f'expected at least one victim pod on node "{node.name}"',))
    return Candidate(node.name, tuple(sorted(victims, key=importance)), violations)


def split_by_budget(pods: Sequence[PodInfo], budgets: Sequence[Object]) -> tuple[list[PodInfo], list[PodInfo]]:
    """(pods whose removal would break a PodDisruptionBudget, the others), each in the given order."""
    left = [(budget.get("status") or {}).get("disruptionsAllowed", 0) for budget in budgets]
    breaking: list[PodInfo] = []
    fine: list[PodInfo] = []
    for pod in pods:
        broken = False
        for index, budget in enumerate(budgets):
            if _covers(budget, pod):
                left[index] -= 1
                broken = broken or left[index] < 0
        (breaking if broken else fine).append(pod)
    return breaking, fine


def _covers(budget: Object, pod: PodInfo) -> bool:
    if budget["metadata"].get("namespace") != pod.namespace or not pod.labels:
        return False
    selector = from_label_selector(budget["spec"].get("selector"))
    if selector.empty or not selector.matches(pod.labels):
        return False
    return pod.name not in ((budget.get("status") or {}).get("disruptedPods") or {})


_CRITERIA: tuple[Callable[[Candidate], float], ...] = (
    lambda c: -c.violations,
    lambda c: -c.victims[0].priority,
    lambda c: -sum(p.priority + 2**31 for p in c.victims),
    lambda c: -len(c.victims),
    lambda c: min(p.start_time for p in c.victims if p.priority == c.victims[0].priority),
)
"""What makes a candidate better, in turn: fewer broken budgets, a less important first victim, a smaller sum of
priorities, fewer victims, and victims that started later."""


def choose(candidates: Sequence[Candidate]) -> Nomination:
    """The candidate that costs least; of equals, the first."""
    best = list(candidates)
    for criterion in _CRITERIA:
        top = max(criterion(candidate) for candidate in best)
        best = [candidate for candidate in best if criterion(candidate) == top]
    ties = tuple((candidate.node, candidate.victims) for candidate in best) if len(best) > 1 else ()
    return Nomination(best[0].node, best[0].victims, ties)
