"""persistentvolume-expander-controller: grows volumes whose claims ask for more (pkg/controller/volume/expand).

The simulated storage grows at once, and the file system with it, so that no node has to take part.
"""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.volume_match import capacity, class_of, requested
from minik8s.objects import Object
from minik8s.objects.meta import key
from minik8s.objects.quantity import parse_quantity

CLAIMS, VOLUMES = "persistentvolumeclaims", "persistentvolumes"


class PersistentVolumeExpander(Controller):
    name = "persistentvolume-expander-controller"
    component = "volume_expand"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.claims = ctx.informers(CLAIMS)
        self.volumes = ctx.informers(VOLUMES)
        self.classes = ctx.informers("storageclasses.storage.k8s.io")
        self.claims.on_change(lambda old, new: self.enqueue(key(new)) if new is not None else None)

    def reconcile(self, name: str) -> float | None:
        namespace, _, short = name.partition("/")
        claim = self.claims.get(namespace, short)
        if claim is None or (claim.get("status") or {}).get("phase") != "Bound":
            return None
        wanted, status = requested(claim), claim["status"]
        present = parse_quantity((status.get("capacity") or {}).get("storage", "0"))
        storage_class = self.classes.get("", class_of(claim))
        if not present < wanted or storage_class is None or not storage_class.get("allowVolumeExpansion"):
            return None
        volume = self.volumes.get("", claim["spec"]["volumeName"])
        if volume is not None:
            self._grow(claim, volume)
        return None

    def _grow(self, claim: Object, volume: Object) -> None:
        size = claim["spec"]["resources"]["requests"]["storage"]
        if capacity(volume) < requested(claim):
            spec = {**volume["spec"], "capacity": {**volume["spec"]["capacity"], "storage": size}}
            self.client.update(VOLUMES, {**volume, "spec": spec})
        status = {**claim["status"], "capacity": {**(claim["status"].get("capacity") or {}), "storage": size}}
        self.client.update(CLAIMS, {**claim, "status": status}, subresource="status")
        message = 'MountVolume.NodeExpandVolume succeeded for volume "' + volume["metadata"]["name"] + '"'
        self.ctx.recorder.event(claim, "Normal", "FileSystemResizeSuccessful", message)
