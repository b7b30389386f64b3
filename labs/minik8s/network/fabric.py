"""The wires themselves: which address leads where, through Services' virtual addresses, walls and cuts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from minik8s.client import Informers
from minik8s.clock import Clock
from minik8s.dataplane import NO_HOST, NO_ROUTE, REFUSED, TIMEOUT, Connection, DialError, Host
from minik8s.network.dns import ClusterDNS
from minik8s.network.policy import Peer, PolicyEngine
from minik8s.network.proxy import Affinity, Proxies, eligible
from minik8s.objects.frozen import Object

NO_ROUTE_SECONDS = 3.0
"""After this long the kernel gives up asking who has an address on a node that is up."""

DNS_ADDRESS, DNS_SECONDS = "10.244.255.53", 5.0
DNS_POD: Object = {
    "metadata": {"namespace": "kube-system", "name": "coredns", "labels": {"k8s-app": "kube-dns"}},
    "spec": {"containers": [{"ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]}]},
}
"""Cluster DNS as policies see it: no pod of the cluster, but its labels are the usual ones."""

BY_ADDRESS = "address"

Answers = list[str]


class Route(NamedTuple):
    """An open connection and whose it is."""

    connection: Connection
    host: Host


class ClusterFabric:
    """Implements `dataplane.Fabric`. `down` are nodes without power; `cut` are pairs of nodes that do not reach."""

    def __init__(self, clock: Clock, informers: Informers):
        self._clock, self._informers = clock, informers
        self.informers = informers
        self._hosts: dict[str, Host] = {}
        self.proxies = Proxies(clock, informers)
        self.dns = ClusterDNS(informers, self.proxies)
        self.policies = PolicyEngine(informers)
        self._affinity = Affinity()
        self._rng = clock.rng("kube-proxy")
        self.down: set[str] = set()
        self.isolated: set[str] = set()
        services = informers("services")
        services.add_index(BY_ADDRESS, service_addresses)
        services.add_index("nodePort", _node_ports)
        informers("pods").add_index("podIP", _pod_addresses)
        informers("nodes").add_index(BY_ADDRESS, _node_addresses)
        self.virtual: dict[str, Callable[[str, str, int], Route]] = {}

    # ---- who is there ------------------------------------------------------------
    def attach(self, address: str, host: Host) -> None:
        self._hosts[address] = host

    def detach(self, address: str, host: Host) -> None:
        if self._hosts.get(address) is host:
            del self._hosts[address]

    def set_power(self, node: str, on: bool) -> None:
        (self.down.discard if on else self.down.add)(node)

    def host(self, address: str) -> Host | None:
        return self._hosts.get(address)

    # ---- dataplane.Fabric ----------------------------------------------------------
    def dial(self, source: str, address: str, port: int) -> Connection:
        return self.route(source, address, port).connection

    def resolve(self, source: str, name: str) -> Answers:
        pod = self._asker(source)
        return self.dns.resolve(pod["metadata"]["namespace"] if pod is not None else "default", name)

    def records(self, source: str, name: str, kind: str) -> Answers:
        pod = self._asker(source)
        namespace = pod["metadata"]["namespace"] if pod is not None else "default"
        if kind == "PTR" and not name.rstrip(".").endswith("arpa"):
            name = ".".join(reversed(name.split("."))) + ".in-addr.arpa."
        return self.dns.lookup(namespace, name, kind)

    def _asker(self, source: str) -> Object | None:
        """The pod that asks cluster DNS. Walls against sending keep its questions in, too."""
        pod = self._pod(source)
        if pod is None or self.policies.empty:
            return pod
        if not self.policies.decide(Peer(source, pod), Peer(DNS_ADDRESS, DNS_POD), 53, "UDP").allowed:
            raise DialError(NO_HOST, DNS_SECONDS)
        return pod

    # ---- routing -------------------------------------------------------------------
    def route(self, source: str, address: str, port: int, *, node: str = "") -> Route:
        """Open a connection. `node`: where the packet enters when `source` is not a pod's address. DialError."""
        node = self.node_of(source) or node
        if address in self.virtual:
            return self.virtual[address](source, node, port)
        services = self._informers("services").by_index(BY_ADDRESS, address)
        if services:
            return self._to_service(services[0], source, node, port, address)
        targets = self._informers("nodes").by_index(BY_ADDRESS, address)
        if targets:
            return self._to_node(targets[0], source, node, port)
        return self.to_pod(source, node, address, port)

    def to_pod(self, source: str, node: str, address: str, port: int) -> Route:
        """Straight to a pod's address, past walls only when they allow it."""
        host = self._hosts.get(address)
        if host is None:
            owner = self._by_plan(address)
            raise DialError(TIMEOUT) if owner in self.down or not owner else DialError(NO_ROUTE, NO_ROUTE_SECONDS)
        if not self.reaches(node, host.node):
            raise DialError(TIMEOUT)
        if not self.policies.empty:
            own = node == host.node and self._pod(source) is None
            verdict = self.policies.decide(Peer(source, self._pod(source)), Peer(address, self._pod(address)), port)
            if not verdict.allowed and not own:
                raise DialError(TIMEOUT)
        return Route(host.dial(port), host)

    def reaches(self, one: str, other: str) -> bool:
        """Whether packets pass between two nodes ("": somewhere outside)."""
        if one == other:
            return one not in self.down
        return not ({one, other} & (self.down | self.isolated))

    def node_of(self, address: str) -> str:
        host = self._hosts.get(address)
        if host is not None:
            return host.node
        nodes = self._informers("nodes").by_index(BY_ADDRESS, address)
        return str(nodes[0]["metadata"]["name"]) if nodes else ""

    def _to_service(self, service: Object, source: str, node: str, port: int, address: str) -> Route:
        spec = service["spec"]
        entry = next((p for p in spec.get("ports") or () if p["port"] == port), None)
        if entry is None:
            raise DialError(REFUSED if address == spec.get("clusterIP") else TIMEOUT)
        external = address != spec.get("clusterIP")
        policy = spec.get("externalTrafficPolicy") if external else spec.get("internalTrafficPolicy")
        if external and policy == "Local":
            # A load balancer asks healthCheckNodePort which nodes have endpoints; pods' own packets go anywhere.
            if self._pod(source) is not None:
                return self._balance(service, entry, source, node, local=False)
            node = self._healthy(service, node)
        return self._balance(service, entry, source, node, local=policy == "Local")

    def _healthy(self, service: Object, node: str) -> str:
        """A node with ready endpoints of its own; `node` itself when it has some."""
        known = self.proxies.endpoints("", service["metadata"]["namespace"], service["metadata"]["name"])
        nodes = sorted({e.node for e in known if e.ready})
        return node if node in nodes or not nodes else nodes[int(self._rng.random() * len(nodes))]

    def _to_node(self, target: Object, source: str, node: str, port: int) -> Route:
        name = target["metadata"]["name"]
        if not self.reaches(node, name):
            raise DialError(TIMEOUT)
        for service in self._informers("services").by_index("nodePort", str(port)):
            entry = next(p for p in service["spec"]["ports"] if p.get("nodePort") == port)
            local = service["spec"].get("externalTrafficPolicy") == "Local"
            return self._balance(service, entry, source, name, local=local)
        raise DialError(REFUSED)

    def _balance(self, service: Object, entry: Object, source: str, node: str, *, local: bool) -> Route:
        meta = service["metadata"]
        known = self.proxies.endpoints(node, meta["namespace"], meta["name"])
        name = entry.get("name") or ""
        usable = [e for e in eligible(known, node, self.zone(node), local=local) if e.port(name) is not None]
        if not usable:
            # Without any endpoint the rules reject; with some, but none here under Local, they drop.
            raise DialError(TIMEOUT if local and any(e.ready for e in known) else REFUSED)
        chosen = self._affinity.choose(usable, service, node, source, self._clock.now(), self._rng)
        return self.to_pod(source, node, chosen.address, chosen.port(name) or 0)

    # ---- small things ----------------------------------------------------------------
    def zone(self, node: str) -> str:
        found = self._informers("nodes").get("", node) if node else None
        labels = (found["metadata"].get("labels") or {}) if found is not None else {}
        return str(labels.get("topology.kubernetes.io/zone", ""))

    def _pod(self, address: str) -> Object | None:
        found = self._informers("pods").by_index("podIP", address) if address else []
        return found[0] if found else None

    def _by_plan(self, address: str) -> str:
        """The node whose range an address lies in."""
        prefix = address.rpartition(".")[0]
        for node in self._informers("nodes").list():
            if (node["spec"].get("podCIDR") or "").rpartition(".")[0] == prefix:
                return str(node["metadata"]["name"])
        return ""


def service_addresses(service: Object) -> Answers:
    """The virtual addresses of a Service: ClusterIP, external IPs, load balancer's."""
    spec = service["spec"]
    out = [spec["clusterIP"]] if spec.get("clusterIP") not in (None, "", "None") else []
    out += spec.get("externalIPs") or ()
    return out + ingress_addresses(service)


def ingress_addresses(obj: Object) -> Answers:
    """The load balancer addresses of a Service or an Ingress."""
    ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [i["ip"] for i in ingress if i.get("ip")]


def _node_ports(service: Object) -> Answers:
    return [str(p["nodePort"]) for p in service["spec"].get("ports") or () if p.get("nodePort")]


def _pod_addresses(pod: Object) -> Answers:
    status = pod.get("status") or {}
    ended = status.get("phase") in ("Succeeded", "Failed")
    address = status.get("podIP")
    return [address] if address and not ended and not pod["spec"].get("hostNetwork") else []


def _node_addresses(node: Object) -> Answers:
    return [a["address"] for a in (node.get("status") or {}).get("addresses") or () if a["type"].endswith("IP")]

