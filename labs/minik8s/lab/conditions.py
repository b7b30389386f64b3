"""기다릴 수 있는 상태: `k.wait("deployment/web", "available")`의 뒤쪽 말이 뜻하는 것."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.objects import Object

Predicate = Callable[[Object | None], bool]


def named(word: str) -> Predicate:
    """The test for a word: ready, available, deleted, bound, running, ..., or a condition as `Type=Status`."""
    known = _WORDS.get(word.lower())
    if known is not None:
        return known
    kind, _, status = word.removeprefix("condition=").partition("=")
    return lambda obj: obj is not None and condition(obj, kind) == (status or "True")


def condition(obj: Object, kind: str) -> str:
    """The status of a condition ("True", "False", "Unknown"), "" when it is not there. Case does not matter."""
    for entry in (obj.get("status") or {}).get("conditions") or ():
        if entry["type"].lower() == kind.lower():
            return str(entry["status"])
    return ""


def replaced(uid: str) -> Predicate:
    """Whether the object with this uid is gone (another may have its name by now)."""
    return lambda obj: obj is None or obj["metadata"]["uid"] != uid


def available(obj: Object | None) -> bool:
    """A workload whose newest template runs with all replicas available (what `kubectl rollout status` waits for)."""
    if obj is None:
        return False
    status, spec = obj.get("status") or {}, obj.get("spec") or {}
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        return False
    if obj["kind"] == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        return bool(status.get("updatedNumberScheduled", 0) >= wanted and status.get("numberAvailable", 0) >= wanted)
    wanted = spec.get("replicas", 1)
    updated = status.get("updatedReplicas", 0) if obj["kind"] in {"Deployment", "StatefulSet"} else wanted
    ready = status.get("availableReplicas", 0)
    return bool(updated >= wanted and ready >= wanted and status.get("replicas", 0) <= max(wanted, 0))


def _phase(*phases: str) -> Predicate:
    return lambda obj: obj is not None and (obj.get("status") or {}).get("phase") in phases


_WORDS: dict[str, Predicate] = {
    "available": available,
    "deleted": lambda obj: obj is None,
    "exists": lambda obj: obj is not None,
    "running": _phase("Running"),
    "succeeded": _phase("Succeeded"),
    "failed": _phase("Failed"),
    "finished": _phase("Succeeded", "Failed"),
    "bound": _phase("Bound"),
}
