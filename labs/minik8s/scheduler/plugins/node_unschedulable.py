"""NodeUnschedulable: no new pods for a cordoned node, unless they tolerate its taint."""

from __future__ import annotations

from minik8s.objects import Object
from minik8s.scheduler.framework import CycleState, Plugin, Status, unresolvable
from minik8s.scheduler.plugins.taint_toleration import tolerates
from minik8s.scheduler.snapshot import NodeInfo, PodInfo

REASON = "node(s) were unschedulable"
TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


class NodeUnschedulable(Plugin):
    name = "NodeUnschedulable"
    events = ("node/add", "node/taint", "pod/toleration")

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        if node.unschedulable and not any(tolerates(t, TAINT) for t in pod.spec.get("tolerations") or ()):
            return unresolvable(REASON)
        return None

    def hint(self, event: str, pod: PodInfo, old: Object | None, new: Object | None) -> bool:
        if not event.startswith("node/") or new is None:
            return True
        return not (new.get("spec") or {}).get("unschedulable")
