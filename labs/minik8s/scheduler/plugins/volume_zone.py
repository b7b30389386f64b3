"""VolumeZone: a volume that is labelled with zones or regions is used there."""

from __future__ import annotations

from minik8s.scheduler.framework import SKIP, CycleState, Plugin, Status, error, unresolvable
from minik8s.scheduler.plugins.volumes import storage_class_of, waits_for_consumer
from minik8s.scheduler.snapshot import BETA_REGION, BETA_ZONE, REGION, ZONE, NodeInfo, PodInfo, Snapshot

REASON = "node(s) had no available volume zone"
KEYS = (BETA_ZONE, BETA_REGION, ZONE, REGION)
_STABLE = {BETA_ZONE: ZONE, BETA_REGION: REGION}

Topology = tuple[str, frozenset[str]]


class VolumeZone(Plugin):
    name = "VolumeZone"
    events = ("storageclass/add", "node/add", "node/label", "pvc/add", "pvc/update", "pv/add", "pv/update")

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Status | None:
        topologies: list[Topology] = []
        for claim in pod.claim_names:
            found = self._topologies(pod.namespace, claim)
            if isinstance(found, Status):
                return found
            topologies.extend(found)
        if not topologies:
            return SKIP
        state[self.name] = topologies
        return None

    def _topologies(self, namespace: str, name: str) -> Status | list[Topology]:
        """(label key, allowed values) of the volume behind a claim; nothing while it waits for its first consumer."""
        listers = self.handle.listers
        claim = listers.get("persistentvolumeclaims", namespace, name)
        if claim is None:
            return unresolvable(f'persistentvolumeclaim "{name}" not found')
        volume_name = claim["spec"].get("volumeName")
        if not volume_name:
            return self._unbound(storage_class_of(claim))
        volume = listers.get("persistentvolumes", "", volume_name)
        if volume is None:
            return unresolvable(f'persistentvolume "{volume_name}" not found')
        labels = volume["metadata"].get("labels") or {}
        return [(key, frozenset(labels[key].split("__"))) for key in KEYS if key in labels]

    def _unbound(self, class_name: str) -> Status | list[Topology]:
        if not class_name:
            return unresolvable("PersistentVolumeClaim had no pv name and storageClass name")
        storage_class = self.handle.listers.get("storageclasses.storage.k8s.io", "", class_name)
        if storage_class is None:
            return unresolvable(f'storageclass.storage.k8s.io "{class_name}" not found')
        if storage_class.get("volumeBindingMode") is None:
            return error(f"VolumeBindingMode not set for StorageClass {class_name!r}")
        return [] if waits_for_consumer(storage_class) else unresolvable("PersistentVolume had no name")

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        if not any(key in node.labels for key in KEYS):
            return None
        for key, values in state[self.name]:
            value = node.labels.get(key, node.labels.get(_STABLE.get(key, key)))
            if value not in values:
                return unresolvable(REASON)
        return None
