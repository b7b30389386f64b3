"""The one place where a cluster is put together: store, API server, controllers, scheduler, nodes, network.

Every part gets a connection of its own to the API server, and nothing else of the others.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from minik8s.apiserver.bootstrap import bootstrap
from minik8s.apiserver.server import ApiServer, Config
from minik8s.client import Client, Context, EventRecorder, Informers
from minik8s.clock import EPOCH, Clock
from minik8s.controllers import CONTROLLERS, component
from minik8s.controlplane import ControlPlane, Part
from minik8s.faults import Faults
from minik8s.history import History
from minik8s.kubelet.fleet import Fleet, World
from minik8s.kubelet.nodeconfig import CAPACITY, NodeConfig
from minik8s.kubelet.server import KubeletServer
from minik8s.network import ApiProxy, Network
from minik8s.objects import Object
from minik8s.scheduler.actor import SchedulerActor
from minik8s.store import Key, Store
from minik8s.trace import Trace
from minik8s.wire import Request, Response, UserInfo

ADMIN = UserInfo("admin", "admin-uid", ("system:masters", "system:authenticated"))
READY_TIMEOUT = 60.0
LATENCY = 0.004
"""Create to watch event took 4.1 ms (median) on a real kube-apiserver 1.36 with etcd on one machine."""
PATIENCE = 50_000
"""New objects between two looks of the garbage collector while virtual time runs (usually 700 to 2,000)."""

STORAGE_CLASS: Object = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "minik8s.io/simulated",
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "WaitForFirstConsumer",
}

NodeSpec = NodeConfig | Mapping[str, Any]


class Cluster:
    """A whole cluster on virtual time.

    nodes        how many nodes join at the start (node-1, node-2, ...), or their specifications: NodeConfig, or a
                 mapping with any of name, cpu, memory, pods, labels, taints
    seed         the same seed gives the same history, byte for byte
    controllers  "*", or names as kube-controller-manager's --controllers flag takes them ("*,-cronjob-controller")
    scheduler    False: none; a mapping: its KubeSchedulerConfiguration
    settle       let virtual time run until the nodes are Ready
    latency      seconds between a write and its news at the other parts
    options      what controllers take besides: root_ca (PEM of the CA that pods should trust), cloud (True: a cloud
                 gives LoadBalancers their addresses), loadbalancers (False: nobody in the cluster does, as on bare
                 metal)
    """

    def __init__(
        self,
        nodes: int | Iterable[NodeSpec] = 3,
        seed: int = 0,
        *,
        controllers: str = "*",
        scheduler: bool | Mapping[str, Any] = True,
        store: Store | None = None,
        config: Config | None = None,
        world: World | None = None,
        start: float = EPOCH,
        settle: bool = True,
        latency: float = LATENCY,
        options: Mapping[str, Any] | None = None,
    ):
        self.clock = Clock(start, seed)
        self.trace = Trace(self.clock)
        self.store = store or Store()
        self.store.now = self.clock.now
        self.latency, self.options = latency, dict(options or {})
        self.apiserver = ApiServer(self.store, self.clock, self.trace, config)
        self.controlplane = ControlPlane(self.apiserver.handle)
        bootstrap(self.apiserver)
        self._start_controllers(selected(controllers))
        self.scheduler = self._start_scheduler(scheduler)
        self.network = self._start_network()
        self.traffic = self.network.traffic
        self.fleet = self._start_fleet(world or World())
        for index, spec in enumerate(nodes_of(nodes)):
            self.fleet.add(spec if isinstance(spec, NodeConfig) else node_config(spec, index))
        self.faults = Faults(self.clock, self.trace, self.fleet, self.network, self.controlplane)
        self.history = History(self.store, lambda: self.trace.records, self.clock.start, seed)
        if self.fleet.names():
            self.controlplane.start("kube-proxy")
            self.apiserver.serve_metrics(KubeletServer(self.fleet))
            self.apiserver.providers.proxy = ApiProxy(self.network.fabric)
            self._add_storage_class()
        if settle:
            self.settle_nodes()

    # ---- building ------------------------------------------------------------
    def context(self, part: str, actor: str, component: str = "", user: str = "") -> Context:
        """What a new actor of `part` is given: actors of one part share a connection and caches."""
        process = self.controlplane.process(part)
        client = Client(process.connection, actor=actor, user=_system(user or f"system:{part}"), agent=part)
        if process.informers is None:
            process.informers = Informers(client.as_actor(part), self.clock, self.latency)
        recorder = EventRecorder(client, self.clock, component or actor)
        return Context(client, process.informers, self.clock, recorder, self.trace, self.options)

    def _start_controllers(self, names: Iterable[str]) -> None:
        manager = "kube-controller-manager"
        for name in names:
            kind = CONTROLLERS[name]
            controller = kind(self.context(manager, name, component(kind)))
            self.controlplane.add(manager, Part(name, controller.start, controller.stop))
        self.controlplane.start_informers(manager)

    def _start_scheduler(self, wanted: bool | Mapping[str, Any]) -> SchedulerActor | None:
        if wanted is False:
            return None
        part = "kube-scheduler"
        context = self.context(part, part, "default-scheduler")
        actor = SchedulerActor(context, wanted if isinstance(wanted, Mapping) else None)
        self.controlplane.add(part, Part("scheduler", actor.start, actor.stop))
        self.controlplane.start_informers(part)
        actor.start()
        return actor

    def _start_network(self) -> Network:
        """The wires and the proxies of all nodes. What only a cluster with nodes has starts later."""
        part = "kube-proxy"
        network = Network(self.context(part, part, "service-controller"))
        self.controlplane.add(part, Part(part, network.start, network.stop, running=False))
        self.controlplane.start_informers(part)
        return network

    def _start_fleet(self, world: World) -> Fleet:
        world.fabric = self.network.fabric
        fleet = Fleet(self.context("kubelet", "kubelet"), world)
        self.controlplane.start_informers("kubelet")
        fleet.start()
        serves = KubeletServer(fleet)
        providers = self.apiserver.providers
        providers.logs = providers.streams = serves
        return fleet

    def _add_storage_class(self) -> None:
        """The default StorageClass that kind and minikube bring along; what a restored store has stays."""
        setup = self.client("setup")
        if setup.find("storageclasses.storage.k8s.io", "", STORAGE_CLASS["metadata"]["name"]) is None:
            setup.create("storageclasses.storage.k8s.io", STORAGE_CLASS)

    # ---- use -------------------------------------------------------------------
    def handle(self, request: Request) -> Response:
        """One API call, at the present moment."""
        return self.controlplane.entrance(request)

    def client(self, actor: str = "admin", user: UserInfo = ADMIN) -> Client:
        """A client for a person or a test."""
        return Client(self.handle, actor=actor, user=user)

    def advance(self, seconds: float) -> None:
        """Let `seconds` of virtual time go by."""
        with _patient_collector():
            self.clock.run_until(self.clock.now() + seconds)

    def run_until(self, test: Callable[[], bool], timeout: float = 600.0) -> bool:
        """Let time go by until `test()`; False when `timeout` virtual seconds were not enough."""
        with _patient_collector():
            return self._run_until(test, self.clock.now() + timeout)

    def _run_until(self, test: Callable[[], bool], end: float) -> bool:
        seen = -1
        while True:
            if self.store.revision != seen:
                seen = self.store.revision
                if test():
                    return True
            due = self.clock.next_time()
            if due is None or due > end:
                self.clock.run_until(end)
                return test()
            self.clock.step()

    def settle(self, still: float = 5.0, timeout: float = 600.0) -> bool:
        """Let time go by until nothing but heartbeats was written for `still` seconds."""
        end = self.clock.now() + timeout
        while self.clock.now() < end:
            before = len(self.store.events)
            self.advance(still)
            if all(event.key.resource in _HEARTBEATS for event in self.store.events[before:]):
                return True
        return False

    def settle_nodes(self) -> None:
        """Let time go by until every node of the fleet is Ready and may take pods."""
        waiting = self.fleet.names()

        def all_open() -> bool:
            while waiting and _open(self.store.get(Key("nodes", "", waiting[-1]))):
                waiting.pop()
            return not waiting

        if waiting and not self.run_until(all_open, READY_TIMEOUT):
            raise RuntimeError("노드가 준비되지 않았다. 컨트롤러 목록에서 node-lifecycle-controller가 빠졌는지 살피자.")


@contextmanager
def _patient_collector() -> Iterator[None]:
    """Let the garbage collector look less often while the engine runs.

    The engine makes many objects that live on and hardly any cycles: at Python's usual pace the collector takes a
    quarter of the time to find nothing.
    """
    young, middle, old = gc.get_threshold()
    if 0 < young < PATIENCE:
        gc.set_threshold(PATIENCE, middle, old)
    try:
        yield
    finally:
        gc.set_threshold(young, middle, old)


_HEARTBEATS = frozenset({"leases.coordination.k8s.io"})


def _open(node: Object | None) -> bool:
    if node is None or any(t["key"].startswith("node.kubernetes.io/") for t in node["spec"].get("taints") or ()):
        return False
    conditions = node.get("status", {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _system(name: str) -> UserInfo:
    """The identity of a part of the cluster, allowed everything (as with kubeadm's own credentials)."""
    return UserInfo(name, "", ("system:masters", "system:authenticated"))


def selected(flag: str) -> list[str]:
    """Controllers that a --controllers flag names, in the order of starting them. ValueError for a wrong name."""
    words = [word.strip() for word in flag.split(",") if word.strip()]
    for word in words:
        if word != "*" and _full(word.removeprefix("-")) not in CONTROLLERS:
            known = ", ".join(CONTROLLERS)
            raise ValueError(f"{word!r}라는 컨트롤러는 없다. 있는 것: {known}")
    on = {_full(word) for word in words if word != "*" and not word.startswith("-")}
    off = {_full(word[1:]) for word in words if word.startswith("-")}
    return [name for name in CONTROLLERS if name not in off and ("*" in words or name in on)]


def _full(name: str) -> str:
    """The flag also takes the names of before 1.28, without "-controller"."""
    aliases = {
        "garbagecollector": "garbage-collector-controller",
        "nodelifecycle": "node-lifecycle-controller",
        "clusterrole-aggregation": "clusterrole-aggregation-controller",
    }
    for candidate in (name, aliases.get(name, ""), f"{name}-controller"):
        if candidate in CONTROLLERS:
            return candidate
    return name


def nodes_of(wanted: int | Iterable[NodeSpec]) -> list[NodeSpec]:
    if isinstance(wanted, int):
        return [{"name": f"node-{i + 1}"} for i in range(wanted)]
    return list(wanted)


def node_config(spec: Mapping[str, Any], index: int) -> NodeConfig:
    """A node from a mapping such as {"name": "big", "cpu": "16", "memory": "64Gi", "labels": {...}}."""
    known = {"name", "labels", "annotations", "taints", "capacity", "cpu", "memory", "pods", "ephemeral-storage"}
    for word in spec:
        if word not in known:
            raise ValueError(f"노드에는 {word!r}라는 항목이 없다. 쓸 수 있는 것: {', '.join(sorted(known))}")
    capacity = {**CAPACITY, **(spec.get("capacity") or {}), **{k: str(v) for k, v in spec.items() if k in CAPACITY}}
    return NodeConfig(
        name=spec.get("name", f"node-{index + 1}"),
        index=index,
        labels=spec.get("labels") or {},
        annotations=spec.get("annotations") or {},
        taints=tuple(spec.get("taints") or ()),
        capacity=capacity,
    )
