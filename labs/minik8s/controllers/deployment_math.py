"""The arithmetic of a rollout: how many pods more, how many fewer (pkg/controller/deployment/util)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, floor

from minik8s.controllers.podutil import created
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of

DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"


def scaled_value(value: int | str, total: int, *, round_up: bool) -> int:
    """An IntOrString of a spec: a number as it is, a percentage of `total` rounded up or down."""
    if isinstance(value, int):
        return value
    if value.endswith("%"):
        exact = int(value[:-1]) * total
        return -(-exact // 100) if round_up else exact // 100
    return int(value)


def fenceposts(deployment: Object) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in pods. Both zero would never move: then one pod may be unavailable."""
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    desired = replicas(deployment)
    surge = scaled_value(rolling.get("maxSurge", 0), desired, round_up=True)
    unavailable = scaled_value(rolling.get("maxUnavailable", 0), desired, round_up=False)
    if not surge and not unavailable:
        unavailable = 1
    return surge, unavailable


def is_rolling_update(deployment: Object) -> bool:
    return bool((deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")


def max_surge(deployment: Object) -> int:
    return fenceposts(deployment)[0] if is_rolling_update(deployment) else 0


def max_unavailable(deployment: Object) -> int:
    if not is_rolling_update(deployment) or not replicas(deployment):
        return 0
    return min(fenceposts(deployment)[1], replicas(deployment))


def replicas(obj: Object) -> int:
    """`spec.replicas` of a Deployment or a ReplicaSet."""
    return int(obj["spec"].get("replicas", 1))


def total_replicas(sets: Iterable[Object]) -> int:
    return sum(replicas(rs) for rs in sets)


def status_sum(sets: Iterable[Object], field: str) -> int:
    return sum(int((rs.get("status") or {}).get(field) or 0) for rs in sets)


def active(sets: Iterable[Object]) -> list[Object]:
    """The ReplicaSets that want pods."""
    return [rs for rs in sets if replicas(rs) > 0]


def number_annotation(rs: Object, name: str) -> int | None:
    try:
        return int(annotations_of(rs)[name])
    except (KeyError, ValueError):
        return None


def new_size(deployment: Object, sets: Iterable[Object], new: Object | None) -> int:
    """How many replicas the new ReplicaSet may have now: never more than desired + maxSurge over all sets."""
    desired, current = replicas(deployment), replicas(new) if new is not None else 0
    if not is_rolling_update(deployment):
        return desired
    room = desired + max_surge(deployment) - total_replicas(sets)
    if room <= 0:
        return current
    return current + min(room, desired - current)


def is_saturated(deployment: Object, new: Object | None) -> bool:
    """Whether the new ReplicaSet has all its replicas, and they are available."""
    if new is None:
        return False
    desired = replicas(deployment)
    available = (new.get("status") or {}).get("availableReplicas") or 0
    return replicas(new) == desired == number_annotation(new, DESIRED_REPLICAS) == available


def proportions(deployment: Object, sets: Sequence[Object]) -> dict[str, int]:
    """New sizes, by name, of several active ReplicaSets when a Deployment is scaled in the middle of a rollout.

    Each set gets its share of the change; the rounding's rest goes to the largest.
    """
    desired = replicas(deployment)
    allowed = desired + max_surge(deployment) if desired > 0 else 0
    to_add = allowed - total_replicas(sets)
    if to_add > 0:
        ordered = sorted(sets, key=_newest_first)
        ordered.sort(key=lambda rs: -replicas(rs))
    else:
        ordered = sorted(sets, key=_oldest_first)
        ordered.sort(key=lambda rs: -replicas(rs))
    sizes, added = {}, 0
    for rs in ordered:
        share = _share(rs, deployment, to_add, added) if to_add else 0
        sizes[rs["metadata"]["name"]] = replicas(rs) + share
        added += share
    if ordered and to_add:
        first = ordered[0]["metadata"]["name"]
        sizes[first] = max(0, sizes[first] + to_add - added)
    return sizes


def _newest_first(rs: Object) -> tuple[float, str]:
    return -created(rs), rs["metadata"]["name"]


def _oldest_first(rs: Object) -> tuple[str, str]:
    return rs["metadata"].get("creationTimestamp") or "", rs["metadata"]["name"]


def _share(rs: Object, deployment: Object, to_add: int, added: int) -> int:
    if not replicas(rs) or to_add == added:
        return 0
    share, left = _fraction(rs, deployment), to_add - added
    return min(share, left) if to_add > 0 else max(share, left)


def _fraction(rs: Object, deployment: Object) -> int:
    desired = replicas(deployment)
    if not desired:
        return -replicas(rs)
    before = number_annotation(rs, MAX_REPLICAS)
    if not before:  # never scaled by this Deployment: its status says how many there were
        before = (deployment.get("status") or {}).get("replicas") or desired + max_surge(deployment)
    exact = replicas(rs) * (desired + max_surge(deployment)) / before
    return (ceil(exact - 0.5) if exact < 0 else floor(exact + 0.5)) - replicas(rs)
