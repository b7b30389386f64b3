"""StorageObjectInUseProtection: volumes and claims get the finalizer that keeps them while they are used."""

from __future__ import annotations

from minik8s.apiserver.admission.attributes import Attributes, Server
from minik8s.apiserver.admission.plugin import Plugin

FINALIZERS = {
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
    "volumeattributesclasses.storage.k8s.io": "kubernetes.io/vac-protection",
}


class StorageObjectInUseProtection(Plugin):
    name = "StorageObjectInUseProtection"
    resources = frozenset(FINALIZERS)

    def mutate(self, a: Attributes, server: Server) -> None:
        if a.subresource:
            return
        meta, finalizer = a.meta(), FINALIZERS[a.resource]
        if finalizer not in (meta.get("finalizers") or ()):
            meta["finalizers"] = [*(meta.get("finalizers") or ()), finalizer]
