"""What a node itself refuses, whatever the scheduler thought (pkg/kubelet/lifecycle/predicate.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minik8s.objects.frozen import Object
from minik8s.objects.quantity import milli, value
from minik8s.objects.selectors import node_selector_matches

if TYPE_CHECKING:
    from minik8s.kubelet.kubelet import Kubelet

Amounts = dict[str, int]


class Refusal(Exception):
    """The pod cannot run here; `reason` becomes the pod's status.reason."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


def admit(kubelet: Kubelet, pod: Object) -> None:
    """Refusal when the pod does not fit: node selector and affinity, resources, number of pods, host ports."""
    spec = pod["spec"]
    node = kubelet.informers("nodes").get("", kubelet.name)
    if node is not None and not _selected(spec, node):
        message = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
        raise Refusal("NodeAffinity", message)
    wanted, used, have = pod_requests(spec), kubelet.used(), kubelet.config.allocatable()
    if used.get("pods", 0) + 1 > value(have.get("pods", "110")):
        raise Refusal("OutOfpods", "Node didn't have enough resource: pods, requested: 1, "
                                   f"used: {used.get('pods', 0)}, capacity: {value(have.get('pods', '110'))}")
    for name in sorted(wanted):
        capacity = (milli if name == "cpu" else value)(have.get(name, "0"))
        if wanted[name] > 0 and used.get(name, 0) + wanted[name] > capacity:
            raise Refusal(f"OutOf{name}", f"Node didn't have enough resource: {name}, requested: {wanted[name]}, "
                                          f"used: {used.get(name, 0)}, capacity: {capacity}")
    _check_ports(kubelet, spec)


def pod_requests(spec: Object) -> Amounts:
    """Requests of a pod as the scheduler counts them: cpu in thousandths, the rest in units (KEP-753, KEP-2837)."""
    total: Amounts = {}
    sidecars: Amounts = {}
    highest: Amounts = {}
    for container in spec["containers"]:
        _add(total, _requests(container))
    for container in spec.get("initContainers") or ():
        own = _requests(container)
        if container.get("restartPolicy") == "Always":
            _add(sidecars, own)
            candidate = sidecars
        else:
            candidate = {k: own.get(k, 0) + sidecars.get(k, 0) for k in own | sidecars}
        for name, amount in candidate.items():
            highest[name] = max(highest.get(name, 0), amount)
    _add(total, sidecars)
    out = {name: max(total.get(name, 0), highest.get(name, 0)) for name in total | highest}
    for name, amount in ((spec.get("resources") or {}).get("requests") or {}).items():
        out[name] = (milli if name == "cpu" else value)(amount)
    for name, amount in (spec.get("overhead") or {}).items():
        out[name] = out.get(name, 0) + (milli if name == "cpu" else value)(amount)
    return out


def _requests(container: Object) -> Amounts:
    amounts = (container.get("resources") or {}).get("requests") or {}
    return {name: (milli if name == "cpu" else value)(amounts[name]) for name in amounts}


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _selected(spec: Object, node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(k) != v for k, v in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or node_selector_matches(required, node)


def _check_ports(kubelet: Kubelet, spec: Object) -> None:
    wanted = host_ports(spec)
    if not wanted:
        return
    for worker in kubelet.pods.values():
        if worker.uid in kubelet._used and wanted & host_ports(worker.pod["spec"]):
            message = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
            raise Refusal("NodePorts", message)


def host_ports(spec: Object) -> set[tuple[str, int]]:
    """(protocol, port) on the node that the pod takes."""
    return {(p.get("protocol") or "TCP", p["hostPort"])
            for c in spec["containers"] for p in c.get("ports") or () if p.get("hostPort")}
