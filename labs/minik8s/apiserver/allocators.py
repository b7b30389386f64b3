"""Cluster IPs and node ports of Services: taken before a write, kept when it succeeds, given back when it fails.

What is taken is read from the store at first use, so nothing but Services has to be kept.
Source: kubernetes pkg/registry/core/service/{ipallocator,portallocator,storage/alloc.go}.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from minik8s.apiserver.call import Call
from minik8s.apiserver.errors import invalid_fields
from minik8s.objects import Object
from minik8s.objects.kinds import Kind
from minik8s.objects.validation import field
from minik8s.objects.validation.field import Errors
from minik8s.wire import internal_error

if TYPE_CHECKING:
    from minik8s.apiserver.server import ApiServer

_NONE = "None"
Ports = set[tuple[int, str]]


class Allocators:
    """The addresses and ports of one cluster's Services."""

    def __init__(self, server: ApiServer):
        self._server = server
        self._network = ipaddress.IPv4Network(server.config.service_cidr)
        self._addresses: set[str] | None = None
        self._ports: Ports = set()

    @contextmanager
    def allocate(self, call: Call, new: Object, old: Object | None) -> Iterator[None]:
        """While the block runs, `new` (a Service) has its address and ports; they stay taken if it ends well."""
        if call.kind.resource_name != "services" or call.info.subresource:
            yield
            return
        before = self._held(old)
        taken = (set(self._taken()), set(self._ports))
        try:
            self._assign(new, before, (old or {}).get("spec") or {})
            yield
        except BaseException:
            self._addresses, self._ports = taken
            raise
        if call.options.dry_run:
            self._addresses, self._ports = taken
            return
        addresses, ports = self._held(new)
        self._taken().difference_update(before[0] - addresses)
        self._ports -= before[1] - ports

    def release(self, kind: Kind, obj: Object) -> None:
        """Give back what a removed Service held."""
        if kind.resource_name == "services" and self._addresses is not None:
            addresses, ports = self._held(obj)
            self._addresses -= addresses
            self._ports -= ports

    # ---- what is taken -----------------------------------------------------
    def _taken(self) -> set[str]:
        if self._addresses is None:
            self._addresses = set()
            for service in self._server.store.list("services"):
                addresses, ports = self._held(service)
                self._addresses |= addresses
                self._ports |= ports
        return self._addresses

    @staticmethod
    def _held(service: Object | None) -> tuple[set[str], Ports]:
        spec = (service or {}).get("spec") or {}
        addresses = {ip for ip in spec.get("clusterIPs") or () if ip and ip != _NONE}
        ports = {(p["nodePort"], p.get("protocol", "TCP")) for p in spec.get("ports") or () if p.get("nodePort")}
        if check := spec.get("healthCheckNodePort"):
            ports.add((check, "TCP"))
        return addresses, ports

    # ---- taking --------------------------------------------------------------
    def _assign(self, new: Object, before: tuple[set[str], Ports], before_spec: Object) -> None:
        self._taken()
        spec = dict(new["spec"])
        kind = spec.get("type", "ClusterIP")
        if kind != "ExternalName":
            if errors := _assign_families(spec, before_spec):
                raise self._invalid(new, errors)
            self._assign_address(new, spec, before[0])
        if kind in ("NodePort", "LoadBalancer"):
            self._assign_ports(new, spec, before[1])
        if spec != new["spec"]:
            new["spec"] = spec

    def _assign_address(self, new: Object, spec: Object, held: set[str]) -> None:
        addresses = list(spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else []))
        if addresses and addresses[0] == _NONE:
            return
        if not addresses or not addresses[0]:
            addresses = [self._free_address()]
        elif addresses[0] not in held:
            why = self._refusal(addresses[0])
            if why is not None:
                text = f"failed to allocate IP {addresses[0]}: {why}"
                raise self._invalid(new, [field.invalid("spec.clusterIPs", addresses, text)])
        self._taken().add(addresses[0])
        spec["clusterIP"], spec["clusterIPs"] = addresses[0], addresses

    def _refusal(self, text: str) -> str | None:
        try:
            address = ipaddress.IPv4Address(text)
        except ValueError:
            return None  # validation says what is wrong with it
        first, last = self._network.network_address, self._network.broadcast_address
        if not first < address < last:
            valid = self._network.with_prefixlen
            return f"the provided IP ({text}) is not in the valid range. The range of valid IPs is {valid}"
        return "provided IP is already allocated" if text in self._taken() else None

    def _free_address(self) -> str:
        """A random address of the upper band, which is for dynamic allocation; then of the lower (KEP-3070)."""
        size = self._network.num_addresses - 2
        band = min(max(16, size // 16), 256)
        rng, base, taken = self._server.clock.rng("service-ip"), int(self._network.network_address), self._taken()
        for low, high in ((band + 1, size), (1, band)):
            count = high - low + 1
            start = int(rng.random() * count)
            for step in range(count):
                text = str(ipaddress.IPv4Address(base + low + (start + step) % count))
                if text not in taken:
                    return text
        raise internal_error("failed to allocate a serviceIP: range is full")

    def _assign_ports(self, new: Object, spec: Object, held: Ports) -> None:
        ports = [dict(port) for port in spec.get("ports") or ()]
        wanted: dict[int, set[str]] = {}
        if spec["type"] == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
            automatic = False
        else:
            automatic = True
        for index, port in enumerate(ports):
            number, protocol = port.get("nodePort", 0), port.get("protocol", "TCP")
            if number:
                self._check_port(new, f"spec.ports[{index}].nodePort", number, protocol, held, wanted)
                wanted.setdefault(number, set()).add(protocol)
                self._ports.add((number, protocol))
        for port in ports:
            if not port.get("nodePort") and automatic:
                port["nodePort"] = self._shared_port(ports, port) or self._free_port()
                self._ports.add((port["nodePort"], port.get("protocol", "TCP")))
        if ports:
            spec["ports"] = ports
        needs_check = spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
        if needs_check and not spec.get("healthCheckNodePort"):
            spec["healthCheckNodePort"] = self._free_port()
            self._ports.add((spec["healthCheckNodePort"], "TCP"))

    @staticmethod
    def _shared_port(ports: list[dict[str, Any]], port: dict[str, Any]) -> int:
        """Ports of the same number in different protocols share a node port."""
        for other in ports:
            same = other.get("port") == port.get("port") and other.get("protocol") != port.get("protocol")
            if same and other.get("nodePort"):
                return int(other["nodePort"])
        return 0

    def _check_port(
        self, new: Object, path: str, number: int, protocol: str, held: Ports, wanted: dict[int, set[str]]
    ) -> None:
        low, high = self._server.config.node_ports
        if not low <= number <= high:
            why = f"provided port is not in the valid range. The range of valid ports is {low}-{high}"
            raise self._invalid(new, [field.invalid(path, number, why)])
        if (number, protocol) in held or (number in wanted and protocol not in wanted[number]):
            return
        if any(taken == number for taken, _ in self._ports - held):
            raise self._invalid(new, [field.invalid(path, number, "provided port is already allocated")])

    def _free_port(self) -> int:
        low, high = self._server.config.node_ports
        count = high - low + 1
        band = min(max(16, count // 32), 128)
        taken = {number for number, _ in self._ports}
        rng = self._server.clock.rng("node-port")
        for first, last in ((low + band, high), (low, low + band - 1)):
            width = last - first + 1
            start = int(rng.random() * width)
            for step in range(width):
                number = first + (start + step) % width
                if number not in taken:
                    return number
        raise internal_error("failed to allocate a nodePort: range is full")

    @staticmethod
    def _invalid(new: Object, faults: Errors) -> Exception:
        return invalid_fields("Service", new["metadata"].get("name", ""), faults)


def _assign_families(spec: Object, before: Object) -> Errors:
    """initIPFamilyFields on a cluster that has IPv4 only."""
    headless = spec.get("clusterIP") == _NONE and not spec.get("selector")
    if not spec.get("ipFamilyPolicy"):
        default = "RequireDualStack" if headless else "SingleStack"
        spec["ipFamilyPolicy"] = before.get("ipFamilyPolicy") or default
    policy, families = spec["ipFamilyPolicy"], list(spec.get("ipFamilies") or ())
    errors: Errors = []
    if policy == "SingleStack":
        errors += _too_many_for_one_stack(spec, families, policy)
    for index, address in enumerate(spec.get("clusterIPs") or ()):
        if address and address != _NONE and index >= len(families):
            if ":" in address:
                why = "IPv6 is not configured on this cluster"
                errors.append(field.invalid(f"spec.clusterIPs[{index}]", spec["clusterIPs"], why))
            else:
                families.append("IPv4")
    if errors:
        return errors
    if headless:
        families = families or ["IPv4"]
        if len(families) < 2 and policy != "SingleStack":
            families.append("IPv6" if families[0] == "IPv4" else "IPv4")
    else:
        errors += _unavailable(families, policy)
    spec["ipFamilies"] = families or ["IPv4"]
    return errors


def _too_many_for_one_stack(spec: Object, families: list[str], policy: str) -> Errors:
    errors: Errors = []
    for count, what in ((len(spec.get("clusterIPs") or ()), "cluster IPs"), (len(families), "IP families")):
        if count == 2:
            why = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"
            errors.append(field.invalid("spec.ipFamilyPolicy", policy, why))
    return errors


def _unavailable(families: list[str], policy: str) -> Errors:
    errors: Errors = []
    if policy == "RequireDualStack":
        why = "this cluster is not configured for dual-stack services"
        errors.append(field.invalid("spec.ipFamilyPolicy", policy, why))
    for index, family in enumerate(families):
        if family != "IPv4":
            errors.append(field.invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster"))
    return errors
