"""Cluster DNS: the names of Services and pods (github.com/kubernetes/dns, docs/specification.md 1.1.0)."""

from __future__ import annotations

import re

from minik8s.client import Informers
from minik8s.dataplane import NO_HOST, DialError
from minik8s.network.proxy import Endpoint, Proxies
from minik8s.objects.frozen import Object

DOMAIN = "cluster.local"
NDOTS = 5
MAX_ALIASES = 8

Answers = list[str]


class ClusterDNS:
    """Answers from Services and EndpointSlices as the API has them; `hosts` are names outside of the cluster."""

    def __init__(self, informers: Informers, proxies: Proxies):
        self._services, self._pods = informers("services"), informers("pods")
        self._proxies = proxies
        self.hosts: dict[str, Answers] = {}
        self.broken = False

    def resolve(self, namespace: str, name: str) -> Answers:
        """Addresses for a name asked from a pod in `namespace`. DialError(NO_HOST)."""
        return self.lookup(namespace, name, "A")

    def lookup(self, namespace: str, name: str, kind: str) -> Answers:
        """Records of `kind` for `name`, by the pod's search list (`ndots:5`)."""
        if self.broken:
            raise DialError(NO_HOST, 5.0)
        for candidate in search(namespace, name):
            found = self._records(candidate, kind, 0)
            if found:
                return found
        raise DialError(NO_HOST)

    def _records(self, name: str, kind: str, depth: int) -> Answers:
        if name in self.hosts:
            return list(self.hosts[name]) if kind == "A" else []
        if name.endswith(".in-addr.arpa"):
            return self._pointer(name) if kind == "PTR" else []
        labels = name.split(".")
        if name.endswith(f".svc.{DOMAIN}") and len(labels) >= 5:
            return self._service(labels[:-3], kind, depth)
        if name.endswith(f".pod.{DOMAIN}") and kind == "A" and len(labels) == 5:
            address = labels[0].replace("-", ".")
            return [address] if re.fullmatch(r"[\d.]+", address) else []
        return []

    def _service(self, labels: list[str], kind: str, depth: int) -> Answers:
        *front, name, namespace = labels
        service = self._services.get(namespace, name)
        if service is None:
            return []
        spec = service["spec"]
        full = f"{name}.{namespace}.svc.{DOMAIN}"
        if spec.get("type") == "ExternalName":
            return self._alias(spec["externalName"], kind, depth) if not front else []
        headless = spec.get("clusterIP") == "None"
        if kind == "SRV":
            return self._srv(service, front, full, headless)
        if kind != "A":
            return []
        if not front:
            if not headless:
                return [spec["clusterIP"]] if spec.get("clusterIP") else []
            return list(dict.fromkeys(e.address for e in self._ready(namespace, name)))
        if len(front) == 1 and headless:
            return [e.address for e in self._ready(namespace, name) if front[0] in (e.hostname, _dashed(e.address))]
        return []

    def _alias(self, target: str, kind: str, depth: int) -> Answers:
        if kind == "CNAME":
            return [target.rstrip(".") + "."]
        return self._records(target.rstrip("."), kind, depth + 1) if depth < MAX_ALIASES else []

    def _srv(self, service: Object, front: list[str], full: str, headless: bool) -> Answers:
        meta, out = service["metadata"], []
        for port in service["spec"].get("ports") or ():
            labels = [f"_{port.get('name') or ''}", f"_{(port.get('protocol') or 'TCP').lower()}"]
            if front and front != labels:
                continue
            if not headless:
                out.append(f"0 100 {port['port']} {full}.")
                continue
            for entry in self._ready(meta["namespace"], meta["name"]):
                number = entry.port(port.get("name") or "") or port["port"]
                out.append(f"0 100 {number} {entry.hostname or _dashed(entry.address)}.{full}.")
        return out

    def _pointer(self, name: str) -> Answers:
        address = ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))
        for service in self._services.list():
            if service["spec"].get("clusterIP") == address:
                meta = service["metadata"]
                return [f"{meta['name']}.{meta['namespace']}.svc.{DOMAIN}."]
        return []

    def _ready(self, namespace: str, name: str) -> list[Endpoint]:
        return [e for e in self._proxies.endpoints("", namespace, name) if e.ready]


def search(namespace: str, name: str) -> list[str]:
    """The names that a resolver tries for `name`, in order, without the last dot."""
    if name.endswith("."):
        return [name[:-1]]
    suffixes = [f"{namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN]
    expanded = [f"{name}.{suffix}" for suffix in suffixes]
    return [name, *expanded] if name.count(".") >= NDOTS else [*expanded, name]


def _dashed(address: str) -> str:
    return address.replace(".", "-")
