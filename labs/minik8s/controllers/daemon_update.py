"""The rolling update of a DaemonSet: which old pods may go now (pkg/controller/daemon/update.go)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minik8s.controllers.daemon_pods import GENERATION_ANNOTATION, is_updated
from minik8s.controllers.deployment_math import scaled_value
from minik8s.controllers.podutil import is_available
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of


def limits(owner: Object, desired: int) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in pods; never both zero."""
    rolling = (owner["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    surge = scaled_value(rolling.get("maxSurge", 0), desired, round_up=True)
    unavailable = scaled_value(rolling.get("maxUnavailable", 1), desired, round_up=True)
    return surge, max(unavailable, 0 if surge else 1)


def pods_to_replace(
    owner: Object, by_node: Mapping[str, Sequence[Object]], wanted: Sequence[str], digest: str, now: float
) -> tuple[list[Object], list[str]]:
    """(old pods to delete, nodes that get a new pod beside the old one)."""
    surge, unavailable = limits(owner, len(wanted))
    look = _Look(owner, digest, now)
    nodes = [*wanted, *(node for node in by_node if node not in wanted)]
    if surge:
        return _surging(look, by_node, nodes, set(wanted), surge)
    down, replace, candidates = 0, [], []
    for node in nodes:
        old, new, clear = look.split(by_node.get(node, ()))
        if not clear or (old is None) == (new is None):
            down += 1  # the manage step is about to add or remove a pod here
        elif new is not None:
            down += not look.available(new)
        elif old is not None and not look.available(old):
            replace.append(old)
            down += 1
        elif old is not None:
            candidates.append(old)
    return replace + candidates[: max(0, unavailable - down)], []


def _surging(
    look: _Look, by_node: Mapping[str, Sequence[Object]], nodes: Sequence[str], wanted: set[str], surge: int
) -> tuple[list[Object], list[str]]:
    doomed: list[Object] = []
    leaving: list[Object] = []  # pods of nodes that should have none: they go when enough others serve
    urgent: list[str] = []
    candidates: list[str] = []
    surging = available = 0
    for node in nodes:
        old, new, clear = look.split(by_node.get(node, ()))
        if not clear:
            surging += 1
            continue
        serving = old if old is not None else new
        available += serving is not None and look.available(serving)
        if old is None:
            continue
        if new is not None:
            surging += not look.available(new)
            doomed += [old] if look.available(new) else []
        elif node in wanted:
            (candidates if look.available(old) else urgent).append(node)
        else:
            (leaving if look.available(old) else doomed).append(old)
    doomed += leaving[: max(0, available - len(wanted))]
    return doomed, urgent + candidates[: max(0, surge - surging)]


class _Look:
    """Reads pods for one owner at one moment."""

    def __init__(self, owner: Object, digest: str, now: float):
        self._digest, self._now = digest, now
        self._generation = annotations_of(owner).get(GENERATION_ANNOTATION)
        self._minimum = owner["spec"].get("minReadySeconds", 0)

    def split(self, pods: Sequence[Object]) -> tuple[Object | None, Object | None, bool]:
        """(the old pod, the new pod, whether there is at most one of each). Pods on their way out count as none."""
        live = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        new = [pod for pod in live if is_updated(pod, self._digest, self._generation)]
        old = [pod for pod in live if not is_updated(pod, self._digest, self._generation)]
        return old[0] if old else None, new[0] if new else None, len(old) < 2 and len(new) < 2

    def available(self, pod: Object) -> bool:
        return is_available(pod, self._minimum, self._now)
