"""pod-garbage-collector-controller: removes pods that nobody else will (pkg/controller/podgc). One key, every 20 s."""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.podutil import created, generation_seen, is_finished, with_pod_condition
from minik8s.controllers.taints import taints_of
from minik8s.objects import Object
from minik8s.objects.meta import rfc3339
from minik8s.wire import StatusError

PERIOD = 20.0
QUARANTINE = 40.0
"""A node must be away for so long before its pods count as orphans."""
TERMINATED_THRESHOLD = 12500
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


class PodGarbageCollector(Controller):
    name = "pod-garbage-collector-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.pods = ctx.informers("pods")
        self.nodes = ctx.informers("nodes")
        self._missing: dict[str, float] = {}
        self.enqueue("pods")

    def reconcile(self, key: str) -> float | None:
        pods = self.pods.list()
        nodes = {node["metadata"]["name"]: node for node in self.nodes.list()}
        self._terminated(pods)
        self._out_of_service(pods, nodes)
        self._orphans(pods, nodes)
        for pod in pods:
            if "deletionTimestamp" in pod["metadata"] and not pod["spec"].get("nodeName"):
                self._remove(pod, None)
        return PERIOD

    def _terminated(self, pods: list[Object]) -> None:
        done = sorted((p for p in pods if is_finished(p)), key=lambda p: (created(p), p["metadata"]["name"]))
        for pod in done[: max(0, len(done) - TERMINATED_THRESHOLD)]:
            self._remove(pod, None)

    def _out_of_service(self, pods: list[Object], nodes: dict[str, Object]) -> None:
        for pod in pods:
            node = nodes.get(pod["spec"].get("nodeName", ""))
            if node is None or "deletionTimestamp" not in pod["metadata"]:
                continue
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions") or ())
            if not ready and any(t["key"] == OUT_OF_SERVICE for t in taints_of(node)):
                self._remove(pod, None)

    def _orphans(self, pods: list[Object], nodes: dict[str, Object]) -> None:
        now = self.clock.now()
        away = {pod["spec"].get("nodeName", "") for pod in pods} - nodes.keys() - {""}
        self._missing = {name: self._missing.get(name, now) for name in sorted(away)}
        gone = {name for name, since in self._missing.items() if since + QUARANTINE <= now}
        for name in sorted(gone):
            if self.client.find("nodes", "", name) is not None:
                gone.discard(name)
        for pod in pods:
            if pod["spec"].get("nodeName") in gone:
                self._remove(pod, "PodGC: node no longer exists")

    def _remove(self, pod: Object, why: str | None) -> None:
        meta = pod["metadata"]
        try:
            if not is_finished(pod):
                self._fail(pod, why)
            self.client.delete("pods", meta["namespace"], meta["name"], grace=0, uid=meta["uid"])
        except StatusError as error:
            if error.code not in (404, 409):
                raise

    def _fail(self, pod: Object, why: str | None) -> None:
        """Say in the status that the pod has ended, and why: Jobs count it by that."""
        changed = pod
        if why is not None:
            cause = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC", "message": why}
            changed = with_pod_condition(pod, cause, rfc3339(self.clock.now()))
        status = {"phase": "Failed", "conditions": (changed.get("status") or {}).get("conditions") or []}
        status |= generation_seen(pod)
        meta = pod["metadata"]
        self.client.patch("pods", meta["namespace"], meta["name"], {"status": status}, subresource="status")
