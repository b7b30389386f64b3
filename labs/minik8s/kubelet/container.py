"""One container of a pod on its node, moved by `lifecycle.CONTAINER_TABLE`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minik8s.clock import Timer
from minik8s.kubelet import hooks
from minik8s.kubelet.containerconfig import ConfigError, container_config
from minik8s.kubelet.images import Image
from minik8s.kubelet.lifecycle import CONTAINER_TABLE, ContainerEvent, ContainerState
from minik8s.kubelet.logs import ContainerLog
from minik8s.kubelet.probes import Probes
from minik8s.kubelet.restart import exit_event
from minik8s.kubelet.runtime import Exit, Running, StartError
from minik8s.objects.frozen import Object

if TYPE_CHECKING:
    from minik8s.kubelet.pod import PodWorker

E, S = ContainerEvent, ContainerState

MINIMUM_GRACE = 2.0
"""Seconds that a container always gets between SIGTERM and SIGKILL (minimumGracePeriodInSeconds)."""

SYNC_RETRY = 10.0
"""Seconds after which a failed sync is tried again (the pod workers' backOffPeriod, jittered by half)."""

STARTED_STATES = frozenset({S.POST_START, S.RUNNING, S.PRE_STOP, S.STOPPING})


class Instance:
    """One run of the container."""

    __slots__ = ("exit", "finished_at", "id", "image", "log", "running", "started_at")

    def __init__(self, id: str, image: Image, log: ContainerLog):
        self.id, self.image, self.log = id, image, log
        self.started_at: float | None = None
        self.finished_at: float | None = None
        self.exit: Exit | None = None
        self.running: Running | None = None


class ContainerWorker:
    """kind: init, sidecar (a restartable init container), app or ephemeral."""

    def __init__(self, pod: PodWorker, spec: Object, kind: str):
        self.pod, self.spec, self.kind = pod, spec, kind
        self.name: str = spec["name"]
        self.state = S.WAITING
        self.attempt = -1
        self.current: Instance | None = None
        self.previous: Instance | None = None
        self.reason = self.message = ""
        self.started = False
        self.probes = Probes(self)
        self._timer: Timer | None = None
        self._image: Image | None = None
        self._deadline: float | None = None
        self._grace: Timer | None = None
        self._stop_grace = 0.0
        self._pull_failures = 0

    # ---- the table ---------------------------------------------------------
    def handle(self, event: ContainerEvent) -> None:
        move = CONTAINER_TABLE.get((self.state, event))
        if move is None:
            return
        assert isinstance(move.next, ContainerState)
        self.state = move.next
        for action in move.actions:
            getattr(self, action)()

    @property
    def finished(self) -> bool:
        return self.state is S.FINISHED

    @property
    def succeeded(self) -> bool:
        return self.current is not None and self.current.exit is not None and self.current.exit.code == 0

    @property
    def running(self) -> Running | None:
        """What executes now, if anything does."""
        instance = self.current
        if instance is None or instance.running is None or not instance.running.alive:
            return None
        return instance.running

    @property
    def memory(self) -> int:
        """Bytes in use now, as far as they can be measured."""
        usage = self.running.usage() if self.running is not None else None
        return usage.memory if usage is not None else 0

    @property
    def ready(self) -> bool:
        if self.kind == "init":
            return self.finished and self.succeeded
        return self.state in STARTED_STATES and self.running is not None and self.started and self.probes.ready

    def later(self, delay: float, event: ContainerEvent) -> None:
        self.drop_timer()
        self._timer = self.pod.host.call_later(delay, self.handle, event)

    def drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def event(self, type: str, reason: str, message: str) -> None:
        field = {"app": "containers", "ephemeral": "ephemeralContainers"}.get(self.kind, "initContainers")
        self.pod.event(type, reason, message, f"spec.{field}{{{self.name}}}")

    # ---- image -----------------------------------------------------------------
    def pull(self) -> None:
        self.pod.kubelet.images.ensure(self)

    def pulled(self, image: Image) -> None:
        self._image, self._pull_failures = image, 0
        self.reason = self.message = ""
        self.handle(E.PULLED)

    def pull_failed(self, reason: str, message: str) -> None:
        self.reason, self.message = reason, message
        self.event("Warning", "Failed", f"Error: {reason}")
        self.handle(E.PULL_FAILED)

    def pull_later(self) -> None:
        """The next sync finds the image in back-off, says so, and waits for its end."""
        self._pull_failures += 1
        soon = 1.0 if self._pull_failures == 1 else SYNC_RETRY * self.pod.kubelet.jitter()
        self._timer = self.pod.host.call_later(soon, self._pull_sync)

    def _pull_sync(self) -> None:
        wait = self.pod.kubelet.images.backoff_left(self)
        if wait <= 0:
            self.handle(E.BACKOFF_OVER)
            return
        image = self.spec["image"]
        if self.reason != "ImagePullBackOff":
            self.message = f'Back-off pulling image "{image}": {self.reason}: {self.message}'
        self.reason = "ImagePullBackOff"
        self.event("Normal", "BackOff", f'Back-off pulling image "{image}"')
        self.event("Warning", "Failed", "Error: ImagePullBackOff")
        self.pod.post_now()
        self.later(wait, E.BACKOFF_OVER)

    # ---- start -----------------------------------------------------------------
    def create(self) -> None:
        assert self._image is not None
        log = ContainerLog()
        try:
            config = container_config(self, self._image, log)
        except ConfigError as error:
            self.reason, self.message = error.reason, str(error)
            self.event("Warning", "Failed", f"Error: {error}")
            self.handle(E.CONFIG_FAILED)
            return
        self._retire()
        instance = Instance(config.id, self._image, log)
        self.attempt += 1
        self.current = instance
        self.started = False
        self._deadline = None
        self.event("Normal", "Created", "Container created")
        assert self.pod.sandbox is not None
        self.pod.kubelet.runtime.start(
            self.pod.sandbox,
            config,
            lambda running: self._start_done(instance, running),
            lambda error: self._start_failed(instance, error),
            lambda exit: self._exited(instance, exit),
        )

    def create_later(self) -> None:
        self.later(SYNC_RETRY * self.pod.kubelet.jitter(), E.BACKOFF_OVER)

    def _retire(self) -> None:
        if self.current is not None:
            self.previous = self.current

    def _start_done(self, instance: Instance, running: Running) -> None:
        if instance is not self.current or self.state is not S.CREATING:
            running.kill()
            return
        instance.running, instance.started_at = running, self.pod.host.now()
        self.reason = self.message = ""
        self.event("Normal", "Started", "Container started")
        self.started = not self.spec.get("startupProbe")
        hook = (self.spec.get("lifecycle") or {}).get("postStart")
        self.handle(E.START_HOOK if hook else E.STARTED)

    def _start_failed(self, instance: Instance, error: StartError) -> None:
        if instance is not self.current or self.state is not S.CREATING:
            return
        self.event("Warning", "Failed", f"Error: {error}")
        instance.started_at = 0.0
        instance.finished_at = self.pod.host.now()
        instance.exit = Exit(error.code, "StartError", str(error))
        self.reason, self.message = "RunContainerError", str(error)
        self.handle(E.EXIT)

    def run_post_start(self) -> None:
        hooks.run(self, self.spec["lifecycle"]["postStart"], self._post_start_done)

    def _post_start_done(self, error: str) -> None:
        if not error or self.state is not S.POST_START:
            self.handle(E.HOOK_DONE)
            return
        self.event("Warning", "FailedPostStartHook", "PostStartHook failed")
        self.stop("FailedPostStartHook", hook=False)

    def start_probes(self) -> None:
        self.probes.start()

    def stop_probes(self) -> None:
        self.probes.stop()
        self.started = False

    # ---- end -------------------------------------------------------------------
    def _exited(self, instance: Instance, exit: Exit) -> None:
        instance.exit, instance.finished_at = exit, self.pod.host.now()
        if instance is not self.current:
            return
        if self.state in (S.STOPPING, S.PRE_STOP):
            self.pod.host.call_soon(self._notice_exit, instance)
        else:
            self.pod.host.call_later(self.pod.kubelet.until_relist(), self._notice_exit, instance)

    def _notice_exit(self, instance: Instance) -> None:
        """The pod lifecycle event generator has seen the exit."""
        if instance is self.current:
            self.handle(E.EXIT)

    def decide(self) -> None:
        """Restart or not, and when."""
        if self._grace is not None:
            self._grace.cancel()
        self.handle(exit_event(self))

    def tell_backoff(self) -> None:
        pod = self.pod.pod["metadata"]
        who = f"{self.name} in pod {pod['name']}_{pod['namespace']}({pod['uid']})"
        self.event("Warning", "BackOff", f"Back-off restarting failed container {who}")

    def restart_later(self) -> None:
        self.later(self.pod.backoff_left(self), E.BACKOFF_OVER)

    def post_crash_loop(self) -> None:
        """The sync at the end of the wait still reports what the last one found."""
        pod = self.pod.pod["metadata"]
        seconds = self.pod.backoff.delay(self.name)
        shown = f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"
        self.reason = "CrashLoopBackOff"
        self.message = (
            f"back-off {shown} restarting failed container={self.name} "
            f"pod={pod['name']}_{pod['namespace']}({pod['uid']})"
        )
        self.pod.post_now()
        self.pod.backoff.next(self.name, self.pod.host.true_now())

    def stop(self, why: str, grace: float | None = None, *, hook: bool = True) -> None:
        """Begin to end the container; `why` completes the Killing event. preStop runs first unless `hook` is False."""
        if self.state in (S.STOPPING, S.PRE_STOP):
            self.shorten(grace)
            return
        if self.state in (S.RUNNING, S.POST_START):
            messages = {"": f"Stopping container {self.name}"}
            self.event("Normal", "Killing", messages.get(why, f"Container {self.name} {why}"))
        self._stop_grace = self.pod.grace if grace is None else grace
        has_hook = hook and (self.spec.get("lifecycle") or {}).get("preStop") and self._stop_grace > 0
        self.handle(E.STOP_HOOK if has_hook and self.running else E.STOP)
        self._settle_stop()

    def _settle_stop(self) -> None:
        """A program that ended meanwhile cannot end again."""
        if self.state is S.STOPPING and self.running is None:
            self.pod.host.call_soon(self.handle, E.EXIT)

    def shorten(self, grace: float | None) -> None:
        if grace is None or self._deadline is None:
            return
        deadline = self.pod.host.true_now() + max(grace, 0.0)
        if deadline < self._deadline:
            self._deadline = deadline
            self._arm(deadline)

    def arm_grace(self) -> None:
        now = self.pod.host.true_now()
        grace = self._stop_grace if self.state is S.PRE_STOP else max(self._stop_grace, MINIMUM_GRACE)
        self._deadline = now + grace
        self._arm(self._deadline)

    def _arm(self, when: float) -> None:
        if self._grace is not None:
            self._grace.cancel()
        self._grace = self.pod.host.call_later(max(0.0, when - self.pod.host.true_now()), self._grace_over)

    def _grace_over(self) -> None:
        if self.state is S.PRE_STOP:
            self.handle(E.HOOK_DONE)
        elif self.running is not None:
            self.running.kill()

    def run_pre_stop(self) -> None:
        hooks.run(self, self.spec["lifecycle"]["preStop"], self._pre_stop_done)

    def _pre_stop_done(self, error: str) -> None:
        if error and self.state is S.PRE_STOP:
            self.event("Warning", "FailedPreStopHook", "PreStopHook failed")
        self.handle(E.HOOK_DONE)

    def signal(self) -> None:
        if self._deadline is not None:
            self._deadline = max(self._deadline, self.pod.host.true_now() + MINIMUM_GRACE)
            self._arm(self._deadline)
        running = self.running
        if running is not None and self.current is not None:
            wanted = (self.spec.get("lifecycle") or {}).get("stopSignal") or self.current.image.stop_signal
            running.signal(wanted)

    # ---- towards the pod -----------------------------------------------------------
    def post_now(self) -> None:
        self.pod.post_now()

    def post_soon(self) -> None:
        self.pod.post_soon()

    def let_next_start(self) -> None:
        self.pod.start_next()

    def tell_pod(self) -> None:
        self.pod.container_finished(self)

    def halt(self) -> None:
        """The machine lost power: the instance ended without anybody seeing it."""
        self.probes.stop()
        self.drop_timer()
        if self.current is not None and self.current.exit is None:
            self.current.exit = Exit(255, "Unknown")
            self.current.finished_at = self.pod.host.now()
        self.started = False
        if self.state is not S.FINISHED:
            self.state = S.WAITING

    def detail(self) -> dict[str, Any]:
        """Facts for the trace."""
        out: dict[str, Any] = {"container": self.name, "attempt": self.attempt}
        if self.current is not None and self.current.exit is not None:
            out |= {"exitCode": self.current.exit.code, "reason": self.current.exit.reason}
        return out
