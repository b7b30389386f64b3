"""networking.k8s.io and discovery.k8s.io. Source: ``pkg/apis/{networking,discovery}/validation/validation.go``."""

from __future__ import annotations

import re
from ipaddress import ip_network

from minik8s.objects.frozen import Object
from minik8s.objects.validation import meta, names
from minik8s.objects.validation.containers import PROTOCOLS
from minik8s.objects.validation.field import (
    Errors,
    duplicate,
    forbidden,
    invalid,
    messages_invalid,
    not_supported,
    required,
    too_long,
    too_many,
)
from minik8s.objects.validation.ips import non_special_ip, parse_ip, valid_cidr, valid_ip
from minik8s.objects.validation.rules import Rules, plain
from minik8s.objects.validation.services import load_balancer_status

NET, DISCOVERY = "networking.k8s.io", "discovery.k8s.io"


# -- NetworkPolicy --
def _policy_port(errors: Errors, port: Object, path: str) -> None:
    protocol = port.get("protocol")
    if protocol is not None and protocol not in PROTOCOLS:
        errors.append(not_supported(f"{path}.protocol", protocol, ("TCP", "UDP", "SCTP")))
    number, end = port.get("port"), port.get("endPort")
    if isinstance(number, int):
        messages_invalid(errors, f"{path}.port", number, names.port_number(number))
        if end is not None:
            if end < number:
                errors.append(invalid(f"{path}.endPort", end, "must be greater than or equal to `port`"))
            messages_invalid(errors, f"{path}.endPort", end, names.port_number(end))
        return
    if end is not None:
        what = "non-numeric" if number is not None else "not specified"
        errors.append(invalid(f"{path}.endPort", end, f"may not be specified when `port` is {what}"))
    if number is not None:
        messages_invalid(errors, f"{path}.port", number, names.port_name(number))


def _peer(errors: Errors, peer: Object, path: str) -> None:
    for key in ("podSelector", "namespaceSelector"):
        meta.label_selector(errors, peer.get(key), f"{path}.{key}")
    block = peer.get("ipBlock")
    if block is not None:
        _ip_block(errors, block, f"{path}.ipBlock")
    if not peer:
        errors.append(required(path, "must specify a peer"))
    elif block is not None and len(peer) > 1:
        errors.append(forbidden(path, "may not specify both ipBlock and another peer"))


def _ip_block(errors: Errors, block: Object, path: str) -> None:
    cidr = block.get("cidr", "")
    if not cidr:
        errors.append(required(f"{path}.cidr"))
        return
    if not valid_cidr(errors, cidr, f"{path}.cidr", legacy=True):
        return
    outer = ip_network(cidr, strict=False)
    for i, text in enumerate(block.get("except") or ()):
        if not valid_cidr(errors, text, f"{path}.except[{i}]", legacy=True):
            continue
        inner = ip_network(text, strict=False)
        if inner.version != outer.version or inner.prefixlen <= outer.prefixlen or inner[0] not in outer:
            errors.append(invalid(f"{path}.except[{i}]", text, "must be a strict subset of `cidr`"))


def _policy_spec(errors: Errors, spec: Object) -> None:
    meta.label_selector(errors, spec.get("podSelector"), "spec.podSelector")
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(spec.get(direction) or ()):
            at = f"spec.{direction}[{i}]"
            for j, port in enumerate(rule.get("ports") or ()):
                _policy_port(errors, port, f"{at}.ports[{j}]")
            for j, peer in enumerate(rule.get(peers) or ()):
                _peer(errors, peer, f"{at}.{peers}[{j}]")
    types = spec.get("policyTypes") or []
    if len(types) > 2:
        errors.append(invalid("spec.policyTypes", types, "may not specify more than two policyTypes"))
        return
    for i, kind in enumerate(types):
        if kind not in ("Ingress", "Egress"):
            errors.append(not_supported(f"spec.policyTypes[{i}]", kind, ("Ingress", "Egress")))


def network_policy(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _policy_spec(errors, obj["spec"])


def network_policy_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    _policy_spec(errors, new["spec"])


# -- Ingress, IngressClass --
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_BAD_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def ingress(errors: Errors, obj: Object) -> None:
    _ingress(errors, obj)
    annotation = (obj["metadata"].get("annotations") or {}).get(_CLASS_ANNOTATION)
    name = obj["spec"].get("ingressClassName")
    if annotation is not None and name is not None and annotation != name:
        errors.append(invalid(f"annotations.{_CLASS_ANNOTATION}", annotation,
                              "must match `ingressClassName` when both are specified"))


def _ingress(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    spec = obj["spec"]
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        errors.append(invalid("spec", spec.get("rules"), "either `defaultBackend` or `rules` must be specified"))
    if spec.get("defaultBackend") is not None:
        _backend(errors, spec["defaultBackend"], "spec.defaultBackend")
    for i, rule in enumerate(spec.get("rules") or ()):
        _host(errors, rule.get("host", ""), f"spec.rules[{i}].host")
        if rule.get("http") is not None:
            _paths(errors, rule["http"].get("paths"), f"spec.rules[{i}].http.paths")
    for i, tls in enumerate(spec.get("tls") or ()):
        for j, host in enumerate(tls.get("hosts") or ()):
            check = names.wildcard_dns1123_subdomain if "*" in host else names.dns1123_subdomain
            messages_invalid(errors, f"spec.tls[{i}].hosts[{j}]", host, check(host))
        if secret := tls.get("secretName"):
            messages_invalid(errors, f"spec.tls[{i}].secretName", secret, names.name_is_subdomain(secret, False))
    name = spec.get("ingressClassName")
    if name is not None:
        messages_invalid(errors, "spec.ingressClassName", name, names.name_is_subdomain(name, False))


def _host(errors: Errors, host: str, path: str) -> None:
    if not host:
        return
    if parse_ip(host) is not None:
        errors.append(invalid(path, host, "must be a DNS name, not an IP address"))
    check = names.wildcard_dns1123_subdomain if "*" in host else names.dns1123_subdomain
    messages_invalid(errors, path, host, check(host))


def _paths(errors: Errors, paths: list[Object] | None, at: str) -> None:
    if not paths:
        errors.append(required(at))
    for i, item in enumerate(paths or ()):
        kind, path = item.get("pathType"), item.get("path", "")
        if kind is None:
            errors.append(required(f"{at}[{i}].pathType", "pathType must be specified"))
            continue
        if kind not in _PATH_TYPES:
            errors.append(not_supported(f"{at}[{i}].pathType", kind, _PATH_TYPES))
        elif not path.startswith("/") and (path or kind != "ImplementationSpecific"):
            errors.append(invalid(f"{at}[{i}].path", path, "must be an absolute path"))
        if kind in ("Exact", "Prefix"):
            errors += [invalid(f"{at}[{i}].path", path, f"must not contain '{s}'") for s in _BAD_SEQUENCES if s in path]
            errors += [invalid(f"{at}[{i}].path", path, f"cannot end with '{s}'") for s in ("/..", "/.")
                       if path.endswith(s)]
        _backend(errors, item.get("backend") or {}, f"{at}[{i}].backend")


def _backend(errors: Errors, backend: Object, path: str) -> None:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        errors.append(invalid(path, "", "cannot set both resource and service backends"))
    elif resource is not None:
        _object_reference(errors, resource, f"{path}.resource")
    elif service is not None:
        _service_backend(errors, service, path)
    else:
        errors.append(invalid(path, "", "resource or service backend is required"))


def _service_backend(errors: Errors, service: Object, path: str) -> None:
    name = service.get("name", "")
    if not name:
        errors.append(required(f"{path}.service.name"))
    else:
        messages_invalid(errors, f"{path}.service.name", name, names.name_is_label(name, False))
    port = service.get("port") or {}
    port_name, number = port.get("name", ""), port.get("number", 0)
    if port_name and number:
        errors.append(invalid(path, "", "cannot set both port name & port number"))
    elif port_name:
        messages_invalid(errors, f"{path}.service.port.name", port_name, names.port_name(port_name))
    elif number:
        messages_invalid(errors, f"{path}.service.port.number", number, names.port_number(number))
    else:
        errors.append(required(path, "port name or number is required"))


def _object_reference(errors: Errors, ref: Object, path: str) -> None:
    if ref.get("apiGroup") is not None:
        messages_invalid(errors, f"{path}.apiGroup", ref["apiGroup"], names.dns1123_subdomain(ref["apiGroup"]))
    for key in ("kind", "name"):
        if not ref.get(key):
            errors.append(required(f"{path}.{key}"))
        else:
            messages_invalid(errors, f"{path}.{key}", ref[key], names.path_segment_name(ref[key], False))


def ingress_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    _ingress(errors, new)


def ingress_status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    load_balancer_status(errors, (new["status"].get("loadBalancer") or {}).get("ingress"), None)


def ingress_class(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    controller = obj["spec"].get("controller", "")
    if not controller:
        errors.append(required("spec.controller"))
    else:
        if len(controller) > 250:
            errors.append(too_long("spec.controller", 250))
        _domain_path(errors, controller, "spec.controller")
    parameters = obj["spec"].get("parameters")
    if parameters is not None:
        _parameters(errors, parameters, "spec.parameters")


_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"


def _domain_path(errors: Errors, value: str, path: str) -> None:
    host, _, rest = value.partition("/")
    if not host or not rest:
        errors.append(invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'))
        return
    messages_invalid(errors, path, host, names.dns1123_subdomain(host))
    if not re.fullmatch(_HTTP_PATH, rest):
        errors.append(invalid(path, rest, names.regex_error("Invalid path", _HTTP_PATH)))


def _parameters(errors: Errors, parameters: Object, path: str) -> None:
    _object_reference(errors, parameters, path)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope is None:
        errors.append(required(f"{path}.scope"))
    elif scope not in ("Cluster", "Namespace"):
        errors.append(not_supported(f"{path}.scope", scope, ("Cluster", "Namespace")))
    elif scope == "Namespace":
        if namespace is None:
            errors.append(required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'"))
        else:
            messages_invalid(errors, f"{path}.namespace", namespace, names.name_is_label(namespace, False))
    elif namespace is not None:
        errors.append(forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'"))


def ingress_class_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    meta.immutable(errors, new["spec"].get("controller", ""), old["spec"].get("controller", ""), "spec.controller")
    ingress_class(errors, new)


# -- EndpointSlice --
def _slice(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    kind = obj.get("addressType", "")
    if not kind:
        errors.append(required("addressType"))
    elif kind not in ("FQDN", "IPv4", "IPv6"):
        errors.append(not_supported("addressType", kind, ("FQDN", "IPv4", "IPv6")))
    endpoints = obj.get("endpoints") or []
    if len(endpoints) > 1000:
        errors.append(too_many("endpoints", len(endpoints), 1000))
    else:
        for i, endpoint in enumerate(endpoints):
            _endpoint(errors, endpoint, kind, f"endpoints[{i}]")
    ports = obj.get("ports") or []
    if len(ports) > 20000:
        errors.append(too_many("ports", len(ports), 20000))
    seen = set()
    for i, port in enumerate(ports):
        name, protocol = port.get("name") or "", port.get("protocol")
        if name:
            messages_invalid(errors, f"ports[{i}].name", name, names.dns1123_label(name))
        if name in seen:
            errors.append(duplicate(f"ports[{i}].name", name))
        seen.add(name)
        if protocol is None:
            errors.append(required(f"ports[{i}].protocol"))
        elif protocol not in PROTOCOLS:
            errors.append(not_supported(f"ports[{i}].protocol", protocol, PROTOCOLS))
        if port.get("appProtocol") is not None:
            messages_invalid(errors, f"ports[{i}].appProtocol", port["appProtocol"],
                             names.qualified_name(port["appProtocol"]))


def _endpoint(errors: Errors, endpoint: Object, kind: str, path: str) -> None:
    addresses = endpoint.get("addresses") or []
    if not addresses:
        errors.append(required(f"{path}.addresses", "must contain at least 1 address"))
    elif len(addresses) > 100:
        errors.append(too_many(f"{path}.addresses", len(addresses), 100))
    for i, address in enumerate(addresses):
        at = f"{path}.addresses[{i}]"
        if kind == "FQDN":
            messages_invalid(errors, at, address, names.dns1123_subdomain(address))
        elif kind in ("IPv4", "IPv6") and valid_ip(errors, address, at, legacy=True):
            version = 6 if ":" in address else 4
            if f"IPv{version}" != kind:
                errors.append(invalid(at, address, f"must be an {kind} address"))
            non_special_ip(errors, address, at)
    if endpoint.get("nodeName") is not None:
        messages_invalid(errors, f"{path}.nodeName", endpoint["nodeName"],
                         names.name_is_subdomain(endpoint["nodeName"], False))
    topology = endpoint.get("deprecatedTopology")
    if topology:
        if len(topology) > 16:
            errors.append(too_many(f"{path}.deprecatedTopology", len(topology), 16))
        meta.labels(errors, topology, f"{path}.deprecatedTopology")
    if endpoint.get("hostname") is not None:
        messages_invalid(errors, f"{path}.hostname", endpoint["hostname"], names.dns1123_label(endpoint["hostname"]))


def endpoint_slice_update(errors: Errors, new: Object, old: Object) -> None:
    _slice(errors, new)
    meta.immutable(errors, new.get("addressType", ""), old.get("addressType", ""), "addressType")


# -- IPAddress, ServiceCIDR --
def ip_address(errors: Errors, obj: Object) -> None:
    def check(name: str, prefix: bool) -> list[str]:
        ip = parse_ip(name)
        if ip is None:
            return ["not a valid ip address"]
        return [] if str(ip) == name else ["must be a canonical format IP address"]

    meta.object_meta(errors, obj["metadata"], False, check)
    parent = obj["spec"].get("parentRef")
    if parent is None:
        errors.append(required("spec.parentRef"))
        return
    for key in ("resource", "name"):
        if not parent.get(key):
            errors.append(required(f"spec.parentRef.{key}"))


def service_cidr(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    cidrs = obj["spec"].get("cidrs") or []
    if not cidrs:
        errors.append(required("spec.cidrs", "at least one CIDR required"))
    if len(cidrs) > 2:
        errors.append(invalid("spec", cidrs, "may only hold up to 2 values"))
    for i, cidr in enumerate(cidrs):
        valid_cidr(errors, cidr, f"spec.cidrs[{i}]")


RULES: dict[tuple[str, str], Rules] = {
    (NET, "NetworkPolicy"): Rules(network_policy, network_policy_update),
    (NET, "Ingress"): Rules(ingress, ingress_update, ingress_status_update),
    (NET, "IngressClass"): Rules(ingress_class, ingress_class_update),
    (NET, "IPAddress"): Rules(ip_address, plain(names.name_is_subdomain).update),
    (NET, "ServiceCIDR"): Rules(service_cidr, plain(names.name_is_subdomain).update),
    (DISCOVERY, "EndpointSlice"): Rules(_slice, endpoint_slice_update)}
