"""Where a pod's ports are on this machine.

Linux and Windows answer on all of 127.0.0.0/8, so 10.244.1.7 becomes 127.244.1.7. macOS has only 127.0.0.1: there all
pods share it, and each port that an image or a manifest names gets a free one. A port that this user may not open is
moved up by `LIFT` (80 becomes 8080).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

ONE = "127.0.0.1"
LIFT = 8000
PRIVILEGED = 1024

_CLUSTER = re.compile(r"(?<![\d.])10\.(?=(?:96|9[7-9]|1[01]\d|24[4-9]|25[0-5])\.\d+\.\d+(?![\d.]))")
_NODE = re.compile(r"(?<![\d.])172\.(?=(?:1[89]|2\d|3[01])\.\d+\.\d+(?![\d.]))")


@dataclass(frozen=True)
class Place:
    """Where a pod listens. `ports` are those that are somewhere else than one would think."""

    host: str
    lift: int = 0
    ports: Mapping[int, int] = field(default_factory=dict)

    def port(self, port: int) -> int:
        """The real port behind a pod's port."""
        return self.ports.get(port, port + self.lift if port < PRIVILEGED else port)

    def environment(self) -> dict[str, str]:
        """For our own programs and for Python ones (python/sitecustomize.py)."""
        ports = ",".join(f"{port}={real}" for port, real in sorted(self.ports.items()))
        return {"MINIK8S_ADDRESS": self.host, "MINIK8S_LIFT": str(self.lift), "MINIK8S_PORTS": ports}


def place(address: str, ports: Iterable[int]) -> Place:
    """The place of a pod with this cluster address. `ports`: those that it is known to use."""
    if many():
        return Place(local_address(address), lift())
    return Place(ONE, 0, {port: _free() for port in sorted(set(ports))})


def local_address(address: str) -> str:
    """The loopback address that stands for a cluster address."""
    return "127." + address.partition(".")[2]


def cluster_address(host: str) -> str:
    """The cluster address that a loopback address stands for; "" for those that stand for none (127.0.0.1)."""
    first, _, rest = host.partition(".")
    second = int(rest.partition(".")[0] or 0)
    return "" if first != "127" or not second else f"{'172' if 18 <= second <= 31 else '10'}.{rest}"


def translated(text: str) -> str:
    """The text with cluster addresses replaced by those that a process here can use."""
    return _NODE.sub("127.", _CLUSTER.sub("127.", text)) if many() else text


@cache
def many() -> bool:
    """Whether this system has more loopback addresses than 127.0.0.1."""
    return _binds("127.244.255.1", 0)


@cache
def lift() -> int:
    """By how much ports below 1024 are moved for this user."""
    return 0 if any(_binds("127.244.255.1", port) for port in (997, 883)) else LIFT


def _binds(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        try:
            sock.bind((host, port))
        except OSError:
            return False
        return True


def _free() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind((ONE, 0))
        return int(sock.getsockname()[1])
