"""The contract between the kubelet and whatever runs containers (what the CRI is on a real node).

Calls return at once; results come through callbacks, in an event of the clock.
`simulated.py` implements it everywhere, `edge/process` with real processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from minik8s.dataplane import Connection
from minik8s.kubelet.files import FileSystem
from minik8s.kubelet.images import Image
from minik8s.kubelet.logs import ContainerLog


@dataclass(slots=True)
class SandboxConfig:
    """One pod's surroundings. `address` is what the node's IP plan gave it ("" with hostNetwork: the node's)."""

    namespace: str
    name: str
    uid: str
    hostname: str
    address: str
    node: str
    host_network: bool = False
    ports: tuple[int, ...] = ()


@dataclass(slots=True)
class ContainerConfig:
    """One container instance, everything resolved: no references into the API are left."""

    id: str
    name: str
    image: Image
    argv: tuple[str, ...]
    env: Mapping[str, str]
    workdir: str
    files: FileSystem
    log: ContainerLog
    attempt: int = 0
    memory_limit: int | None = None
    cpu_limit: float | None = None
    user: int = 0
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)


class Exit(NamedTuple):
    """How a container ended. reason: Completed, Error, OOMKilled, ContainerCannotRun, StartError."""

    code: int
    reason: str
    message: str = ""


class Usage(NamedTuple):
    """cpu in cores, memory (working set) in bytes."""

    cpu: float
    memory: int


class StartError(Exception):
    """The runtime could not start the container's program; becomes exit code `code` with reason StartError."""

    def __init__(self, message: str, code: int = 128):
        super().__init__(message)
        self.code = code


class Session(Protocol):
    """An exec or attach in progress. Channels: 1 stdout, 2 stderr."""

    wake: Callable[[], None] | None
    exit: int | None

    def read(self) -> list[tuple[int, bytes]]: ...

    def write(self, data: bytes) -> None: ...

    def close_stdin(self) -> None: ...

    def close(self) -> None: ...


class Running(Protocol):
    """A container that has been started."""

    @property
    def alive(self) -> bool: ...

    def signal(self, name: str) -> None: ...

    def kill(self, reason: str = "Error") -> None: ...

    def exec(self, argv: tuple[str, ...], *, stdin: bool = False, tty: bool = False,
             done: Callable[[int], None] | None = None) -> Session: ...

    def attach(self, *, stdin: bool = False) -> Session: ...

    def usage(self) -> Usage | None:
        """None where it cannot be measured."""
        ...

    def set_limits(self, cpu: float | None, memory: int | None) -> None: ...

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...


class Sandbox(Protocol):
    """A pod's network namespace."""

    address: str

    def dial(self, port: int) -> Connection: ...

    def localhost(self, port: int) -> Connection: ...


class Runtime(Protocol):
    """Started and stopped things belong to one node."""

    name: str

    def run_sandbox(self, config: SandboxConfig, ready: Callable[[Sandbox], None]) -> None: ...

    def stop_sandbox(self, sandbox: Sandbox) -> None: ...

    def start(
        self,
        sandbox: Sandbox,
        config: ContainerConfig,
        started: Callable[[Running], None],
        failed: Callable[[StartError], None],
        exited: Callable[[Exit], None],
    ) -> None: ...

    def halt(self) -> None:
        """Everything on the machine dies at once; no callbacks."""
        ...
