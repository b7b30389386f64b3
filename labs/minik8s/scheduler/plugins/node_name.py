"""NodeName: a pod that names its node goes nowhere else."""

from __future__ import annotations

from minik8s.scheduler.framework import CycleState, Plugin, Status, unresolvable
from minik8s.scheduler.snapshot import NodeInfo, PodInfo

REASON = "node(s) didn't match the requested node name"


class NodeName(Plugin):
    name = "NodeName"
    events = ("node/add",)

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        return unresolvable(REASON) if pod.node_name and pod.node_name != node.name else None
