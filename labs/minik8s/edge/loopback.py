"""Real TCP into the cluster: every pod, Service, load balancer and node gets a loopback address of its own.

10.96.7.1 becomes 127.96.7.1, 172.18.0.2 becomes 127.18.0.2, so that `curl http://127.96.7.1:8080/`
carries real bytes through the Service's endpoints into a pod; `127.18.0.2:30080` is a NodePort. Linux and Windows
answer on all of 127.0.0.0/8. A port below 1024 that this user may not open is moved up by 8000 (80 becomes 8080).
macOS has only 127.0.0.1: there each door gets that address and, where its port is taken, a free one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import NamedTuple

from minik8s.cluster import Cluster
from minik8s.dataplane import DialError
from minik8s.edge.process.addresses import LIFT, ONE, cluster_address, local_address, many
from minik8s.edge.process.wires import Carrier, Wire, carry
from minik8s.edge.realtime import RealTime
from minik8s.network.fabric import ingress_addresses, service_addresses
from minik8s.objects import Object

HTTP = 80
MOST_NODES = 16
"""NodePorts are opened at this many nodes."""

PART = "loopback"


class Door(NamedTuple):
    """Where a cluster address is to be reached: `host`:`port` here stands for `address`:`target` there."""

    address: str
    target: int
    host: str
    port: int


class Loopback:
    """Opens and closes listening sockets as Services and pods come and go.

    pods  False: pods listen at their addresses themselves (edge/process)
    told  hears of every door that is not where one would look for it
    """

    def __init__(
        self, cluster: Cluster, realtime: RealTime, loop: asyncio.AbstractEventLoop, *, pods: bool = True,
        told: Callable[[Door], None] | None = None,
    ):  # fmt: skip
        self._fabric, self._realtime, self._loop = cluster.network.fabric, realtime, loop
        informers = cluster.context(PART, PART).informers
        self._services, self._pods, self._nodes = informers("services"), informers("pods"), informers("nodes")
        self._ingresses = informers("ingresses.networking.k8s.io")
        self._with_pods, self._told = pods, told
        self._servers: dict[tuple[str, int], asyncio.Server] = {}
        self.doors: dict[tuple[str, int], Door] = {}
        self._task: asyncio.Task[None] | None = None
        self._again = self._stopped = False
        for informer in (self._services, self._ingresses):
            informer.on_change(lambda old, new: self._changed())
        if pods:
            self._pods.on_change(lambda old, new: self._changed())
        self._nodes.on_change(self._node_changed)
        cluster.controlplane.start_informers(PART)

    async def stop(self) -> None:
        self._stopped = True
        if self._task is not None:
            await self._task
        for place in list(self._servers):
            await self._close(place)

    # ---- which doors there should be ---------------------------------------------
    def wanted(self) -> set[tuple[str, int]]:
        """(address, port) of everything that is to be reachable."""
        out: set[tuple[str, int]] = set()
        nodes = [a["address"] for node in self._nodes.list()[: MOST_NODES if many() else 1]
                 for a in (node.get("status") or {}).get("addresses") or () if a["type"] == "InternalIP"]
        for service in self._services.list():
            ports = [p["port"] for p in service["spec"].get("ports") or () if (p.get("protocol") or "TCP") == "TCP"]
            out |= {(address, port) for address in service_addresses(service) for port in ports}
            out |= {(node, p["nodePort"]) for p in service["spec"].get("ports") or () if p.get("nodePort")
                    and (p.get("protocol") or "TCP") == "TCP" for node in nodes}
        out |= {(address, HTTP) for ingress in self._ingresses.list() for address in ingress_addresses(ingress)}
        for pod in self._pods.list() if self._with_pods else ():
            out |= set(_pod_ports(pod))
        return out

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        """Heartbeats change nothing here."""
        if old is None or new is None or (old.get("status") or {}).get("addresses") != new["status"].get("addresses"):
            self._changed()

    def _changed(self) -> None:
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._reconcile())
        else:
            self._again = True

    async def _reconcile(self) -> None:
        while not self._stopped:
            self._again = False
            wanted = self.wanted()
            for place in [p for p in self._servers if p not in wanted]:
                await self._close(place)
            for place in sorted(wanted - self._servers.keys()):
                await self._open(place)
            if not self._again:
                return

    async def _open(self, place: tuple[str, int]) -> None:
        address, target = place
        host = local_address(address) if many() else ONE
        for port in (target, target + LIFT) if many() else (target, target + LIFT, 0):
            try:
                server = await self._loop.create_server(lambda: _Wire(self, address, target), host, port)
            except (OSError, OverflowError):
                # Not ours to open: a privileged port, one in use, or no such address on this system.
                continue
            self._servers[place] = server
            door = self.doors[place] = Door(address, target, host, server.sockets[0].getsockname()[1])
            if self._told is not None and (door.host, door.port) != (local_address(address), target):
                self._told(door)
            return

    async def _close(self, place: tuple[str, int]) -> None:
        self.doors.pop(place, None)
        self._servers.pop(place).close()

    def connect(self, address: str, port: int, transport: asyncio.Transport) -> Wire:
        """Through the cluster's network; a program that calls from a pod's address calls as that pod. DialError."""
        peer = str((transport.get_extra_info("peername") or ("",))[0])
        self._realtime.touch()
        try:
            connection = self._fabric.dial(cluster_address(peer) or "", address, port)
        finally:
            self._realtime.kick()
        return carry(connection, self._realtime, transport.write, transport.close)


class _Wire(asyncio.Protocol):
    """One accepted TCP connection."""

    def __init__(self, loopback: Loopback, address: str, port: int):
        self._loopback, self._address, self._port = loopback, address, port
        self._pod: Wire | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        try:
            self._pod = self._loopback.connect(self._address, self._port, transport)
        except DialError:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._pod is not None:
            self._pod.feed(data)

    def eof_received(self) -> bool:
        """The client sends no more; a program may still answer."""
        if self._pod is not None:
            self._pod.end()
        return isinstance(self._pod, Carrier)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._pod is not None:
            self._pod.close()


def _pod_ports(pod: Object) -> Iterator[tuple[str, int]]:
    status = pod.get("status") or {}
    address = status.get("podIP")
    if not address or status.get("phase") in ("Succeeded", "Failed") or pod["spec"].get("hostNetwork"):
        return
    for container in pod["spec"]["containers"]:
        for entry in container.get("ports") or ():
            if (entry.get("protocol") or "TCP") == "TCP":
                yield address, int(entry["containerPort"])
