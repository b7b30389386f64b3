"""persistentvolume-binder-controller: brings claims and volumes together (pkg/controller/volume/persistentvolume).

Binding is two writes, volume first: whatever is interrupted in between is finished at the next look. Keys are
`claim/NAMESPACE/NAME` and `volume/NAME`.
"""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.volume_match import (
    NO_PROVISIONER,
    SELECTED_NODE,
    class_of,
    find_match,
    refers_to,
    waits_for_consumer,
)
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of, key, name
from minik8s.wire import StatusError

CLAIMS, VOLUMES, CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
PROVISIONERS = ("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner")
UNBOUND_BY_CLASS = "unbound-by-class"
EXTERNAL = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system "
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly "
    "registered."
)
RESYNC = 15.0


class PersistentVolumeBinder(Controller):
    name = "persistentvolume-binder-controller"
    component = "persistentvolume-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.claims = ctx.informers(CLAIMS)
        self.volumes = ctx.informers(VOLUMES)
        self.classes = ctx.informers(CLASSES)
        self.nodes = ctx.informers("nodes")
        self.pods = ctx.informers("pods")
        self.claims.add_index(UNBOUND_BY_CLASS, _unbound_class)
        self.claims.on_change(self._claim_changed)
        self.volumes.on_change(self._volume_changed)
        self.classes.on_change(lambda old, new: self._ring_class(name(new or old or {})))

    def _claim_changed(self, old: Object | None, new: Object | None) -> None:
        changed = new or old
        assert changed is not None
        self.enqueue("claim/" + key(changed))
        if changed["spec"].get("volumeName"):
            self.enqueue("volume/" + changed["spec"]["volumeName"])

    def _volume_changed(self, old: Object | None, new: Object | None) -> None:
        volume = new or old
        assert volume is not None
        self.enqueue("volume/" + name(volume))
        reference = volume["spec"].get("claimRef")
        if reference:
            self.enqueue(f"claim/{reference['namespace']}/{reference['name']}")
        else:
            self._ring_class(class_of(volume))

    def _ring_class(self, storage_class: str) -> None:
        for claim in self.claims.by_index(UNBOUND_BY_CLASS, storage_class):
            self.enqueue("claim/" + key(claim))

    def reconcile(self, work: str) -> float | None:
        what, _, rest = work.partition("/")
        if what == "volume":
            volume = self.volumes.get("", rest)
            if volume is not None:
                self._sync_volume(volume)
            return None
        namespace, _, short = rest.partition("/")
        claim = self.claims.get(namespace, short)
        if claim is None:
            return None
        if BIND_COMPLETED in annotations_of(claim):
            self._sync_bound(claim)
            return None
        return self._sync_unbound(claim)

    # ---- claims ------------------------------------------------------------------
    def _sync_unbound(self, claim: Object) -> float | None:
        if claim["spec"].get("volumeName"):
            return self._sync_asked(claim)
        storage_class = self.classes.get("", class_of(claim)) if class_of(claim) else None
        delayed = waits_for_consumer(claim, storage_class)
        node = self.nodes.get("", annotations_of(claim).get(SELECTED_NODE, ""))
        volume = find_match(self.volumes.list(), claim, node, delayed=delayed)
        if volume is not None:
            self._bind(volume, claim)
            return None
        if delayed:
            self._tell_waiting(claim)
        elif class_of(claim):
            claim = self._provision(claim, storage_class)
        else:
            message = "no persistent volumes available for this claim and no storage class is set"
            self.ctx.recorder.event(claim, "Normal", "FailedBinding", message)
        self._claim_phase(claim, "Pending")
        return RESYNC

    def _sync_asked(self, claim: Object) -> float | None:
        """The claim names its volume: wait for it, or for it to be free."""
        volume = self.volumes.get("", claim["spec"]["volumeName"])
        if volume is None:
            self._claim_phase(claim, "Pending")
            return RESYNC
        if volume["spec"].get("claimRef") is None or refers_to(volume, claim):
            self._bind(volume, claim)
        else:
            message = f'volume "{name(volume)}" already bound to a different claim.'
            self.ctx.recorder.event(claim, "Warning", "FailedBinding", message)
            self._claim_phase(claim, "Pending")
            return RESYNC
        return None

    def _sync_bound(self, claim: Object) -> None:
        """Bound once: check that the volume is still there and still ours."""
        volume_name = claim["spec"].get("volumeName")
        if not volume_name:
            self._lose(
                claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
            )
            return
        volume = self.volumes.get("", volume_name)
        if volume is None:
            self._lose(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
        elif volume["spec"].get("claimRef") is None or refers_to(volume, claim):
            self._bind(volume, claim)
        else:
            self._lose(claim, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")

    def _lose(self, claim: Object, reason: str, message: str) -> None:
        if (claim.get("status") or {}).get("phase") != "Lost":
            self._claim_phase(claim, "Lost")
            self.ctx.recorder.event(claim, "Warning", reason, message)

    def _tell_waiting(self, claim: Object) -> None:
        pods = [p for p in self.pods.list(claim["metadata"]["namespace"]) if _uses(p, claim["metadata"]["name"])]
        waiting = sorted(p["metadata"]["name"] for p in pods if not p["spec"].get("nodeName"))
        if waiting:
            message = f"waiting for pod {','.join(waiting)} to be scheduled"
            self.ctx.recorder.event(claim, "Normal", "WaitForPodScheduled", message)
        else:
            message = "waiting for first consumer to be created before binding"
            self.ctx.recorder.event(claim, "Normal", "WaitForFirstConsumer", message)

    def _provision(self, claim: Object, storage_class: Object | None) -> Object:
        """Ask the class's provisioner for a volume: it finds the request in an annotation."""
        if storage_class is None:
            message = f'storageclass.storage.k8s.io "{class_of(claim)}" not found'
            self.ctx.recorder.event(claim, "Warning", "ProvisioningFailed", message)
            return claim
        provisioner: str = storage_class["provisioner"]
        if provisioner == NO_PROVISIONER:
            return claim
        marks: dict[str, str] = dict.fromkeys(PROVISIONERS, provisioner)
        if not marks.items() <= annotations_of(claim).items():
            claim = self.client.update(CLAIMS, _annotated(claim, marks))
        self.ctx.recorder.event(claim, "Normal", "ExternalProvisioning", EXTERNAL.format(provisioner))
        return claim

    def _claim_phase(self, claim: Object, phase: str) -> Object:
        status = claim.get("status") or {}
        if status.get("phase") == phase:
            return claim
        kept = (
            {k: v for k, v in status.items() if k not in ("accessModes", "capacity")} if phase == "Pending" else status
        )
        return self.client.update(CLAIMS, {**claim, "status": {**kept, "phase": phase}}, subresource="status")

    # ---- binding -----------------------------------------------------------------
    def _bind(self, volume: Object, claim: Object) -> None:
        volume = self._bind_volume(volume, claim)
        self._volume_phase(volume, "Bound")
        claim = self._bind_claim(claim, volume)
        status: Object = {
            **(claim.get("status") or {}),
            "phase": "Bound",
            "accessModes": volume["spec"].get("accessModes") or [],
            "capacity": (claim.get("status") or {}).get("capacity") or volume["spec"].get("capacity") or {},
        }
        if status != claim.get("status"):
            self.client.update(CLAIMS, {**claim, "status": status}, subresource="status")

    def _bind_volume(self, volume: Object, claim: Object) -> Object:
        reference = volume["spec"].get("claimRef")
        meta = claim["metadata"]
        if reference is not None and reference.get("uid") == meta["uid"]:
            return volume
        wanted = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "name": meta["name"],
            "namespace": meta["namespace"],
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
        }
        changed = {**volume, "spec": {**volume["spec"], "claimRef": wanted}}
        if reference is None:
            changed = _annotated(changed, {BOUND_BY_CONTROLLER: "yes"})
        return self.client.update(VOLUMES, changed)

    def _bind_claim(self, claim: Object, volume: Object) -> Object:
        changed, marks = claim, {BIND_COMPLETED: "yes"}
        if claim["spec"].get("volumeName") != name(volume):
            changed = {**changed, "spec": {**claim["spec"], "volumeName": name(volume)}}
            marks[BOUND_BY_CONTROLLER] = "yes"
        if not marks.items() <= annotations_of(claim).items():
            changed = _annotated(changed, marks)
        return claim if changed is claim else self.client.update(CLAIMS, changed)

    # ---- volumes -------------------------------------------------------------------
    def _sync_volume(self, volume: Object) -> None:
        reference = volume["spec"].get("claimRef")
        if reference is None or not reference.get("uid"):
            self._volume_phase(volume, "Available")
            return
        claim = self._claim_of(reference)
        if claim is None:
            if (volume.get("status") or {}).get("phase") not in ("Released", "Failed"):
                volume = self._volume_phase(volume, "Released")
            self._reclaim(volume)
        elif claim["spec"].get("volumeName") == name(volume):
            self._volume_phase(volume, "Bound")
        elif not claim["spec"].get("volumeName"):
            self.enqueue("claim/" + key(claim))
        elif BOUND_BY_CONTROLLER in annotations_of(volume):
            self._unbind(volume)  # the claim went elsewhere meanwhile

    def _claim_of(self, reference: Object) -> Object | None:
        claim = self.claims.get(reference["namespace"], reference["name"])
        if claim is None or claim["metadata"]["uid"] != reference["uid"]:
            claim = self.client.find(CLAIMS, reference["namespace"], reference["name"])
        return claim if claim is not None and claim["metadata"]["uid"] == reference["uid"] else None

    def _unbind(self, volume: Object) -> None:
        spec = {k: v for k, v in volume["spec"].items() if k != "claimRef"}
        notes = {k: v for k, v in annotations_of(volume).items() if k != BOUND_BY_CONTROLLER}
        changed = {**volume, "metadata": {**volume["metadata"], "annotations": notes}, "spec": spec}
        self._volume_phase(self.client.update(VOLUMES, changed), "Available")

    def _reclaim(self, volume: Object) -> None:
        """Retain: a person decides. Delete: the provisioner that made it removes it; by hand made ones cannot be."""
        policy = volume["spec"].get("persistentVolumeReclaimPolicy", "Retain")
        if policy != "Delete" or PROVISIONED_BY in annotations_of(volume):
            return
        if (volume.get("status") or {}).get("phase") != "Failed":
            message = f'Error getting deleter volume plugin for volume "{name(volume)}": no volume plugin matched'
            self._volume_phase(volume, "Failed", message)
            self.ctx.recorder.event(volume, "Warning", "VolumeFailedDelete", message)

    def _volume_phase(self, volume: Object, phase: str, message: str = "") -> Object:
        status = volume.get("status") or {}
        if status.get("phase") == phase:
            return volume
        fresh = {k: v for k, v in status.items() if k != "message"} | {"phase": phase}
        if message:
            fresh["message"] = message
        try:
            return self.client.update(VOLUMES, {**volume, "status": fresh}, subresource="status")
        except StatusError as error:
            if error.code != 404:
                raise
            return volume


def _annotated(obj: Object, marks: dict[str, str]) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "annotations": {**annotations_of(obj), **marks}}}


def _unbound_class(claim: Object) -> list[str]:
    return [] if BIND_COMPLETED in annotations_of(claim) else [class_of(claim)]


def _uses(pod: Object, claim_name: str) -> bool:
    volumes = pod["spec"].get("volumes") or ()
    return any((v.get("persistentVolumeClaim") or {}).get("claimName") == claim_name for v in volumes)
