"""postStart and preStop: run a command, send a request, or sleep (pkg/kubelet/lifecycle/handlers.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from minik8s.dataplane import Answer, Call, DialError, ask
from minik8s.kubelet.programs import NotFound
from minik8s.objects.frozen import Object

if TYPE_CHECKING:
    from minik8s.kubelet.container import ContainerWorker

Done = Callable[[str], None]

HOOK_TIMEOUT = 30.0
"""Seconds until an HTTP hook without an answer has failed."""


def run(container: ContainerWorker, handler: Object, done: Done) -> None:
    """Run a LifecycleHandler; `done("")` when it went well, else with what went wrong."""
    host = container.pod.host
    if "exec" in handler:
        _exec(container, tuple(handler["exec"].get("command") or ()), done)
    elif "sleep" in handler:
        host.call_later(float(handler["sleep"].get("seconds", 0)), done, "")
    elif "httpGet" in handler:
        _http(container, handler["httpGet"], done)
    elif "tcpSocket" in handler:
        host.call_soon(done, "")
    else:
        host.call_soon(done, "invalid handler")


def _exec(container: ContainerWorker, argv: tuple[str, ...], done: Done) -> None:
    running = container.running
    if running is None:
        container.pod.host.call_soon(done, "container not running")
        return

    def ended(code: int) -> None:
        done("" if code == 0 else f"command '{' '.join(argv)}' exited with {code}")

    try:
        running.exec(argv, done=ended)
    except NotFound as error:
        container.pod.host.call_soon(done, str(error))


def _http(container: ContainerWorker, action: Object, done: Done) -> None:
    host, sandbox = container.pod.host, container.pod.sandbox
    assert sandbox is not None
    port = resolve_port(container.spec, action.get("port"))

    def ended(answer: Answer | DialError) -> None:
        if isinstance(answer, DialError):
            host.call_soon(done, str(answer))
        else:
            host.call_later(answer.latency, done, "" if answer.status < 400 else f"HTTP status {answer.status}")

    try:
        connection = sandbox.dial(port)
    except DialError as error:
        ended(error)
        return
    ask(connection, Call(action.get("path") or "/", source=container.pod.host_ip), HOOK_TIMEOUT, ended)


def resolve_port(spec: Object, port: int | str | None) -> int:
    """A port number, or that of the container port with this name (0 when there is none)."""
    if isinstance(port, int):
        return port
    for entry in spec.get("ports") or ():
        if entry.get("name") == port:
            return int(entry["containerPort"])
    return int(port) if port and str(port).isdigit() else 0
