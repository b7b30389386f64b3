"""The one place where a cluster is put together: store, API server, controllers, scheduler, nodes, network.

Every part gets a connection of its own to the API server, and nothing else of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from minik8s.apiserver.bootstrap import bootstrap
from minik8s.apiserver.server import ApiServer, Config
from minik8s.client import Client, Context, EventRecorder, Informers
from minik8s.clock import EPOCH, Clock
from minik8s.controllers import CONTROLLERS, component
from minik8s.store import Store
from minik8s.trace import Trace
from minik8s.wire import Request, Response, UserInfo

ADMIN = UserInfo("admin", "admin-uid", ("system:masters", "system:authenticated"))


class Connection:
    """A part's way to the API server. `interpose(request, send)` stands in it when a fault is injected."""

    def __init__(self, send: Callable[[Request], Response]):
        self._send = send
        self.interpose: Callable[[Request, Callable[[Request], Response]], Response] | None = None

    def __call__(self, request: Request) -> Response:
        if self.interpose is not None:
            return self.interpose(request, self._send)
        return self._send(request)


class Cluster:
    """A whole cluster on virtual time.

    nodes        how many nodes join at the start, or a list of their specifications
    seed         the same seed gives the same history, byte for byte
    controllers  "*", or names as kube-controller-manager's --controllers takes them ("-x" leaves x out)
    scheduler    False: pods wait for somebody else's scheduler
    settle       let virtual time run until the nodes are Ready (about a second)
    """

    def __init__(
        self,
        nodes: int | list[dict[str, Any]] = 3,
        seed: int = 0,
        *,
        controllers: str | Iterable[str] = "*",
        scheduler: bool | dict[str, Any] = True,
        store: Store | None = None,
        config: Config | None = None,
        start: float = EPOCH,
        settle: bool = True,
    ):
        self.clock = Clock(start, seed)
        self.trace = Trace(self.clock)
        self.store = store or Store()
        self.apiserver = ApiServer(self.store, self.clock, self.trace, config)
        bootstrap(self.apiserver)

    def handle(self, request: Request) -> Response:
        """One API call, at the present moment."""
        return self.apiserver.handle(request)


__all__ = ["ADMIN", "CONTROLLERS", "Client", "Cluster", "Connection", "Context", "EventRecorder", "Informers", "component"]
