"""Volumes and claims in use cannot be deleted (pkg/controller/volume/pvprotection, pvcprotection)."""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.podutil import is_finished
from minik8s.objects import Object
from minik8s.objects.meta import key

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"
BY_CLAIM = "claim"


def claims_of_pod(pod: Object) -> list[str]:
    """Keys of the claims that a pod uses, ephemeral volumes' among them."""
    namespace, out = pod["metadata"]["namespace"], []
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            out.append(f"{namespace}/{volume['persistentVolumeClaim']['claimName']}")
        elif volume.get("ephemeral"):
            out.append(f"{namespace}/{pod['metadata']['name']}-{volume['name']}")
    return out


class _Protection(Controller):
    """Holds a finalizer on objects of `resource` while they are in use."""

    resource = ""
    finalizer = ""

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.objects = ctx.informers(self.resource)
        self.objects.on_change(lambda old, new: self.enqueue(key(new)) if new is not None else None)

    def in_use(self, obj: Object) -> bool:
        raise NotImplementedError

    def reconcile(self, object_key: str) -> float | None:
        namespace, _, short = object_key.rpartition("/")
        obj = self.objects.get(namespace, short)
        if obj is None:
            return None
        finalizers = list(obj["metadata"].get("finalizers") or ())
        if "deletionTimestamp" in obj["metadata"]:
            if self.finalizer in finalizers and not self.in_use(obj):
                self._write(obj, [f for f in finalizers if f != self.finalizer])
        elif self.finalizer not in finalizers:
            self._write(obj, [*finalizers, self.finalizer])
        return None

    def _write(self, obj: Object, finalizers: list[str]) -> None:
        meta = {k: v for k, v in obj["metadata"].items() if k != "finalizers"}
        if finalizers:
            meta["finalizers"] = finalizers
        self.client.update(self.resource, {**obj, "metadata": meta})


class ClaimProtectionController(_Protection):
    name = "persistentvolumeclaim-protection-controller"
    resource = "persistentvolumeclaims"
    finalizer = CLAIM_FINALIZER

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.pods = ctx.informers("pods")
        self.pods.add_index(BY_CLAIM, claims_of_pod)
        self.pods.on_change(self._pod_changed)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and (new is None or is_finished(new)):
            for claim in claims_of_pod(old):
                self.enqueue(claim)

    def in_use(self, obj: Object) -> bool:
        """A pod that is scheduled and still there uses its claims; one that waits for a node does not."""
        if any(pod["spec"].get("nodeName") for pod in self.pods.by_index(BY_CLAIM, key(obj))):
            return True
        pods = self.client.list("pods", obj["metadata"]["namespace"])
        return any(pod["spec"].get("nodeName") and key(obj) in claims_of_pod(pod) for pod in pods)


class VolumeProtectionController(_Protection):
    name = "persistentvolume-protection-controller"
    resource = "persistentvolumes"
    finalizer = VOLUME_FINALIZER

    def in_use(self, obj: Object) -> bool:
        return bool((obj.get("status") or {}).get("phase") == "Bound")
