"""고장을 일으키고, 정해진 때에 되돌리고, 기록한다: 무엇이 어떻게 버티는지 보려고.

A fault is one entry of `kinds.KINDS`: who it needs, what is done, what undoes it. Every fault is
recorded in the trace (actor `fault`), draws its chances from a stream of its own, and a
wrong name raises ValueError (Korean) before anything has changed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from minik8s.clock import Clock
from minik8s.faults import kinds
from minik8s.kubelet.container import ContainerWorker
from minik8s.kubelet.fleet import Fleet
from minik8s.kubelet.kubelet import Kubelet
from minik8s.network import Network
from minik8s.trace import Trace

Undo = Callable[[], object]
Names = list[str]


class ControlPlane(Protocol):
    """The switches of the control plane (controlplane.ControlPlane)."""

    entrance: Any

    def process(self, name: str) -> Any: ...

    def parts(self) -> dict[str, bool]: ...

    def stop(self, name: str) -> None: ...

    def start(self, name: str) -> None: ...


@dataclass
class Fault:
    """일어난, 또는 일어날 고장 하나. `undo()`로 되돌린다.

    state: planned(아직), active(지금), undone(되돌림), over(되돌릴 것이 없는 고장이 끝남)
    """

    number: int
    kind: str
    options: dict[str, Any]
    state: str = "planned"
    _undo: Undo | None = None
    _owner: Faults | None = field(default=None, repr=False)

    def undo(self) -> None:
        """고장을 되돌린다. 두 번 불러도 된다."""
        if self._owner is not None:
            self._owner.undo(self)


class Faults:
    """`k.faults`: 고장의 목록과 손잡이."""

    def __init__(self, clock: Clock, trace: Trace, fleet: Fleet, network: Network, controlplane: ControlPlane):
        self.clock, self.trace, self.fleet = clock, trace, fleet
        self.network, self.controlplane = network, controlplane
        self.injected: list[Fault] = []

    # ---- 쓰기 --------------------------------------------------------------------
    def inject(self, kind: str, *, after: float = 0.0, seconds: float | None = None, **options: Any) -> Fault:
        """고장을 일으킨다.

        kind     `names()`가 말하는 이름 가운데 하나
        after    몇 초 뒤에 (기본은 지금)
        seconds  몇 초 동안 (기본은 `undo()`할 때까지)
        나머지는 고장마다 다르다: node="node-1", pod="default/web", container="app", part="scheduler" 등
        """
        self._check(kind, after, seconds, options)
        fault = Fault(len(self.injected) + 1, kind, dict(options), _owner=self)
        self.injected.append(fault)
        if after > 0:
            self.clock.call_later(after, self._begin, fault, seconds, True)
        else:
            self._begin(fault, seconds)
        return fault

    def schedule(self, plan: list[dict[str, Any]]) -> list[Fault]:
        """여러 고장을 예약한다: [{"at": 10, "do": "kill_node", "node": "node-1", "for": 60}, ...]. 모두 맞을 때만."""
        for entry in plan:
            self._check(*_entry(entry))
        out = []
        for entry in plan:
            kind, after, seconds, options = _entry(entry)
            out.append(self.inject(kind, after=after, seconds=seconds, **options))
        return out

    def undo(self, fault: Fault) -> None:
        """고장 하나를 되돌린다. 아직 일어나지 않았으면 일어나지 않게 한다."""
        if fault.state == "planned":
            fault.state = "undone"
        elif fault.state == "active":
            fault.state = "undone"
            self.trace.record("fault", "undo", fault.kind, number=fault.number, **fault.options)
            if fault._undo is not None:
                fault._undo()

    def undo_all(self) -> None:
        """일어난 고장을 모두, 나중 것부터 되돌린다."""
        for fault in reversed(self.injected):
            self.undo(fault)

    def active(self) -> list[Fault]:
        """지금 일어나 있는 고장들."""
        return [f for f in self.injected if f.state == "active"]

    @staticmethod
    def names() -> Names:
        """일으킬 수 있는 고장의 이름들."""
        return list(kinds.KINDS)

    def __getattr__(self, name: str) -> Callable[..., Fault]:
        """`faults.kill_node("node-1", seconds=60)`은 `faults.inject("kill_node", node="node-1", seconds=60)`와 같다."""
        if name not in kinds.KINDS:
            raise AttributeError(_no_kind(name))

        def inject(*values: Any, **options: Any) -> Fault:
            places = (*kinds.KINDS[name].needs, *kinds.KINDS[name].optional)
            if len(values) > len(places):
                raise ValueError(f"{name}에는 값을 {len(places)}개까지 줄 수 있다: {', '.join(places)}")
            return self.inject(name, **dict(zip(places, values, strict=False)), **options)

        return inject

    # ---- 안쪽 --------------------------------------------------------------------
    def _check(self, kind: str, after: float, seconds: float | None, options: dict[str, Any]) -> None:
        if kind not in kinds.KINDS:
            raise ValueError(_no_kind(kind))
        needs, optional, _ = kinds.KINDS[kind]
        missing = [n for n in needs if n not in options]
        if missing:
            raise ValueError(f"{kind}에는 {', '.join(missing)}이(가) 있어야 한다.")
        for name in options:
            if name not in (*needs, *optional):
                known = ", ".join((*needs, *optional)) or "없음"
                raise ValueError(f"{kind}에는 {name!r}라는 항목이 없다. 쓸 수 있는 것: {known}")
        if after < 0 or (seconds is not None and seconds <= 0):
            raise ValueError("때(after)는 0초 이상, 길이(seconds)는 0초보다 커야 한다.")
        for name, value in options.items():
            kinds.CHECKS.get(name, kinds.anything)(self, value, after)

    def _begin(self, fault: Fault, seconds: float | None, planned: bool = False) -> None:
        if fault.state != "planned":
            return
        try:
            undo = kinds.KINDS[fault.kind].do(self, fault, **fault.options)
        except ValueError as error:
            # What a planned fault was to strike may be gone when its time has come.
            if not planned:
                self.injected.remove(fault)
                raise
            fault.state = "over"
            self.trace.record("fault", "missed", fault.kind, number=fault.number, message=str(error), **fault.options)
            return
        fault._undo = undo
        fault.state = "active" if undo is not None else "over"
        self.trace.record("fault", "inject", fault.kind, number=fault.number, **fault.options)
        if seconds is not None and undo is not None:
            self.clock.call_later(seconds, self.undo, fault)

    def kubelet(self, name: str) -> Kubelet:
        """ValueError (Korean) when there is no such node."""
        if name not in self.fleet:
            raise ValueError(f"{name!r}라는 노드는 없다. 있는 것: {', '.join(self.fleet.names()) or '없음'}")
        return self.fleet[name]

    def container(self, pod: str, name: str | None) -> ContainerWorker:
        """The running container that is meant. ValueError (Korean)."""
        namespace, _, bare = pod.rpartition("/")
        worker = self.fleet.find(namespace or "default", bare)
        if worker is None:
            raise ValueError(f"{pod!r}라는 파드가 노드에서 돌고 있지 않다.")
        found = worker.container(name) if name else worker.apps[0]
        if found is None:
            raise ValueError(f"파드 {pod!r}에는 {name!r}라는 컨테이너가 없다. 있는 것: "
                             f"{', '.join(c.name for c in worker.containers())}")
        if found.running is None:
            raise ValueError(f"파드 {pod!r}의 컨테이너 {found.name!r}는 지금 돌고 있지 않다.")
        return found

    def rng(self, fault: Fault) -> random.Random:
        return self.clock.rng(f"fault/{fault.number}/{fault.kind}")


def _entry(entry: dict[str, Any]) -> tuple[str, float, float | None, dict[str, Any]]:
    rest = {k: v for k, v in entry.items() if k not in ("at", "do", "for")}
    if "do" not in entry:
        raise ValueError(f"고장 {entry!r}에 무엇을 할지(do)가 없다.")
    return entry["do"], float(entry.get("at", 0.0)), entry.get("for"), rest


def _no_kind(name: str) -> str:
    return f"{name!r}라는 고장은 없다. 있는 것: {', '.join(kinds.KINDS)}"
