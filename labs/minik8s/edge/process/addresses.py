"""Where a pod's ports are on this machine.

Linux and Windows answer on all of 127.0.0.0/8, so 10.244.1.7 becomes 127.244.1.7. macOS has only 127.0.0.1: there all
pods share it, and each port that an image or a manifest names gets a free one. A port that this user may not open is
moved up by `LIFT` (80 becomes 8080).

Up to four clusters share a machine: each takes a block of second numbers for itself (`claim`), so that for the second
one 10.244.1.7 becomes 127.52.1.7. The first finds everything where the cluster's own address says.
"""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

ONE = "127.0.0.1"
LIFT = 8000
PRIVILEGED = 1024
SHIFTS = (0, 64, 128, 192)
"""By how much a block's second numbers lie above the cluster's: modulo 256 no two blocks meet, and none holds 0."""

NODES, SERVICES, PODS = range(18, 32), range(96, 112), range(244, 256)
"""Second numbers of a cluster's addresses: 172.18.0.0 and on, 10.96.0.0/12, 10.244.0.0 and on."""

_MARK, _MARK_PORT = "10.255.255.254", 10256
"""What a cluster listens at as long as its block is its own; no pod gets this address."""

_CLUSTER = re.compile(r"(?<![\d.])(?:10\.(?:9[6-9]|10\d|11[01]|24[4-9]|25[0-5])|172\.(?:1[89]|2\d|3[01]))"
                      r"\.\d+\.\d+(?![\d.])")  # fmt: skip


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
        return {"MINIK8S_ADDRESS": self.host, "MINIK8S_LIFT": str(self.lift), "MINIK8S_PORTS": ports,
                "MINIK8S_SHIFT": str(shift())}  # fmt: skip


@dataclass
class _Block:
    """Which block this process has; the listening socket keeps it, and the system frees it when the process ends."""

    shift: int = 0
    socket: socket.socket | None = None


_block = _Block()


def claim() -> int:
    """Take a block for this process, the first time it is called. The shift; OSError when all are taken."""
    if _block.socket is not None or not many():
        return _block.shift
    for number in SHIFTS:
        mark = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            mark.bind((_shifted(_MARK, number), _MARK_PORT))
            mark.listen(1)
        except OSError:
            mark.close()
            continue
        _block.shift, _block.socket = number, mark
        return number
    raise OSError(errno.EADDRINUSE, f"이 컴퓨터에서 이미 클러스터 {len(SHIFTS)}개가 루프백 주소를 쓰고 있다")


def shift() -> int:
    """0 where nothing is claimed."""
    return _block.shift


def place(address: str, ports: Iterable[int]) -> Place:
    """The place of a pod with this cluster address. `ports`: those that it is known to use."""
    if many():
        return Place(local_address(address), lift())
    return Place(ONE, 0, {port: _free() for port in sorted(set(ports))})


def local_address(address: str) -> str:
    """The loopback address that stands for a cluster address."""
    return _shifted(address, shift())


def cluster_address(host: str) -> str:
    """The cluster address that a loopback address stands for; "" for one that stands for none of this cluster."""
    first, second, rest = host.split(".", 2)
    number = (int(second) - shift()) % 256
    if first != "127" or second == "0":
        return ""
    if number in NODES:
        return f"172.{number}.{rest}"
    return f"10.{number}.{rest}" if number in SERVICES or number in PODS else ""


def translated(text: str) -> str:
    """The text with cluster addresses replaced by those that a process here can use."""
    return _CLUSTER.sub(lambda found: local_address(found[0]), text) if many() else text


def _shifted(address: str, by: int) -> str:
    _, second, rest = address.split(".", 2)
    return f"127.{(int(second) + by) % 256}.{rest}"


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
