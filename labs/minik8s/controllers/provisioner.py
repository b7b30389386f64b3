"""The simulated external provisioner: makes a volume for every claim that asks for one, and removes released ones.

On a real cluster this is a program beside the storage driver (kubernetes-csi/external-provisioner), not a part of
kube-controller-manager.
"""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.persistentvolumebinder import CLAIMS, CLASSES, PROVISIONERS
from minik8s.controllers.volume_match import SELECTED_NODE, class_of
from minik8s.controllers.volume_reclaim import PROVISIONED_BY, VOLUMES
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of, key, name
from minik8s.wire import StatusError

PROVISIONER = "minik8s.io/simulated"
"""`provisioner` of the StorageClasses that are served here."""
ROOT = "/var/lib/minik8s/volumes/"


class SimulatedProvisioner(Controller):
    name = "simulated-provisioner"
    component = PROVISIONER

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.claims = ctx.informers(CLAIMS)
        self.volumes = ctx.informers(VOLUMES)
        self.classes = ctx.informers(CLASSES)
        self.claims.on_change(lambda old, new: self.enqueue("claim/" + key(new)) if new is not None else None)
        self.volumes.on_change(lambda old, new: self.enqueue("volume/" + name(new)) if new is not None else None)

    def reconcile(self, work: str) -> float | None:
        what, _, rest = work.partition("/")
        if what == "claim":
            self._provision(*rest.split("/"))
        else:
            self._remove(rest)
        return None

    def _provision(self, namespace: str, short: str) -> None:
        claim = self.claims.get(namespace, short)
        if claim is None or claim["spec"].get("volumeName") or "deletionTimestamp" in claim["metadata"]:
            return
        if annotations_of(claim).get(PROVISIONERS[1]) != PROVISIONER:
            return
        storage_class = self.classes.get("", class_of(claim))
        volume_name = f"pvc-{claim['metadata']['uid']}"
        if storage_class is None or self.volumes.get("", volume_name) is not None:
            return
        message = f'External provisioner is provisioning volume for claim "{key(claim)}"'
        self.ctx.recorder.event(claim, "Normal", "Provisioning", message)
        try:
            self.client.create(VOLUMES, _volume(volume_name, claim, storage_class))
        except StatusError as error:
            if error.reason == "AlreadyExists":
                return
            message = f'failed to provision volume with StorageClass "{name(storage_class)}": {error.message}'
            self.ctx.recorder.event(claim, "Warning", "ProvisioningFailed", message)
            raise
        message = f"Successfully provisioned volume {volume_name}"
        self.ctx.recorder.event(claim, "Normal", "ProvisioningSucceeded", message)

    def _remove(self, volume_name: str) -> None:
        volume = self.volumes.get("", volume_name)
        if volume is None or annotations_of(volume).get(PROVISIONED_BY) != PROVISIONER:
            return
        released = (volume.get("status") or {}).get("phase") == "Released"
        if released and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            try:
                self.client.delete(VOLUMES, "", volume_name)
            except StatusError as error:
                if error.code != 404:
                    raise


def _volume(volume_name: str, claim: Object, storage_class: Object) -> Object:
    """The volume: as large as asked for, reserved for the claim, on the node that was chosen (if one was)."""
    meta = claim["metadata"]
    spec: Object = {
        "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
        "accessModes": claim["spec"].get("accessModes") or ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
        "storageClassName": name(storage_class),
        "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
        "hostPath": {"path": ROOT + volume_name, "type": "DirectoryOrCreate"},
        "claimRef": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
        },
    }
    if storage_class.get("mountOptions"):
        spec["mountOptions"] = storage_class["mountOptions"]
    node = annotations_of(claim).get(SELECTED_NODE)
    if node:
        expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": volume_name, "annotations": {PROVISIONED_BY: PROVISIONER}},
        "spec": spec,
    }
