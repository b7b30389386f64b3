"""The wires between pods: what a connection, a request and its answer are, and who offers them.

This is the physical world, not the API: bytes that really flow or fail to. The kubelet's
runtimes put pods on the fabric; kube-proxy, probes, `curl` in a container and a lab's
traffic dial through it. Both sides know only this file, never one another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

REFUSED = "connection refused"
TIMEOUT = "i/o timeout"
RESET = "connection reset by peer"
NO_ROUTE = "no route to host"
NO_HOST = "no such host"
"""Kinds of failure, in the words of Go's and Linux's errors."""


class DialError(Exception):
    """A connection that did not come about, or broke. `kind` is one of the constants above; `after` in seconds."""

    def __init__(self, kind: str, after: float = 0.0):
        super().__init__(kind)
        self.kind, self.after = kind, after


@dataclass(slots=True)
class Call:
    """One HTTP request, as far as anyone here looks at it."""

    path: str = "/"
    method: str = "GET"
    host: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    source: str = ""


@dataclass(slots=True)
class Answer:
    """An HTTP answer that is complete `latency` seconds after the request was sent; `host` tells who gives it."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    latency: float = 0.0
    host: str = ""


class Connection(Protocol):
    """An accepted connection to one process.

    closed  the process has closed it: an answer still under way is lost when `broken`,
            and a client that keeps connections alive must dial again
    broken  the process has died with the connection open (reset)
    """

    @property
    def closed(self) -> bool: ...

    @property
    def broken(self) -> bool: ...

    def send(self, call: Call) -> Answer:
        """The answer to come. DialError when nobody will answer."""
        ...


def ask(connection: Connection, call: Call, timeout: float, done: Callable[[Answer | DialError], None]) -> None:
    """Send `call`, then `done` with the answer or with why there is none.

    Where answers are worked out, that is at once, and the answer says how long it takes. A connection that carries
    real bytes has `begin(call, timeout, done)`: it returns at once, and `done` follows when the bytes are here.
    """
    begin = getattr(connection, "begin", None)
    if begin is not None:
        begin(call, timeout, done)
        return
    try:
        answer = connection.send(call)
    except DialError as error:
        done(error)
    else:
        done(answer)


class Host(Protocol):
    """Whatever has an address: a pod's sandbox."""

    name: str
    node: str

    def dial(self, port: int) -> Connection:
        """DialError(REFUSED) when nothing listens there."""
        ...


class Fabric(Protocol):
    """The cluster's network as a node sees it."""

    def attach(self, address: str, host: Host) -> None: ...

    def detach(self, address: str, host: Host) -> None: ...

    def set_power(self, node: str, on: bool) -> None:
        """The machine goes down, or comes up: nothing passes it meanwhile."""
        ...

    def dial(self, source: str, address: str, port: int) -> Connection:
        """Open a connection from the address `source` (a pod's, or a node's) to a pod, Service or node address."""
        ...

    def resolve(self, source: str, name: str) -> list[str]:
        """Addresses that cluster DNS gives the pod at `source` for `name`. DialError(NO_HOST) when none."""
        ...

    def records(self, source: str, name: str, kind: str) -> list[str]:
        """Answers of cluster DNS as text: kind A, SRV, CNAME or PTR."""
        ...
