"""Rows of services, endpoints, ingresses, network policies, and address kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minik8s.apiserver.tables.format import NONE, age, labels_text, limited, selector_text
from minik8s.objects import Object


def service(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    return [
        obj["metadata"]["name"],
        spec.get("type", ""),
        spec.get("clusterIP") or NONE,
        _external(spec, obj.get("status") or {}),
        ",".join(_port(port) for port in spec.get("ports") or ()) or NONE,
        age(obj, now),
        labels_text(spec.get("selector")),
    ]


def _port(port: Mapping[str, Any]) -> str:
    outside = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{outside}/{port.get('protocol', 'TCP')}"


def _external(spec: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    kind, addresses = spec.get("type"), spec.get("externalIPs") or []
    if kind in ("ClusterIP", "NodePort"):
        return ",".join(addresses) or NONE
    if kind == "LoadBalancer":
        return ",".join([*_balancer(status), *addresses]) or "<pending>"
    return spec.get("externalName", "") if kind == "ExternalName" else "<unknown>"


def _balancer(status: Mapping[str, Any]) -> list[str]:
    """The addresses of `status.loadBalancer`, sorted."""
    entries = (status.get("loadBalancer") or {}).get("ingress") or ()
    return sorted({entry.get("ip") or entry.get("hostname") or "" for entry in entries} - {""})


def endpoints(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"]["name"], _endpoints(obj.get("subsets") or []), age(obj, now)]


def _endpoints(subsets: list[Any]) -> str:
    found: list[str] = []
    for subset in subsets:
        ips = [address["ip"] for address in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        found += [_join(ip, port["port"]) for port in ports for ip in ips] if ports else ips
    return limited(found, empty="") if subsets else NONE


def _join(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def endpoint_slice(obj: Object, now: float) -> list[Any]:
    ports = [str(port.get("port") or port.get("name") or "*") for port in obj.get("ports") or ()]
    addresses = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return [obj["metadata"]["name"], obj.get("addressType", ""), limited(ports), limited(addresses), age(obj, now)]


def ingress(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    name = spec.get("ingressClassName")
    return [
        obj["metadata"]["name"],
        NONE if name is None else name,
        _hosts(spec.get("rules") or []),
        ",".join(_balancer(obj.get("status") or {})),
        "80, 443" if spec.get("tls") else "80",
        age(obj, now),
    ]


def _hosts(rules: list[Any]) -> str:
    hosts: list[str] = []
    more = False
    for rule in rules:
        more = more or len(hosts) == 3
        if rule.get("host") and not more:
            hosts.append(rule["host"])
    if not hosts:
        return "*"
    return f"{','.join(hosts)} + {len(rules) - 3} more..." if more else ",".join(hosts)


def ingress_class(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    return [obj["metadata"]["name"], spec.get("controller", ""), _parameters(spec.get("parameters")), age(obj, now)]


def _parameters(reference: Mapping[str, Any] | None) -> str:
    if not reference:
        return NONE
    group = f".{reference['apiGroup']}" if reference.get("apiGroup") else ""
    return f"{reference['kind']}{group}/{reference['name']}"


def network_policy(obj: Object, now: float) -> list[Any]:
    selector = (obj.get("spec") or {}).get("podSelector")
    return [obj["metadata"]["name"], selector_text(selector) or NONE, age(obj, now)]


def service_cidr(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"]["name"], ",".join((obj.get("spec") or {}).get("cidrs") or ()), age(obj, now)]


def ip_address(obj: Object, now: float) -> list[Any]:
    reference = (obj.get("spec") or {}).get("parentRef")
    parent = NONE
    if reference:
        group = f".{reference['group']}" if reference.get("group") else ""
        space = f"/{reference['namespace']}" if reference.get("namespace") else ""
        parent = f"{reference['resource']}{group}".lower() + f"{space}/{reference['name']}"
    return [obj["metadata"]["name"], parent, age(obj, now)]


ROWS: dict[str, Callable[[Object, float], list[Any]]] = {
    "services": service,
    "endpoints": endpoints,
    "endpointslices.discovery.k8s.io": endpoint_slice,
    "ingresses.networking.k8s.io": ingress,
    "ingressclasses.networking.k8s.io": ingress_class,
    "networkpolicies.networking.k8s.io": network_policy,
    "servicecidrs.networking.k8s.io": service_cidr,
    "ipaddresses.networking.k8s.io": ip_address,
}
