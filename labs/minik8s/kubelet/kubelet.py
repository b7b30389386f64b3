"""The kubelet: one per node, it makes the pods bound to its node real and tells how they are.

It sees stored objects only (pods by `spec.nodeName`, what they refer to) and writes status,
events, its Node and its Lease. What runs stands behind `runtime.Runtime`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from minik8s.client import Client, Context, EventRecorder, Transport
from minik8s.dataplane import NO_ROUTE, Connection, DialError
from minik8s.kubelet.admission import Refusal, admit, pod_requests
from minik8s.kubelet.eviction import Evictions
from minik8s.kubelet.files import Directory
from minik8s.kubelet.hostclock import HostClock
from minik8s.kubelet.imagemanager import ImageManager
from minik8s.kubelet.lifecycle import PodEvent, PodState
from minik8s.kubelet.nodeconfig import AddressPool, NodeConfig
from minik8s.kubelet.nodestatus import NodeStatus
from minik8s.kubelet.pod import PodWorker
from minik8s.kubelet.resize import Resizer
from minik8s.kubelet.runtime import Runtime
from minik8s.kubelet.servicelinks import service_variables
from minik8s.kubelet.volumes import decoded
from minik8s.objects.frozen import Object
from minik8s.wire import Request, Response, StatusError, UserInfo

if TYPE_CHECKING:
    from minik8s.kubelet.fleet import World

RELIST = 1.0
"""Seconds between two looks at the runtime (the pod lifecycle event generator's period)."""

RENEW_SECONDS = (2.0, 65.0)
"""How long a changed ConfigMap or Secret takes to reach the files of a running pod (sync period, jittered)."""


class Kubelet:
    """One node's agent. `start` registers it; it hears of pods through `pod_changed` (see fleet.py)."""

    def __init__(self, ctx: Context, world: World, config: NodeConfig, runtime: Runtime | None = None):
        self.config, self.name, self.address = config, config.name, config.address
        self.actor = f"kubelet/{config.name}"
        self.world, self.trace, self.informers = world, ctx.trace, ctx.informers
        self.clock = ctx.clock
        self.host = HostClock(ctx.clock)
        self.rng = ctx.clock.rng(self.actor)
        self.connected = True
        user = UserInfo(f"system:node:{config.name}", groups=("system:nodes", "system:authenticated"))
        self.client = Client(self._link(ctx.client), actor=self.actor, user=user)
        self.recorder = EventRecorder(self.client, ctx.clock, "kubelet", config.name)
        self.runtime: Runtime = runtime or world.runtime(ctx.clock, self.host, config.name, world.fabric)
        self.registry, self.storage = world.registry, world.storage
        self.disk: dict[str, Directory] = {}
        self.addresses = AddressPool(config.pod_cidr)
        self.gateway = self.addresses.gateway
        self.images = ImageManager(self)
        self.node = NodeStatus(self)
        self.evictions = Evictions(self)
        self.resizer = Resizer(self)
        self.pods: dict[str, PodWorker] = {}
        self.running = False
        self.powered = True
        self._phase = self.rng.random() * RELIST
        self._used: dict[str, dict[str, int]] = {}
        self._readers: dict[tuple[str, str, str], set[str]] = {}

    @property
    def hears(self) -> bool:
        """Whether news from the API server reaches a kubelet that can act on it."""
        return self.running and self.connected and not self.host.frozen

    # ---- life ------------------------------------------------------------------
    def start(self) -> None:
        """The kubelet's process begins; on a machine without power it waits for `power_on`."""
        if not self.powered:
            return
        self.running = True
        self.node.start()
        self.resync()

    def stop(self) -> None:
        """The kubelet's process ends; containers go on, nobody tells about them."""
        self.running = False
        self.node.stop()

    def resync(self) -> None:
        """Look at every pod of this node again, as after a lost connection."""
        if not self.hears:
            return
        found = {p["metadata"]["uid"]: p for p in self.informers("pods").by_index("spec.nodeName", self.name)}
        for uid in [u for u in self.pods if u not in found]:
            self.pods[uid].gone()
        for pod in found.values():
            self.pod_changed(pod)

    def disconnect(self) -> None:
        """The network between this node and the API server is cut."""
        self.connected = False

    def reconnect(self) -> None:
        self.connected = True
        self.node.reconsider()
        if self.running:
            self.node.start()
            self.resync()
            for worker in list(self.pods.values()):
                worker.post_now()

    def thaw(self) -> None:
        """The machine goes on after a freeze: first what was due, then what was missed."""
        self.host.thaw()
        self.node.reconsider()
        self.host.call_soon(self.resync)

    def power_off(self) -> None:
        """The machine dies: processes, timers and memory are gone; disks stay."""
        self.powered = self.running = False
        if self.world.fabric is not None:
            self.world.fabric.set_power(self.name, False)
        self.runtime.halt()
        self.node.stop()
        self.host.halt()
        for worker in self.pods.values():
            worker.halt()

    def power_on(self) -> None:
        if self.powered:
            return
        self.powered = self.running = True
        if self.world.fabric is not None:
            self.world.fabric.set_power(self.name, True)
        self.node.reconsider()
        self.node.start()
        for worker in list(self.pods.values()):
            worker.reboot()
        self.resync()

    # ---- pods ------------------------------------------------------------------
    def pod_changed(self, pod: Object) -> None:
        """A pod of this node was added or changed."""
        if not self.hears:
            return
        worker = self.pods.get(pod["metadata"]["uid"])
        if worker is not None:
            worker.update(pod)
        elif not _ended(pod):
            self._add(pod)
        elif pod["metadata"].get("deletionTimestamp"):
            self._finish_deletion(pod)

    def pod_gone(self, pod: Object) -> None:
        if not self.hears:
            return
        worker = self.pods.get(pod["metadata"]["uid"])
        if worker is not None:
            if pod["metadata"].get("deletionTimestamp"):
                worker.pod = pod
            worker.gone()

    def _add(self, pod: Object) -> None:
        worker = PodWorker(self, pod)
        self.pods[worker.uid] = worker
        if pod["metadata"].get("deletionTimestamp"):
            worker.update(pod)
            return
        try:
            admit(self, pod)
        except Refusal as refusal:
            worker.failure = (refusal.reason, f"Pod was rejected: {refusal}")
            worker.event("Warning", refusal.reason, str(refusal))
            worker.record("reject", reason=refusal.reason, message=str(refusal))
            worker.handle(PodEvent.REFUSED)
            return
        self._used[worker.uid] = pod_requests(pod["spec"])
        worker.handle(PodEvent.ADMITTED)
        self.plan_deadline(worker)

    def plan_deadline(self, worker: PodWorker) -> None:
        deadline = worker.deadline()
        if deadline is not None:
            self.host.call_later(max(0.0, deadline - self.host.true_now()), self._deadline_over, worker)

    def _deadline_over(self, worker: PodWorker) -> None:
        if worker.state not in (PodState.COMPLETED, PodState.GONE) and not worker.stopping:
            message = "Pod was active on the node longer than the specified deadline"
            worker.event("Normal", "DeadlineExceeded", message)
            worker.evict("DeadlineExceeded", message, worker.grace)

    def _finish_deletion(self, pod: Object) -> None:
        meta = pod["metadata"]
        try:
            self.client.delete("pods", meta["namespace"], meta["name"], grace=0, uid=meta["uid"])
        except StatusError:
            pass

    def freed(self, worker: PodWorker) -> None:
        self._used.pop(worker.uid, None)
        self.images.forget(worker.uid)
        for readers in self._readers.values():
            readers.discard(worker.uid)
        for other in list(self.pods.values()):
            if "PodResizePending" in other.extra_conditions:
                self.resizer.pod_changed(other)

    def forget(self, worker: PodWorker) -> None:
        self.pods.pop(worker.uid, None)
        self._used.pop(worker.uid, None)
        self.resizer.forget(worker.uid)
        self.world.static_pod_gone(self, worker)

    def find(self, namespace: str, name: str) -> PodWorker | None:
        return next((w for w in self.pods.values()
                     if w.pod["metadata"]["name"] == name and w.pod["metadata"]["namespace"] == namespace), None)

    # ---- resources ---------------------------------------------------------------
    def used(self) -> dict[str, int]:
        """Requests of the admitted pods: cpu in thousandths, memory in bytes, pods."""
        out: dict[str, int] = {"pods": len(self._used)}
        for amounts in self._used.values():
            for name, amount in amounts.items():
                out[name] = out.get(name, 0) + amount
        return out

    def used_by_others(self, pod: PodWorker) -> dict[str, int]:
        mine = self._used.get(pod.uid, {})
        return {k: v - mine.get(k, 0) for k, v in self.used().items()}

    def requested(self, pod: PodWorker, resource: str) -> int:
        """What the pod requests of a resource: cpu in thousandths, the rest in units."""
        return self._used.get(pod.uid, {}).get(resource, 0)

    def recount(self, pod: PodWorker) -> None:
        self._used[pod.uid] = pod_requests(pod.pod["spec"])

    def resize_waiting(self, pod: PodWorker) -> None:
        pod.post_now()

    # ---- what pods refer to ------------------------------------------------------
    def texts(self, kind: str, namespace: str, name: str) -> dict[str, bytes] | None:
        """Decoded data of a ConfigMap or Secret; None when there is none."""
        found = self.informers(f"{kind}s").get(namespace, name)
        return None if found is None else decoded(kind, found)

    def pull_secrets(self, pod: Object) -> Iterable[Object]:
        for reference in pod["spec"].get("imagePullSecrets") or ():
            found = self.informers("secrets").get(pod["metadata"]["namespace"], reference.get("name", ""))
            if found is not None:
                yield found

    def service_variables(self, namespace: str, links: bool) -> dict[str, str]:
        return service_variables(self.informers("services"), namespace, links)

    def volumes_mounted(self, worker: PodWorker) -> None:
        namespace = worker.pod["metadata"]["namespace"]
        for kind, name in worker.volumes.references():
            self._readers.setdefault((kind, namespace, name), set()).add(worker.uid)

    def source_changed(self, kind: str, namespace: str, name: str) -> None:
        """A ConfigMap or Secret has changed: its readers' files follow at their next sync."""
        for uid in sorted(self._readers.get((kind, namespace, name), ())):
            worker = self.pods.get(uid)
            if worker is not None:
                self.host.call_later(self.rng.uniform(*RENEW_SECONDS), self._renew, worker)

    def _renew(self, worker: PodWorker) -> None:
        if worker.volumes.mounted and self.connected and self.running:
            worker.volumes.renew()

    # ---- small things ------------------------------------------------------------
    def until_relist(self) -> float:
        """Seconds until the next look at the runtime."""
        return RELIST - (self.host.true_now() - self._phase) % RELIST

    def jitter(self) -> float:
        """1 to 1.5, as wait.Jitter."""
        return 1.0 + 0.5 * self.rng.random()

    def dial(self, address: str, port: int) -> Connection:
        if self.world.fabric is None:
            raise DialError(NO_ROUTE)
        return self.world.fabric.dial(self.address, address, port)

    def _link(self, client: Client) -> Transport:
        def transport(request: Request) -> Response:
            if not self.connected:
                raise StatusError(503, "ServiceUnavailable", "no route to the API server")
            return client.transport(request)

        return transport


def _ended(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
