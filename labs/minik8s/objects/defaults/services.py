"""What the registry keeps and drops in Services. Source: ``pkg/registry/core/service/{strategy,alloc}.go``.

Allotting addresses and ports is the API server's; this is what needs no allocator.
"""

from __future__ import annotations

from minik8s.objects.frozen import Object


def create(obj: Object, now: str | None) -> None:
    spec = obj["spec"]
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def update(new: Object, old: Object) -> None:
    """What the server allotted stays when the request leaves it open (``patchAllocatedValues``), ``clusterIP`` and
    ``clusterIPs`` follow each other (``normalizeClusterIPs``)."""
    if new["spec"] is old["spec"]:
        return
    spec, before = dict(new["spec"]), old["spec"]
    new["spec"] = spec
    with_ip = ("ClusterIP", "NodePort", "LoadBalancer")
    if spec.get("type") in with_ip and before.get("type") in with_ip:
        if not spec.get("clusterIP") and before.get("clusterIP"):
            spec["clusterIP"] = before["clusterIP"]
        if not spec.get("clusterIPs") and spec.get("clusterIP") == before.get("clusterIP") and before.get("clusterIPs"):
            spec["clusterIPs"] = before["clusterIPs"]
    _keep_node_ports(spec, before)
    _cluster_ips(spec, before)
    _drop_type_fields(spec, before)


def _keep_node_ports(spec: Object, before: Object) -> None:
    with_ports = ("NodePort", "LoadBalancer")
    if spec.get("type") not in with_ports or before.get("type") not in with_ports:
        return
    known = {(p.get("protocol"), p.get("port")): p.get("nodePort") for p in before.get("ports") or ()}
    taken = {p.get("nodePort") for p in spec.get("ports") or ()}
    ports = []
    for port in spec.get("ports") or ():
        number = known.get((port.get("protocol"), port.get("port")))
        free = not port.get("nodePort") and number and number not in taken
        ports.append({**port, "nodePort": number} if free else port)
    if ports:
        spec["ports"] = ports
    if (spec.get("externalTrafficPolicy") == before.get("externalTrafficPolicy") == "Local"
            and not spec.get("healthCheckNodePort") and before.get("healthCheckNodePort")):
        spec["healthCheckNodePort"] = before["healthCheckNodePort"]


def _cluster_ips(spec: Object, before: Object) -> None:
    now, was = spec.get("clusterIP", ""), before.get("clusterIP", "")
    ips, old_ips = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    if now == was:
        if now and not ips:
            spec["clusterIPs"] = [now]
    elif not now:
        if ips == old_ips:
            spec.pop("clusterIPs", None)
    elif not ips or ips == old_ips:
        spec["clusterIPs"] = [now]
    if not spec.get("clusterIP"):
        spec.pop("clusterIP", None)


def _drop_type_fields(spec: Object, before: Object) -> None:
    """Fields of the old type that a change of type leaves behind, when the request did not touch them."""
    kind, was = spec.get("type"), before.get("type")
    if kind == "ExternalName" and was != "ExternalName":
        for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
            if spec.get(key) == before.get(key):
                spec.pop(key, None)
    if was in ("NodePort", "LoadBalancer") and kind not in ("NodePort", "LoadBalancer"):
        old_ports = {(p.get("protocol"), p.get("port")): p.get("nodePort") for p in before.get("ports") or ()}
        spec["ports"] = [
            {k: v for k, v in port.items() if k != "nodePort"}
            if port.get("nodePort") == old_ports.get((port.get("protocol"), port.get("port"))) else port
            for port in spec.get("ports") or ()]
        if not spec.get("externalIPs") and spec.get("externalTrafficPolicy") == before.get("externalTrafficPolicy"):
            spec.pop("externalTrafficPolicy", None)
    same_check = spec.get("healthCheckNodePort") == before.get("healthCheckNodePort")
    if same_check and _checks_health(before) and not _checks_health(spec):
        spec.pop("healthCheckNodePort", None)
    if was == "LoadBalancer" and kind != "LoadBalancer":
        for key in ("allocateLoadBalancerNodePorts", "loadBalancerClass", "healthCheckNodePort"):
            if spec.get(key) == before.get(key):
                spec.pop(key, None)


def _checks_health(spec: Object) -> bool:
    """Whether a load balancer needs a port to ask which nodes have endpoints."""
    return bool(spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local")
