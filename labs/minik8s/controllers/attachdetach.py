"""persistentvolume-attach-detach-controller: VolumeAttachments for CSI volumes (pkg/controller/volume/attachdetach).

Keys are `VOLUME@NODE`. The simulated storage attaches at once: the part that csi-attacher plays is taken here too.
"""

from __future__ import annotations

import hashlib

from minik8s.client.controller import Context, Controller
from minik8s.controllers.podutil import is_finished
from minik8s.controllers.protection import BY_CLAIM, claims_of_pod
from minik8s.objects import Object
from minik8s.objects.meta import key
from minik8s.wire import StatusError

ATTACHMENTS = "volumeattachments.storage.k8s.io"
MULTI_ATTACH_RETRY = 2.0
"""Seconds until a volume that is attached elsewhere is looked at again. A pod is told of it once."""


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
        self._told: set[tuple[str, str]] = set()
        self._attached: set[tuple[str, str]] = set()
        self.pods.on_change(self._pod_changed)
        self.claims.on_change(self._claim_changed)

    def _claim_changed(self, old: Object | None, new: Object | None) -> None:
        """A claim that has got its volume: those who wait for it want it attached."""
        if new is not None and new["spec"].get("volumeName") and not (old or {}).get("spec", {}).get("volumeName"):
            for pod in self.pods.by_index(BY_CLAIM, key(new)):
                if pod["spec"].get("nodeName"):
                    self.enqueue(f"{new['spec']['volumeName']}@{pod['spec']['nodeName']}")

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
            if self._held_elsewhere(volume, node):
                self._tell_multi_attach(volume, node)
                return MULTI_ATTACH_RETRY
            self._attached.add((volume_name, node))
            self._attach(name, driver, volume_name, node)
        elif (volume_name, node) in self._attached or self.attachments.get("", name) is not None:
            self._detach(name)
            self._attached.discard((volume_name, node))
        return None

    def _wanted(self, volume: Object, node: str) -> bool:
        return any(pod["spec"].get("nodeName") == node and not is_finished(pod) for pod in self._users(volume))

    def _users(self, volume: Object) -> list[Object]:
        reference = volume["spec"].get("claimRef") or {}
        return self.pods.by_index(BY_CLAIM, f"{reference.get('namespace')}/{reference.get('name')}")

    def _held_elsewhere(self, volume: Object, node: str) -> bool:
        """A volume for one node only stays where it is attached until it has been taken off there."""
        if {"ReadWriteMany", "ReadOnlyMany"} & set(volume["spec"].get("accessModes") or ()):
            return False
        name = volume["metadata"]["name"]
        places = {(a["spec"]["source"].get("persistentVolumeName"), a["spec"]["nodeName"])
                  for a in self.attachments.list()}
        return any(v == name and n != node for v, n in places | self._attached)

    def _tell_multi_attach(self, volume: Object, node: str) -> None:
        name = volume["metadata"]["name"]
        users = [p for p in self._users(volume) if not is_finished(p)]
        holders = ", ".join(p["metadata"]["name"] for p in users if p["spec"].get("nodeName") not in (None, "", node))
        text = "exclusively attached to one node and can't be attached to another"
        if holders:
            text = f"used by pod(s) {holders}"
        message = f'Multi-Attach error for volume "{name}" Volume is already {text}'
        for pod in users:
            place = (pod["metadata"]["uid"], name)
            if pod["spec"].get("nodeName") == node and place not in self._told:
                self._told.add(place)
                self.ctx.recorder.event(pod, "Warning", "FailedAttachVolume", message)

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
