"""VolumeRestrictions: a ReadWriteOncePod claim serves one pod; some disks cannot be mounted twice on a node."""

from __future__ import annotations

from collections.abc import Iterable

from minik8s.objects import Object
from minik8s.scheduler.framework import SKIP, CycleState, Plugin, Status, unresolvable, unschedulable
from minik8s.scheduler.snapshot import NodeInfo, PodInfo, Snapshot

REASON_DISK = "node(s) had no available disk"
REASON_IN_USE = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
)

_DISKS = {"gcePersistentDisk": "pdName", "awsElasticBlockStore": "volumeID", "iscsi": "iqn"}


def volumes_conflict(mine: Object, theirs: Object) -> bool:
    """Whether two volumes are one disk that cannot be mounted twice (read-only mounts may share)."""
    for kind, identity in _DISKS.items():
        a, b = mine.get(kind), theirs.get(kind)
        if not a or not b or a.get(identity) != b.get(identity):
            continue
        if kind == "awsElasticBlockStore" or not (a.get("readOnly") and b.get("readOnly")):
            return True
    a, b = mine.get("rbd"), theirs.get("rbd")
    if a and b and set(a.get("monitors") or ()) & set(b.get("monitors") or ()):
        same = (a.get("pool") or "rbd", a.get("image")) == (b.get("pool") or "rbd", b.get("image"))
        return same and not (a.get("readOnly") and b.get("readOnly"))
    return False


class InUse:
    """The pod's ReadWriteOncePod claims, and how often other pods use them."""

    def __init__(self, claims: frozenset[str], uses: int) -> None:
        self.claims, self.uses = claims, uses

    def copy(self) -> InUse:
        return InUse(self.claims, self.uses)

    def change(self, other: PodInfo, by: int) -> None:
        self.uses += by * sum(f"{other.namespace}/{claim}" in self.claims for claim in other.claim_names)


class VolumeRestrictions(Plugin):
    name = "VolumeRestrictions"
    events = ("pod/delete", "pvc/add", "pvc/update")

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Status | None:
        disks = any(v.get(kind) for v in pod.spec.get("volumes") or () for kind in (*_DISKS, "rbd"))
        exclusive = set()
        for claim in pod.claim_names:
            found = self.handle.listers.get("persistentvolumeclaims", pod.namespace, claim)
            if found is None:
                return unresolvable(f'persistentvolumeclaim "{claim}" not found')
            if "ReadWriteOncePod" in (found["spec"].get("accessModes") or ()):
                exclusive.add(f"{pod.namespace}/{claim}")
        if not disks and not exclusive:
            return SKIP
        uses = sum(claim in node.claims for node in snapshot.nodes for claim in exclusive)
        state[self.name] = InUse(frozenset(exclusive), uses)
        return None

    def add_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo) -> None:
        state[self.name].change(other, 1)

    def remove_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo) -> None:
        state[self.name].change(other, -1)

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        if any(_conflict(pod.spec.get("volumes") or (), other) for other in node.pods.values()):
            return unschedulable(REASON_DISK)
        return unschedulable(REASON_IN_USE) if state[self.name].uses > 0 else None


def _conflict(volumes: Iterable[Object], other: PodInfo) -> bool:
    theirs = other.spec.get("volumes") or ()
    return any(volumes_conflict(a, b) for a in volumes for b in theirs)
