"""What a node is, before it tells the API: name, size, labels, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from minik8s.objects.frozen import Object
from minik8s.objects.quantity import canonical, from_milli, from_value, milli, value

VERSION = "v1.36.2"

CAPACITY = {"cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "100Gi"}


@dataclass
class NodeConfig:
    """`index` counts the cluster's nodes from 0 and gives addresses; `reserved` is kept from pods."""

    name: str
    index: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Object, ...] = ()
    capacity: Mapping[str, str] = field(default_factory=lambda: CAPACITY)
    reserved: Mapping[str, str] = field(default_factory=dict)
    cluster_dns: str = "10.96.0.10"
    static_pods: tuple[Object, ...] = ()

    @property
    def address(self) -> str:
        """172.18.0.2 and following."""
        number = self.index + 2
        return f"172.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"

    @property
    def pod_cidr(self) -> str:
        """10.244.INDEX.0/24, going on in 10.245 and so on."""
        return f"10.{244 + (self.index >> 8)}.{self.index & 255}.0/24"

    def allocatable(self) -> dict[str, str]:
        out = {}
        for name, amount in self.capacity.items():
            kept = self.reserved.get(name)
            if kept is None:
                out[name] = canonical(amount)
            elif name == "cpu":
                out[name] = str(from_milli(milli(amount) - milli(kept)))
            else:
                out[name] = str(from_value(value(amount) - value(kept), "BinarySI"))
        return out

    def node_labels(self) -> dict[str, str]:
        standard = {
            "beta.kubernetes.io/arch": "amd64",
            "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
        }
        return {**standard, **self.labels}


class AddressPool:
    """Addresses of one node's pods: .2 to .254 of its /24, the one free longest first."""

    def __init__(self, cidr: str):
        base = cidr.partition("/")[0].rpartition(".")[0]
        self.gateway = f"{base}.1"
        self._free = [f"{base}.{i}" for i in range(2, 255)]
        self._taken: dict[str, str] = {}

    def take(self, uid: str) -> str:
        """An address for the pod `uid`, the same one when it asks twice; "" when all are taken."""
        found = self._taken.get(uid)
        if found is None:
            found = self._taken[uid] = self._free.pop(0) if self._free else ""
        return found

    def release(self, uid: str) -> None:
        address = self._taken.pop(uid, "")
        if address:
            self._free.append(address)
