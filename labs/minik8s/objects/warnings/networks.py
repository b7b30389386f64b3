"""Warnings about services, slices, ingresses and policies. Source: ``pkg/api/service/warnings.go``, strategies."""

from __future__ import annotations

from minik8s.objects.frozen import Object
from minik8s.objects.warnings.addresses import of_cidr, of_ip

_HINTS, _MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
_CLASS = "kubernetes.io/ingress.class"
_CONTROLLERS = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")


def _service(obj: Object) -> list[str]:
    spec, notes = obj["spec"], []
    kind, external = spec.get("type"), spec.get("externalIPs") or ()
    headless = kind == "ClusterIP" and spec.get("clusterIP") == "None"
    if _HINTS in (obj["metadata"].get("annotations") or {}):
        notes.append(f"annotation {_HINTS} is deprecated, please use {_MODE} instead")
    for i, ip in enumerate(spec.get("clusterIPs") or ()):
        notes += of_ip(ip, f"spec.clusterIPs[{i}]")
    if headless:
        ignored = (("loadBalancerIP", spec.get("loadBalancerIP")), ("externalIPs", external),
                   ("SessionAffinity", spec.get("sessionAffinity") != "None"))
        notes += [f"spec.{name} is ignored for headless services" for name, there in ignored if there]
    for i, ip in enumerate(external):
        notes += of_ip(ip, f"spec.externalIPs[{i}]")
    if external and not headless and kind != "ExternalName":
        notes.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
    notes += of_ip(spec.get("loadBalancerIP") or "", "spec.loadBalancerIP")
    for i, cidr in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        notes += of_cidr(cidr, f"spec.loadBalancerSourceRanges[{i}]")
    if kind == "ExternalName" and external:
        notes.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    if kind != "ExternalName" and spec.get("externalName"):
        notes.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.get("trafficDistribution") == "PreferClose":
        notes.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return notes


def _balancer(obj: Object) -> list[str]:
    ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [note for i, point in enumerate(ingress)
            for note in of_ip(point.get("ip") or "", f"status.loadBalancer.ingress[{i}]")]


def _ingress(obj: Object) -> list[str]:
    spec, annotations = obj.get("spec") or {}, obj["metadata"].get("annotations") or {}
    if _CLASS not in annotations or spec.get("ingressClassName") is not None:
        return []
    return [f"annotation \"{_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"]


def _policy(obj: Object) -> list[str]:
    notes: list[str] = []
    for way, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate((obj.get("spec") or {}).get(way) or ()):
            for j, peer in enumerate(rule.get(peers) or ()):
                block, path = peer.get("ipBlock") or {}, f"spec.{way}[{i}].{peers}[{j}].ipBlock"
                notes += of_cidr(block.get("cidr") or "", f"{path}.cidr")
                for k, cidr in enumerate(block.get("except") or ()):
                    notes += of_cidr(cidr, f"{path}.except[{k}]")
    return notes


def _slice(obj: Object) -> list[str]:
    labels = obj["metadata"].get("labels") or {}
    if labels.get("endpointslice.kubernetes.io/managed-by") in _CONTROLLERS:
        return []
    return [note for i, endpoint in enumerate(obj.get("endpoints") or ())
            for j, ip in enumerate(endpoint.get("addresses") or ())
            for note in of_ip(ip, f"endpoints[{i}].addresses[{j}]")]


def _new_slice(obj: Object) -> list[str]:
    old = ["spec.addressType: FQDN endpoints are deprecated"] if obj.get("addressType") == "FQDN" else []
    return [*old, *_slice(obj)]


def _endpoints(obj: Object) -> list[str]:
    return [note for i, subset in enumerate(obj.get("subsets") or ()) for key in ("addresses", "notReadyAddresses")
            for j, address in enumerate(subset.get(key) or ())
            for note in of_ip(address.get("ip") or "", f"subsets[{i}].{key}[{j}].ip")]


def _pod_addresses(obj: Object) -> list[str]:
    status = obj.get("status") or {}
    return [note for key in ("podIPs", "hostIPs") for i, item in enumerate(status.get(key) or ())
            for note in of_ip(item.get("ip") or "", f"status.{key}[{i}].ip")]


CREATE = {
    ("", "Service"): _service,
    ("", "Endpoints"): _endpoints,
    ("discovery.k8s.io", "EndpointSlice"): _new_slice,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("networking.k8s.io", "NetworkPolicy"): _policy,
}
UPDATE = {
    ("", "Service"): lambda new, _: _service(new),
    ("", "Endpoints"): lambda new, _: _endpoints(new),
    ("discovery.k8s.io", "EndpointSlice"): lambda new, _: _slice(new),
    ("networking.k8s.io", "NetworkPolicy"): lambda new, _: _policy(new),
}
STATUS = {
    ("", "Pod"): _pod_addresses,
    ("", "Service"): _balancer,
    ("networking.k8s.io", "Ingress"): _balancer,
}
