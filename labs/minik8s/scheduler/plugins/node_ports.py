"""NodePorts: two pods cannot take the same host port of a node."""

from __future__ import annotations

from collections.abc import Iterable

from minik8s.scheduler.framework import SKIP, CycleState, Plugin, Status, unschedulable
from minik8s.scheduler.snapshot import NodeInfo, PodInfo, Snapshot

REASON = "node(s) didn't have free ports for the requested pod ports"
ANY = "0.0.0.0"

Port = tuple[str, str, int]


def conflicts(wanted: Port, used: Iterable[Port]) -> bool:
    """Whether a (host IP, protocol, port) is taken; the wildcard address stands for every address."""
    ip, protocol, number = wanted
    return any(
        number == taken and protocol == their_protocol and (ip == their_ip or ANY in (ip, their_ip))
        for their_ip, their_protocol, taken in used
    )


class NodePorts(Plugin):
    name = "NodePorts"
    events = ("pod/delete", "node/add")

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Status | None:
        return None if pod.ports else SKIP

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        return unschedulable(REASON) if any(conflicts(port, node.ports) for port in pod.ports) else None
