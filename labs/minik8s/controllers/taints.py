"""Taints that controllers put on nodes, and writing them (pkg/controller/util/node, pkg/util/taints)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from minik8s.client.api import Client
from minik8s.objects import Object
from minik8s.objects.meta import rfc3339
from minik8s.wire import StatusError

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
CONDITION_TAINTS = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
}
"""(condition type, status) -> key of the taint that tells of it."""

Key = tuple[str, str]
"""(taint key, effect): what makes two taints the same."""


def taints_of(node: Object) -> list[Object]:
    return list(node["spec"].get("taints") or ())


def identity(taint: Object) -> Key:
    return taint["key"], taint["effect"]


def has_taint(node: Object, key: str, effect: str) -> bool:
    return any(identity(t) == (key, effect) for t in taints_of(node))


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether a toleration covers a taint (k8s.io/component-helpers ToleratesTaint)."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator, wanted, found = toleration.get("operator") or "Equal", toleration.get("value", ""), taint.get("value", "")
    if operator == "Exists":
        return True
    if operator == "Equal":
        return bool(wanted == found)
    try:
        return int(found) > int(wanted) if operator == "Gt" else operator == "Lt" and int(found) < int(wanted)
    except ValueError:
        return False


def swap_taints(client: Client, node: Object, add: Sequence[Key], remove: Iterable[Key], now: float) -> bool:
    """Put the taints `add` on a node and take `remove` off. True when the node had to be written."""
    gone = set(remove)
    for _ in range(3):
        old = taints_of(node)
        present = {identity(t) for t in old}
        kept = [t for t in old if identity(t) not in gone]
        stamp = rfc3339(now)
        fresh = [{"key": k, "effect": e, "timeAdded": stamp} for k, e in add if (k, e) not in present]
        if not fresh and len(kept) == len(old):
            return False
        meta = node["metadata"]
        body = {"metadata": {"resourceVersion": meta["resourceVersion"]}, "spec": {"taints": [*kept, *fresh] or None}}
        try:
            client.patch("nodes", "", meta["name"], body)
            return True
        except StatusError as error:
            if error.code != 409:
                raise
        node = client.get("nodes", "", meta["name"])
    return False
