"""What a change of an object means to pods that wait: the scheduler's cluster events, as names like `node/label`.

Source: kube-scheduler `framework/events.go`. Plugins list the names they care about (`Plugin.events`).
"""

from __future__ import annotations

from minik8s.objects import Object
from minik8s.scheduler.resources import pod_requests

FINISHED = ("Succeeded", "Failed")


def is_finished(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in FINISHED


def node_events(old: Object | None, new: Object | None) -> tuple[str, ...]:
    """What a change of a Node means; heartbeats mean nothing."""
    if new is None:
        return ("node/delete",)
    if old is None:
        return ("node/add",)
    changed = {
        "node/allocatable": _differs(old, new, "status", "allocatable"),
        "node/label": _differs(old, new, "metadata", "labels"),
        "node/taint": _differs(old, new, "spec", "taints") or _differs(old, new, "spec", "unschedulable"),
        "node/condition": _conditions(old) != _conditions(new),
        "node/annotation": _differs(old, new, "metadata", "annotations"),
    }
    return tuple(name for name, it_is in changed.items() if it_is)


def _conditions(node: Object) -> list[tuple[str, str]]:
    return [(c["type"], c["status"]) for c in (node.get("status") or {}).get("conditions") or ()]


def pod_events(old: Object | None, new: Object | None) -> tuple[str, ...]:
    """What a change of a pod on a node means to others."""
    if new is None or is_finished(new):
        return ("pod/delete",)
    if old is None or not old["spec"].get("nodeName"):
        return ("pod/add",)
    found = ["pod/label"] if _differs(old, new, "metadata", "labels") else []
    if _asks_less(old, new):
        found.append("pod/scaledown")
    return tuple(found)


def pending_events(old: Object, new: Object) -> tuple[str, ...]:
    """What a change of a pod that waits means to itself."""
    changed = {
        "pod/label": _differs(old, new, "metadata", "labels"),
        "pod/toleration": _differs(old, new, "spec", "tolerations"),
        "pod/gates": _differs(old, new, "spec", "schedulingGates"),
        "pod/scaledown": _asks_less(old, new),
        "pod/add": _differs(old, new, "spec", "nodeSelector") or _differs(old, new, "spec", "affinity"),
    }
    return tuple(name for name, it_is in changed.items() if it_is)


def _asks_less(old: Object, new: Object) -> bool:
    """Whether a resize lowered what the pod counts for."""
    before, after = pod_requests(old), pod_requests(new)
    return any(after.get(name, 0) < amount for name, amount in before.items())


def _differs(old: Object, new: Object, part: str, field: str) -> bool:
    return bool((old.get(part) or {}).get(field) != (new.get(part) or {}).get(field))


OTHERS = {
    "persistentvolumeclaims": "pvc",
    "persistentvolumes": "pv",
    "storageclasses.storage.k8s.io": "storageclass",
    "csinodes.storage.k8s.io": "csinode",
    "csidrivers.storage.k8s.io": "csi",
    "csistoragecapacities.storage.k8s.io": "csi",
    "volumeattachments.storage.k8s.io": "volumeattachment",
}
"""Other resources that the scheduler watches, and the first half of their events' names."""


def other_event(resource: str, old: Object | None, new: Object | None) -> str:
    kind = OTHERS[resource]
    if kind == "csi":
        return "csi/any"
    return f"{kind}/{'add' if old is None else 'delete' if new is None else 'update'}"
