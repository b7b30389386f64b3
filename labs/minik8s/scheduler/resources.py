"""What a pod asks for and what a node has, as whole numbers (cpu in thousandths, everything else in units).

Source: component-helpers `resource/helpers.go` (PodRequests) and kube-scheduler `framework/types.go` (Resource).
Sums are kept exact, in nanos, and rounded up once at the end, as Quantity.MilliValue and Quantity.Value do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from minik8s.objects import Object
from minik8s.objects.quantity import NANOS, parse_quantity

Amounts = dict[str, int]
"""Resource name -> amount: nanos while summing, cpu millis and units of the rest once rounded."""

CPU, MEMORY, EPHEMERAL, PODS = "cpu", "memory", "ephemeral-storage", "pods"
MILLI = 10**6

DEFAULT_REQUESTS: Amounts = {CPU: 100 * MILLI, MEMORY: 200 * 1024 * 1024 * NANOS}
"""What scoring takes for a container that asks for nothing: 100m and 200MB, so that such pods do not pile up."""

_Pick = Callable[[Object, Object | None, bool], Mapping[str, Any] | None]


def is_scalar(name: str) -> bool:
    """Whether a resource beyond cpu, memory, storage and pods is counted: extended, huge pages, attachable volumes."""
    return "/" in name or name.startswith(("hugepages-", "attachable-volumes-"))


def rounded(amounts: Amounts) -> Amounts:
    """Nanos to the scheduler's units, leaving out what it does not count."""
    return {
        name: -(-nanos // MILLI) if name == CPU else -(-nanos // NANOS)
        for name, nanos in amounts.items()
        if name in (CPU, MEMORY, EPHEMERAL) or is_scalar(name)
    }


def allocatable(node: Object) -> Amounts:
    """A node's status.allocatable; `pods` included."""
    found = _nanos((node.get("status") or {}).get("allocatable"))
    return {**rounded(found), PODS: -(-found.get(PODS, 0) // NANOS)}


def pod_requests(pod: Object, defaults: Amounts | None = None, *, pod_level: bool = True) -> Amounts:
    """The nanos that a pod counts for, resizes in progress included.

    `defaults` stand in for requests that a container does not state; `pod_level`: whether spec.resources goes first.
    """
    statuses = _container_statuses(pod)
    infeasible = _resize_infeasible(pod)
    if not statuses and not infeasible:
        total = _aggregate(pod, {}, False, defaults, _from_spec)
    else:
        total = _aggregate(pod, statuses, infeasible, defaults, _from_actuated)
        _raise_to(total, _aggregate(pod, statuses, infeasible, defaults, _from_allocated))
        if not infeasible:
            _raise_to(total, _aggregate(pod, statuses, infeasible, defaults, _from_spec))
    spec = pod["spec"]
    if pod_level:
        total.update(_pod_level(spec))
    _add(total, _nanos(spec.get("overhead")))
    return total


def scoring_defaults(pod: Object, requests: Amounts) -> Amounts:
    """Which defaults a pod on a node is counted with: with pod-level requests, only for what is missing altogether."""
    if not _pod_level(pod["spec"]):
        return DEFAULT_REQUESTS
    return {name: nanos for name, nanos in DEFAULT_REQUESTS.items() if name not in requests}


def _pod_level(spec: Object) -> Amounts:
    stated = _nanos((spec.get("resources") or {}).get("requests"))
    return {name: n for name, n in stated.items() if name in (CPU, MEMORY) or name.startswith("hugepages-")}


def _aggregate(
    pod: Object, statuses: dict[str, Object], infeasible: bool, defaults: Amounts | None, pick: _Pick
) -> Amounts:
    """The most that is asked for at any time: containers and sidecars together, or an init container in its turn."""
    spec = pod["spec"]

    def asked(container: Object) -> Amounts:
        amounts = _nanos(pick(container, statuses.get(container.get("name", "")), infeasible))
        return {**defaults, **amounts} if defaults else amounts

    total: Amounts = {}
    for container in spec.get("containers") or ():
        _add(total, asked(container))
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in spec.get("initContainers") or ():
        amounts = asked(container)
        if container.get("restartPolicy") == "Always":
            _add(total, amounts)
            _add(sidecars, amounts)
            _raise_to(peak, sidecars)
        else:
            _add(amounts, sidecars)
            _raise_to(peak, amounts)
    _raise_to(total, peak)
    return total


def _from_spec(container: Object, status: Object | None, infeasible: bool) -> Mapping[str, Any] | None:
    return (container.get("resources") or {}).get("requests")


def _from_allocated(container: Object, status: Object | None, infeasible: bool) -> Mapping[str, Any] | None:
    if status and status.get("allocatedResources") is not None:
        found: Mapping[str, Any] = status["allocatedResources"]
        return found
    return None if infeasible else _from_spec(container, status, infeasible)


def _from_actuated(container: Object, status: Object | None, infeasible: bool) -> Mapping[str, Any] | None:
    actual = (status.get("resources") or {}).get("requests") if status else None
    return actual if actual is not None else _from_allocated(container, status, infeasible)


def _container_statuses(pod: Object) -> dict[str, Object]:
    """Statuses by container name, where any says something about resources."""
    status = pod.get("status") or {}
    found: dict[str, Object] = {}
    for entry in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        found[entry["name"]] = entry
    return found if any("resources" in s or "allocatedResources" in s for s in found.values()) else {}


def _resize_infeasible(pod: Object) -> bool:
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodResizePending":
            return bool(condition.get("reason") == "Infeasible")
    return False


def _nanos(amounts: Mapping[str, Any] | None) -> Amounts:
    return {name: parse_quantity(text).nanos for name, text in amounts.items()} if amounts else {}


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise_to(total: Amounts, other: Amounts) -> None:
    for name, amount in other.items():
        if name not in total or total[name] < amount:
            total[name] = amount


def host_ports(spec: Object) -> Iterable[tuple[str, str, int]]:
    """(hostIP, protocol, hostPort) of each port a pod takes on its node; of init containers only sidecars count."""
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in (*(spec.get("containers") or ()), *sidecars):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", port["hostPort"]
