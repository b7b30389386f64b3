"""The scheduling framework: extension points, what plugins answer, and profiles that say which plugins run.

Source: kube-scheduler `framework/interface.go` and `framework/runtime/framework.go`, KEP-624.

A plugin is a class with a `name` and any of the methods of `POINTS`; a profile runs, at each point, the plugins that
have the method, in the order of the configuration. What a plugin answers:

    pre_enqueue(pod)                      None, or a Status that keeps the pod out of the queue
    pre_filter(state, pod, snapshot)      None, SKIP, a Status that rejects the pod, or the set of node names to look at
    add_pod / remove_pod(state, pod, other, node)   keep pre_filter's state right while preemption tries things
    filter(state, pod, node)              None when the node will do, or a Status with reasons
    post_filter(state, pod, diagnosis)    (Nomination | None, Status | None)
    pre_score(state, pod, nodes)          None or SKIP
    score(state, pod, node)               a whole number
    normalize(state, pod, scores)         {node: number} brought into 0..100
    reserve, unreserve, permit, pre_bind, bind(state, pod, node_name)    None or a Status
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from minik8s.objects import Object
from minik8s.scheduler.snapshot import NodeInfo, PodInfo, Snapshot

UNSCHEDULABLE, UNRESOLVABLE = "Unschedulable", "UnschedulableAndUnresolvable"
ERROR, WAIT, SKIP_CODE, PENDING = "Error", "Wait", "Skip", "Pending"
MAX_NODE_SCORE = 100

POINTS = (
    "pre_enqueue",
    "sort_key",
    "pre_filter",
    "filter",
    "post_filter",
    "pre_score",
    "score",
    "reserve",
    "permit",
    "pre_bind",
    "bind",
    "post_bind",
)


@dataclass(frozen=True, slots=True)
class Status:
    """A plugin's no: a code, the reasons in Kubernetes' words, and the plugin. Success is None."""

    code: str
    reasons: tuple[str, ...] = ()
    plugin: str = ""

    @property
    def message(self) -> str:
        return ", ".join(self.reasons)

    @property
    def rejected(self) -> bool:
        return self.code in (UNSCHEDULABLE, UNRESOLVABLE, PENDING)


SKIP = Status(SKIP_CODE)


def unschedulable(*reasons: str) -> Status:
    """The node will not do now; preempting pods may help."""
    return Status(UNSCHEDULABLE, reasons)


def unresolvable(*reasons: str) -> Status:
    """The node will not do, whatever is preempted."""
    return Status(UNRESOLVABLE, reasons)


def error(*reasons: str) -> Status:
    """Something is wrong; the pod is tried again later."""
    return Status(ERROR, reasons)


class PluginError(Exception):
    """A plugin broke the contract or raised: fails the pod that was being scheduled and nothing else."""

    def __init__(self, plugin: str, point: str, pod: str, problem: str) -> None:
        super().__init__(f'running {point} plugin "{plugin}" for pod "{pod}": {problem}')
        self.plugin, self.point, self.pod, self.problem = plugin, point, pod, problem


Filters = list[tuple[str, Callable[..., Any]]]
"""(plugin name, its filter method)"""


class CycleState(dict[str, Any]):
    """What plugins keep for one pod's scheduling cycle, by plugin name, and which plugins have nothing to do."""

    skip_filter: frozenset[str] = frozenset()
    skip_score: frozenset[str] = frozenset()
    filters: Filters | None = None

    def copy(self) -> CycleState:
        """A copy to try things on: values that can be copied are."""
        twin = CycleState()
        for key, value in self.items():
            twin[key] = value.copy() if hasattr(value, "copy") else value
        twin.skip_filter, twin.skip_score = self.skip_filter, self.skip_score
        return twin


class Listers(Protocol):
    """How plugins see other objects: by resource name (`persistentvolumeclaims`, `storageclasses.storage.k8s.io`)."""

    def get(self, resource: str, namespace: str, name: str) -> Object | None: ...

    def list(self, resource: str, namespace: str | None = None) -> list[Object]: ...


class Nominator:
    """Pods that wait for room that preemption makes, by node."""

    def __init__(self) -> None:
        self.node_of: dict[str, str] = {}
        self._pods: dict[str, dict[str, PodInfo]] = {}

    def add(self, pod: PodInfo, node: str) -> None:
        self.remove(pod.key)
        self.node_of[pod.key] = node
        self._pods.setdefault(node, {})[pod.key] = pod

    def remove(self, key: str) -> None:
        node = self.node_of.pop(key, None)
        if node is not None:
            del self._pods[node][key]

    def on(self, node: str) -> list[PodInfo]:
        return list(self._pods.get(node, {}).values())


@dataclass
class Handle:
    """What a plugin is given at construction."""

    snapshot: Snapshot
    listers: Listers
    nominator: Nominator = field(default_factory=Nominator)
    client: Any = None
    now: Callable[[], float] = lambda: 0.0
    profile: Profile | None = None
    version: int = 0
    """To be raised when Services or the controllers of pods change: default spreading depends on them."""


class Plugin:
    """Base of plugins: a name, the handle, and arguments from `pluginConfig`."""

    name = ""
    events: tuple[str, ...] = ("*",)
    """Cluster events that may make a pod schedulable which this plugin refused (see queue.py)."""

    def __init__(self, handle: Handle, args: Mapping[str, Any] | None = None) -> None:
        self.handle = handle
        self.args: Mapping[str, Any] = args or {}

    def hint(self, event: str, pod: PodInfo, old: Object | None, new: Object | None) -> bool:
        """QueueingHint: whether this event is worth another try for a pod that the plugin refused."""
        return True


@dataclass(frozen=True, slots=True)
class Nomination:
    """What preemption arranged: the node and the pods to remove from it, most important first."""

    node: str
    victims: tuple[PodInfo, ...] = ()
    ties: tuple[tuple[str, tuple[PodInfo, ...]], ...] = ()


@dataclass
class Diagnosis:
    """Why no node would do: a Status per node looked at, one for all the others, and who said no."""

    nodes: dict[str, Status] = field(default_factory=dict)
    absent: Status = Status(UNRESOLVABLE)
    prefilter: Status | None = None
    plugins: set[str] = field(default_factory=set)

    def status(self, node: str) -> Status:
        return self.nodes.get(node, self.absent)


class Profile:
    """A scheduler name with its plugins, in order, at each extension point."""

    def __init__(self, name: str, plugins: Mapping[str, list[tuple[Plugin, int]]], percentage: int = 0) -> None:
        self.name = name
        self.percentage = percentage
        self.points = {point: [plugin for plugin, _ in plugins.get(point, ())] for point in POINTS}
        self.weights = {plugin.name: weight for plugin, weight in plugins.get("score", ())}
        self.by_name = {p.name: p for entries in plugins.values() for p, _ in entries}
        self._filters = [(p.name, _method(p, "filter")) for p in self.points["filter"]]
        for plugin in self.by_name.values():
            plugin.handle.profile = self

    def sort_key(self, pod: PodInfo, arrival: float) -> Any:
        """Where a pod stands in the queue: smaller first."""
        return _method(self.points["sort_key"][0], "sort_key")(pod, arrival)

    def pre_enqueue(self, pod: PodInfo) -> Status | None:
        for plugin in self.points["pre_enqueue"]:
            status: Status | None = self._call(plugin, "pre_enqueue", pod, pod)
            if status is not None:
                return status
        return None

    def pre_filter(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot
    ) -> tuple[set[str] | None, list[str], Status | None]:
        """(the only nodes to look at, who narrowed them down, the Status that rejects the pod)."""
        names: set[str] | None = None
        narrowed: list[str] = []
        for plugin in self.points["pre_filter"]:
            answer = self._call(plugin, "pre_filter", pod, state, pod, snapshot)
            if isinstance(answer, Status):
                if answer.code == SKIP_CODE:
                    state.skip_filter |= {plugin.name}
                    continue
                return None, [], replace(answer, plugin=plugin.name)
            if answer is not None:
                narrowed.append(plugin.name)
                names = set(answer) if names is None else names & set(answer)
        return names, sorted(narrowed), None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """The first plugin's no, or None."""
        name = ""
        try:
            for name, check in self._active(state):
                status = check(state, pod, node)
                if status is not None:
                    return _checked(status, name, pod)
        except PluginError:
            raise
        except Exception as problem:
            raise PluginError(name, "Filter", pod.key, describe(problem)) from problem
        return None

    def _active(self, state: CycleState) -> Filters:
        """The filters that have something to do for the pod."""
        if state.filters is None:
            state.filters = [entry for entry in self._filters if entry[0] not in state.skip_filter]
        return state.filters

    def filter_with_nominated(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Whether the pod fits with the pods nominated to the node, and also without them."""
        others = [p for p in self._nominated(node.name) if p.priority >= pod.priority and p.key != pod.key]
        if others:
            crowded, twin = node.clone(), state.copy()
            for other in others:
                crowded.add(other)
                self.add_pod(twin, pod, other, crowded)
            status = self.filter(twin, pod, crowded)
            if status is not None:
                return status
        return self.filter(state, pod, node)

    def _nominated(self, node: str) -> list[PodInfo]:
        plugins = self.points["filter"]
        return plugins[0].handle.nominator.on(node) if plugins else []

    def add_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo) -> None:
        self._extend("add_pod", state, pod, other, node)

    def remove_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo) -> None:
        self._extend("remove_pod", state, pod, other, node)

    def _extend(self, point: str, state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo) -> None:
        for plugin in self.points["pre_filter"]:
            if plugin.name not in state.skip_filter and hasattr(plugin, point):
                self._call(plugin, point, pod, state, pod, other, node)

    def post_filter(
        self, state: CycleState, pod: PodInfo, diagnosis: Diagnosis
    ) -> tuple[Nomination | None, Status | None]:
        """The first plugin that arranges something; otherwise what all of them say."""
        reasons: list[str] = []
        result: Nomination | None = None
        for plugin in self.points["post_filter"]:
            nomination, status = self._call(plugin, "post_filter", pod, state, pod, diagnosis)
            if status is None:
                return nomination, None
            if status.code != UNSCHEDULABLE:
                return nomination if status.rejected else None, replace(status, plugin=plugin.name)
            result = nomination or result
            reasons.extend(status.reasons)
        return result, unschedulable(*reasons) if reasons else None

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]) -> None:
        for plugin in self.points["pre_score"]:
            status = self._call(plugin, "pre_score", pod, state, pod, nodes)
            if status is not None and status.code == SKIP_CODE:
                state.skip_score |= {plugin.name}
            elif status is not None:
                raise PluginError(plugin.name, "PreScore", pod.key, status.message)

    def score(
        self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]
    ) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
        """Per plugin (raw scores by node, the same brought into 0..100)."""
        found = {}
        for plugin in self.points["score"]:
            if plugin.name not in state.skip_score:
                raw = self._raw_scores(plugin, state, pod, nodes)
                scores = raw
                if hasattr(plugin, "normalize"):
                    scores = self._call(plugin, "normalize", pod, state, pod, dict(raw))
                self._check_scores(plugin, pod, scores, nodes)
                found[plugin.name] = (raw, scores)
        return found

    def _raw_scores(self, plugin: Plugin, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]) -> dict[str, int]:
        score = _method(plugin, "score")
        try:
            return {node.name: score(state, pod, node) for node in nodes}
        except Exception as problem:
            raise PluginError(plugin.name, "Score", pod.key, describe(problem)) from problem

    def _check_scores(self, plugin: Plugin, pod: PodInfo, scores: Any, nodes: list[NodeInfo]) -> None:
        for node in nodes:
            value = scores.get(node.name) if isinstance(scores, dict) else None
            if type(value) is not int or not 0 <= value <= MAX_NODE_SCORE:
                problem = f"returns an invalid score {value!r}, it should in the range of [0, 100] after normalizing"
                raise PluginError(plugin.name, "Score", pod.key, problem)

    def run(self, point: str, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        """Reserve, permit, pre_bind, bind: each plugin in turn until one objects (bind: until one has done it)."""
        for plugin in self.points[point]:
            status: Status | None = self._call(plugin, point, pod, state, pod, node)
            if status is not None and status.code != SKIP_CODE:
                return replace(status, plugin=plugin.name)
            if point == "bind" and status is None:
                return None
        return None

    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None:
        """Undo reservations, last first; what goes wrong here must not hide why it is needed."""
        for plugin in reversed(self.points["reserve"]):
            if hasattr(plugin, "unreserve"):
                self._call(plugin, "unreserve", pod, state, pod, node)

    def _call(self, plugin: Plugin, point: str, pod: PodInfo, *args: Any) -> Any:
        try:
            answer = _method(plugin, point)(*args)
        except PluginError:
            raise
        except Exception as problem:
            raise PluginError(plugin.name, _POINT_NAMES.get(point, point), pod.key, describe(problem)) from problem
        if answer is not None and point in _STATUS_POINTS and not isinstance(answer, Status):
            raise PluginError(
                plugin.name, _POINT_NAMES.get(point, point), pod.key, f"returned {answer!r}, not a Status"
            )
        return answer


_STATUS_POINTS = {"pre_enqueue", "pre_score", "reserve", "permit", "pre_bind", "bind"}
_POINT_NAMES = {point: "".join(word.capitalize() for word in point.split("_")) for point in POINTS}
_POINT_NAMES |= {"normalize": "Score", "add_pod": "PreFilter", "remove_pod": "PreFilter", "unreserve": "Reserve"}


def _method(plugin: Plugin, point: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(plugin, point)
    return found


def _checked(status: Any, plugin: str, pod: PodInfo) -> Status:
    if not isinstance(status, Status):
        raise PluginError(plugin, "Filter", pod.key, f"returned {status!r}, not a Status")
    if not status.rejected:
        raise PluginError(plugin, "Filter", pod.key, status.message or status.code)
    return Status(status.code, status.reasons, plugin)


def describe(problem: BaseException) -> str:
    """An exception as one line: `ZeroDivisionError: division by zero`."""
    return f"{type(problem).__name__}: {problem}"


def normalized(scores: dict[str, int], *, reverse: bool = False) -> dict[str, int]:
    """DefaultNormalizeScore: stretch so that the largest becomes 100; `reverse` when less is better."""
    top = max(scores.values(), default=0)
    if top == 0:
        return dict.fromkeys(scores, MAX_NODE_SCORE) if reverse else scores
    stretched = {node: MAX_NODE_SCORE * value // top for node, value in scores.items()}
    return {node: MAX_NODE_SCORE - value for node, value in stretched.items()} if reverse else stretched


def names(plugins: Iterable[Plugin]) -> list[str]:
    return [plugin.name for plugin in plugins]
