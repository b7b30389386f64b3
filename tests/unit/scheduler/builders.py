"""Small nodes, pods and schedulers for unit tests."""

from __future__ import annotations

from typing import Any

from scheduler_streams import Empty

from minik8s.objects import Object
from minik8s.scheduler.config import profiles
from minik8s.scheduler.framework import Handle, Plugin
from minik8s.scheduler.record import Decision
from minik8s.scheduler.scheduler import Scheduler
from minik8s.scheduler.snapshot import PodInfo, Snapshot

ZONE = "topology.kubernetes.io/zone"


def node(name: str, cpu: str = "4", memory: str = "8Gi", zone: str = "", **spec: Any) -> Object:
    labels = {"kubernetes.io/hostname": name} | ({ZONE: zone} if zone else {})
    status = {"allocatable": {"cpu": cpu, "memory": memory, "pods": "110"}}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}


def pod(name: str, cpu: str = "1", *, labels: dict[str, str] | None = None, **spec: Any) -> Object:
    container = {"name": "c", "image": "nginx:1.27", "resources": {"requests": {"cpu": cpu}}}
    metadata = {"name": name, "namespace": "default", "labels": labels or {}}
    return {"metadata": metadata, "spec": {"containers": [container], **spec}}


class Lab:
    """A scheduler over a few nodes, with whatever configuration and plugins a test wants."""

    def __init__(
        self,
        *nodes: Object,
        config: Object | None = None,
        registry: dict[str, type[Plugin]] | None = None,
        objects: dict[str, list[Object]] | None = None,
        percentage: int = 0,
    ) -> None:
        self.snapshot = Snapshot()
        for entry in nodes:
            self.snapshot.set_node(entry)
        self.handle = Handle(self.snapshot, Empty(objects))
        self.profiles = profiles(self.handle, config, registry)
        self.scheduler = Scheduler(self.snapshot, percentage)

    def place(self, entry: Object, node: str) -> None:
        self.snapshot.add_pod(PodInfo(entry).on(node))

    def decide(self, entry: Object, profile: str = "default-scheduler") -> Decision:
        return self.scheduler.schedule(PodInfo(entry), self.profiles[profile])[0]

    def schedule(self, entry: Object) -> Decision:
        decision = self.decide(entry)
        if decision.node:
            self.place(entry, decision.node)
        return decision
