"""Plugins made of one plain function, in a notebook cell or a file:

    @score_plugin("MostFreeCpu", weight=2)
    def most_free_cpu(pod, node):
        return 100 * node.free("cpu") // node.size("cpu")

    @filter_plugin("NoBetaNodes")
    def no_beta_nodes(pod, node):
        return "node(s) are still in beta" if node.labels.get("stage") == "beta" else None

The function sees views that it cannot change anything through. One that raises, answers nonsense or runs without end
fails the pod that was being scheduled, by a message naming plugin and pod; everything else goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from minik8s.objects import Object
from minik8s.scheduler.framework import CycleState, Plugin, Status, normalized, unschedulable
from minik8s.scheduler.snapshot import NodeInfo, PodInfo

MAX_LINES = 200_000
"""How many lines of Python a plugin function may run for one node before it counts as never returning."""


class PodView:
    """파드 하나를 읽기 전용으로 본 모습이다: name, namespace, labels, priority, spec, requests(리소스 이름)."""

    def __init__(self, info: PodInfo) -> None:
        self._info = info
        self.name, self.namespace, self.priority = info.name, info.namespace, info.priority

    @property
    def labels(self) -> Mapping[str, str]:
        return dict(self._info.labels)

    @property
    def object(self) -> Object:
        """파드 오브젝트 전체."""
        return self._info.pod

    @property
    def spec(self) -> Object:
        return self._info.spec

    def requests(self, resource: str) -> int:
        """요청량. cpu는 밀리코어, 나머지는 바이트나 개수다."""
        return self._info.requests.get(resource, 0)


class NodeView:
    """노드 하나를 읽기 전용으로 본 모습이다: name, labels, taints, pods, size/used/free(리소스 이름)."""

    def __init__(self, info: NodeInfo) -> None:
        self._info = info
        self.name = info.name

    @property
    def labels(self) -> Mapping[str, str]:
        return dict(self._info.labels)

    @property
    def taints(self) -> list[Object]:
        return list(self._info.taints)

    @property
    def object(self) -> Object:
        """노드 오브젝트 전체."""
        return self._info.node

    @property
    def pods(self) -> list[PodView]:
        """이 노드에 배치된 파드들."""
        return [PodView(pod) for pod in self._info.pods.values()]

    def size(self, resource: str) -> int:
        """할당 가능량(allocatable). cpu는 밀리코어다."""
        return self._info.allocatable.get(resource, 0)

    def used(self, resource: str) -> int:
        """이미 배치된 파드들이 요청한 양."""
        return self._info.requested.get(resource, 0)

    def free(self, resource: str) -> int:
        """남은 양."""
        return self.size(resource) - self.used(resource)


class Endless(BaseException):
    """Raised inside a plugin function that runs too long; not an Exception, so that `except Exception` lets it pass."""


def bounded(function: Callable[..., Any], *args: Any, lines: int = MAX_LINES) -> Any:
    """Call a function, but no longer than so many lines of Python. RuntimeError when it goes on."""
    left = lines

    def count(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left < 0:
                raise Endless
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        return function(*args)
    except Endless:
        raise RuntimeError(f"did not return within {lines} lines of Python") from None
    finally:
        sys.settrace(before)


ScoreFunction = Callable[[PodView, NodeView], int | float]
FilterFunction = Callable[[PodView, NodeView], "str | bool | None"]

DECLARED: dict[str, tuple[type[Plugin], int]] = {}
"""Plugins made by the decorators, by name, with their weights; a name declared again replaces the old one."""


def score_plugin(name: str, *, weight: int = 1, normalize: bool = False) -> Callable[[ScoreFunction], ScoreFunction]:
    """(pod, node) -> 0..100 함수를 스코어 플러그인으로 만든다. `normalize=True`이면 가장 큰 값을 100으로 늘린다."""
    _check(name, weight)

    def declare(function: ScoreFunction) -> ScoreFunction:
        def score(self: Plugin, state: CycleState, pod: PodInfo, node: NodeInfo) -> Any:
            answer = bounded(function, PodView(pod), NodeView(node))
            return int(answer) if isinstance(answer, float) else answer

        def stretch(self: Plugin, state: CycleState, pod: PodInfo, scores: dict[str, int]) -> dict[str, int]:
            return normalized(scores)

        body: dict[str, Any] = {"name": name, "score": score, "__doc__": function.__doc__}
        if normalize:
            body["normalize"] = stretch
        DECLARED[name] = (type(name, (Plugin,), body), weight)
        return function

    return declare


def filter_plugin(name: str) -> Callable[[FilterFunction], FilterFunction]:
    """(pod, node) -> 이유 | True | None 함수를 필터 플러그인으로 만든다. 이유나 False를 돌려주면 거른다."""
    _check(name, 1)

    def declare(function: FilterFunction) -> FilterFunction:
        def check(self: Plugin, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
            answer = bounded(function, PodView(pod), NodeView(node))
            if answer is None or answer is True:
                return None
            if answer is False:
                return unschedulable(f"node(s) didn't pass {name}")
            if isinstance(answer, str):
                return unschedulable(answer)
            raise TypeError(f"returned {answer!r}, not a reason, a bool or None")

        body: dict[str, Any] = {"name": name, "filter": check, "__doc__": function.__doc__}
        DECLARED[name] = (type(name, (Plugin,), body), 0)
        return function

    return declare


def _check(name: str, weight: int) -> None:
    if not isinstance(name, str) or not name:
        raise TypeError("플러그인 이름은 비어 있지 않은 문자열이어야 한다")
    if not isinstance(weight, int) or isinstance(weight, bool) or weight < 1:
        raise ValueError(f"플러그인 {name}의 가중치는 1 이상의 정수여야 한다: {weight!r}")


def registry() -> dict[str, type[Plugin]]:
    """The declared plugins, for config.profiles."""
    return {name: plugin for name, (plugin, _) in DECLARED.items()}


def with_plugins(config: Object | None, names: list[str] | None = None) -> Object:
    """A configuration in which every profile also runs the declared plugins (or those named)."""
    chosen = [n for n in DECLARED if names is None or n in names]
    enabled = [{"name": name, "weight": DECLARED[name][1]} for name in chosen]
    config = config or {}
    return {**config, "profiles": [_enabling(entry, enabled) for entry in config.get("profiles") or [{}]]}


def _enabling(entry: Object, enabled: list[dict[str, Any]]) -> Object:
    plugins = entry.get("plugins") or {}
    everywhere = plugins.get("multiPoint") or {}
    listed = [*(everywhere.get("enabled") or ()), *enabled]
    return {**entry, "plugins": {**plugins, "multiPoint": {**everywhere, "enabled": listed}}}
