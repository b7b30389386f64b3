"""The processes of a cluster: their connections to the API server, and a switch for each.

Stopping a part shows what it is for: without the scheduler pods stay Pending, without a
controller nobody repairs, without the API server everybody waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from minik8s.client import Informers
from minik8s.wire import Request, Response, StatusError

Send = Callable[[Request], Response]
APISERVER, ETCD = "apiserver", "etcd"


class Connection:
    """A part's way to the API server. `interpose(request, send)` stands in it when a fault is injected."""

    def __init__(self, send: Send):
        self._send = send
        self.interpose: Callable[[Request, Send], Response] | None = None

    def __call__(self, request: Request) -> Response:
        if self.interpose is not None:
            return self.interpose(request, self._send)
        return self._send(request)


@dataclass
class Part:
    """Something that can be stopped and started by name."""

    name: str
    start: Callable[[], None]
    stop: Callable[[], None]
    running: bool = True


@dataclass
class Process:
    """Actors that share a connection and caches, as the controllers of one kube-controller-manager."""

    name: str
    connection: Connection
    informers: Informers | None = None
    parts: dict[str, Part] = field(default_factory=dict)


class ControlPlane:
    """All processes by name; `entrance` is where callers from outside come in."""

    def __init__(self, send: Send):
        self._send = send
        self._processes: dict[str, Process] = {}
        self._down: set[str] = set()
        self.entrance = Connection(self._guarded)

    def _guarded(self, request: Request) -> Response:
        for name, message in _REFUSALS.items():
            if name in self._down:
                error = StatusError(503, "ServiceUnavailable", message)
                return Response(error.code, error.status())
        return self._send(request)

    def process(self, name: str) -> Process:
        """The process of this name, made when first asked for."""
        if name not in self._processes:
            self._processes[name] = Process(name, Connection(self._guarded))
        return self._processes[name]

    def add(self, process: str, part: Part) -> None:
        self.process(process).parts[part.name] = part

    def start_informers(self, process: str) -> None:
        informers = self.process(process).informers
        if informers is not None:
            informers.start()

    # ---- switches ------------------------------------------------------------
    def parts(self) -> dict[str, bool]:
        """Every part that can be stopped, and whether it runs."""
        out = {APISERVER: APISERVER not in self._down, ETCD: ETCD not in self._down}
        for process in self._processes.values():
            out |= {part.name: part.running for part in process.parts.values()}
        return out

    def stop(self, name: str) -> None:
        """Stop a part: `apiserver`, `etcd`, `scheduler`, `kube-controller-manager` or one controller's name."""
        for part in self._find(name):
            if part.running:
                part.running = False
                part.stop()
        self._link(name, up=False)

    def start(self, name: str) -> None:
        """Start it again; what it missed it finds in the API server."""
        for part in self._find(name):
            if not part.running:
                part.running = True
                part.start()
        self._link(name, up=True)

    def _find(self, name: str) -> list[Part]:
        short = {"controller-manager": "kube-controller-manager", "kube-scheduler": "scheduler"}.get(name, name)
        if short in {APISERVER, ETCD, "kube-apiserver"}:
            return []
        if short in self._processes and short != "kubelet":
            return list(self._processes[short].parts.values())
        for process in self._processes.values():
            for candidate in (short, f"{short}-controller"):
                if candidate in process.parts:
                    return [process.parts[candidate]]
        raise ValueError(f"{name!r}라는 부품은 없다. 있는 것: {', '.join(self.parts())}")

    def _link(self, name: str, *, up: bool) -> None:
        short = name.removeprefix("kube-")
        if short not in {APISERVER, ETCD}:
            return
        if up:
            self._down.discard(short)
        else:
            self._down.add(short)
        for process in self._processes.values():
            if process.informers is not None:
                (process.informers.resume if up else process.informers.pause)()


_REFUSALS = {
    APISERVER: "the server is currently unable to handle the request",
    ETCD: "etcdserver: request timed out",
}
