"""The quality-of-service class of a pod (pkg/apis/core/v1/helper/qos)."""

from __future__ import annotations

from minik8s.objects.frozen import Object
from minik8s.objects.quantity import compare

COMPUTE = ("cpu", "memory")


def qos_class(pod: Object) -> str:
    """Guaranteed, Burstable or BestEffort. It is fixed at creation, so a stored value wins."""
    stored = (pod.get("status") or {}).get("qosClass")
    if stored:
        return str(stored)
    spec = pod["spec"]
    resources = [c.get("resources") or {} for c in (*spec["containers"], *(spec.get("initContainers") or ()))]
    if spec.get("resources"):
        resources = [spec["resources"]]
    named = [r for part in resources for kind in ("requests", "limits") for r in _positive(part.get(kind))]
    if not named:
        return "BestEffort"
    return "Guaranteed" if all(_guaranteed(part) for part in resources) else "Burstable"


def _positive(amounts: Object | None) -> list[str]:
    return [n for n in COMPUTE if n in (amounts or {}) and compare((amounts or {})[n], 0) > 0]


def _guaranteed(resources: Object) -> bool:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    return all(n in limits and compare(requests.get(n, limits[n]), limits[n]) == 0 for n in COMPUTE)
