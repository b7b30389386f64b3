"""Status and conditions of a Deployment (pkg/controller/deployment/progress.go, sync.go calculateStatus)."""

from __future__ import annotations

from collections.abc import Sequence

from minik8s.controllers.deployment_math import max_unavailable, replicas, status_sum, total_replicas
from minik8s.controllers.podutil import condition
from minik8s.objects import Object
from minik8s.objects.meta import parse_time, rfc3339

AVAILABLE, PROGRESSING, FAILURE = "Available", "Progressing", "ReplicaFailure"
COMPLETE, TIMED_OUT = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"
NO_DEADLINE = 2**31 - 1


def has_deadline(deployment: Object) -> bool:
    deadline = deployment["spec"].get("progressDeadlineSeconds")
    return deadline is not None and deadline != NO_DEADLINE


def new_condition(kind: str, value: str, reason: str, message: str, now: float) -> Object:
    stamp = rfc3339(now)
    return {
        "type": kind,
        "status": value,
        "lastUpdateTime": stamp,
        "lastTransitionTime": stamp,
        "reason": reason,
        "message": message,
    }


def set_condition(status: Object, new: Object) -> Object:
    """`status` with `new`; nothing changes when status and reason are the same already."""
    old = condition({"status": status}, new["type"])
    if old is not None and old["status"] == new["status"]:
        if old.get("reason") == new["reason"]:
            return status
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    return {**without_condition(status, new["type"]), "conditions": [*_others(status, new["type"]), new]}


def without_condition(status: Object, kind: str) -> Object:
    rest = _others(status, kind)
    out = {field: value for field, value in status.items() if field != "conditions"}
    return {**out, "conditions": rest} if rest else out


def _others(status: Object, kind: str) -> list[Object]:
    return [c for c in status.get("conditions") or () if c["type"] != kind]


def calculate(deployment: Object, sets: Sequence[Object], new: Object | None, now: float) -> Object:
    """The counts and the Available condition, as the ReplicaSets' own status tells them."""
    available = status_sum(sets, "availableReplicas")
    old = deployment.get("status") or {}
    status: Object = {"observedGeneration": deployment["metadata"].get("generation", 0)}
    counts = {
        "replicas": status_sum(sets, "replicas"),
        "updatedReplicas": status_sum([new] if new is not None else [], "replicas"),
        "readyReplicas": status_sum(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total_replicas(sets) - available),
    }
    status |= {field: count for field, count in counts.items() if count}
    if all("terminatingReplicas" in (rs.get("status") or {}) for rs in sets):
        status["terminatingReplicas"] = status_sum(sets, "terminatingReplicas")
    if old.get("collisionCount") is not None:
        status["collisionCount"] = old["collisionCount"]
    if old.get("conditions"):
        status["conditions"] = list(old["conditions"])
    if available >= replicas(deployment) - max_unavailable(deployment):
        found = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        found = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    return set_condition(status, new_condition(AVAILABLE, *found, now))


def is_complete(deployment: Object, status: Object) -> bool:
    """All pods are of the new template and available, and no old ones are left."""
    desired = replicas(deployment)
    return bool(
        status.get("updatedReplicas", 0) == desired
        and status.get("replicas", 0) == desired
        and status.get("availableReplicas", 0) == desired
        and status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    )


def is_progressing(deployment: Object, status: Object) -> bool:
    """Whether any count moved the right way since the last status."""
    before = deployment.get("status") or {}

    def old_pods(counts: Object) -> int:
        return int(counts.get("replicas", 0)) - int(counts.get("updatedReplicas", 0))

    return bool(
        status.get("updatedReplicas", 0) > before.get("updatedReplicas", 0)
        or old_pods(status) < old_pods(before)
        or status.get("readyReplicas", 0) > before.get("readyReplicas", 0)
        or status.get("availableReplicas", 0) > before.get("availableReplicas", 0)
    )


def has_timed_out(deployment: Object, status: Object, now: float) -> bool:
    """Whether nothing has moved for progressDeadlineSeconds."""
    current = condition({"status": status}, PROGRESSING)
    if not has_deadline(deployment) or current is None or current.get("reason") == COMPLETE:
        return False
    if current.get("reason") == TIMED_OUT:
        return True
    return parse_time(current["lastUpdateTime"]) + int(deployment["spec"]["progressDeadlineSeconds"]) < now


def rollout_status(deployment: Object, sets: Sequence[Object], new: Object | None, now: float) -> Object:
    """The whole status during a rollout: counts, Available, Progressing and ReplicaFailure."""
    status = calculate(deployment, sets, new, now)
    if not has_deadline(deployment):
        status = without_condition(status, PROGRESSING)
    current = condition({"status": status}, PROGRESSING)
    settled = (
        status.get("replicas", 0) == status.get("updatedReplicas", 0)
        and current is not None
        and current.get("reason") == COMPLETE
    )
    if has_deadline(deployment) and not settled:
        status = _progress(deployment, status, new, current, now)
    failures = _failures(sets, new)
    if failures:
        return set_condition(status, failures[0])
    return without_condition(status, FAILURE)


def _progress(deployment: Object, status: Object, new: Object | None, current: Object | None, now: float) -> Object:
    who = (
        f'ReplicaSet "{new["metadata"]["name"]}"'
        if new is not None
        else f'Deployment "{deployment["metadata"]["name"]}"'
    )
    if is_complete(deployment, status):
        message = f"{who} has successfully progressed."
        return set_condition(status, new_condition(PROGRESSING, "True", COMPLETE, message, now))
    if is_progressing(deployment, status):
        fresh = new_condition(PROGRESSING, "True", "ReplicaSetUpdated", f"{who} is progressing.", now)
        if current is not None:  # the update time moves with every step: the deadline counts from it
            if current["status"] == "True":
                fresh["lastTransitionTime"] = current["lastTransitionTime"]
            status = without_condition(status, PROGRESSING)
        return set_condition(status, fresh)
    if has_timed_out(deployment, status, now):
        message = f"{who} has timed out progressing."
        return set_condition(status, new_condition(PROGRESSING, "False", TIMED_OUT, message, now))
    return status


def _failures(sets: Sequence[Object], new: Object | None) -> list[Object]:
    """The ReplicaFailure conditions of the new ReplicaSet, else of any."""
    for group in ([new] if new is not None else []), sets:
        found = [c for rs in group if (c := condition(rs, FAILURE)) is not None]
        if found:
            return [{**c, "lastUpdateTime": c["lastTransitionTime"]} for c in found]
    return []


def stuck_check(deployment: Object, status: Object, now: float) -> float | None:
    """Seconds after which a rollout that does not move must be looked at again; None: no need to."""
    current = condition({"status": status}, PROGRESSING)
    if not has_deadline(deployment) or current is None:
        return None
    if is_complete(deployment, status) or current.get("reason") == TIMED_OUT:
        return None
    left = parse_time(current["lastUpdateTime"]) + int(deployment["spec"]["progressDeadlineSeconds"]) - now
    return max(0.0, left) + 1.0
