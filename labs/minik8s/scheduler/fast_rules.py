"""Topology spread and inter-pod affinity on the fast path: the plugins' rules over counters instead of scans.

`Rules` belongs to one pod signature. It is told of every pod that comes to or leaves a node, and answers which nodes
the two plugins let pass, and how they score nodes that share all their counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from minik8s.objects.selectors import NOTHING
from minik8s.scheduler import bits
from minik8s.scheduler.domains import Domains, Levels
from minik8s.scheduler.framework import MAX_NODE_SCORE, Profile
from minik8s.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from minik8s.scheduler.plugins.node_affinity import required
from minik8s.scheduler.plugins.pod_topology_spread import Constraint, PodTopologySpread
from minik8s.scheduler.snapshot import HOSTNAME, AffinityTerm, PodInfo, Snapshot

Group = tuple[tuple[int | None, ...], int]
"""(the counts that its nodes share, the nodes)"""


class Effect(NamedTuple):
    """What one kind of pod on a node means to the signature; None where it means nothing at all."""

    hard: tuple[int, ...]
    soft: tuple[int, ...]
    near: tuple[str, ...]
    away: tuple[str, ...]
    refused: tuple[str, ...]
    scored: tuple[tuple[str, int], ...]


class Counter(NamedTuple):
    """A spread constraint with its counts; only eligible nodes are counted."""

    constraint: Constraint
    levels: Levels
    eligible: int
    having: int
    """Nodes with the topology key."""
    domains: int
    """How many domains have an eligible node."""


class Rules:
    """Counters for one pod signature under one profile. `opaque`: something is in play that counters cannot follow."""

    def __init__(
        self, pod: PodInfo, profile: Profile, snapshot: Snapshot, domains: Callable[[str | None], Domains]
    ) -> None:
        self.pod, self._domains = pod, domains
        self.nodes = snapshot.nodes
        self.everyone = (1 << len(self.nodes)) - 1
        spread, affinity = profile.by_name.get("PodTopologySpread"), profile.by_name.get("InterPodAffinity")
        self.spread = spread if isinstance(spread, PodTopologySpread) else None
        self.affinity = affinity if isinstance(affinity, InterPodAffinity) else None
        self.opaque = False
        self._effects: dict[tuple[object, bool], Effect | None] = {}
        self._prepare_spread()
        self._prepare_affinity()
        self._count_all()

    # Preparation

    def _prepare_spread(self) -> None:
        self.hard: list[Counter] = []
        self.soft: list[Counter] = []
        self.every_key = True
        if self.spread is None:
            return
        hard, soft = (self.spread._constraints(self.pod, a) for a in ("DoNotSchedule", "ScheduleAnyway"))
        self.every_key = bool(self.pod.spec.get("topologySpreadConstraints")) or not self.spread._system_defaulted
        self.hard = [self._counter(c, hard, self._domains(c.key), True) for c in hard]
        self.soft = [
            self._counter(c, soft, self._domains(None if c.key == HOSTNAME else c.key), self.every_key) for c in soft
        ]

    def _counter(self, constraint: Constraint, others: list[Constraint], domains: Domains, every_key: bool) -> Counter:
        eligible, having = self.everyone, self._domains(constraint.key).having
        if domains is self._domains(None):  # soft, by node: each node counts its own pods, whatever the policies say
            return Counter(constraint, Levels(domains), eligible, having, len(self.nodes))
        for other in others if every_key else ():
            eligible &= self._domains(other.key).having
        demand = required(self.pod.spec)
        demanding = bool(demand.labels) or demand.terms is not None or constraint.honor_taints
        if demanding:
            places = (i for i, n in enumerate(self.nodes) if constraint.counts_on(self.pod, demand, n))
            eligible &= bits.of(places)
        return Counter(constraint, Levels(domains), eligible, having, domains.values_in(eligible))

    def _prepare_affinity(self) -> None:
        self.near: dict[str, Levels] = {}
        self.away: dict[str, Levels] = {}
        self.refused: dict[str, Levels] = {}
        self.scored: dict[str, Levels] = {}
        pod = self.pod
        for terms, counters in ((pod.required_affinity, self.near), (pod.required_anti_affinity, self.away)):
            for term in terms:
                counters.setdefault(term.topology_key, Levels(self._domains(term.topology_key)))
                self.opaque = self.opaque or _needs_namespaces(term)
        for term in (*pod.preferred_affinity, *pod.preferred_anti_affinity):
            self.opaque = self.opaque or _needs_namespaces(term)
        self.self_match = all(term.matches(pod, None) for term in pod.required_affinity)

    def _count_all(self) -> None:
        wants = bool(self.hard or self.soft or self.near or self.away)
        wants = wants or bool(self.pod.preferred_affinity or self.pod.preferred_anti_affinity)
        for place, node in enumerate(self.nodes):
            for other in (node.pods if wants else node.with_affinity).values():
                self.count(other, place, 1)

    # Pods come and go

    def count(self, other: PodInfo, place: int, sign: int) -> None:
        """Count a pod in (1) or out (-1) of the node at `place`."""
        kind = (other.signature, other.terminating)
        try:
            effect = self._effects[kind]
        except KeyError:
            effect = self._effects[kind] = self._effect(other)
        if effect is not None:
            self._apply(effect, place, sign)

    def _apply(self, effect: Effect, place: int, sign: int) -> None:
        for index in effect.hard:
            if self.hard[index].eligible >> place & 1:
                self.hard[index].levels.change(place, sign)
        for index in effect.soft:
            if self.soft[index].eligible >> place & 1:
                self.soft[index].levels.change(place, sign)
        for key in effect.near:
            self.near[key].change(place, sign)
        for key in effect.away:
            self.away[key].change(place, sign)
        for key in effect.refused:
            self.refused[key].change(place, sign)
        for key, weight in effect.scored:
            self.scored[key].change(place, sign * weight)

    def _effect(self, other: PodInfo) -> Effect | None:
        hard = tuple(i for i, counter in enumerate(self.hard) if self._is_sibling(other, counter.constraint))
        soft = tuple(i for i, counter in enumerate(self.soft) if self._is_sibling(other, counter.constraint))
        near: tuple[str, ...] = ()
        away: tuple[str, ...] = ()
        refused: tuple[str, ...] = ()
        scored: tuple[tuple[str, int], ...] = ()
        if self.affinity is not None:
            pod = self.pod
            if pod.required_affinity and all(term.matches(other, None) for term in pod.required_affinity):
                near = tuple(term.topology_key for term in pod.required_affinity)
            away = tuple(t.topology_key for t in pod.required_anti_affinity if t.matches(other, None))
            refused = self._refusals(other)
            scored = self._scores(other, self.affinity)
        found = Effect(hard, soft, near, away, refused, scored)
        return found if any(found) else None

    def _is_sibling(self, other: PodInfo, constraint: Constraint) -> bool:
        selector = constraint.selector
        if selector.empty or selector is NOTHING or other.terminating or other.namespace != self.pod.namespace:
            return False
        return selector.matches(other.labels)

    def _refusals(self, other: PodInfo) -> tuple[str, ...]:
        self.opaque = self.opaque or any(map(_needs_namespaces, other.required_anti_affinity))
        keys = tuple(t.topology_key for t in other.required_anti_affinity if t.matches(self.pod, None))
        for key in keys:
            self.refused.setdefault(key, Levels(self._domains(key)))
        return keys

    def _scores(self, other: PodInfo, plugin: InterPodAffinity) -> tuple[tuple[str, int], ...]:
        """(topology key, weight) that a pod adds to its domain: by our preferences, and by its own."""
        pod, found = self.pod, []
        found += [(t.topology_key, t.weight) for t in pod.preferred_affinity if t.matches(other, None)]
        found += [(t.topology_key, -t.weight) for t in pod.preferred_anti_affinity if t.matches(other, None)]
        if other.has_affinity:
            theirs = (*other.required_affinity, *other.preferred_affinity, *other.preferred_anti_affinity)
            self.opaque = self.opaque or any(map(_needs_namespaces, theirs))
            hard = plugin.args.get("hardPodAffinityWeight", 1)
            met = [t.topology_key for t in other.required_affinity if hard and t.matches(pod, None)]
            found += [(key, hard) for key in met]
            if not plugin.args.get("ignorePreferredTermsOfExistingPods"):
                found += [(t.topology_key, t.weight) for t in other.preferred_affinity if t.matches(pod, None)]
                found += [(t.topology_key, -t.weight) for t in other.preferred_anti_affinity if t.matches(pod, None)]
        for key, _ in found:
            self.scored.setdefault(key, Levels(self._domains(key)))
        return tuple(found)

    # Filter

    def allowed(self) -> int:
        """The nodes that both plugins let pass."""
        found = self.everyone
        for counter in self.hard:
            found &= self._within_skew(counter)
        if self.near:
            found &= self._near()
        for levels in self.away.values():
            found &= ~levels.above_zero()
        for levels in self.refused.values():
            found &= ~levels.above_zero()
        return found

    def _within_skew(self, counter: Counter) -> int:
        constraint, levels = counter.constraint, counter.levels
        fewest = levels.lowest(counter.eligible) or 0
        if counter.domains < constraint.min_domains:
            fewest = 0
        return levels.up_to(constraint.max_skew + fewest - constraint.selector.matches(self.pod.labels))

    def _near(self) -> int:
        matched, having, anywhere = self.everyone, self.everyone, False
        for levels in self.near.values():
            some = levels.above_zero()
            matched &= some
            having &= levels.domains.having
            anywhere = anywhere or bool(some)
        return matched if anywhere or not self.self_match else having

    # Score

    def groups(self, window: int) -> list[Group]:
        """The window, split into sets of nodes that share every count."""
        found: list[Group] = [((), window)]
        for counter in self.soft:
            found = [((*counts, level), part) for counts, nodes in found for level, part in _split(counter, nodes)]
        for levels in self.scored.values():
            found = [((*counts, level), part) for counts, nodes in found for level, part in levels.split(nodes)]
        return found

    def bonuses(self, groups: list[Group], window: int, spread_weight: int, affinity_weight: int) -> list[int]:
        """Per group, what the two plugins add to the total."""
        cut = len(self.soft)
        spread = self._spread_scores([counts[:cut] for counts, _ in groups], [n for _, n in groups], window)
        near = self._affinity_scores([counts[cut:] for counts, _ in groups])
        return [spread_weight * s + affinity_weight * a for s, a in zip(spread, near, strict=True)]

    def _spread_scores(self, counts: list[tuple[int | None, ...]], nodes: list[int], window: int) -> list[int]:
        if not self.soft:
            return [0] * len(counts)
        taken = window
        for counter in self.soft if self.every_key else ():
            taken &= counter.having
        ignored = [bool(part & ~taken) for part in nodes]
        weights = [math.log(self._size(counter, taken) + 2) for counter in self.soft]
        raw = [0 if skip else self._raw_spread(some, weights) for some, skip in zip(counts, ignored, strict=True)]
        counted = [score for score, skip in zip(raw, ignored, strict=True) if not skip]
        low, high = min(counted, default=0), max(counted, default=0)
        found = []
        for score, skip in zip(raw, ignored, strict=True):
            full = MAX_NODE_SCORE * (high + low - score) // high if high else MAX_NODE_SCORE
            found.append(0 if skip else full)
        return found

    def _size(self, counter: Counter, taken: int) -> int:
        if counter.constraint.key == HOSTNAME:
            return taken.bit_count()
        domains = counter.levels.domains
        return domains.values_in(taken) + bool(taken & ~domains.having)

    def _raw_spread(self, counts: tuple[int | None, ...], weights: list[float]) -> int:
        score = 0.0
        for counter, count, weight in zip(self.soft, counts, weights, strict=True):
            if count is not None:
                score += count * weight + (counter.constraint.max_skew - 1)
        return math.floor(score + 0.5)

    def _affinity_scores(self, counts: list[tuple[int | None, ...]]) -> list[int]:
        raw = [sum(count or 0 for count in some) for some in counts]
        low, high = min(raw, default=0), max(raw, default=0)
        if low == high:
            return [0] * len(raw)
        return [int(MAX_NODE_SCORE * ((score - low) / (high - low))) for score in raw]


def _split(counter: Counter, nodes: int) -> Iterator[tuple[int | None, int]]:
    yield from counter.levels.split(nodes & counter.having)
    if nodes & ~counter.having:
        yield None, nodes & ~counter.having


def _needs_namespaces(term: AffinityTerm) -> bool:
    """Whether a term picks namespaces by label: counters do not follow label changes of namespaces."""
    return term.namespace_selector is not NOTHING and not term.namespace_selector.empty
