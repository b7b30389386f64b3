"""Rows of volumes, claims, classes and CSI kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minik8s.apiserver.tables.format import UNSET, access_modes, age
from minik8s.objects import Object

_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def _phase(obj: Object) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else (obj.get("status") or {}).get("phase", "")


def _class(obj: Object) -> str:
    """The storage class: the old annotation goes before the field."""
    found = (obj["metadata"].get("annotations") or {}).get(_CLASS_ANNOTATION)
    return (obj["spec"].get("storageClassName") or "") if found is None else found


def _attributes_class(obj: Object) -> str:
    name = obj["spec"].get("volumeAttributesClassName")
    return UNSET if name is None else name


def persistent_volume(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    claim = spec.get("claimRef")
    return [
        obj["metadata"]["name"],
        (spec.get("capacity") or {}).get("storage", "0"),
        access_modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _class(obj),
        _attributes_class(obj),
        (obj.get("status") or {}).get("reason", ""),
        age(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


def persistent_volume_claim(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    bound = spec.get("volumeName") or ""
    return [
        obj["metadata"]["name"],
        _phase(obj),
        bound,
        (status.get("capacity") or {}).get("storage", "0") if bound else "",
        access_modes(status.get("accessModes")) if bound else "",
        _class(obj),
        _attributes_class(obj),
        age(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


def storage_class(obj: Object, now: float) -> list[Any]:
    annotations = obj["metadata"].get("annotations") or {}
    default = any(annotations.get(name) == "true" for name in _DEFAULT_CLASS)
    return [
        obj["metadata"]["name"] + (" (default)" if default else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy") or "Delete",
        obj.get("volumeBindingMode") or "Immediate",
        bool(obj.get("allowVolumeExpansion")),
        age(obj, now),
    ]


def volume_attributes_class(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("driverName", ""), age(obj, now)]


def volume_attachment(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    return [
        obj["metadata"]["name"],
        spec.get("attacher", ""),
        (spec.get("source") or {}).get("persistentVolumeName") or "",
        spec.get("nodeName", ""),
        bool((obj.get("status") or {}).get("attached")),
        age(obj, now),
    ]


def csi_node(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"]["name"], len((obj.get("spec") or {}).get("drivers") or ()), age(obj, now)]


def csi_driver(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    tokens = [token.get("audience", "") for token in spec.get("tokenRequests") or ()]
    return [
        obj["metadata"]["name"],
        spec.get("attachRequired", True),
        bool(spec.get("podInfoOnMount")),
        bool(spec.get("storageCapacity")),
        ",".join(tokens) or UNSET,
        bool(spec.get("requiresRepublish")),
        ",".join(spec.get("volumeLifecycleModes") or ()) or "<none>",
        age(obj, now),
    ]


def csi_storage_capacity(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("storageClassName", ""), obj.get("capacity") or UNSET]


ROWS: dict[str, Callable[[Object, float], list[Any]]] = {
    "persistentvolumes": persistent_volume,
    "persistentvolumeclaims": persistent_volume_claim,
    "storageclasses.storage.k8s.io": storage_class,
    "volumeattributesclasses.storage.k8s.io": volume_attributes_class,
    "volumeattachments.storage.k8s.io": volume_attachment,
    "csinodes.storage.k8s.io": csi_node,
    "csidrivers.storage.k8s.io": csi_driver,
    "csistoragecapacities.storage.k8s.io": csi_storage_capacity,
}
