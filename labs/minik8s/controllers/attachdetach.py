"""persistentvolume-attach-detach-controller: VolumeAttachments for CSI volumes (pkg/controller/volume/attachdetach).

Keys are `VOLUME@NODE`. The simulated storage attaches at once: the part that csi-attacher plays is taken here too.
"""

from __future__ import annotations

import hashlib

from minik8s.client.controller import Context, Controller
from minik8s.controllers.podutil import is_finished
from minik8s.controllers.protection import BY_CLAIM, claims_of_pod
from minik8s.objects import Object
from minik8s.wire import StatusError

ATTACHMENTS = "volumeattachments.storage.k8s.io"


class AttachDetachController(Controller):
    name = "persistentvolume-attach-detach-controller"
    component = "attachdetach-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.pods = ctx.informers("pods")
        self.pods.add_index(BY_CLAIM, claims_of_pod)
        self.claims = ctx.informers("persistentvolumeclaims")
        self.volumes = ctx.informers("persistentvolumes")
        self.drivers = ctx.informers("csidrivers.storage.k8s.io")
        self.attachments = ctx.informers(ATTACHMENTS)
        self.pods.on_change(self._pod_changed)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        pod = new or old
        if pod is None or not pod["spec"].get("nodeName"):
            return
        for claim_key in claims_of_pod(pod):
            namespace, _, short = claim_key.partition("/")
            claim = self.claims.get(namespace, short)
            volume = claim["spec"].get("volumeName") if claim is not None else None
            if volume:
                self.enqueue(f"{volume}@{pod['spec']['nodeName']}")

    def reconcile(self, place: str) -> float | None:
        volume_name, _, node = place.partition("@")
        volume = self.volumes.get("", volume_name)
        driver = ((volume or {}).get("spec", {}).get("csi") or {}).get("driver")
        if volume is None or driver is None:
            return None
        description = self.drivers.get("", driver)
        if description is not None and not description["spec"].get("attachRequired", True):
            return None
        handle = volume["spec"]["csi"].get("volumeHandle", "")
        name = "csi-" + hashlib.sha256(f"{handle}{driver}{node}".encode()).hexdigest()
        if self._wanted(volume, node):
            self._attach(name, driver, volume_name, node)
        elif self.attachments.get("", name) is not None:
            self._detach(name)
        return None

    def _wanted(self, volume: Object, node: str) -> bool:
        reference = volume["spec"].get("claimRef") or {}
        claim = f"{reference.get('namespace')}/{reference.get('name')}"
        users = self.pods.by_index(BY_CLAIM, claim)
        return any(pod["spec"].get("nodeName") == node and not is_finished(pod) for pod in users)

    def _attach(self, name: str, driver: str, volume: str, node: str) -> None:
        found = self.attachments.get("", name)
        if found is None:
            spec = {"attacher": driver, "nodeName": node, "source": {"persistentVolumeName": volume}}
            api = {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": name}}
            found = self.client.create(ATTACHMENTS, {**api, "spec": spec})
        if not (found.get("status") or {}).get("attached"):
            self.client.update(ATTACHMENTS, {**found, "status": {"attached": True}}, subresource="status")

    def _detach(self, name: str) -> None:
        try:
            self.client.delete(ATTACHMENTS, "", name)
        except StatusError as error:
            if error.code != 404:
                raise
