"""Startup, readiness and liveness probes of one container (pkg/kubelet/prober)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from minik8s.clock import Timer
from minik8s.dataplane import TIMEOUT, Answer, Call, DialError
from minik8s.dataplane import ask as send
from minik8s.kubelet.hooks import resolve_port
from minik8s.kubelet.programs import NotFound
from minik8s.kubelet.runtime import Session
from minik8s.objects.frozen import Object

if TYPE_CHECKING:
    from minik8s.kubelet.container import ContainerWorker

Report = Callable[[str | None], None]
"""Called with None for success, or with what failed."""

KINDS = ("startup", "liveness", "readiness")


class Probe:
    """One probe: asks every period, and counts equal answers up to a threshold."""

    __slots__ = ("_asking", "_container", "_held", "_kind", "_result", "_run", "_spec", "_timer", "good")

    def __init__(self, container: ContainerWorker, kind: str, spec: Object):
        self._container, self._kind, self._spec = container, kind, spec
        self.good: bool | None = None
        self._timer: Timer | None = None
        self._result: bool | None = None
        self._run = 0
        self._held = False
        self._asking = 0

    @property
    def _period(self) -> float:
        return float(self._spec.get("periodSeconds") or 10)

    def start(self, delay: float) -> None:
        self.stop()
        self.good = None
        self._result, self._run, self._held = None, 0, False
        first = max(delay, float(self._spec.get("initialDelaySeconds") or 0))
        self._timer = self._container.pod.host.call_later(first, self._tick)

    def stop(self) -> None:
        self._asking += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = self._container.pod.host.call_later(self._period, self._tick)
        pod = self._container.pod
        if self._held or (pod.stopping and self._kind != "readiness") or self._container.running is None:
            return
        if self._kind != "startup" and not self._container.started:
            return
        if self._kind == "startup" and self._container.started:
            return
        self._asking += 1
        asked = self._asking
        ask(self._container, self._spec, lambda failure: self._answer(asked, failure))

    def _answer(self, asked: int, failure: str | None) -> None:
        if asked != self._asking:
            return
        success = failure is None
        if failure is not None:
            title = self._kind.capitalize()
            self._container.event("Warning", "Unhealthy", f"{title} probe {failure}")
        if self._result == success:
            self._run += 1
        else:
            self._result, self._run = success, 1
        key, usual = ("successThreshold", 1) if success else ("failureThreshold", 3)
        if self._run >= int(self._spec.get(key) or usual) and self.good != success:
            self.good = success
            self._held = self._kind != "readiness" and not success
            self._container.probes.changed(self._kind, success)


class Probes:
    """The probes of a container."""

    def __init__(self, container: ContainerWorker):
        self._container = container
        spec = container.spec
        self._all = {k: Probe(container, k, spec[f"{k}Probe"]) for k in KINDS if spec.get(f"{k}Probe")}

    @property
    def ready(self) -> bool:
        probe = self._all.get("readiness")
        return probe is None or bool(probe.good)

    def start(self) -> None:
        if not self._all:
            return
        # The first question comes when the kubelet has noticed that the container runs.
        delay = self._container.pod.kubelet.until_relist()
        for kind, probe in self._all.items():
            if kind == "startup" or self._container.started:
                probe.start(delay)

    def stop(self) -> None:
        for probe in self._all.values():
            probe.stop()
            probe.good = None

    def changed(self, kind: str, good: bool) -> None:
        container = self._container
        if kind == "readiness":
            container.pod.post_now()
        elif kind == "startup" and good:
            container.started = True
            for other in ("liveness", "readiness"):
                if other in self._all:
                    self._all[other].start(0.0)
            container.pod.post_now()
            container.pod.start_next()
        elif not good:
            spec = container.spec[f"{kind}Probe"]
            grace = spec.get("terminationGracePeriodSeconds")
            container.stop(f"failed {kind} probe, will be restarted", None if grace is None else float(grace))


def ask(container: ContainerWorker, spec: Object, report: Report) -> None:
    """Put the question once. The answer may come at once or later."""
    timeout = float(spec.get("timeoutSeconds") or 1)
    if "httpGet" in spec:
        _http(container, spec["httpGet"], timeout, report)
    elif "exec" in spec:
        _exec(container, tuple(spec["exec"].get("command") or ()), timeout, report)
    elif "tcpSocket" in spec:
        report(_tcp(container, spec["tcpSocket"]))
    elif "grpc" in spec:
        report(_grpc(container, spec["grpc"]))


def _http(container: ContainerWorker, action: Object, timeout: float, report: Report) -> None:
    pod = container.pod
    assert pod.sandbox is not None
    port = resolve_port(container.spec, action.get("port"))
    host = action.get("host") or pod.address
    path = action.get("path") or "/"
    url = f"{(action.get('scheme') or 'HTTP').lower()}://{host}:{port}{path}"

    def judge(answer: Answer | DialError) -> None:
        if isinstance(answer, DialError):
            late = answer.kind == TIMEOUT
            report(_timed_out(url) if late else f'failed: Get "{url}": dial tcp {host}:{port}: connect: {answer.kind}')
        elif answer.latency >= timeout:
            report(_timed_out(url))
        else:
            good = 200 <= answer.status < 400
            report(None if good else f"failed: HTTP probe failed with statuscode: {answer.status}")

    call = Call(path, headers={"User-Agent": "kube-probe/1.36"}, source=pod.kubelet.gateway)
    try:
        connection = pod.sandbox.dial(port) if not action.get("host") else pod.kubelet.dial(host, port)
    except DialError as error:
        judge(error)
        return
    send(connection, call, timeout, judge)


def _timed_out(url: str) -> str:
    return f'failed: Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'


def _tcp(container: ContainerWorker, action: Object) -> str | None:
    pod = container.pod
    assert pod.sandbox is not None
    port = resolve_port(container.spec, action.get("port"))
    try:
        pod.sandbox.dial(port)
    except DialError as error:
        return f"failed: dial tcp {action.get('host') or pod.address}:{port}: connect: {error.kind}"
    return None


def _grpc(container: ContainerWorker, action: Object) -> str | None:
    pod = container.pod
    assert pod.sandbox is not None
    try:
        pod.sandbox.dial(int(action["port"]))
    except DialError:
        return (
            f'failed: timeout: failed to connect service "{pod.address}:{action["port"]}" within 1s: '
            "context deadline exceeded"
        )
    return None


def _exec(container: ContainerWorker, argv: tuple[str, ...], timeout: float, report: Report) -> None:
    running = container.running
    if running is None:
        return
    host = container.pod.host
    state: dict[str, Session | Timer] = {}

    def ended(code: int) -> None:
        if "timer" in state:
            state["timer"].cancel()  # type: ignore[union-attr]
        if code == 0:
            report(None)
            return
        session = state.get("session")
        text = b"".join(data for _, data in session.read()).decode() if session is not None else ""  # type: ignore[union-attr]
        report(f"failed: {text}")

    def expired() -> None:
        session = state.get("session")
        if session is not None:
            session.close()  # type: ignore[union-attr]
        report(f'errored: rpc error: code = DeadlineExceeded desc = command "{" ".join(argv)}" timed out')

    def soon(code: int) -> None:
        host.call_soon(ended, code)

    try:
        session = running.exec(argv, done=soon)
    except NotFound as error:
        report(f'errored and resulted in unknown state: rpc error: code = Unknown desc = {error}')
        return
    state["session"] = session
    if session.exit is None:
        state["timer"] = host.call_later(timeout, expired)
