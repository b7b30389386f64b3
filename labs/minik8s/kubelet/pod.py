"""One pod on its node, moved by `lifecycle.POD_TABLE` (pkg/kubelet/pod_workers.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minik8s.clock import Timer
from minik8s.kubelet.backoff import Backoff
from minik8s.kubelet.container import ContainerWorker
from minik8s.kubelet.lifecycle import POD_TABLE, ContainerEvent, ContainerState, PodEvent, PodState
from minik8s.kubelet.runtime import Sandbox, SandboxConfig
from minik8s.kubelet.status import pod_status, status_patch, whole_status
from minik8s.kubelet.volumes import MountError, PodVolumes
from minik8s.objects.frozen import Object
from minik8s.objects.meta import parse_time
from minik8s.wire import StatusError

if TYPE_CHECKING:
    from minik8s.kubelet.kubelet import Kubelet

E, S = PodEvent, PodState

STATUS_RETRY = 10.0
"""Seconds after which a refused status write is tried again (the status manager's sync period)."""

MOUNT_RETRY = (0.5, 122.0)
"""First and longest wait between two tries to mount (pkg/volume/util/nestedpendingoperations)."""

STARTING = frozenset({ContainerState.PULLING, ContainerState.CREATING, ContainerState.POST_START})


class PodWorker:
    """`pod` is the newest version seen; what has been told to the API is in `posted`."""

    def __init__(self, kubelet: Kubelet, pod: Object):
        self.kubelet, self.pod, self.host = kubelet, pod, kubelet.host
        self.state = S.NEW
        spec = pod["spec"]
        self.inits = [
            ContainerWorker(self, c, "sidecar" if c.get("restartPolicy") == "Always" else "init")
            for c in spec.get("initContainers") or ()
        ]
        self.apps = [ContainerWorker(self, c, "app") for c in spec["containers"]]
        self.ephemeral = [ContainerWorker(self, c, "ephemeral") for c in spec.get("ephemeralContainers") or ()]
        self.backoff = Backoff()
        self.volumes = PodVolumes(self)
        self.sandbox: Sandbox | None = None
        self.address = self.host_ip if spec.get("hostNetwork") else ""
        self.started_at = kubelet.host.now()
        self.posted: Object = {}
        self.unsure = False
        self._posted_version = 0
        self.stopping = False
        self.removed = False
        self.failure: tuple[str, str] | None = None
        self.extra_conditions: dict[str, tuple[str, str, str]] = {}
        self.grace = float(spec.get("terminationGracePeriodSeconds", 30))
        self._remember(pod.get("status") or {})
        self._mount_wait = MOUNT_RETRY[0]
        self._post_timer: Timer | None = None
        self._timer: Timer | None = None

    def _remember(self, status: Object) -> None:
        """A pod that ran here before the machine and its kubelet started anew goes on counting."""
        if status.get("startTime"):
            self.started_at = parse_time(status["startTime"])
        for field in ("initContainerStatuses", "containerStatuses"):
            for entry in status.get(field) or ():
                worker = self.container(entry["name"])
                if worker is not None and entry.get("containerID"):
                    worker.attempt = int(entry.get("restartCount") or 0)

    @property
    def uid(self) -> str:
        return str(self.pod["metadata"]["uid"])

    @property
    def host_ip(self) -> str:
        return self.kubelet.address

    def containers(self) -> list[ContainerWorker]:
        return [*self.inits, *self.apps, *self.ephemeral]

    def container(self, name: str) -> ContainerWorker | None:
        return next((c for c in self.containers() if c.name == name), None)

    def handle(self, event: PodEvent) -> None:
        move = POD_TABLE.get((self.state, event))
        if move is None:
            return
        assert isinstance(move.next, PodState)
        self.state = move.next
        for action in move.actions:
            getattr(self, action)()

    # ---- what the API says -----------------------------------------------------
    def update(self, pod: Object) -> None:
        """A newer version of the pod has arrived."""
        old, self.pod = self.pod, pod
        if pod["metadata"].get("deletionTimestamp"):
            self.stop(float(pod["metadata"].get("deletionGracePeriodSeconds") or 0))
            return
        if not self._agrees(pod):
            self.unsure = True
            self.post_now()
        if pod["spec"] is old["spec"] and pod["metadata"].get("generation") == old["metadata"].get("generation"):
            if pod["status"].get("conditions") != old["status"].get("conditions"):
                self.post_now()
            return
        if pod["spec"] != old["spec"]:
            self._spec_changed(pod["spec"])
        self.post_now()

    def _agrees(self, pod: Object) -> bool:
        """Whether the API has what was posted last; others may have written the status meanwhile."""
        if not self.posted or int(pod["metadata"]["resourceVersion"]) < self._posted_version:
            return True
        status = pod.get("status") or {}
        known = {c["type"]: c["status"] for c in status.get("conditions") or ()}
        mine = self.posted.get("conditions") or ()
        same = all(known.get(c["type"]) == c["status"] for c in mine)
        return same and status.get("phase") == self.posted.get("phase")

    def _spec_changed(self, spec: Object) -> None:
        known = {c.name for c in self.ephemeral}
        for entry in spec.get("ephemeralContainers") or ():
            if entry["name"] not in known:
                self.ephemeral.append(ContainerWorker(self, entry, "ephemeral"))
        self.start_ephemeral()
        for worker, entry in zip(self.apps, spec["containers"], strict=False):
            if entry.get("image") != worker.spec.get("image"):
                worker.spec = entry
                self._restart_changed(worker)
        self.kubelet.resizer.pod_changed(self)

    def _restart_changed(self, worker: ContainerWorker) -> None:
        """A container's image is the one field that may change in place: the container is replaced."""
        if worker.state is ContainerState.RUNNING:
            worker.stop("definition changed, will be restarted")

    def gone(self) -> None:
        """The API object is no more."""
        self.removed = True
        if self.state in (S.COMPLETED, S.REJECTED, S.NEW):
            self.handle(E.REMOVED)
        else:
            self.stop(float(self.pod["metadata"].get("deletionGracePeriodSeconds") or 0))

    def stop(self, grace: float) -> None:
        """End the pod: graceful deletion, eviction, or its API object has gone."""
        if self.stopping and grace >= self.grace and self.state is S.TERMINATING:
            return
        self.grace = grace
        self.stopping = True
        self.handle(E.STOP)

    def evict(self, reason: str, message: str, grace: float, condition: tuple[str, str] | None = None) -> None:
        """End the pod as Failed without deleting it (node pressure, shutdown, deadline)."""
        self.failure = (reason, message)
        if condition is not None:
            self.extra_conditions["DisruptionTarget"] = ("True", *condition)
        self.stop(grace)

    # ---- actions -----------------------------------------------------------------
    def mount_volumes(self) -> None:
        try:
            self.volumes.mount()
        except MountError as error:
            self._mount_error = error
            self.handle(E.MOUNT_FAILED)
            return
        self.handle(E.MOUNTED)

    def tell_mount_failure(self) -> None:
        error = self._mount_error
        if error.reason:
            self.event("Warning", error.reason, str(error))

    def mount_later(self) -> None:
        self._timer = self.host.call_later(self._mount_wait, self._mount_again)
        self._mount_wait = min(self._mount_wait * 2, MOUNT_RETRY[1])

    def _mount_again(self) -> None:
        if self.state is S.MOUNTING:
            self.mount_volumes()

    def make_sandbox(self) -> None:
        if not self.pod["spec"].get("hostNetwork"):
            self.address = self.kubelet.addresses.take(self.uid)
        meta, spec = self.pod["metadata"], self.pod["spec"]
        config = SandboxConfig(
            namespace=meta["namespace"],
            name=meta["name"],
            uid=self.uid,
            hostname=self.kubelet.name if spec.get("hostNetwork") else spec.get("hostname") or meta["name"][:63],
            address=self.address,
            node=self.kubelet.name,
            host_network=bool(spec.get("hostNetwork")),
            ports=tuple(p["containerPort"] for c in spec["containers"] for p in c.get("ports") or ()),
        )
        self.kubelet.runtime.run_sandbox(config, self._sandbox_made)

    def make_sandbox_again(self) -> None:
        self.event("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
        self.make_sandbox()

    def _sandbox_made(self, sandbox: Sandbox) -> None:
        if self.state is not S.SANDBOX:
            self.kubelet.runtime.stop_sandbox(sandbox)
            return
        self.sandbox = sandbox
        self.address = sandbox.address
        self.handle(E.SANDBOX_READY)
        self.start_ephemeral()

    def start_next(self) -> None:
        """Start what comes next: init containers one after the other, then the others in order."""
        if self.state is S.INITIALIZING:
            if self._initialize():
                self.handle(E.INITIALIZED)
        elif self.state is S.RUNNING:
            for worker in self.apps:
                if worker.state is ContainerState.WAITING:
                    worker.handle(ContainerEvent.START)
                    return
                if worker.state in STARTING and worker.attempt <= 0:
                    return

    def _initialize(self) -> bool:
        for worker in self.inits:
            if worker.state is ContainerState.WAITING:
                worker.handle(ContainerEvent.START)
                return False
            passed = worker.succeeded and worker.finished if worker.kind == "init" else worker.started
            if not passed:
                return False
        return True

    def start_ephemeral(self) -> None:
        if self.sandbox is not None and not self.stopping:
            for worker in self.ephemeral:
                worker.handle(ContainerEvent.START)

    def container_finished(self, worker: ContainerWorker) -> None:
        if self.state is S.TERMINATING:
            self._stop_more()
        elif worker.kind != "ephemeral" and self._main_part_over():
            self._wind_down()

    def _main_part_over(self) -> bool:
        if any(c.kind == "init" and c.finished and not c.succeeded for c in self.inits):
            return True
        return self.state is S.RUNNING and all(c.finished for c in self.apps)

    def _wind_down(self) -> None:
        """Nothing is left to run but sidecars: they end in reverse order."""
        for worker in reversed(self.inits):
            if worker.kind == "sidecar" and not worker.finished and worker.state is not ContainerState.WAITING:
                self.stopping = True
                worker.stop("")
                if not worker.finished:
                    return
        self.handle(E.ALL_FINISHED)

    def stop_containers(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for worker in (*self.apps, *self.ephemeral, *(c for c in self.inits if c.kind == "init")):
            worker.stop("", self.grace)
        self._stop_more()

    def shorten_grace(self) -> None:
        for worker in self.containers():
            worker.shorten(self.grace)

    def _stop_more(self) -> None:
        if self.state is not S.TERMINATING:
            return
        others = [c for c in self.containers() if c.kind != "sidecar"]
        if not all(c.finished for c in others):
            return
        for worker in reversed(self.inits):
            if worker.kind == "sidecar" and not worker.finished:
                worker.stop("", self.grace)
                if not worker.finished:
                    return
        self.handle(E.ALL_FINISHED)

    def free(self) -> None:
        """Give back what the pod holds on the node; its logs and written status stay."""
        if self.sandbox is not None:
            self.kubelet.runtime.stop_sandbox(self.sandbox)
            self.sandbox = None
        self.kubelet.addresses.release(self.uid)
        self.volumes.unmount()
        self.kubelet.freed(self)

    def remove_from_api(self) -> None:
        if self.removed:
            self.handle(E.REMOVED)
        elif self.pod["metadata"].get("deletionTimestamp"):
            meta = self.pod["metadata"]
            try:
                self.kubelet.client.delete("pods", meta["namespace"], meta["name"], grace=0, uid=self.uid)
            except StatusError as error:
                if error.code not in (404, 409):
                    self.host.call_later(STATUS_RETRY, self.remove_from_api)

    def forget(self) -> None:
        if self._post_timer is not None:
            self._post_timer.cancel()
        self.kubelet.forget(self)

    # ---- status ------------------------------------------------------------------
    def post_rejection(self) -> None:
        self.post_status()

    def post_now(self) -> None:
        self._plan_post(0.0)

    def post_soon(self) -> None:
        self._plan_post(self.kubelet.until_relist())

    def _plan_post(self, delay: float) -> None:
        when = self.host.true_now() + delay
        timer = self._post_timer
        if timer is not None:
            if timer.when <= when:
                return
            timer.cancel()
        self._post_timer = self.host.call_later(delay, self.post_status)

    def post_status(self) -> None:
        """Tell the API server what the pod is like, if that is news."""
        if self._post_timer is not None:
            self._post_timer.cancel()
            self._post_timer = None
        if self.removed or self.state is S.NEW:
            return
        status = pod_status(self)
        if status == self.posted and not self.unsure:
            return
        meta = self.pod["metadata"]
        before = self.posted or self.pod.get("status") or {}
        patch = whole_status(status) if self.unsure else status_patch(before, status)
        body = {"metadata": {"uid": self.uid}, "status": patch}
        try:
            stored = self.kubelet.client.patch("pods", meta["namespace"], meta["name"], body, type="strategic",
                                               subresource="status")
        except StatusError as error:
            if error.code not in (404, 409):
                # The write may have been done all the same: nothing is known about what the API has now.
                self.unsure = True
                self._plan_post(STATUS_RETRY)
            return
        self.posted, self.unsure = status, False
        self._posted_version = int(stored["metadata"]["resourceVersion"])

    def backoff_left(self, worker: ContainerWorker) -> float:
        instance = worker.current
        since = instance.finished_at if instance is not None and instance.finished_at is not None else 0.0
        return self.backoff.wait(worker.name, since - self.host.skew, self.host.true_now())

    def deadline(self) -> float | None:
        """When activeDeadlineSeconds runs out, in true time."""
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        return None if seconds is None else self.started_at - self.host.skew + float(seconds)

    def event(self, type: str, reason: str, message: str, field_path: str = "") -> None:
        self.kubelet.recorder.event(self.pod, type, reason, message, field_path=field_path)

    def record(self, verb: str, **detail: Any) -> None:
        meta = self.pod["metadata"]
        self.kubelet.trace.record(self.kubelet.actor, verb, f"pods/{meta['namespace']}/{meta['name']}", **detail)

    def halt(self) -> None:
        """Power failure."""
        for worker in self.containers():
            worker.halt()
        self._post_timer = self._timer = None
        if self.state is S.TERMINATING:
            for worker in self.containers():
                worker.handle(ContainerEvent.STOP)
        self.sandbox = None

    def reboot(self) -> None:
        """The machine is back: everything starts again in a new sandbox."""
        if self.state in (S.RUNNING, S.INITIALIZING):
            self.handle(E.SANDBOX_LOST)
        elif self.state is S.SANDBOX:
            self.make_sandbox()
        elif self.state is S.MOUNTING:
            self.mount_volumes()
        elif self.state is S.TERMINATING:
            self._stop_more()
        self.post_now()

    def __repr__(self) -> str:
        return f"<PodWorker {self.pod['metadata']['name']} {self.state.value}>"
