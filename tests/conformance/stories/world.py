"""A control plane in virtual time with the pretend kubelet of the stories instead of nodes."""

from __future__ import annotations

from collections.abc import Callable

from conformance.stories.pretend import PretendKubelet
from minik8s.apiserver.bootstrap import bootstrap
from minik8s.apiserver.server import ApiServer
from minik8s.client.api import Client
from minik8s.client.controller import Context, Controller
from minik8s.client.informer import Informers
from minik8s.client.recorder import EventRecorder
from minik8s.clock import Clock
from minik8s.controllers import CONTROLLERS, component
from minik8s.store import Store
from minik8s.trace import Trace
from minik8s.wire import UserInfo

ADMIN = UserInfo("admin", "admin-uid", ("system:masters", "system:authenticated"))


class World:
    """API server, controllers and pretend nodes on one clock."""

    def __init__(self, seed: int = 0, nodes: int = 3, scheduler: Callable[[World], None] | None = None):
        self.clock = Clock(seed=seed)
        self.trace = Trace(self.clock)
        self.apiserver = ApiServer(Store(), self.clock, self.trace)
        bootstrap(self.apiserver)
        self.client = self.connect("story")
        self.informers = Informers(self.connect("kube-controller-manager"), self.clock)
        self.controllers: dict[str, Controller] = {
            name: kind(self.context(name, component(kind))) for name, kind in CONTROLLERS.items()
        }
        self.informers.start()
        for controller in self.controllers.values():
            controller.start()
        if scheduler is not None:
            scheduler(self)
        self.kubelet = PretendKubelet(self.connect("kubelet"), self.clock, nodes)
        self.kubelet.start()
        self.advance(6.0)

    def connect(self, actor: str) -> Client:
        return Client(self.apiserver.handle, actor=actor, user=ADMIN)

    def context(self, actor: str, source: str) -> Context:
        client = self.connect(actor)
        return Context(client, self.informers, self.clock, EventRecorder(client, self.clock, source), self.trace)

    def advance(self, seconds: float) -> None:
        self.clock.run_until(self.clock.now() + seconds)
