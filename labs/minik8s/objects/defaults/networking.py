"""Defaults of networking.k8s.io, discovery.k8s.io. Source: ``pkg/apis/networking/v1/defaults.go`` and siblings."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.objects.defaults.pods import default
from minik8s.objects.frozen import Object


def _network_policy(obj: Object) -> None:
    spec = obj["spec"]
    for rule in [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]:
        for port in rule.get("ports") or ():
            default(port, "protocol", "TCP")
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _ingress_class(obj: Object) -> None:
    parameters = obj["spec"].get("parameters")
    if parameters is not None and parameters.get("scope") is None:
        parameters["scope"] = "Cluster"


def _endpoint_slice(obj: Object) -> None:
    for port in obj.get("ports") or ():
        default(port, "name", "")
        default(port, "protocol", "TCP")


DEFAULTS: dict[tuple[str, str, str], Callable[[Object], None]] = {
    ("networking.k8s.io", "v1", "NetworkPolicy"): _network_policy,
    ("networking.k8s.io", "v1", "IngressClass"): _ingress_class,
    ("discovery.k8s.io", "v1", "EndpointSlice"): _endpoint_slice}
