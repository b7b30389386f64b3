"""What the volume plugins share: a pod's claims, storage classes, and which volume suits a claim.

Sources: component-helpers `storage/volume/`, `storage/ephemeral`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from minik8s.objects import Object
from minik8s.objects.quantity import parse_quantity
from minik8s.objects.selectors import from_label_selector, node_selector_matches
from minik8s.scheduler.framework import Listers
from minik8s.scheduler.snapshot import PodInfo

BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
NO_PROVISIONER = "kubernetes.io/no-provisioner"


class ClaimNotFound(LookupError):
    """A pod names a PersistentVolumeClaim that is not there."""


def claim_names(pod: PodInfo) -> Iterator[tuple[str, bool]]:
    """(claim name, whether it belongs to a generic ephemeral volume) of each volume with a claim."""
    for volume in pod.spec.get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            yield volume["persistentVolumeClaim"]["claimName"], False
        elif volume.get("ephemeral"):
            yield f"{pod.name}-{volume['name']}", True


def claims_of(pod: PodInfo, listers: Listers, strict: bool = True) -> Iterator[Object]:
    """The pod's claims. Missing ones raise ClaimNotFound, or are passed over when not `strict`."""
    for name, _ in claim_names(pod):
        claim = listers.get("persistentvolumeclaims", pod.namespace, name)
        if claim is not None:
            yield claim
        elif strict:
            raise ClaimNotFound(f'persistentvolumeclaim "{name}" not found')


def storage_class_of(claim: Object) -> str:
    """GetPersistentVolumeClaimClass: the beta annotation, then spec.storageClassName, or ""."""
    annotations = claim["metadata"].get("annotations") or {}
    return str(annotations.get(BETA_CLASS) or claim["spec"].get("storageClassName") or "")


def is_bound(claim: Object) -> bool:
    """Fully bound: names its volume, and the PV controller has said that it is done."""
    annotations = claim["metadata"].get("annotations") or {}
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in annotations


def waits_for_consumer(storage_class: Object | None) -> bool:
    return storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"


def suits_node(volume: Object, node: Object) -> bool:
    """CheckNodeAffinity of a PersistentVolume."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return required is None or node_selector_matches(required, node)


def belongs_to(volume: Object, claim: Object) -> bool:
    """IsVolumeBoundToClaim: claimRef names this claim."""
    ref, meta = volume["spec"].get("claimRef"), claim["metadata"]
    if not ref or (ref.get("namespace"), ref.get("name")) != (meta.get("namespace"), meta["name"]):
        return False
    return not ref.get("uid") or ref["uid"] == meta.get("uid")


def requested_size(claim: Object) -> int:
    """Nanos of the storage that a claim requests."""
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return parse_quantity(requests.get("storage", "0")).nanos


def find_volume(claim: Object, volumes: Iterable[Object], node: Object, taken: set[str]) -> Object | None:
    """FindMatchingVolume: the volume reserved for the claim, else the smallest that suits claim and node."""
    best, best_size = None, 0
    size = requested_size(claim)
    for volume in volumes:
        if volume["metadata"]["name"] in taken or not _could_serve(volume, claim, size):
            continue
        if belongs_to(volume, claim):
            return volume if suits_node(volume, node) else None
        capacity = _capacity(volume)
        if _is_free_for(volume, claim) and suits_node(volume, node) and (best is None or capacity < best_size):
            best, best_size = volume, capacity
    return best


def _capacity(volume: Object) -> int:
    return parse_quantity((volume["spec"].get("capacity") or {}).get("storage", "0")).nanos


def _could_serve(volume: Object, claim: Object, size: int) -> bool:
    mine, theirs = claim["spec"], volume["spec"]
    if theirs.get("claimRef") and not belongs_to(volume, claim):
        return False
    return (
        _capacity(volume) >= size
        and (mine.get("volumeMode") or "Filesystem") == (theirs.get("volumeMode") or "Filesystem")
        and (mine.get("volumeAttributesClassName") or "") == (theirs.get("volumeAttributesClassName") or "")
        and volume["metadata"].get("deletionTimestamp") is None
    )


def _is_free_for(volume: Object, claim: Object) -> bool:
    if (volume.get("status") or {}).get("phase") != "Available":
        return False
    selector = claim["spec"].get("selector")
    if selector is not None and not from_label_selector(selector).matches(volume["metadata"].get("labels")):
        return False
    annotations = volume["metadata"].get("annotations") or {}
    if (annotations.get(BETA_CLASS) or volume["spec"].get("storageClassName") or "") != storage_class_of(claim):
        return False
    return set(claim["spec"].get("accessModes") or ()) <= set(volume["spec"].get("accessModes") or ())
