"""NetworkPolicy: who may talk to whom (networking/v1; the rules every conforming network plugin follows).

A pod that no policy selects for a direction may talk freely in that direction. As soon as
one does, only what some policy's rule allows may pass. Both ends must allow.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from minik8s.client import Informers
from minik8s.objects.frozen import Object
from minik8s.objects.selectors import matches

Policies = list[Object]


class Peer(NamedTuple):
    """One end of a connection: a pod, or only an address."""

    address: str
    pod: Object | None = None


class Verdict(NamedTuple):
    """`policies` are those that selected a pod and did not allow (when refused), or that allowed."""

    allowed: bool
    direction: str = ""
    policies: tuple[str, ...] = ()


class PolicyEngine:
    """Decides by the policies, pods and namespaces that the API has."""

    def __init__(self, informers: Informers):
        self._policies = informers("networkpolicies.networking.k8s.io")
        self._namespaces = informers("namespaces")
        self._policies.add_index("namespace", lambda o: [o["metadata"]["namespace"]])

    @property
    def empty(self) -> bool:
        return not len(self._policies)

    def decide(self, source: Peer, target: Peer, port: int, protocol: str = "TCP") -> Verdict:
        """May `source` open a connection to `target`:`port`?"""
        if self.empty:
            return Verdict(True)
        for direction, own, other in (("Egress", source, target), ("Ingress", target, source)):
            if own.pod is None:
                continue
            selecting = self._selecting(own.pod, direction)
            if not selecting:
                continue
            allowing = [p for p in selecting if self._allows(p, direction, other, target, port, protocol)]
            if not allowing:
                return Verdict(False, direction, tuple(p["metadata"]["name"] for p in selecting))
        return Verdict(True)

    def _selecting(self, pod: Object, direction: str) -> Policies:
        labels = pod["metadata"].get("labels") or {}
        found = self._policies.by_index("namespace", pod["metadata"]["namespace"])
        return [
            p for p in found
            if direction in policy_types(p) and matches(p["spec"].get("podSelector") or {}, labels)
        ]

    def _allows(
        self, policy: Object, direction: str, other: Peer, target: Peer, port: int, protocol: str
    ) -> bool:
        rules = policy["spec"].get(direction.lower()) or ()
        side = "from" if direction == "Ingress" else "to"
        return any(
            self._peer_fits(policy, rule.get(side), other) and _port_fits(rule.get("ports"), target.pod, port, protocol)
            for rule in rules
        )

    def _peer_fits(self, policy: Object, peers: Policies | None, other: Peer) -> bool:
        if not peers:
            return True
        return any(self._one_fits(policy["metadata"]["namespace"], peer, other) for peer in peers)

    def _one_fits(self, namespace: str, peer: Object, other: Peer) -> bool:
        if "ipBlock" in peer:
            return _in_block(peer["ipBlock"], other.address)
        if other.pod is None:
            return False
        meta = other.pod["metadata"]
        if "namespaceSelector" in peer:
            space = self._namespaces.get("", meta["namespace"])
            labels = (space["metadata"].get("labels") or {}) if space is not None else {}
            if not matches(peer["namespaceSelector"] or {}, labels):
                return False
        elif meta["namespace"] != namespace:
            return False
        return "podSelector" not in peer or matches(peer["podSelector"] or {}, meta.get("labels") or {})


def policy_types(policy: Object) -> tuple[str, ...]:
    """Directions that a policy speaks of; by default Ingress, and Egress when it has egress rules."""
    types = policy["spec"].get("policyTypes")
    if types:
        return tuple(types)
    return ("Ingress", "Egress") if policy["spec"].get("egress") else ("Ingress",)


def _in_block(block: Object, address: str) -> bool:
    try:
        place = ipaddress.ip_address(address)
    except ValueError:
        return False
    inside = place in ipaddress.ip_network(block["cidr"], strict=False)
    return inside and not any(place in ipaddress.ip_network(c, strict=False) for c in block.get("except") or ())


def _port_fits(ports: Policies | None, pod: Object | None, port: int, protocol: str) -> bool:
    if not ports:
        return True
    for entry in ports:
        if (entry.get("protocol") or "TCP") != protocol:
            continue
        wanted = entry.get("port")
        if wanted is None:
            return True
        if isinstance(wanted, str):
            if port == _named(pod, wanted):
                return True
        elif wanted <= port <= int(entry.get("endPort") or wanted):
            return True
    return False


def _named(pod: Object | None, name: str) -> int | None:
    for container in pod["spec"]["containers"] if pod is not None else ():
        for entry in container.get("ports") or ():
            if entry.get("name") == name:
                return int(entry["containerPort"])
    return None
