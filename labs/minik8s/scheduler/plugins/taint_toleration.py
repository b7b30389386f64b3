"""TaintToleration: nodes keep pods away by taints, pods get over them by tolerations."""

from __future__ import annotations

from collections.abc import Iterable

from minik8s.objects import Object
from minik8s.scheduler.framework import CycleState, Plugin, Status, normalized, unresolvable
from minik8s.scheduler.snapshot import NodeInfo, PodInfo

REASON = "node(s) had untolerated taint(s)"


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether one toleration covers one taint: empty effect or key means any."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    match toleration.get("operator") or "Equal":
        case "Equal":
            return bool((toleration.get("value") or "") == (taint.get("value") or ""))
        case "Exists":
            return True
    return False


def untolerated(taints: Iterable[Object], tolerations: Iterable[Object]) -> Object | None:
    """The first taint that keeps a pod with these tolerations off the node, or None."""
    for taint in taints:
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not any(tolerates(t, taint) for t in tolerations):
            return taint
    return None


class TaintToleration(Plugin):
    name = "TaintToleration"
    events = ("node/add", "node/taint", "pod/toleration")

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        if node.taints and untolerated(node.taints, pod.spec.get("tolerations") or ()):
            return unresolvable(REASON)
        return None

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]) -> Status | None:
        soft = [t for t in pod.spec.get("tolerations") or () if t.get("effect") in (None, "", "PreferNoSchedule")]
        state[self.name] = soft
        return None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        """How many PreferNoSchedule taints the pod does not tolerate: fewer is better."""
        if not node.taints:
            return 0
        soft = [t for t in node.taints if t.get("effect") == "PreferNoSchedule"]
        return sum(not any(tolerates(toleration, taint) for toleration in state[self.name]) for taint in soft)

    def normalize(self, state: CycleState, pod: PodInfo, scores: dict[str, int]) -> dict[str, int]:
        return normalized(scores, reverse=True)

    def hint(self, event: str, pod: PodInfo, old: Object | None, new: Object | None) -> bool:
        if not event.startswith("node/") or new is None:
            return True
        taints = (new.get("spec") or {}).get("taints") or ()
        return untolerated(taints, pod.spec.get("tolerations") or ()) is None
