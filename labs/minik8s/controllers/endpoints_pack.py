"""The layout of an Endpoints object (pkg/api/v1/endpoints/util.go): ports that the same addresses offer share a subset.

Ports and subsets are ordered by the MD5 of what Go's spew prints of them. That order is seen (`kubectl get endpoints`
shows dns-tcp before dns), so it is made here the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import md5
from typing import Any

from minik8s.objects import Object

Offer = tuple[Object, bool, Object | None]
"""An address, whether it is ready, and a port that it offers; None for a Service without ports."""
_REFERENCE = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")


def repack(offers: Iterable[Offer]) -> list[Object]:
    """The subsets for these offers."""
    addresses: dict[tuple[str, str], Object] = {}
    by_port: dict[str, dict[tuple[str, str], bool]] = {}
    ports: dict[str, Object | None] = {}
    for address, ready, port in offers:
        who, what = _who(address), _port(port) if port is not None else ""
        addresses.setdefault(who, address)
        ports.setdefault(what, port)
        seen = by_port.setdefault(what, {})
        seen[who] = seen.get(who, True) and ready
    groups: dict[frozenset[Any], list[Object]] = {}
    for what, seen in by_port.items():
        group, found = groups.setdefault(frozenset(seen.items()), []), ports[what]
        if found is not None:
            group.append(found)
    return sorted((_subset(who, addresses, group) for who, group in groups.items()), key=_subset_order)


def _subset(who: frozenset[Any], addresses: dict[tuple[str, str], Object], ports: list[Object]) -> Object:
    out: Object = {}
    for field, wanted in (("addresses", True), ("notReadyAddresses", False)):
        if found := [addresses[one] for one, ready in sorted(who) if ready is wanted]:
            out[field] = found
    return out | ({"ports": sorted(ports, key=_port_order)} if ports else {})


def _who(address: Object) -> tuple[str, str]:
    return address["ip"], (address.get("targetRef") or {}).get("uid", "")


# ---- the order -----------------------------------------------------------------------
def _port_order(port: Object) -> bytes:
    return _digest(f"(v1.EndpointPort){_port(port)}")


def _subset_order(subset: Object) -> bytes:
    addresses = [_list("EndpointAddress", subset.get(f), _address) for f in ("addresses", "notReadyAddresses")]
    ports = _list("EndpointPort", subset.get("ports"), _port)
    return _digest(f"(v1.EndpointSubset){{Addresses:{addresses[0]} NotReadyAddresses:{addresses[1]} Ports:{ports}}}")


def _digest(text: str) -> bytes:
    return md5(text.encode(), usedforsecurity=False).digest()


def _list(kind: str, values: list[Object] | None, show: Any) -> str:
    return f"([]v1.{kind})" + ("<nil>" if values is None else f"[{' '.join(show(v) for v in values)}]")


def _pointer(value: str | None) -> str:
    return f"(*string){value if value is not None else '<nil>'}"


def _port(port: Object) -> str:
    name, protocol = port.get("name", ""), port.get("protocol", "TCP")
    plain = f"Name:(string){name} Port:(int32){port['port']} Protocol:(v1.Protocol){protocol}"
    return f"{{{plain} AppProtocol:{_pointer(port.get('appProtocol'))}}}"


def _address(address: Object) -> str:
    reference, target = address.get("targetRef"), "<nil>"
    if reference is not None:
        types = {"uid": "types.UID"}
        shown = (f"{_go(f)}:({types.get(f, 'string')}){reference.get(f, '')}" for f in _REFERENCE)
        target = f"{{{' '.join(shown)}}}"
    host, node = address.get("hostname", ""), _pointer(address.get("nodeName"))
    plain = f"IP:(string){address['ip']} Hostname:(string){host} NodeName:{node}"
    return f"{{{plain} TargetRef:(*v1.ObjectReference){target}}}"


def _go(field: str) -> str:
    """The Go name of a JSON field."""
    return {"uid": "UID", "apiVersion": "APIVersion"}.get(field, field[0].upper() + field[1:])
