"""What a whole pod asks for: sums over containers, the peak of init containers, sidecars, overhead.

Source: component-helpers resource/helpers.go (PodRequests, PodLimits) and KEP-753 (sidecars), KEP-2837 (pod level).
"""

from __future__ import annotations

from collections.abc import Callable

from minik8s.objects.frozen import Object
from minik8s.objects.quantity import Quantity, parse_quantity

Resources = dict[str, Quantity]

_POD_LEVEL = ("cpu", "memory")


def parse_list(resources: Object | None) -> Resources:
    """A ResourceList with parsed quantities."""
    return {name: parse_quantity(value) for name, value in (resources or {}).items()}


def add(one: Resources, other: Resources) -> Resources:
    """Sums by name."""
    out = dict(one)
    for name, amount in other.items():
        out[name] = out[name] + amount if name in out else amount
    return out


def peak(one: Resources, other: Resources) -> Resources:
    """The larger by name."""
    out = dict(one)
    for name, amount in other.items():
        if name not in out or out[name] < amount:
            out[name] = amount
    return out


def pod_requests(pod: Object) -> Resources:
    """The requests that count for scheduling and quota."""
    return _total(pod, lambda c: parse_list((c.get("resources") or {}).get("requests")), "requests")


def pod_limits(pod: Object) -> Resources:
    """The limits of the pod as a whole; overhead counts only where a limit is set."""
    return _total(pod, lambda c: parse_list((c.get("resources") or {}).get("limits")), "limits")


def _total(pod: Object, of: Callable[[Object], Resources], kind: str) -> Resources:
    spec = pod["spec"]
    total: Resources = {}
    for container in spec.get("containers") or ():
        total = add(total, of(container))
    sidecars: Resources = {}
    initial: Resources = {}
    for container in spec.get("initContainers") or ():
        own = of(container)
        if container.get("restartPolicy") == "Always":
            total, sidecars = add(total, own), add(sidecars, own)
            initial = peak(initial, sidecars)
        else:
            initial = peak(initial, add(own, sidecars))
    total = peak(total, initial)
    for name, amount in parse_list((spec.get("resources") or {}).get(kind)).items():
        if name in _POD_LEVEL or name.startswith("hugepages-"):
            total[name] = amount
    for name, amount in parse_list(spec.get("overhead")).items():
        if kind == "requests" or name in total:
            total = add(total, {name: amount})
    return total
