"""SchedulingGates: a pod with spec.schedulingGates does not enter the queue (KEP-3521)."""

from __future__ import annotations

from minik8s.objects import Object
from minik8s.scheduler.framework import Plugin, Status, unresolvable
from minik8s.scheduler.snapshot import PodInfo


def gate_names(spec: Object) -> list[str]:
    return [gate["name"] for gate in spec.get("schedulingGates") or ()]


class SchedulingGates(Plugin):
    name = "SchedulingGates"
    events = ("pod/gates",)

    def pre_enqueue(self, pod: PodInfo) -> Status | None:
        gates = gate_names(pod.spec)
        return unresolvable(f"waiting for scheduling gates: [{' '.join(gates)}]") if gates else None
