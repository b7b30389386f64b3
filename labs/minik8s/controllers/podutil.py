"""Readers of pods that several controllers share (pkg/api/v1/pod/util.go, pkg/controller/controller_utils.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minik8s.objects import Object
from minik8s.objects.meta import parse_time

_EMPTY: dict[str, Any] = {}
_FINISHED = ("Succeeded", "Failed")


def status(obj: Object) -> Object:
    return obj.get("status") or _EMPTY


def phase(pod: Object) -> str:
    return str(status(pod).get("phase") or "Pending")


def condition(obj: Object, kind: str) -> Object | None:
    """The condition of type `kind` in `status.conditions`, or None."""
    for found in status(obj).get("conditions") or ():
        if found.get("type") == kind:
            result: Object = found
            return result
    return None


def is_finished(pod: Object) -> bool:
    return status(pod).get("phase") in _FINISHED


def is_terminating(pod: Object) -> bool:
    """Told to end, and not ended yet."""
    return "deletionTimestamp" in pod["metadata"] and not is_finished(pod)


def is_active(pod: Object) -> bool:
    return status(pod).get("phase") not in _FINISHED and "deletionTimestamp" not in pod["metadata"]


def is_ready(pod: Object) -> bool:
    for found in status(pod).get("conditions") or ():
        if found.get("type") == "Ready":
            return bool(found.get("status") == "True")
    return False


def ready_since(pod: Object) -> float | None:
    """When the pod became ready; None when it is not, or does not say."""
    found = condition(pod, "Ready")
    if found is None or found.get("status") != "True" or not found.get("lastTransitionTime"):
        return None
    return parse_time(found["lastTransitionTime"])


def is_available(pod: Object, min_ready_seconds: int, now: float) -> bool:
    """Ready for at least `min_ready_seconds`."""
    if not is_ready(pod):
        return False
    if not min_ready_seconds:
        return True
    since = ready_since(pod)
    return since is not None and since + min_ready_seconds <= now


def available_in(pods: Iterable[Object], min_ready_seconds: int, now: float) -> float | None:
    """Seconds until the next of the ready pods counts as available; None when there is nothing to wait for."""
    if not min_ready_seconds:
        return None
    waits = [
        since + min_ready_seconds - now
        for pod in pods
        if (since := ready_since(pod)) is not None and since + min_ready_seconds > now
    ]
    return min(waits) if waits else None


def lasting_statuses(pod: Object) -> list[Object]:
    """The statuses of the containers and sidecars: those that live as long as the pod."""
    sidecars = {c["name"] for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"}
    inits = status(pod).get("initContainerStatuses") or ()
    return [*(status(pod).get("containerStatuses") or ()), *(c for c in inits if c.get("name") in sidecars)]


def restarts(pod: Object) -> int:
    """The largest restart count among the containers and sidecars."""
    return max((int(c.get("restartCount") or 0) for c in lasting_statuses(pod)), default=0)


def created(obj: Object) -> float:
    stamp = obj["metadata"].get("creationTimestamp")
    return parse_time(stamp) if stamp else 0.0


def oldest_first(objects: Iterable[Object]) -> list[Object]:
    """By creation, then by name (controller.ReplicaSetsByCreationTimestamp and its like)."""
    return sorted(objects, key=lambda o: (o["metadata"].get("creationTimestamp") or "", o["metadata"]["name"]))


def set_condition(conditions: Iterable[Object], new: Object) -> list[Object]:
    """`conditions` with `new` in place of the one of its type (or at the end)."""
    out, placed = [], False
    for old in conditions:
        if old.get("type") == new["type"]:
            out.append(new)
            placed = True
        else:
            out.append(old)
    return out if placed else [*out, new]


def generation_seen(pod: Object) -> Object:
    """`observedGeneration` of a pod condition that is made now (PodObservedGenerationTracking)."""
    generation = pod["metadata"].get("generation")
    return {"observedGeneration": generation} if generation else {}


def with_pod_condition(pod: Object, new: Object, now: str) -> Object:
    """`pod` with the condition `new`; lastTransitionTime moves only when the status does."""
    old = condition(pod, new["type"])
    stamp = old["lastTransitionTime"] if old is not None and old.get("status") == new["status"] else now
    full = {**new, **generation_seen(pod), "lastProbeTime": None, "lastTransitionTime": stamp}
    conditions = set_condition(status(pod).get("conditions") or (), full)
    return {**pod, "status": {**status(pod), "conditions": conditions}}
