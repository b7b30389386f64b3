"""NodeVolumeLimits: a CSI driver attaches so many volumes to a node and no more (CSINode allocatable.count)."""

from __future__ import annotations

from minik8s.objects import Object
from minik8s.scheduler.framework import SKIP, CycleState, Listers, Plugin, Status, unresolvable, unschedulable
from minik8s.scheduler.plugins.volumes import ClaimNotFound, claims_of, storage_class_of
from minik8s.scheduler.snapshot import NodeInfo, PodInfo, Snapshot

REASON = "node(s) exceed max volume count"


def attached_as(claim: Object, listers: Listers) -> tuple[str, str] | None:
    """(driver, volume handle) under which a claim counts, or None when no CSI driver is known for it.

    A claim without a volume counts under its own name, for the driver that its StorageClass would use.
    """
    volume = listers.get("persistentvolumes", "", claim["spec"].get("volumeName") or "")
    if volume is not None:
        csi = volume["spec"].get("csi")
        return (csi["driver"], csi["volumeHandle"]) if csi else None
    storage_class = listers.get("storageclasses.storage.k8s.io", "", storage_class_of(claim))
    if storage_class is None:
        return None
    meta = claim["metadata"]
    return storage_class["provisioner"], f"unbound-{meta.get('namespace', 'default')}/{meta['name']}"


class NodeVolumeLimits(Plugin):
    name = "NodeVolumeLimits"
    events = ("csinode/add", "csinode/update", "pod/delete", "pvc/add", "volumeattachment/delete")

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Status | None:
        volumes = pod.spec.get("volumes") or ()
        return None if any(v.get("persistentVolumeClaim") or v.get("ephemeral") for v in volumes) else SKIP

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        listers = self.handle.listers
        try:
            wanted = self._volumes(pod, strict=True)
        except ClaimNotFound as problem:
            return unresolvable(str(problem))
        limits = _limits(listers.get("csinodes.storage.k8s.io", "", node.name)) if wanted else {}
        if not limits:
            return None
        attached = {volume for other in node.pods.values() for volume in self._volumes(other, strict=False)}
        for driver, limit in limits.items():
            new = sum(volume[0] == driver for volume in wanted - attached)
            if new and new + sum(volume[0] == driver for volume in attached) > limit:
                return unschedulable(REASON)
        return None

    def _volumes(self, pod: PodInfo, strict: bool) -> set[tuple[str, str]]:
        found = (attached_as(claim, self.handle.listers) for claim in claims_of(pod, self.handle.listers, strict))
        return {volume for volume in found if volume is not None}


def _limits(csi_node: Object | None) -> dict[str, int]:
    drivers = ((csi_node or {}).get("spec") or {}).get("drivers") or ()
    counts = {d["name"]: (d.get("allocatable") or {}).get("count") for d in drivers}
    return {name: count for name, count in counts.items() if count is not None}
