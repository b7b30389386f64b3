"""Random situations from a seed: what is deployed, what people do to it, and which faults strike."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

Step = dict[str, Any]

IMAGES = ("nginx:1.27", "nginx:1.28", "httpd:2.4")
STRUCK_SECONDS = 240.0
"""Everything that happens to the cluster happens within this time; then it must recover."""

FAULTS = (
    "kill_node", "freeze_node", "partition_node", "stop_kubelet", "slow_store", "fail_store", "lost_answers",
    "drop_watch_events", "stop_part", "skew_clock", "crash_container",
)  # fmt: skip
PARTS = ("scheduler", "kube-controller-manager", "deployment-controller", "node-lifecycle-controller", "apiserver",
         "garbage-collector-controller")


@dataclass(frozen=True)
class Scenario:
    """`steps` happen at their `at`, in order; `nodes` and `seed` give the cluster."""

    seed: int
    nodes: int
    steps: tuple[Step, ...] = field(default=())

    def keep(self, indexes: list[int]) -> Scenario:
        return replace(self, steps=tuple(self.steps[i] for i in indexes))


def scenario(seed: int) -> Scenario:
    """The situation of this seed."""
    rng = random.Random(seed)
    nodes = rng.randint(2, 4)
    steps: list[Step] = [_workload(rng, i) for i in range(rng.randint(1, 3))]
    names = [(s["kind"], s["name"]) for s in steps]
    if rng.random() < 0.4:
        steps.append({"at": 0.0, "do": "pdb", "name": names[0][1], "min": 1})
    steps += [_deed(rng, names) for _ in range(rng.randint(0, 4))]
    steps += [_fault(rng, nodes) for _ in range(rng.randint(1, 4))]
    return Scenario(seed, nodes, tuple(sorted(steps, key=lambda s: float(s["at"]))))


def _workload(rng: random.Random, number: int) -> Step:
    kind = rng.choice(("Deployment", "Deployment", "StatefulSet", "DaemonSet", "Job"))
    return {
        "at": 0.0, "do": "create", "kind": kind, "name": f"{kind.lower()}-{number}", "replicas": rng.randint(1, 4),
        "image": rng.choice(IMAGES), "cpu": rng.choice(("50m", "100m", "300m")), "probe": rng.random() < 0.5,
    }  # fmt: skip


def _deed(rng: random.Random, names: list[tuple[str, str]]) -> Step:
    kind, name = rng.choice(names)
    what = rng.choice(("scale", "update", "delete_pod", "evict_pod", "force_delete_pod"))
    return {"at": _moment(rng), "do": what, "kind": kind, "name": name, "replicas": rng.randint(0, 5),
            "image": rng.choice(IMAGES), "index": rng.randint(0, 3)}


def _fault(rng: random.Random, nodes: int) -> Step:
    kind = rng.choice(FAULTS)
    node = f"node-{rng.randint(1, nodes)}"
    out: Step = {"at": _moment(rng), "do": "fault", "fault": kind, "for": round(rng.uniform(2, 120), 1)}
    if kind in ("kill_node", "freeze_node", "partition_node", "stop_kubelet", "skew_clock"):
        out["node"] = node
    if kind == "skew_clock":
        out["by"] = round(rng.uniform(-30, 30), 1)
    if kind in ("fail_store", "lost_answers", "drop_watch_events"):
        out["rate"] = round(rng.uniform(0.05, 0.8), 2)
    if kind == "slow_store":
        out["by"] = round(rng.uniform(0.1, 5), 1)
    if kind == "stop_part":
        out["part"] = rng.choice(PARTS)
    if kind == "crash_container":
        out["index"] = rng.randint(0, 5)
    return out


def _moment(rng: random.Random) -> float:
    return round(rng.uniform(0, STRUCK_SECONDS - 120), 2)
