"""In-place resize of containers: allotting, refusing, and carrying out (KEP-1287)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minik8s.kubelet.container import ContainerWorker
from minik8s.objects.frozen import Object
from minik8s.objects.quantity import milli, value

if TYPE_CHECKING:
    from minik8s.kubelet.kubelet import Kubelet
    from minik8s.kubelet.pod import PodWorker

RESIZABLE = ("cpu", "memory")


class Resizer:
    """`actual` is what runs, `allocated` what the node has granted; both per container."""

    def __init__(self, kubelet: Kubelet):
        self._kubelet = kubelet
        self._allocated: dict[tuple[str, str], Object] = {}

    def container_fields(self, worker: ContainerWorker) -> Object:
        """`resources` and `allocatedResources` of a container status."""
        resources = self.allocated(worker)
        out: Object = {}
        if resources.get("requests"):
            out["allocatedResources"] = dict(resources["requests"])
        shown = {k: dict(resources[k]) for k in ("requests", "limits") if resources.get(k)}
        out["resources"] = shown
        return out

    def allocated(self, worker: ContainerWorker) -> Object:
        found = self._allocated.get((worker.pod.uid, worker.name))
        return found if found is not None else worker.spec.get("resources") or {}

    def forget(self, uid: str) -> None:
        for key in [k for k in self._allocated if k[0] == uid]:
            del self._allocated[key]

    def pod_changed(self, pod: PodWorker) -> None:
        """Compare the spec with what is granted; grant what fits."""
        specs = {c["name"]: c for c in (*pod.pod["spec"]["containers"], *(pod.pod["spec"].get("initContainers") or ()))}
        changed = [w for w in (*pod.apps, *pod.inits)
                   if w.name in specs and (specs[w.name].get("resources") or {}) != self.allocated(w)]
        if not changed:
            pod.extra_conditions.pop("PodResizePending", None)
            return
        verdict = self._verdict(pod, specs)
        if verdict is not None:
            pod.extra_conditions["PodResizePending"] = ("True", *verdict)
            self._kubelet.resize_waiting(pod)
            return
        pod.extra_conditions.pop("PodResizePending", None)
        for worker in changed:
            self._grant(worker, specs[worker.name])
        self._kubelet.recount(pod)
        pod.post_now()

    def _verdict(self, pod: PodWorker, specs: dict[str, Object]) -> tuple[str, str] | None:
        """(reason, message) when the node cannot grant: Infeasible (never) or Deferred (not now)."""
        allocatable, used = self._kubelet.config.allocatable(), self._kubelet.used_by_others(pod)
        for resource, unit in (("cpu", milli), ("memory", value)):
            wanted = sum(unit(((c.get("resources") or {}).get("requests") or {}).get(resource, "0"))
                         for c in specs.values())
            have = unit(allocatable.get(resource, "0"))
            if wanted > have:
                return "Infeasible", (f"Node didn't have enough capacity: {resource}, requested: {wanted}, "
                                      f"capacity: {have}")
            if wanted + used.get(resource, 0) > have:
                return "Deferred", (f"Node didn't have enough resource: {resource}, requested: {wanted}, "
                                    f"used: {used.get(resource, 0)}, capacity: {have}")
        return None

    def _grant(self, worker: ContainerWorker, spec: Object) -> None:
        before, after = self.allocated(worker), spec.get("resources") or {}
        self._allocated[(worker.pod.uid, worker.name)] = after
        worker.spec = spec
        running = worker.running
        if running is None:
            return
        policies = {p["resourceName"]: p["restartPolicy"] for p in spec.get("resizePolicy") or ()}
        differs = [r for r in RESIZABLE if any((before.get(k) or {}).get(r) != (after.get(k) or {}).get(r)
                                               for k in ("requests", "limits"))]
        if any(policies.get(r) == "RestartContainer" for r in differs):
            worker.stop("resize requires restart")
            return
        limits = after.get("limits") or {}
        running.set_limits(milli(limits["cpu"]) / 1000 if "cpu" in limits else None,
                           value(limits["memory"]) if "memory" in limits else None)
