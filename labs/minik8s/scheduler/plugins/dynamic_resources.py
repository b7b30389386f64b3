"""DynamicResources: the part of it that every pod meets. Pods with ResourceClaims are refused: there are no drivers."""

from __future__ import annotations

from minik8s.scheduler.framework import (
    CycleState,
    Diagnosis,
    Nomination,
    Plugin,
    Status,
    error,
    unresolvable,
    unschedulable,
)
from minik8s.scheduler.snapshot import NodeInfo, PodInfo, Snapshot

REASON = "cannot allocate all claims"
NO_CLAIMS = "no new claims to deallocate"


class DynamicResources(Plugin):
    name = "DynamicResources"

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> None:
        state[self.name] = bool(pod.spec.get("resourceClaims"))

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        return unresolvable(REASON) if state[self.name] else None

    def post_filter(
        self, state: CycleState, pod: PodInfo, diagnosis: Diagnosis
    ) -> tuple[Nomination | None, Status | None]:
        if self.name not in state:  # an earlier PreFilter plugin refused the pod; upstream fails to read its state, too
            return None, error("not found")
        return None, unschedulable(NO_CLAIMS)

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        return 0
