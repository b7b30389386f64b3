"""Node-pressure eviction: when a node runs short, conditions tell it and pods are ended, one at a time.

Sources: pkg/kubelet/eviction (eviction_manager.go, helpers.go), default hard thresholds for Linux.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minik8s.kubelet.lifecycle import PodState
from minik8s.kubelet.pod import PodWorker
from minik8s.objects.frozen import Object
from minik8s.objects.quantity import from_value, value

if TYPE_CHECKING:
    from minik8s.kubelet.kubelet import Kubelet

MEMORY_THRESHOLD = 100 << 20
DISK_SHARE = 0.10
TRANSITION_SECONDS = 300.0
"""A condition stays this long after the pressure has gone (evictionPressureTransitionPeriod)."""

BASE_DISK = 2 << 30
"""Bytes that the system itself takes on disk."""


class Signal(NamedTuple):
    """One thing that a node can run short of."""

    name: str
    resource: str
    condition: str


MEMORY = Signal("memory.available", "memory", "MemoryPressure")
DISK = Signal("nodefs.available", "ephemeral-storage", "DiskPressure")


class Evictions:
    """`foreign_memory` and `foreign_disk` are bytes taken by what is not in any pod (a fault)."""

    def __init__(self, kubelet: Kubelet):
        self._kubelet = kubelet
        self.foreign_memory = self.foreign_disk = 0
        self._pressed_at: dict[str, float] = {}

    # ---- measures ----------------------------------------------------------------
    def memory_available(self) -> int:
        used = sum(_memory(w) for w in self._kubelet.pods.values())
        return value(self._kubelet.config.capacity.get("memory", "0")) - used - self.foreign_memory

    def disk_available(self) -> int:
        pods = sum(w.volumes.ephemeral_bytes() for w in self._kubelet.pods.values())
        taken = BASE_DISK + self._kubelet.images.used_bytes() + pods + self.foreign_disk
        return value(self._kubelet.config.capacity.get("ephemeral-storage", "0")) - taken

    def give_back(self, *, memory: int = 0, disk: int = 0) -> None:
        self.foreign_memory = max(0, self.foreign_memory - memory)
        self.foreign_disk = max(0, self.foreign_disk - disk)

    # ---- acting ------------------------------------------------------------------
    def synchronize(self) -> None:
        """Look at what is left; set conditions; end at most one pod."""
        disk_size = value(self._kubelet.config.capacity.get("ephemeral-storage", "0"))
        self._check(MEMORY, self.memory_available(), MEMORY_THRESHOLD)
        self._check(DISK, self.disk_available(), int(disk_size * DISK_SHARE))
        self._check_volumes()

    def _check(self, signal: Signal, available: int, threshold: int) -> None:
        now, pressure = self._kubelet.host.true_now(), self._kubelet.node.pressure
        if available >= threshold:
            since = self._pressed_at.get(signal.condition)
            if since is not None and now - since >= TRANSITION_SECONDS:
                del self._pressed_at[signal.condition]
                pressure.discard(signal.condition)
            return
        if signal.condition not in pressure:
            self._tell_node(signal)
        self._pressed_at[signal.condition] = now
        pressure.add(signal.condition)
        if signal is DISK and self._free_images() and self.disk_available() >= threshold:
            return
        victims = self._ranked(signal)
        if victims:
            self._evict(victims[0], signal, available, threshold)

    def _tell_node(self, signal: Signal) -> None:
        node = self._kubelet.informers("nodes").get("", self._kubelet.name)
        if node is not None:
            self._kubelet.recorder.event(node, "Warning", "EvictionThresholdMet",
                                         f"Attempting to reclaim {signal.resource}")

    def _free_images(self) -> int:
        used = {str(c.current.image.reference) for w in self._kubelet.pods.values() for c in w.containers()
                if c.current is not None and w.state is not PodState.COMPLETED}
        return self._kubelet.images.remove_unused(used)

    def _ranked(self, signal: Signal) -> list[PodWorker]:
        """Who goes first: those above their request, then low priority, then those furthest above."""
        everyone = self._kubelet.pods.values()
        going = [w for w in everyone if not w.stopping and w.sandbox is not None and not _critical(w)]

        def rank(worker: PodWorker) -> tuple[bool, int, int]:
            used = _memory(worker) if signal is MEMORY else worker.volumes.ephemeral_bytes()
            over = used - self._kubelet.requested(worker, signal.resource)
            return over <= 0, int(worker.pod["spec"].get("priority") or 0), -over

        return sorted(going, key=rank)

    def _evict(self, worker: PodWorker, signal: Signal, available: int, threshold: int) -> None:
        message = (
            f"The node was low on resource: {signal.resource}. Threshold quantity: {_text(threshold)}, "
            f"available: {_text(max(0, available))}. "
        )
        if signal is MEMORY:
            message += "".join(_consumption(worker, c.spec, c.memory) for c in worker.containers())
        worker.record("evict", reason=signal.condition, message=message)
        worker.event("Warning", "Evicted", message)
        worker.evict("Evicted", message, 0.0, ("TerminationByKubelet", message))

    def _check_volumes(self) -> None:
        """An emptyDir that has outgrown its sizeLimit ends its pod."""
        for worker in list(self._kubelet.pods.values()):
            if worker.stopping or not worker.volumes.mounted:
                continue
            name = worker.volumes.outgrown()
            if name:
                limit = next(v["emptyDir"]["sizeLimit"] for v in worker.pod["spec"]["volumes"] if v["name"] == name)
                message = f'Usage of EmptyDir volume "{name}" exceeds the limit "{limit}". '
                worker.record("evict", reason="EmptyDir", message=message)
                worker.event("Warning", "Evicted", message)
                worker.evict("Evicted", message, 0.0, ("TerminationByKubelet", message))


def _memory(worker: PodWorker) -> int:
    if worker.sandbox is None:
        return 0
    return sum(c.memory for c in worker.containers())


def _critical(worker: PodWorker) -> bool:
    """Static pods and system-critical priorities stay."""
    annotations = worker.pod["metadata"].get("annotations") or {}
    return "kubernetes.io/config.mirror" in annotations or int(worker.pod["spec"].get("priority") or 0) >= 2 * 10**9


def _consumption(worker: PodWorker, spec: Object, used: int) -> str:
    request = ((spec.get("resources") or {}).get("requests") or {}).get("memory", "0")
    if used <= value(request):
        return ""
    return (f"Container {spec['name']} was using {_text(used)}, request is {request}, "
            "has larger consumption of memory. ")


def _text(size: int) -> str:
    return str(from_value(size >> 10 << 10, "BinarySI"))
