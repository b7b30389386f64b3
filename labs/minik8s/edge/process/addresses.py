"""Where a pod's ports are on this machine.

Linux and Windows answer on all of 127.0.0.0/8, so 10.244.1.7 becomes 127.244.1.7. macOS has only 127.0.0.1: there all
pods share it, and each port that an image or a manifest names gets a free one. A port that this user may not open is
moved up by `LIFT` (80 becomes 8080).

Clusters that share a machine must not take each other's addresses. One with real processes has a block of second
numbers to itself, so that for the second such cluster 10.244.1.7 becomes 127.38.1.7; simulated ones share a block, and
a door of theirs that is taken moves (edge/loopback.py). The first cluster's addresses stay as they are.
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
SECONDS = (18, 19, *range(96, 112), *range(244, 256))
"""Second numbers of a cluster's addresses: nodes and load balancers in 172.18 and 172.19, Services in 10.96.0.0/12,
pods from 10.244.0.0 on."""

BLOCKS = (SECONDS, *(tuple(range(start, start + len(SECONDS))) for start in (20, 50, 112, 142, 172, 202)))
"""What SECONDS become in each block: no number is in two of them, and none is 0."""

_MARK, _OWN, _SHARED = "255.254", 10256, 10257
"""In each block, where a cluster listens as long as the block is its own, or one of those that share it."""

_CLUSTER = re.compile(r"(?<![\d.])(?:10\.(?:9[6-9]|10\d|11[01]|24[4-9]|25[0-5])|172\.1[89])"
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
        seconds = ",".join(f"{second}={here}" for second, here in zip(SECONDS, BLOCKS[_block.number], strict=True))
        return {"MINIK8S_ADDRESS": self.host, "MINIK8S_LIFT": str(self.lift), "MINIK8S_PORTS": ports,
                "MINIK8S_SECONDS": seconds}  # fmt: skip


@dataclass
class _Block:
    """Which block this process has; the socket keeps it, and the system frees it when the process ends."""

    number: int = 0
    socket: socket.socket | None = None


_block = _Block()


def claim(*, alone: bool) -> int:
    """Take a block for this process, the first time it is called. Its number; OSError when all are taken.

    Each kind of cluster marks the block first and then looks for the other's mark: of two that start together, at least
    one sees the other.
    """
    if _block.socket is not None or not many():
        return _block.number
    for number in range(len(BLOCKS)):
        mark = _marked(number, _OWN if alone else _SHARED, share=not alone)
        if mark is None:
            continue
        other = _marked(number, _SHARED if alone else _OWN, share=False)
        if other is None:
            mark.close()
            continue
        other.close()
        _block.number, _block.socket = number, mark
        return number
    raise OSError(errno.EADDRINUSE, f"이 컴퓨터에서 이미 클러스터 {len(BLOCKS)}개가 루프백 주소를 쓰고 있다")


def _marked(number: int, port: int, *, share: bool) -> socket.socket | None:
    """A socket that listens at the block's mark; None when somebody else does."""
    mark = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if share and hasattr(socket, "SO_REUSEPORT"):
            mark.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        mark.bind((f"127.{BLOCKS[number][-1]}.{_MARK}", port))
        mark.listen(1)
    except OSError:
        mark.close()
        return None
    return mark


def place(address: str, ports: Iterable[int]) -> Place:
    """The place of a pod with this cluster address. `ports`: those that it is known to use."""
    if many():
        return Place(local_address(address), lift())
    return Place(ONE, 0, {port: _free() for port in sorted(set(ports))})


def local_address(address: str) -> str:
    """The loopback address that stands for a cluster address."""
    _, second, rest = address.split(".", 2)
    number = int(second)
    return f"127.{BLOCKS[_block.number][SECONDS.index(number)] if number in SECONDS else number}.{rest}"


def cluster_address(host: str) -> str:
    """The cluster address that a loopback address stands for; "" for one that stands for none of this cluster."""
    first, second, rest = host.split(".", 2)
    block = BLOCKS[_block.number]
    if first != "127" or int(second) not in block:
        return ""
    number = SECONDS[block.index(int(second))]
    return f"{'172' if number < 96 else '10'}.{number}.{rest}"


def translated(text: str) -> str:
    """The text with cluster addresses replaced by those that a process here can use."""
    return _CLUSTER.sub(lambda found: local_address(found[0]), text) if many() else text


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
