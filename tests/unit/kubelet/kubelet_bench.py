"""A cluster for kubelet tests: one or more nodes, and pods bound to them by hand."""

from __future__ import annotations

from typing import Any

from minik8s.cluster import Cluster
from minik8s.kubelet.pod import PodWorker

Object = dict[str, Any]


class Bench:
    """Short words for what the tests do."""

    def __init__(self, nodes: int = 1, seed: int = 0):
        self.cluster = Cluster(nodes=nodes, seed=seed)
        self.client = self.cluster.client()

    def pod(self, name: str, image: str = "busybox:1.36", *, node: str = "node-1", command: list[str] | None = None,
            annotations: dict[str, str] | None = None, container: Object | None = None, **spec: Any) -> Object:
        """Create a pod with one container `app`, bound to `node`."""
        first: Object = {"name": "app", "image": image, **(container or {})}
        if command:
            first["command"] = command
        elif "busybox" in image and "command" not in first:
            first["command"] = ["sleep", "infinity"]
        body = {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "default", "labels": {"app": name},
                         "annotations": annotations or {}},
            "spec": {"nodeName": node, "terminationGracePeriodSeconds": 30, "containers": [first], **spec},
        }
        return self.client.create("pods", body)

    def run(self, seconds: float) -> None:
        self.cluster.advance(seconds)

    def get(self, name: str) -> Object | None:
        return self.client.find("pods", "default", name)

    def status(self, name: str) -> Object:
        found = self.get(name)
        assert found is not None
        return found["status"]

    def container(self, name: str, index: int = 0) -> Object:
        """The status of a pod's container."""
        return self.status(name)["containerStatuses"][index]

    def condition(self, name: str, type: str) -> Object:
        return next(c for c in self.status(name)["conditions"] if c["type"] == type)

    def worker(self, name: str) -> PodWorker:
        found = self.cluster.fleet.find("default", name)
        assert found is not None
        return found

    def logs(self, name: str, container: int = 0) -> list[str]:
        current = self.worker(name).apps[container].current
        assert current is not None
        return [line.text for line in current.log.lines]

    def shell(self, name: str, script: str, seconds: float = 1.0) -> tuple[int | None, str, str]:
        """Run a script in the pod's first container: exit code, stdout, stderr."""
        running = self.worker(name).apps[0].running
        assert running is not None
        session = running.exec(("sh", "-c", script))
        self.run(seconds)
        chunks = session.read()
        out, err = (b"".join(d for c, d in chunks if c == n).decode() for n in (1, 2))
        return session.exit, out, err

    def events(self, name: str) -> list[tuple[str, str]]:
        """(reason, message) of the Events about a pod."""
        return [(e["reason"], e["message"]) for e in self.client.list("events", "default")
                if e["involvedObject"]["name"] == name]

    def reasons(self, name: str) -> set[str]:
        return {reason for reason, _ in self.events(name)}
