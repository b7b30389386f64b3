"""taint-eviction-controller: removes pods whose node has a NoExecute taint they do not tolerate (tainteviction)."""

from __future__ import annotations

from dataclasses import dataclass

from minik8s.client.controller import Context, Controller
from minik8s.controllers.nodelifecycle import BY_NODE, node_of
from minik8s.controllers.podutil import with_pod_condition
from minik8s.controllers.taints import taints_of, tolerates
from minik8s.objects import Object
from minik8s.objects.meta import key, name, rfc3339
from minik8s.wire import StatusError

MESSAGE = "Taint manager: deleting due to NoExecute taint"


@dataclass(slots=True)
class _Planned:
    """An eviction: when it was decided, when it is due, and of which pod."""

    decided: float
    due: float
    uid: str


class TaintEvictionController(Controller):
    name = "taint-eviction-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.nodes = ctx.informers("nodes")
        self.pods = ctx.informers("pods")
        self.pods.add_index(BY_NODE, node_of)
        self._planned: dict[str, _Planned] = {}
        self.nodes.on_change(self._node_changed)
        self.pods.on_change(self._pod_changed)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None or (_no_execute(old) == _no_execute(new)):
            return
        for pod in self.pods.by_index(BY_NODE, name(new)):
            self.enqueue(key(pod))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            if old is not None and key(old) in self._planned:
                self.enqueue(key(old))
            return
        if old is not None and _facts(old) == _facts(new):
            return
        if node_of(new):
            node = self.nodes.get("", new["spec"]["nodeName"])
            if key(new) in self._planned or _no_execute(node):
                self.enqueue(key(new))

    def reconcile(self, pod_key: str) -> float | None:
        namespace, _, pod_name = pod_key.partition("/")
        pod = self.pods.get(namespace, pod_name)
        planned = self._planned.get(pod_key)
        if planned is not None and (pod is None or pod["metadata"]["uid"] != planned.uid):
            planned = self._planned.pop(pod_key) and None
        if pod is None or not node_of(pod):
            return None
        seconds = self._tolerated_for(pod)
        if seconds is None:
            self._cancel(pod, pod_key)
            return None
        now = self.clock.now()
        if planned is None or (seconds > 0 and planned.decided + seconds < planned.due):
            planned = self._planned[pod_key] = _Planned(now, now + seconds, pod["metadata"]["uid"])
        elif seconds == 0:
            planned.due = now
        if planned.due > now:
            return planned.due - now
        self._evict(pod)
        self._planned.pop(pod_key, None)
        return None

    def _tolerated_for(self, pod: Object) -> float | None:
        """Seconds for which all NoExecute taints of the pod's node are tolerated; None: for ever."""
        taints = _no_execute(self.nodes.get("", pod["spec"]["nodeName"]))
        tolerations = pod["spec"].get("tolerations") or ()
        used: list[Object] = []
        for taint in taints:
            found = next((t for t in tolerations if tolerates(t, taint)), None)
            if found is None:
                return 0.0
            used.append(found)
        limits = [max(0.0, float(t["tolerationSeconds"])) for t in used if t.get("tolerationSeconds") is not None]
        return min(limits) if limits else None

    def _cancel(self, pod: Object, pod_key: str) -> None:
        if self._planned.pop(pod_key, None) is not None:
            self.ctx.recorder.event(pod, "Normal", "TaintManagerEviction", f"Cancelling deletion of Pod {pod_key}")

    def _evict(self, pod: Object) -> None:
        meta = pod["metadata"]
        self.ctx.recorder.event(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key(pod)}")
        if "deletionTimestamp" in meta:
            return
        cause = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager", "message": MESSAGE}
        marked = with_pod_condition(pod, cause, rfc3339(self.clock.now()))
        body = {"status": {"conditions": [c for c in marked["status"]["conditions"] if c["type"] == cause["type"]]}}
        try:
            self.client.patch("pods", meta["namespace"], meta["name"], body, type="strategic", subresource="status")
            self.client.delete("pods", meta["namespace"], meta["name"])
        except StatusError as error:
            if error.code != 404:
                raise


def _facts(pod: Object) -> tuple[object, ...]:
    return node_of(pod), pod["spec"].get("tolerations")


def _no_execute(node: Object | None) -> list[Object]:
    return [t for t in taints_of(node) if t["effect"] == "NoExecute"] if node is not None else []
