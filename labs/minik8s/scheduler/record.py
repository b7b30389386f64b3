"""The record of one decision: what every node and every plugin said, and what came of it.

Explanations, tables, widgets and graders read this; nothing is logged besides. The words of `message` are those of
kube-scheduler's FailedScheduling event (`framework/types.go`, FitError).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from minik8s.scheduler.framework import Diagnosis, Nomination, Status

MAX_NODES = 100
"""Up to so many nodes, a record keeps what was said of each."""

NO_NODES = "no nodes available to schedule pods"


@dataclass
class PluginScores:
    """One plugin's scores by node: as it gave them, brought into 0..100, and the weight they count with."""

    weight: int
    raw: dict[str, int]
    normalized: dict[str, int]


@dataclass
class Decision:
    """Everything that was decided about one pod in one attempt.

    outcome   scheduled | unschedulable | error | gated | skipped | assigned
    feasible  nodes that pass every filter, in scanning order
    """

    pod: str
    outcome: str = "unschedulable"
    attempt: int = 1
    profile: str = "default-scheduler"
    nodes: int = 0
    feasible: list[str] = field(default_factory=list)
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    scores: dict[str, PluginScores] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    best: list[str] = field(default_factory=list)
    node: str | None = None
    nomination: Nomination | None = None
    message: str | None = None
    path: str = "plain"
    """plain, or fast: the fast path records the choice, not the scores of every node."""

    @property
    def nominated(self) -> str | None:
        return self.nomination.node or None if self.nomination else None

    @property
    def victims(self) -> list[str]:
        return [victim.key for victim in self.nomination.victims] if self.nomination else []

    def to_json(self, limit: int = MAX_NODES) -> dict[str, Any]:
        """The record as JSON values, for the trace. Of more than `limit` nodes, only the best and some others stay."""
        best = sorted(self.totals or self.feasible, key=lambda n: (-self.totals.get(n, 0), n != self.node))
        kept = set(best[:limit])
        refused = sorted(self.diagnosis.nodes.items())[:limit]
        return {
            "pod": self.pod,
            "outcome": self.outcome,
            "attempt": self.attempt,
            "profile": self.profile,
            "nodes": self.nodes,
            "passed": len(self.feasible),
            "refused": len(self.diagnosis.nodes),
            "feasible": [name for name in self.feasible if name in kept],
            "filtered": {name: status_json(status) for name, status in refused},
            "prefilter": status_json(self.diagnosis.prefilter) if self.diagnosis.prefilter else None,
            "scores": {
                name: {"weight": s.weight, "raw": _only(s.raw, kept), "normalized": _only(s.normalized, kept)}
                for name, s in self.scores.items()
            },
            "totals": _only(self.totals, kept),
            "best": self.best[:limit],
            "node": self.node,
            "nominated": self.nominated,
            "victims": self.victims,
            "message": self.message,
            "path": self.path,
        }


def _only(values: dict[str, int], kept: set[str]) -> dict[str, int]:
    return {name: value for name, value in values.items() if name in kept}


def status_json(status: Status) -> dict[str, Any]:
    return {"plugin": status.plugin, "code": status.code, "reasons": list(status.reasons)}


def no_fit(nodes: int, diagnosis: Diagnosis, after: str = "") -> str:
    """FitError.Error(): `0/5 nodes are available: 2 Insufficient cpu, 3 node(s) ....` and what PostFilter says."""
    text = f"0/{nodes} nodes are available:"
    if diagnosis.prefilter is not None:
        if diagnosis.prefilter.message:
            text += f" {diagnosis.prefilter.message}."
    else:
        reasons = Counter(reason for status in diagnosis.nodes.values() for reason in status.reasons)
        unseen = nodes - len(diagnosis.nodes)
        if unseen > 0:
            for reason in diagnosis.absent.reasons:
                reasons[reason] += unseen
        if reasons:
            text += " " + ", ".join(sorted(f"{n} {reason}" for reason, n in reasons.items())) + "."
    return f"{text} {after}" if after else text
