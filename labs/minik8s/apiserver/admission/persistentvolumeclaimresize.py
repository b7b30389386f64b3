"""PersistentVolumeClaimResize: only bound claims of an expandable class may grow."""

from __future__ import annotations

from minik8s.apiserver.admission.attributes import Attributes, Server, forbidden
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.objects.frozen import Object
from minik8s.objects.quantity import Quantity, parse_quantity
from minik8s.store import Key

NOT_SUPPORTED = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
)


class PersistentVolumeClaimResize(Plugin):
    name = "PersistentVolumeClaimResize"
    operations = frozenset({"UPDATE"})
    resources = frozenset({"persistentvolumeclaims"})

    def validate(self, a: Attributes, server: Server) -> None:
        if a.subresource or a.object is None or a.old_object is None:
            return
        if _storage(a.object) <= _storage(a.old_object):
            return
        if (a.old_object.get("status") or {}).get("phase") != "Bound":
            raise forbidden(a, "Only bound persistent volume claims can be expanded")
        annotations = a.old_object["metadata"].get("annotations") or {}
        name = annotations.get("volume.beta.kubernetes.io/storage-class") or (
            a.old_object["spec"].get("storageClassName") or ""
        )
        found = server.store.get(Key("storageclasses.storage.k8s.io", "", name)) if name else None
        if found is None or not found.get("allowVolumeExpansion"):
            raise forbidden(a, NOT_SUPPORTED)


def _storage(claim: Object) -> Quantity:
    return parse_quantity((claim["spec"].get("resources") or {}).get("requests", {}).get("storage", "0"))
