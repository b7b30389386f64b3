"""Faults between the parts and the API server's store: requests that fail, news that comes late or never."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from minik8s.wire import Request, Response, StatusError, WatchEvent, WatchStream

if TYPE_CHECKING:
    from minik8s.faults.faults import Fault, Faults

Undo = Callable[[], object]
Send = Callable[[Request], Response]

PROCESSES = ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")

ETCD_TIMEOUT = 7.0
"""Seconds after which the API server gives up a write (etcd's request timeout)."""


class Connection(Protocol):
    """A part's way to the API server (controlplane.Connection)."""

    interpose: Callable[[Request, Send], Response] | None


def fail_store(faults: Faults, fault: Fault, rate: float = 1.0, lost_answers: bool = False) -> Undo:
    """Requests fail with `rate`; `lost_answers`: the write is done, but the answer does not come back."""
    rng = faults.rng(fault)

    def layer(request: Request, send: Send) -> Response:
        if rng.random() >= rate:
            return send(request)
        if lost_answers:
            send(request)
        error = StatusError(500, "InternalError", "etcdserver: request timed out")
        return Response(500, error.status())

    return _interpose(faults, layer)


def slow_store(faults: Faults, fault: Fault, by: float = 2.0) -> Undo:
    """News of writes comes `by` seconds later; from ETCD_TIMEOUT on writes time out as well."""
    informers = [i for i in (faults.controlplane.process(p).informers for p in PROCESSES) if i is not None]
    for each in informers:
        each.slow_down(by)
    undo = fail_store(faults, fault) if by >= ETCD_TIMEOUT else None

    def back() -> None:
        for each in informers:
            each.slow_down(-by)
        if undo is not None:
            undo()

    return back


def drop_watch_events(faults: Faults, fault: Fault, rate: float = 0.5, resource: str = "") -> Undo:
    """Watch events are lost with `rate`; when it is over the connections break, and everybody lists again."""
    rng, state = faults.rng(fault), {"on": True}

    def layer(request: Request, send: Send) -> Response:
        response = send(request)
        if response.stream is not None and (not resource or request.path.endswith(f"/{resource.partition('.')[0]}")):
            response.stream = _LossyStream(response.stream, rng, rate, state)
        return response

    undo = _interpose(faults, layer)
    _relist(faults)

    def back() -> None:
        state["on"] = False
        undo()
        _relist(faults)

    return back


class _LossyStream:
    """A watch that loses events while the fault is on."""

    def __init__(self, inner: WatchStream, rng: random.Random, rate: float, state: dict[str, bool]):
        self._inner, self._rng, self._rate, self._state = inner, rng, rate, state

    @property
    def wake(self) -> Callable[[], None] | None:
        return self._inner.wake

    @wake.setter
    def wake(self, fn: Callable[[], None] | None) -> None:
        self._inner.wake = fn

    @property
    def closed(self) -> bool:
        return self._inner.closed

    @closed.setter
    def closed(self, value: bool) -> None:
        self._inner.closed = value

    def drain(self) -> list[WatchEvent]:
        events = self._inner.drain()
        if not self._state["on"]:
            return events
        return [e for e in events if self._rng.random() >= self._rate]

    def close(self) -> None:
        self._inner.close()


def _interpose(faults: Faults, layer: Callable[[Request, Send], Response]) -> Undo:
    """Stand in the way of every part's requests; layers of several faults go one behind the other."""
    undone: list[Undo] = []
    for name in PROCESSES:
        connection = faults.controlplane.process(name).connection
        undone.append(_add_layer(connection, layer))

    def undo() -> None:
        for each in undone:
            each()

    return undo


def _add_layer(connection: Connection, layer: Callable[[Request, Send], Response]) -> Undo:
    before = connection.interpose
    state = {"on": True}

    def both(request: Request, send: Send) -> Response:
        inner: Send = send if before is None else lambda r: before(r, send)
        return layer(request, inner) if state["on"] else inner(request)

    connection.interpose = both

    def undo() -> None:
        state["on"] = False
        if connection.interpose is both:
            connection.interpose = before

    return undo


def _relist(faults: Faults) -> None:
    for name in PROCESSES:
        informers = faults.controlplane.process(name).informers
        if informers is not None:
            informers.pause()
            informers.resume()
