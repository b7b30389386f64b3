"""The fast path: the same decisions as scheduler.py without looking at every node for every pod.

Pods of equal signature get equal answers on equal nodes. So for each signature it keeps which nodes pass the
filters, as one big integer, and the nodes of each score, likewise; per decision it looks again only at the nodes where
a pod came or went since (Snapshot.changes). The window of the scan is cut out by counting bits, and of equals the one
is taken that scheduler.py would take. Topology spread and inter-pod affinity work on counters (fast_rules.py).

Whatever it cannot follow (claims, nominated pods, plugins of one's own, ...) and whatever finds no node goes the
plain way.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any

from minik8s.scheduler import bits
from minik8s.scheduler.domains import Domains
from minik8s.scheduler.fast_rules import Rules
from minik8s.scheduler.framework import CycleState, Handle, PluginError, Profile
from minik8s.scheduler.plugins import REGISTRY
from minik8s.scheduler.plugins.node_affinity import only_nodes
from minik8s.scheduler.record import Decision
from minik8s.scheduler.scheduler import MIN_NODES, Scheduler, nodes_to_find
from minik8s.scheduler.snapshot import NodeInfo, PodInfo, Snapshot, harmless

MAX_VIEWS = 512
MAX_MET = 10_000

_BY_RULES = ("PodTopologySpread", "InterPodAffinity")
_STRETCHED = {"TaintToleration": True, "NodeAffinity": False}
"""Scores that are normalized over the window, and whether less is better."""

_CARRIED = (
    "requests",
    "counted",
    "asked",
    "ports",
    "claim_names",
    "has_affinity",
    "required_affinity",
    "required_anti_affinity",
    "preferred_affinity",
    "preferred_anti_affinity",
)

Kind = tuple[int, ...]
Answer = tuple[int, Kind] | None
"""(sum of the scores that do not depend on other nodes, raw scores that do), or None when a filter says no."""


class View:
    """One signature under one profile: which nodes pass, and the nodes of each score."""

    def __init__(self, fast: FastScheduler, pod: PodInfo, profile: Profile) -> None:
        self.pod, self.profile = pod, profile
        self.nodes = fast.snapshot.nodes
        self.state = _prepare(pod, profile, fast.snapshot)
        self.filters = [p for p in profile.points["filter"] if p.name not in (*_BY_RULES, *self.state.skip_filter)]
        scorers = [p for p in profile.points["score"] if p.name not in (*_BY_RULES, *self.state.skip_score)]
        self.absolute = [(p, profile.weights[p.name]) for p in scorers if p.name not in _STRETCHED]
        self.stretched = [p for p in scorers if p.name in _STRETCHED]
        self.by_shape = not _needs_labels(pod)
        self.more = tuple(sorted(name for name in pod.requests if name not in ("cpu", "memory")))
        self.known: dict[tuple[Any, ...], Answer] = {}
        self.rules = Rules(pod, profile, fast.snapshot, fast.domains)
        self.feasible = 0
        self.kinds: dict[Kind, Buckets] = {}
        self.answers: list[Answer] = [None] * len(self.nodes)
        self.carried = {name: getattr(pod, name) for name in (_CARRIED if pod.has_affinity else _CARRIED[:6])}
        self.cursor = len(fast.snapshot.changes)
        self._look_at_all(fast)

    def _look_at_all(self, fast: FastScheduler) -> None:
        sets: dict[tuple[int, Kind], list[int]] = {}
        for place, node in enumerate(self.nodes):
            answer = self.answers[place] = self.ask(fast, place, node)
            if answer is not None:
                sets.setdefault(answer, []).append(place)
        for (score, kind), places in sets.items():
            nodes = bits.of(places)
            self.feasible |= nodes
            self.kinds.setdefault(kind, Buckets()).put(score, nodes)

    def ask(self, fast: FastScheduler, place: int, node: NodeInfo) -> Answer:
        """What filters and scores say of a node; equal nodes are asked once."""
        if not self.by_shape:
            return self._evaluate(fast, node)
        key = fast.load(place, node)
        if self.more:
            key = (*key, *[node.requested.get(name, 0) for name in self.more])
        try:
            return self.known[key]
        except KeyError:
            answer = self.known[key] = self._evaluate(fast, node)
            return answer

    def _evaluate(self, fast: FastScheduler, node: NodeInfo) -> Answer:
        fast.evaluated += 1
        state, pod = self.state, self.pod
        for plugin in self.filters:
            if plugin.filter(state, pod, node) is not None:  # type: ignore[attr-defined]
                return None
        total = sum(weight * plugin.score(state, pod, node) for plugin, weight in self.absolute)  # type: ignore[attr-defined]
        return total, tuple(plugin.score(state, pod, node) for plugin in self.stretched)  # type: ignore[attr-defined]

    def catch_up(self, fast: FastScheduler) -> None:
        """Look again where pods came or went since the last decision."""
        changes = fast.snapshot.changes
        end = len(changes)
        touched: dict[int, None] = {}
        count = self.rules.count
        for node, pod, sign in changes[self.cursor : end]:
            place = fast.places[node.name]
            touched[place] = None
            count(pod, place, sign)
        self.cursor = end
        fast.touched += len(touched)
        for place in touched:
            answer = self.ask(fast, place, self.nodes[place])
            if answer != self.answers[place]:
                self._replace(place, answer)

    def _replace(self, place: int, answer: Answer) -> None:
        before, bit = self.answers[place], 1 << place
        self.answers[place] = answer
        if before is not None:
            self.kinds[before[1]].take(before[0], bit)
        if answer is None:
            self.feasible &= ~bit
            return
        self.feasible |= bit
        buckets = self.kinds.get(answer[1])
        if buckets is None:
            buckets = self.kinds[answer[1]] = Buckets()
        buckets.put(answer[0], bit)

    # Choosing

    def best(self, window: int) -> int:
        """The nodes of a window with the highest total."""
        rules = self.rules
        if len(self.kinds) == 1 and not rules.soft and not rules.scored:
            for buckets in self.kinds.values():
                return buckets.top(window)[1]
        kinds = [(kind, buckets, buckets.nodes & window) for kind, buckets in self.kinds.items()]
        return self._best_of_groups([entry for entry in kinds if entry[2]], window)

    def _best_of_groups(self, kinds: list[tuple[Kind, Buckets, int]], window: int) -> int:
        """Split the window by all that is not absolute, and take the best of each part."""
        weights = self.profile.weights
        parts = self.rules.groups(window)
        extra = self.rules.bonuses(
            parts, window, weights.get("PodTopologySpread", 0), weights.get("InterPodAffinity", 0)
        )
        best, found = -1, 0
        stretched = self._stretch([kind for kind, _, _ in kinds])
        candidates = [
            (bonus + more + buckets.highest, bonus + more, buckets, nodes & part)
            for (_, buckets, nodes), more in zip(kinds, stretched, strict=True)
            for (_, part), bonus in zip(parts, extra, strict=True)
            if nodes & part
        ]
        for limit, bonus, buckets, nodes in sorted(candidates, key=lambda c: -c[0]):
            if limit < best:
                break
            score, top = buckets.top(nodes)
            if score + bonus > best:
                best, found = score + bonus, top
            elif score + bonus == best:
                found |= top
        return found

    def _stretch(self, kinds: list[Kind]) -> list[int]:
        """Per kind, the weighted scores that depend on the largest raw score in the window."""
        totals = [0] * len(kinds)
        for index, plugin in enumerate(self.stretched):
            reverse, weight = _STRETCHED[plugin.name], self.profile.weights[plugin.name]
            top = max(kind[index] for kind in kinds)
            for i, kind in enumerate(kinds):
                score = 100 * kind[index] // top if top else 0
                totals[i] += weight * (100 - score if reverse else score)
        return totals


class Buckets:
    """The nodes of one kind by their absolute score."""

    __slots__ = ("by_score", "nodes", "order")

    def __init__(self) -> None:
        self.nodes = 0
        self.by_score: dict[int, int] = {}
        self.order: list[int] = []

    def put(self, score: int, nodes: int) -> None:
        self.nodes |= nodes
        known = self.by_score.get(score)
        if known is None:
            insort(self.order, score)
            self.by_score[score] = nodes
        else:
            self.by_score[score] = known | nodes

    def take(self, score: int, nodes: int) -> None:
        self.nodes &= ~nodes
        left = self.by_score[score] & ~nodes
        if left:
            self.by_score[score] = left
        else:
            del self.by_score[score]
            del self.order[bisect_left(self.order, score)]

    @property
    def highest(self) -> int:
        return self.order[-1]

    def top(self, window: int) -> tuple[int, int]:
        """(the highest score in a window, its nodes there)."""
        for score in reversed(self.order):
            nodes = self.by_score[score] & window
            if nodes:
                return score, nodes
        return -1, 0


class FastScheduler(Scheduler):
    """Decides as Scheduler does. `min_nodes`: smaller clusters go the plain way, which records every score."""

    def __init__(self, snapshot: Snapshot, handle: Handle, percentage: int = 0, min_nodes: int = MIN_NODES) -> None:
        super().__init__(snapshot, percentage)
        self.handle, self.min_nodes = handle, min_nodes
        self.evaluated = 0  # times that filters and scores were worked out for a node
        self.touched = 0  # nodes looked at again because a pod came or went, equal ones included
        self.plain = 0  # decisions that went the plain way
        self.places: dict[str, int] = {}
        self.shapes: list[int] = []
        self._views: dict[tuple[Any, ...], View] = {}
        self._domains: dict[str | None, Domains] = {}
        self._version = (-1, -1)
        self._met: set[tuple[Any, ...]] = set()
        self._loads: list[tuple[int, ...] | None] = []
        self._synced = 0
        self._plain_profiles: dict[str, bool] = {}

    def schedule(self, pod: PodInfo, profile: Profile) -> tuple[Decision, CycleState]:
        view = self._view(pod, profile)
        if view is not None:
            decision = self._choose(view, pod, profile)
            if decision is not None:
                return decision, CycleState()
        self.plain += 1
        return super().schedule(pod, profile)

    def _choose(self, view: View, pod: PodInfo, profile: Profile) -> Decision | None:
        """The decision, or None when there is nothing to choose from."""
        size, start, rules = len(view.nodes), self.next_start, view.rules
        feasible = view.feasible
        if rules.hard or rules.near or rules.away or rules.refused:
            feasible &= rules.allowed()
        if not feasible:
            return None
        enough = nodes_to_find(size, profile.percentage or self.percentage)
        seen = bits.rotated(feasible, start, size)
        if seen.bit_count() > enough:
            looked_at = bits.reach(seen, enough + 1) - 1
            seen &= (1 << looked_at) - 1
            window = bits.rotated(seen, size - start, size) if start else seen
        else:
            looked_at, window = size, feasible
        best = view.best(window)
        if best & (best - 1):
            place = bits.heap_top(bits.rotated(best, start, size), seen) + start
        else:
            place = best.bit_length() - 1
        node = view.nodes[place % size]
        self.next_start = (start + looked_at) % size
        pod.__dict__.update(view.carried)
        return Decision(pod.key, "scheduled", profile=profile.name, nodes=size, node=node.name, path="fast")

    # Views

    def _view(self, pod: PodInfo, profile: Profile) -> View | None:
        """The view of the pod's signature, up to date; None where only the plain way will do."""
        snapshot = self.snapshot
        if len(snapshot.by_name) < self.min_nodes or self.handle.nominator.node_of or pod.nominated:
            return None
        if self._version != (snapshot.version, self.handle.version):
            self._start_over()
        changes = snapshot.changes
        if self._synced != len(changes):
            self._sync(changes)
        key = (profile.name, pod.signature)
        view = self._views.get(key)
        if view is None or len(changes) - view.cursor > 2 * len(view.nodes):
            view = self._new_view(key, pod, profile)
            if view is None:
                return None
        if view.cursor != len(changes):
            view.catch_up(self)
        return None if view.rules.opaque else view

    def _new_view(self, key: tuple[Any, ...], pod: PodInfo, profile: Profile) -> View | None:
        """A view pays from the second pod of its kind on."""
        if key not in self._met:
            if len(self._met) >= MAX_MET:
                self._met.clear()
            self._met.add(key)
            return None
        if self._is_opaque(pod, profile):
            return None
        if len(self._views) >= MAX_VIEWS:
            self._views.clear()
        try:
            view = self._views[key] = View(self, pod, profile)
        except PluginError:
            return None
        return view

    def _is_opaque(self, pod: PodInfo, profile: Profile) -> bool:
        known = self._plain_profiles.get(profile.name)
        if known is None:
            points = ("pre_filter", "filter", "pre_score", "score")
            plugins = [plugin for point in points for plugin in profile.points[point]]
            known = any(type(plugin) is not REGISTRY.get(plugin.name) for plugin in plugins)
            self._plain_profiles[profile.name] = known
        if known or pod.spec.get("resourceClaims") or pod.ports:
            return True
        if any("image" not in volume for volume in pod.spec.get("volumes") or () if not harmless(volume)):
            return True
        affinity = (pod.spec.get("affinity") or {}).get("nodeAffinity") or {}
        return only_nodes(affinity.get("requiredDuringSchedulingIgnoredDuringExecution")) is not None

    def _start_over(self) -> None:
        """Nodes changed: number them anew and forget everything."""
        self.snapshot.changes.clear()
        self._version = (self.snapshot.version, self.handle.version)
        self._views.clear()
        self._domains.clear()
        nodes = self.snapshot.nodes
        self.places = {node.name: place for place, node in enumerate(nodes)}
        shapes: dict[str, int] = {}
        self.shapes = [shapes.setdefault(_shape(node), len(shapes)) for node in nodes]
        self._loads, self._synced = [None] * len(nodes), 0

    def _sync(self, changes: list[tuple[NodeInfo, PodInfo, int]]) -> None:
        """Forget the loads of nodes where pods came or went."""
        for node, _, _ in changes[self._synced :]:
            self._loads[self.places[node.name]] = None
        self._synced = len(changes)

    def load(self, place: int, node: NodeInfo) -> tuple[int, ...]:
        """What nodes must have in common to get the same answer: their shape and how full they are."""
        found = self._loads[place]
        if found is None:
            used = node.requested
            counted = (node.counted_cpu, node.counted_memory, used.get("cpu", 0), used.get("memory", 0))
            found = self._loads[place] = (self.shapes[place], len(node.pods), *counted)
        return found

    def domains(self, key: str | None) -> Domains:
        """The domains of a topology key (None: every node by itself)."""
        found = self._domains.get(key)
        if found is None:
            found = self._domains[key] = Domains(self.snapshot.nodes, key)
        return found


def _prepare(pod: PodInfo, profile: Profile, snapshot: Snapshot) -> CycleState:
    """PreFilter and PreScore of the plugins that look at one node at a time."""
    state = CycleState()
    for plugin in profile.points["pre_filter"]:
        if plugin.name not in _BY_RULES:
            answer = plugin.pre_filter(state, pod, snapshot)  # type: ignore[attr-defined]
            if answer is not None and getattr(answer, "code", "") == "Skip":
                state.skip_filter |= {plugin.name}
    for plugin in profile.points["pre_score"]:
        if plugin.name not in _BY_RULES:
            status = plugin.pre_score(state, pod, snapshot.nodes)  # type: ignore[attr-defined]
            if status is not None:
                state.skip_score |= {plugin.name}
    return state


def _needs_labels(pod: PodInfo) -> bool:
    """Whether the answer depends on more of a node than its shape and load."""
    affinity = pod.spec.get("affinity") or {}
    return bool(pod.spec.get("nodeSelector") or affinity.get("nodeAffinity"))


def _shape(node: NodeInfo) -> str:
    """What nodes must have in common to be treated alike by plugins that do not look at labels."""
    return repr((sorted(node.allocatable.items()), node.taints, node.unschedulable, sorted(node.images.items())))
