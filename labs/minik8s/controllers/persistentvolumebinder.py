"""persistentvolume-binder-controller: brings claims and volumes together (pkg/controller/volume/persistentvolume).

Binding is two writes, volume first: whatever is interrupted in between is finished at the next look. Keys are
`claim/NAMESPACE/NAME` and `volume/NAME`.
"""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.podutil import is_finished
from minik8s.controllers.volume_match import (
    SELECTED_NODE,
    class_of,
    default_class,
    find_match,
    has_class,
    mismatch,
    mode_of,
    refers_to,
    waits_for_consumer,
)
from minik8s.controllers.volume_reclaim import PROVISIONED_BY, RETRY, VOLUMES, Failure, Reclaimer
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of, key, name
from minik8s.wire import StatusError

CLAIMS, CLASSES = "persistentvolumeclaims", "storageclasses.storage.k8s.io"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONERS = ("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner")
UNBOUND_BY_CLASS = "unbound-by-class"
EXTERNAL = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system "
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly "
    "registered."
)
RESYNC = 15.0
IN_TREE = "kubernetes.io/"
MIGRATED = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/azure-file": "file.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/portworx-volume": "pxd.portworx.com",
    "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
}
"""Provisioners that Kubernetes once had itself, and the drivers that took over (csi-translation-lib)."""


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
        self.reclaimer = Reclaimer(ctx)
        self.claims.add_index(UNBOUND_BY_CLASS, _unbound_class)
        self.claims.on_change(self._claim_changed)
        self.volumes.on_change(self._volume_changed)
        self.classes.on_change(lambda old, new: self._ring_class(name(new or old or {})))
        self.pods.on_change(self._recycler_changed)

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

    def _recycler_changed(self, old: Object | None, new: Object | None) -> None:
        """The pod that empties a volume has ended: see how."""
        if new is None or new["metadata"]["namespace"] != "default" or not name(new).startswith("recycler-for-"):
            return
        if is_finished(new) and "deletionTimestamp" not in new["metadata"]:
            self.enqueue("volume/" + name(new).removeprefix("recycler-for-"))

    def _ring_class(self, storage_class: str) -> None:
        for wanted in {storage_class, ""}:  # those without a class may get this one as the default
            for claim in self.claims.by_index(UNBOUND_BY_CLASS, wanted):
                self.enqueue("claim/" + key(claim))

    def reconcile(self, work: str) -> float | None:
        what, _, rest = work.partition("/")
        if what == "volume":
            volume = self.volumes.get("", rest)
            return self._sync_volume(volume) if volume is not None else None
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
        default = None if has_class(claim) else default_class(self.classes.list())
        if default is not None:  # one that came after the claim (assignDefaultStorageClass)
            self.client.update(CLAIMS, {**claim, "spec": {**claim["spec"], "storageClassName": default}})
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
        if refers_to(volume, claim):
            self._bind(volume, claim)
            return None
        reason, message = "FailedBinding", f'volume "{name(volume)}" already bound to a different claim.'
        if volume["spec"].get("claimRef") is None:
            why = mismatch(volume, claim)
            if why is None:
                self._bind(volume, claim)
                return None
            reason, message = "VolumeMismatch", f'Cannot bind to requested volume "{name(volume)}": {why}'
        self.ctx.recorder.event(claim, "Warning", reason, message)
        self._claim_phase(claim, "Pending")
        return RESYNC

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
            message = f"waiting for pod{'s' if len(waiting) > 1 else ''} {','.join(waiting)} to be scheduled"
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
        provisioner = MIGRATED.get(provisioner, provisioner)
        if provisioner.startswith(IN_TREE):
            message = f"no volume plugin matched name: {provisioner}"
            self.ctx.recorder.event(claim, "Warning", "ProvisioningFailed", message)
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
    def _sync_volume(self, volume: Object) -> float | None:
        reference = volume["spec"].get("claimRef")
        if reference is None or not reference.get("uid"):
            self._volume_phase(volume, "Available")
            return None
        claim = self._claim_of(reference)
        if claim is None:
            return self._release(volume)
        bound_to = claim["spec"].get("volumeName")
        if bound_to == name(volume):
            self._volume_phase(volume, "Bound")
        elif not bound_to and mode_of(claim) != mode_of(volume):
            self._tell_modes(volume, claim)
        elif not bound_to:
            self.enqueue("claim/" + key(claim))
        elif PROVISIONED_BY in annotations_of(volume) and _policy(volume) == "Delete":
            return self._release(volume)  # made for the claim, which went elsewhere meanwhile
        elif BOUND_BY_CONTROLLER in annotations_of(volume):
            self._unbind(volume)
        return None

    def _tell_modes(self, volume: Object, claim: Object) -> None:
        what = "due to incompatible volumeMode."
        message = f'Cannot bind PersistentVolume to requested PersistentVolumeClaim "{name(claim)}" {what}'
        self.ctx.recorder.event(volume, "Warning", "VolumeMismatch", message)
        message = f'Cannot bind PersistentVolume "{name(volume)}" to requested PersistentVolumeClaim {what}'
        self.ctx.recorder.event(claim, "Warning", "VolumeMismatch", message)

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

    def _release(self, volume: Object) -> float | None:
        """The claim is gone: say so, and do what the reclaim policy asks for."""
        if _phase(volume) not in ("Released", "Failed"):
            volume = self._volume_phase(volume, "Released")
        try:
            if _policy(volume) == "Delete":
                self.reclaimer.delete(volume)
            elif _policy(volume) == "Recycle":
                if not self.reclaimer.recycle(volume):
                    return RETRY
                self._unbind(volume)
        except Failure as failure:
            if _phase(volume) != "Failed":
                self._volume_phase(volume, "Failed", failure.message)
                self.ctx.recorder.event(volume, "Warning", failure.reason, failure.message)
            return RETRY
        return None

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


def _phase(volume: Object) -> str:
    return str((volume.get("status") or {}).get("phase"))


def _policy(volume: Object) -> str:
    return str(volume["spec"].get("persistentVolumeReclaimPolicy", "Retain"))


def _annotated(obj: Object, marks: dict[str, str]) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "annotations": {**annotations_of(obj), **marks}}}


def _unbound_class(claim: Object) -> list[str]:
    return [] if BIND_COMPLETED in annotations_of(claim) else [class_of(claim)]


def _uses(pod: Object, claim_name: str) -> bool:
    volumes = pod["spec"].get("volumes") or ()
    return any((v.get("persistentVolumeClaim") or {}).get("claimName") == claim_name for v in volumes)
