"""Services and Endpoints. Source: ``pkg/apis/core/validation/validation.go``."""

from __future__ import annotations

from typing import Any

from minik8s.objects.frozen import Object
from minik8s.objects.validation import meta, names
from minik8s.objects.validation.containers import PROTOCOLS, port_number_or_name, protocol
from minik8s.objects.validation.field import (
    Errors,
    GoValue,
    duplicate,
    forbidden,
    invalid,
    messages_invalid,
    not_supported,
    required,
)
from minik8s.objects.validation.ips import non_special_ip, parse_ip, valid_cidr, valid_ip

__all__ = ["PROTOCOLS", "create", "endpoints_create", "endpoints_update", "status_update", "update"]

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_AFFINITY = ("ClientIP", "None")
_POLICIES = ("Cluster", "Local")
_FAMILIES = ("IPv4", "IPv6")
_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_DISTRIBUTION = ("PreferClose", "PreferSameNode", "PreferSameZone")
_SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_HEADLESS_MESSAGE = "may not be set to 'None' for {} services"


def is_headless(spec: Object) -> bool:
    return spec.get("clusterIPs") == ["None"]


def externally_accessible(spec: Object) -> bool:
    kind = spec.get("type")
    return kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def needs_health_check(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def create(errors: Errors, service: Object) -> None:
    # Relaxed names: since 1.36 a Service may be called by any DNS label.
    meta.object_meta(errors, service["metadata"], True, names.name_is_label)
    spec = service["spec"]
    kind, ports = spec.get("type", ""), spec.get("ports") or []
    if not ports and not is_headless(spec) and kind != "ExternalName":
        errors.append(required("spec.ports"))
    if kind in ("LoadBalancer", "NodePort") and is_headless(spec):
        errors.append(invalid("spec.clusterIPs[0]", "None", _HEADLESS_MESSAGE.format(kind)))
    if kind == "ExternalName":
        _external_name(errors, spec)
    seen: set[str] = set()
    for i, port in enumerate(ports):
        _port(errors, port, len(ports) > 1, seen, f"spec.ports[{i}]")
    meta.labels(errors, spec.get("selector"), "spec.selector")
    _session_affinity(errors, spec)
    if kind != "ExternalName":
        _cluster_ips(errors, spec)
    for i, ip in enumerate(spec.get("externalIPs") or ()):
        if valid_ip(errors, ip, f"spec.externalIPs[{i}]", legacy=True):
            non_special_ip(errors, ip, f"spec.externalIPs[{i}]")
    if kind not in TYPES:
        errors.append(not_supported("spec.type", kind, TYPES) if kind else required("spec.type"))
    _ports_together(errors, ports, kind)
    _source_ranges(errors, service)
    _load_balancer(errors, spec, None)
    _traffic(errors, spec)


def _external_name(errors: Errors, spec: Object) -> None:
    for key in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(key):
            errors.append(forbidden(f"spec.{key}", "may not be set for ExternalName services"))
    name = spec.get("externalName", "").removesuffix(".")
    if name:
        messages_invalid(errors, "spec.externalName", name, names.dns1123_subdomain(name))
    else:
        errors.append(required("spec.externalName"))


def _port(errors: Errors, port: Object, named: bool, seen: set[str], path: str) -> None:
    name = port.get("name", "")
    if named and not name:
        errors.append(required(f"{path}.name"))
    elif name:
        messages_invalid(errors, f"{path}.name", name, names.dns1123_label(name))
        if name in seen:
            errors.append(duplicate(f"{path}.name", name))
        seen.add(name)
    number = port.get("port", 0)
    messages_invalid(errors, f"{path}.port", number, names.port_number(number))
    protocol(errors, port, path)
    port_number_or_name(errors, port.get("targetPort", 0), f"{path}.targetPort")
    app = port.get("appProtocol")
    if app is not None:
        messages_invalid(errors, f"{path}.appProtocol", app, names.qualified_name(app))


def _session_affinity(errors: Errors, spec: Object) -> None:
    value, config = spec.get("sessionAffinity", ""), spec.get("sessionAffinityConfig")
    if value not in _AFFINITY:
        errors.append(not_supported("spec.sessionAffinity", value, _AFFINITY) if value
                      else required("spec.sessionAffinity"))
    if value == "ClientIP":
        path, detail = "spec.sessionAffinityConfig", "when session affinity type is ClientIP"
        for key in ("clientIP", "timeoutSeconds"):
            config = (config or {}).get(key) if config is not None else None
            path = f"{path}.{key}"
            if config is None:
                errors.append(required(path, detail))
                return
        if not isinstance(config, int) or not 0 < config <= 86400:
            errors.append(invalid(path, config, "must be greater than 0 and less than 86400"))
    elif value == "None" and config is not None:
        errors.append(forbidden("spec.sessionAffinityConfig", "must not be set when session affinity is None"))


def _cluster_ips(errors: Errors, spec: Object) -> None:
    first, ips, families = spec.get("clusterIP", ""), spec.get("clusterIPs") or [], spec.get("ipFamilies") or []
    path = "spec.clusterIPs"
    if first:
        if not ips:
            errors.append(required(path))
        elif ips[0] != first:
            errors.append(invalid(path, ips, "first value must match `clusterIP`"))
    elif ips:
        errors.append(invalid(path, ips, "must be empty when `clusterIP` is not specified"))
    for i, family in enumerate(families):
        if family not in _FAMILIES:
            errors.append(not_supported(f"spec.ipFamilies[{i}]", family, _FAMILIES))
        if family in families[:i]:
            errors.append(duplicate(f"spec.ipFamilies[{i}]", family))
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in _FAMILY_POLICIES:
        errors.append(not_supported("spec.ipFamilyPolicy", policy, _FAMILY_POLICIES))
    before = len(errors)
    for i, ip in enumerate(ips):
        if i == 0 and ip == "None":
            if len(ips) > 1:
                errors.append(invalid(path, ips, "'None' must be the first and only value"))
            continue
        valid_ip(errors, ip, f"{path}[{i}]", legacy=True)
    bad = len(errors) > before
    if len(ips) > 2:
        errors.append(invalid(path, ips, "may only hold up to 2 values"))
    if not bad:
        _families(errors, spec, ips, families)


def _families(errors: Errors, spec: Object, ips: list[str], families: list[str]) -> None:
    if len(ips) == 2 and _is_v6(ips[0]) == _is_v6(ips[1]):
        errors.append(invalid("spec.clusterIPs", ips, "may specify no more than one IP for each IP family"))
    if is_headless(spec):
        return
    for i, (ip, family) in enumerate(zip(ips, families, strict=False)):
        if (family == "IPv6") != _is_v6(ip) and family in _FAMILIES:
            errors.append(invalid(f"spec.clusterIPs[{i}]", ip,
                                  f"expected an {family} value as indicated by `ipFamilies[{i}]`"))


def _is_v6(text: str) -> bool:
    ip = parse_ip(text)
    return ip is not None and ip.version == 6


def _ports_together(errors: Errors, ports: list[Object], kind: str) -> None:
    if kind == "ClusterIP":
        for i, port in enumerate(ports):
            if port.get("nodePort"):
                errors.append(forbidden(f"spec.ports[{i}].nodePort", "may not be used when `type` is 'ClusterIP'"))
    seen: set[tuple[Any, Any]] = set()
    for i, port in enumerate(ports):
        if port.get("nodePort"):
            key = (port.get("protocol"), port["nodePort"])
            if key in seen:
                errors.append(duplicate(f"spec.ports[{i}].nodePort", port["nodePort"]))
            seen.add(key)
    seen = set()
    for i, port in enumerate(ports):
        key = (port.get("protocol", ""), port.get("port", 0))
        if key in seen:
            shown = {"protocol": key[0], "port": key[1]}
            errors.append(duplicate(f"spec.ports[{i}]", GoValue(shown, "core.v1.ServicePort")))
        seen.add(key)


def _source_ranges(errors: Errors, service: Object) -> None:
    spec, message = service["spec"], "may only be used when `type` is 'LoadBalancer'"
    ranges = spec.get("loadBalancerSourceRanges")
    if ranges:
        if spec.get("type") != "LoadBalancer":
            errors.append(forbidden("spec.LoadBalancerSourceRanges", message))
        for i, text in enumerate(ranges):
            valid_cidr(errors, text.strip(), f"spec.LoadBalancerSourceRanges[{i}]", legacy=True)
        return
    text = (service["metadata"].get("annotations") or {}).get(_SOURCE_RANGES)
    if text is not None:
        path = f"metadata.annotations[{_SOURCE_RANGES}]"
        if spec.get("type") != "LoadBalancer":
            errors.append(forbidden(path, message))
        for part in text.strip().split(",") if text.strip() else ():
            valid_cidr(errors, part.strip(), path, legacy=True)


def _load_balancer(errors: Errors, spec: Object, old: Object | None) -> None:
    is_balancer, name = spec.get("type") == "LoadBalancer", spec.get("loadBalancerClass")
    if old is None:
        if spec.get("allocateLoadBalancerNodePorts") is not None and not is_balancer:
            errors.append(forbidden("spec.allocateLoadBalancerNodePorts",
                                    "may only be used when `type` is 'LoadBalancer'"))
        if is_balancer and spec.get("allocateLoadBalancerNodePorts") is None:
            errors.append(required("allocateLoadBalancerNodePorts"))
    elif is_balancer and old.get("type") == "LoadBalancer" and name != old.get("loadBalancerClass"):
        errors.append(invalid("spec.loadBalancerClass", name, "may not change once set"))
    if name is None:
        return
    if is_balancer:
        messages_invalid(errors, "spec.loadBalancerClass", name, names.qualified_name(name))
    else:
        errors.append(forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'"))


def _traffic(errors: Errors, spec: Object) -> None:
    policy, port = spec.get("externalTrafficPolicy", ""), spec.get("healthCheckNodePort", 0)
    path = "spec.externalTrafficPolicy"
    if not externally_accessible(spec):
        if policy:
            errors.append(invalid(path, policy, "may only be set for externally-accessible services"))
    elif policy not in _POLICIES:
        errors.append(not_supported(path, policy, _POLICIES) if policy else required(path))
    path = "spec.healthCheckNodePort"
    if not needs_health_check(spec):
        if port:
            errors.append(invalid(path, port, "may only be set when `type` is 'LoadBalancer' and "
                                  "`externalTrafficPolicy` is 'Local'"))
    elif not port:
        errors.append(required(path))
    else:
        messages_invalid(errors, path, port, names.port_number(port))
    internal = spec.get("internalTrafficPolicy")
    if internal is None:
        if spec.get("type") in ("NodePort", "LoadBalancer", "ClusterIP"):
            errors.append(required("spec.internalTrafficPolicy"))
    elif internal not in _POLICIES:
        errors.append(not_supported("spec.internalTrafficPolicy", internal, _POLICIES))
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTION:
        errors.append(not_supported("spec.trafficDistribution", distribution, _DISTRIBUTION))


def update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    spec, before = new["spec"], old["spec"]
    if spec is not before:
        if "ExternalName" not in (spec.get("type"), before.get("type")):
            _cluster_ips_update(errors, spec, before)
            _families_update(errors, spec, before)
        _load_balancer(errors, spec, before)
        if (needs_health_check(before) and needs_health_check(spec)
                and spec.get("healthCheckNodePort") != before.get("healthCheckNodePort")):
            errors.append(forbidden("spec.healthCheckNodePort", "field is immutable"))
    create(errors, new)


def _cluster_ips_update(errors: Errors, spec: Object, before: Object) -> None:
    ips, old, path = spec.get("clusterIPs") or [], before.get("clusterIPs") or [], "spec.clusterIPs"
    if is_headless(spec) and is_headless(before):
        return
    if len(ips) == len(old):
        for i, ip in enumerate(old):
            if ip != ips[i]:
                errors.append(invalid(f"{path}[{i}]", ips, "may not change once set"))
        return
    if not ips:
        errors.append(invalid(f"{path}[0]", None, "primary clusterIP can not be unset"))
    if old and ips and ips[0] != old[0]:
        errors.append(invalid(f"{path}[0]", ips, "may not change once set"))
    if len(old) > len(ips) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        errors.append(invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"),
                              "must be set to 'SingleStack' when releasing the secondary clusterIP"))


def _families_update(errors: Errors, spec: Object, before: Object) -> None:
    now, old, path = spec.get("ipFamilies") or [], before.get("ipFamilies") or [], "spec.ipFamilies[0]"
    if is_headless(spec) or is_headless(before):
        return
    if len(now) == len(old):
        for a, b in zip(old, now, strict=True):
            if a != b:
                errors.append(invalid(path, now, "may not change once set"))
        return
    if now and old and now[0] != old[0]:
        errors.append(invalid(path, spec.get("clusterIPs"), "may not change once set"))
    if len(old) > len(now) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        errors.append(invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"),
                              "must be set to 'SingleStack' when releasing the secondary ipFamily"))


def status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    load_balancer_status(errors, (new["status"].get("loadBalancer") or {}).get("ingress"), new["spec"])


def load_balancer_status(errors: Errors, ingress: list[Object] | None, spec: Object | None) -> None:
    path = "status.loadBalancer.ingress"
    if spec is not None and spec.get("type") != "LoadBalancer" and ingress:
        errors.append(forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'"))
        return
    for i, entry in enumerate(ingress or ()):
        ip, mode, host = entry.get("ip"), entry.get("ipMode"), entry.get("hostname")
        if ip:
            valid_ip(errors, ip, f"{path}[{i}].ip", legacy=True)
        if spec is not None:
            if mode is None and ip:
                errors.append(required(f"{path}[{i}].ipMode", "must be specified when `ip` is set"))
            elif mode is not None and not ip:
                errors.append(forbidden(f"{path}[{i}].ipMode", "may not be specified when `ip` is not set"))
            elif mode is not None and mode not in ("Proxy", "VIP"):
                errors.append(not_supported(f"{path}[{i}].ipMode", mode, ("Proxy", "VIP")))
        if host:
            messages_invalid(errors, f"{path}[{i}].hostname", host, names.dns1123_subdomain(host))
            if parse_ip(host) is not None:
                errors.append(invalid(f"{path}[{i}].hostname", host, "must be a DNS name, not an IP address"))


def endpoints_create(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    for i, subset in enumerate(obj.get("subsets") or ()):
        at = f"subsets[{i}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            errors.append(required(at, "must specify `addresses` or `notReadyAddresses`"))
        for key in ("addresses", "notReadyAddresses"):
            for j, address in enumerate(subset.get(key) or ()):
                _endpoint_address(errors, address, f"{at}.{key}[{j}]")
        ports = subset.get("ports") or ()
        for j, port in enumerate(ports):
            _endpoint_port(errors, port, len(ports) > 1, f"{at}.ports[{j}]")


def _endpoint_address(errors: Errors, address: Object, path: str) -> None:
    ip = address.get("ip", "")
    if valid_ip(errors, ip, f"{path}.ip", legacy=True):
        non_special_ip(errors, ip, f"{path}.ip")
    if address.get("hostname"):
        messages_invalid(errors, f"{path}.hostname", address["hostname"], names.dns1123_label(address["hostname"]))
    if address.get("nodeName") is not None:
        messages_invalid(errors, f"{path}.nodeName", address["nodeName"],
                         names.name_is_subdomain(address["nodeName"], False))


def _endpoint_port(errors: Errors, port: Object, named: bool, path: str) -> None:
    name = port.get("name", "")
    if named and not name:
        errors.append(required(f"{path}.name"))
    elif name:
        messages_invalid(errors, f"{path}.name", name, names.dns1123_label(name))
    number = port.get("port", 0)
    messages_invalid(errors, f"{path}.port", number, names.port_number(number))
    protocol(errors, port, path)
    if port.get("appProtocol") is not None:
        messages_invalid(errors, f"{path}.appProtocol", port["appProtocol"], names.qualified_name(port["appProtocol"]))


def endpoints_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    endpoints_create(errors, new)
