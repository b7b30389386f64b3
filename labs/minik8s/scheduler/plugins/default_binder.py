"""DefaultBinder: writes the decision into the API, as a Binding."""

from __future__ import annotations

from minik8s.scheduler.framework import CycleState, Plugin, Status
from minik8s.scheduler.snapshot import PodInfo


class DefaultBinder(Plugin):
    name = "DefaultBinder"

    def bind(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        metadata = {"name": pod.name, "namespace": pod.namespace}
        if pod.pod["metadata"].get("uid"):
            metadata["uid"] = pod.pod["metadata"]["uid"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": metadata,
            "target": {"kind": "Node", "name": node},
        }
        self.handle.client.create_subresource("pods", pod.namespace, pod.name, "binding", binding)
        return None
