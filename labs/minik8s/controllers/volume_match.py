"""Which PersistentVolume suits a claim (component-helpers storage/volume FindMatchingVolume)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minik8s.objects import Object
from minik8s.objects.meta import annotations_of, labels
from minik8s.objects.quantity import Quantity, parse_quantity
from minik8s.objects.selectors import matches, node_selector_matches

BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def class_of(obj: Object) -> str:
    """The storage class of a claim or of a volume; "" for none."""
    return str(annotations_of(obj).get(BETA_CLASS) or obj["spec"].get("storageClassName") or "")


def has_class(claim: Object) -> bool:
    """Whether the claim says which class it wants; "" says that it wants none."""
    return bool(annotations_of(claim).get(BETA_CLASS)) or claim["spec"].get("storageClassName") is not None


def default_class(classes: Iterable[Object]) -> str | None:
    """The name of the default StorageClass; of several the newest (component-helpers GetDefaultClass)."""
    marked = [c for c in classes if any(annotations_of(c).get(mark) == "true" for mark in DEFAULT_CLASS)]
    marked.sort(key=lambda c: c["metadata"]["name"])
    marked.sort(key=lambda c: c["metadata"].get("creationTimestamp") or "", reverse=True)
    return str(marked[0]["metadata"]["name"]) if marked else None


def mode_of(obj: Object) -> str:
    return str(obj["spec"].get("volumeMode") or "Filesystem")


def mismatch(volume: Object, claim: Object) -> str | None:
    """Why a volume that a claim asks for by name cannot be its volume, or None (checkVolumeSatisfyClaim)."""
    if "deletionTimestamp" in volume["metadata"]:
        return f'the volume is marked for deletion "{volume["metadata"]["name"]}"'
    if capacity(volume) < requested(claim):
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    asked, spec = claim["spec"], volume["spec"]
    if (spec.get("volumeAttributesClassName") or "") != (asked.get("volumeAttributesClassName") or ""):
        return "volumeAttributesClassName does not match"
    if mode_of(volume) != mode_of(claim):
        return "incompatible volumeMode"
    if not set(asked.get("accessModes") or ()) <= set(spec.get("accessModes") or ()):
        return "incompatible accessMode"
    return None


def requested(claim: Object) -> Quantity:
    return parse_quantity(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0"))


def capacity(volume: Object) -> Quantity:
    return parse_quantity((volume["spec"].get("capacity") or {}).get("storage", "0"))


def waits_for_consumer(claim: Object, storage_class: Object | None) -> bool:
    """Whether binding must wait until the scheduler has chosen a node for a pod that uses the claim."""
    if storage_class is None or SELECTED_NODE in annotations_of(claim):
        return False
    return bool(storage_class.get("volumeBindingMode") == "WaitForFirstConsumer")


def refers_to(volume: Object, claim: Object) -> bool:
    """Whether a volume is reserved for, or bound to, this claim."""
    reference = volume["spec"].get("claimRef")
    if reference is None:
        return False
    meta = claim["metadata"]
    if (reference.get("name"), reference.get("namespace")) != (meta["name"], meta["namespace"]):
        return False
    return not reference.get("uid") or bool(reference["uid"] == meta["uid"])


def find_match(volumes: Iterable[Object], claim: Object, node: Object | None, *, delayed: bool) -> Object | None:
    """The volume reserved for the claim, else the one with the fewest access modes and the least waste."""
    best: tuple[Any, Object] | None = None
    wanted, modes = requested(claim), set(claim["spec"].get("accessModes") or ())
    for volume in volumes:
        if not _suits(volume, claim, node):
            continue
        if refers_to(volume, claim):
            if not capacity(volume) < wanted:
                return volume
            continue
        offered = set(volume["spec"].get("accessModes") or ())
        if delayed or capacity(volume) < wanted or not modes <= offered or not _is_free(volume, claim):
            continue
        rank = (len(offered), capacity(volume).exact, volume["metadata"]["name"])
        if best is None or rank < best[0]:
            best = rank, volume
    return best[1] if best is not None else None


def _suits(volume: Object, claim: Object, node: Object | None) -> bool:
    spec, asked = volume["spec"], claim["spec"]
    if "deletionTimestamp" in volume["metadata"]:
        return False
    if mode_of(volume) != mode_of(claim):
        return False
    if (spec.get("volumeAttributesClassName") or "") != (asked.get("volumeAttributesClassName") or ""):
        return False
    required = (spec.get("nodeAffinity") or {}).get("required")
    return node is None or not required or node_selector_matches(required, node)


def _is_free(volume: Object, claim: Object) -> bool:
    if (volume.get("status") or {}).get("phase") != "Available" or volume["spec"].get("claimRef"):
        return False
    if class_of(volume) != class_of(claim):
        return False
    selector = claim["spec"].get("selector")
    return selector is None or matches(selector, labels(volume))
