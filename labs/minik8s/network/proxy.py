"""What kube-proxy does on every node: choose the endpoint that a connection to a Service goes to.

The rules of a node follow the API a moment later than the API changes: the proxy hears of a
change, waits for its next sync, and programs the kernel. Together with the kubelet, which
ends a container at the same time, this is the race that loses requests in a rolling update.
Sources: pkg/proxy/topology.go (CategorizeEndpoints), pkg/proxy/endpointslicecache.go.
"""

from __future__ import annotations

import random
import zlib
from typing import NamedTuple

from minik8s.client import Informers
from minik8s.clock import Clock
from minik8s.objects.frozen import Object

SYNC_SECONDS = (0.08, 0.4)
"""From - to: how long after the news a node's rules have changed."""

KEEP_SECONDS = 60.0
SERVICE_NAME = "kubernetes.io/service-name"
BY_SERVICE = "service"

Endpoints = list["Endpoint"]


class Endpoint(NamedTuple):
    """One address of a Service, as a slice tells it. `ports` by port name ("" for the unnamed one)."""

    address: str
    node: str
    zone: str
    hostname: str
    ready: bool
    serving: bool
    terminating: bool
    ports: tuple[tuple[str, int], ...]
    hint_zones: tuple[str, ...]
    hint_nodes: tuple[str, ...]

    def port(self, name: str) -> int | None:
        return next((number for n, number in self.ports if n == name), None)


class Version(NamedTuple):
    """A slice as it was from `time` on; None: it was not there."""

    time: float
    number: int
    endpoints: tuple[Endpoint, ...] | None


class Proxies:
    """The kube-proxies of all nodes. A node's view is worked out when asked for, so that nodes cost nothing."""

    def __init__(self, clock: Clock, informers: Informers):
        self._clock, self._informers = clock, informers
        self._slices: dict[tuple[str, str], dict[str, list[Version]]] = {}
        self._number = 0
        self._deaf: dict[str, float] = {}
        self._woken: dict[str, tuple[float, float]] = {}
        slices = informers("endpointslices.discovery.k8s.io")
        slices.add_index(BY_SERVICE, _service_key)
        slices.on_change(self._changed)

    # ---- views -------------------------------------------------------------------
    def endpoints(self, node: str, namespace: str, service: str) -> Endpoints:
        """The endpoints of a Service as the rules on `node` have them now ("": as the API has them)."""
        now = self._clock.now()
        out: Endpoints = []
        for name, versions in sorted(self._slices.get((namespace, service), {}).items()):
            for version in reversed(versions):
                if not node or self._applied(node, name, version, now):
                    out += version.endpoints or ()
                    break
        return out

    def deafen(self, node: str) -> None:
        """The node no longer hears the API server: its rules stay as they are."""
        self._deaf.setdefault(node, self._clock.now())

    def undeafen(self, node: str) -> None:
        since = self._deaf.pop(node, None)
        if since is not None:
            self._woken[node] = (since, self._clock.now())

    def _applied(self, node: str, name: str, version: Version, now: float) -> bool:
        deaf = self._deaf.get(node)
        if deaf is not None and version.time > deaf:
            return False
        start = version.time
        woken = self._woken.get(node)
        if woken is not None and woken[0] < start < woken[1]:
            start = woken[1]
        return now >= start + self._delay(node, name, version.number)

    def _delay(self, node: str, name: str, number: int) -> float:
        mark = zlib.crc32(f"{self._clock.seed}/{node}/{name}/{number}".encode())
        low, high = SYNC_SECONDS
        return low + (high - low) * mark / 0xFFFFFFFF

    # ---- changes -----------------------------------------------------------------
    def _changed(self, old: Object | None, new: Object | None) -> None:
        obj = new if new is not None else old
        assert obj is not None
        for key in _service_key(obj):
            namespace, _, service = key.partition("/")
            table = self._slices.setdefault((namespace, service), {})
            versions = table.setdefault(obj["metadata"]["name"], [])
            content = None if new is None else slice_endpoints(new)
            if versions and versions[-1].endpoints == content:
                continue
            self._number += 1
            versions.append(Version(self._clock.now(), self._number, content))
            self._forget(table, obj["metadata"]["name"])

    def _forget(self, table: dict[str, list[Version]], name: str) -> None:
        """Drop what every node has replaced by now."""
        versions = table[name]
        horizon = min([self._clock.now() - KEEP_SECONDS, *self._deaf.values()])
        while len(versions) > 1 and versions[1].time < horizon:
            del versions[0]
        if len(versions) == 1 and versions[0].endpoints is None:
            del table[name]


def _service_key(obj: Object) -> list[str]:
    meta = obj["metadata"]
    name = (meta.get("labels") or {}).get(SERVICE_NAME)
    return [f"{meta['namespace']}/{name}"] if name else []


def slice_endpoints(obj: Object) -> tuple[Endpoint, ...]:
    """The endpoints of an EndpointSlice; a condition that is absent counts as discovery/v1 says."""
    ports = tuple((p.get("name") or "", int(p["port"])) for p in obj.get("ports") or () if p.get("port"))
    out = []
    for entry in obj.get("endpoints") or ():
        conditions, hints = entry.get("conditions") or {}, entry.get("hints") or {}
        ready = conditions.get("ready") is not False
        serving = conditions.get("serving")
        out.append(Endpoint(
            address=entry["addresses"][0],
            node=entry.get("nodeName") or "",
            zone=entry.get("zone") or "",
            hostname=entry.get("hostname") or "",
            ready=ready,
            serving=ready if serving is None else bool(serving),
            terminating=bool(conditions.get("terminating")),
            ports=ports,
            hint_zones=tuple(h["name"] for h in hints.get("forZones") or ()),
            hint_nodes=tuple(h["name"] for h in hints.get("forNodes") or ()),
        ))
    return tuple(out)


def eligible(endpoints: Endpoints, node: str, zone: str, *, local: bool) -> Endpoints:
    """Those that may be chosen: the ready ones, else the terminating ones that still serve (KEP-1669).

    `local`: only those on `node` (a traffic policy of Local).
    """
    if local:
        endpoints = [e for e in endpoints if e.node == node]
    ready = [e for e in endpoints if e.ready]
    if not ready:
        return [e for e in endpoints if e.serving and e.terminating]
    return ready if local else _hinted(ready, node, zone)


def _hinted(ready: Endpoints, node: str, zone: str) -> Endpoints:
    """Topology hints count only when every endpoint has some (KEP-2433, KEP-4444)."""
    if all(e.hint_nodes for e in ready):
        same = [e for e in ready if node in e.hint_nodes]
        if same:
            return same
    if zone and all(e.hint_zones for e in ready):
        same = [e for e in ready if zone in e.hint_zones]
        if same:
            return same
    return ready


class Affinity:
    """sessionAffinity: ClientIP, as each node remembers it."""

    def __init__(self) -> None:
        self._chosen: dict[tuple[str, str, str], tuple[str, float]] = {}

    def choose(
        self, endpoints: Endpoints, service: Object, node: str, source: str, now: float, rng: random.Random
    ) -> Endpoint:
        """One of `endpoints` (not empty) for a connection from `source`."""
        if service["spec"].get("sessionAffinity") != "ClientIP":
            return endpoints[int(rng.random() * len(endpoints))]
        config = (service["spec"].get("sessionAffinityConfig") or {}).get("clientIP") or {}
        key = (node, service["metadata"]["uid"], source)
        found = self._chosen.get(key)
        if found is not None and now - found[1] < float(config.get("timeoutSeconds") or 10800):
            kept = next((e for e in endpoints if e.address == found[0]), None)
            if kept is not None:
                self._chosen[key] = (kept.address, now)
                return kept
        chosen = endpoints[int(rng.random() * len(endpoints))]
        self._chosen[key] = (chosen.address, now)
        return chosen
