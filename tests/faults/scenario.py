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

    def quiet(self, *calm: str) -> float:
        """Seconds until the first fault strikes or somebody takes pods away, other than by deeds of `calm`."""
        calm = ("create", "pdb", "scale", "update", "cronjob", "autoscale", "claims", "team", *calm)
        return float(min((step["at"] for step in self.steps if step["do"] not in calm), default=STRUCK_SECONDS))


def scenario(seed: int, *, wide: bool = True) -> Scenario:
    """The situation of this seed. `wide` False: without the kinds and faults that came later (old seeds mean the same).
    """
    rng = random.Random(seed)
    nodes = rng.randint(2, 4)
    steps: list[Step] = [_workload(rng, i) for i in range(rng.randint(1, 3))]
    names = [(s["kind"], s["name"]) for s in steps]
    if rng.random() < 0.4:
        steps.append({"at": 0.0, "do": "pdb", "name": names[0][1], "min": 1})
    steps += [_deed(rng, names) for _ in range(rng.randint(0, 4))]
    steps += [_fault(rng, nodes) for _ in range(rng.randint(1, 4))]
    if wide:
        steps = _widened(random.Random(seed + (1 << 40)), nodes, steps)
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


# ---- what came later ---------------------------------------------------------------------
LATER_FAULTS = ("fill_disk", "exhaust_memory", "cut_registry", "freeze_container")
LATER_PARTS = ("disruption-controller", "resourcequota-controller", "namespace-controller", "statefulset-controller",
               "persistentvolume-binder-controller", "endpointslice-controller", "kube-proxy")
TEAM = "team"
"""A namespace with a quota of its own, and maybe deleted."""


def _widened(rng: random.Random, nodes: int, steps: list[Step]) -> list[Step]:
    """`steps` and more kinds, deeds and faults; some with a quiet start, so that a rollout is seen undisturbed."""
    works = [step for step in steps if step["do"] == "create"]
    if rng.random() < 0.35:
        steps = [_later(step) for step in steps if step["at"] == 0.0 or step["do"] not in ("scale", "update")]
        work = rng.choice(works)
        steps += [{**_about(work), "at": round(rng.uniform(20, 50), 2), "do": "update", "image": rng.choice(IMAGES)}]
    steps += _more_kinds(rng, works)
    guarded = [work for work in works if work["kind"] in ("Deployment", "StatefulSet")]
    if guarded and rng.random() < 0.3:
        work = rng.choice(guarded)
        least = max(1, work["replicas"] - rng.randint(0, 1))
        steps.append({"at": 0.0, "do": "pdb", "name": work["name"], "min": least})
        steps.append(_drain(rng, nodes, rng.uniform(15, 50)))
    elif rng.random() < 0.3:
        steps.append(_drain(rng, nodes, _moment(rng)))
    if rng.random() < 0.5:
        steps.append(_later_fault(rng, nodes))
    return steps


def _drain(rng: random.Random, nodes: int, at: float) -> Step:
    node = f"node-{rng.randint(1, nodes)}"
    return {"at": round(at, 2), "do": "drain", "node": node, "for": round(rng.uniform(20, 100), 1)}


def _about(work: Step) -> Step:
    return {"kind": work["kind"], "name": work["name"], "replicas": work["replicas"], "index": 0}


def _later(step: Step) -> Step:
    """The same, after the first minute."""
    return step if step["at"] == 0.0 else {**step, "at": round(60 + step["at"] / 2, 2)}


def _more_kinds(rng: random.Random, works: list[Step]) -> list[Step]:
    out: list[Step] = []
    if rng.random() < 0.25:
        policy = rng.choice(("Allow", "Forbid", "Replace"))
        out.append({"at": 0.0, "do": "cronjob", "name": "nightly", "policy": policy})
    deployments = [work for work in works if work["kind"] == "Deployment"]
    if deployments and rng.random() < 0.3:
        out.append({"at": 0.0, "do": "autoscale", "name": deployments[0]["name"], "max": rng.randint(2, 5)})
    if rng.random() < 0.25:
        out.append({"at": 0.0, "do": "claims", "name": "disk", "replicas": rng.randint(1, 3)})
    if rng.random() < 0.3:
        out.append({"at": 0.0, "do": "team", "pods": rng.randint(1, 4), "replicas": rng.randint(1, 5)})
        if rng.random() < 0.6:
            out.append({"at": _moment(rng), "do": "delete_team"})
    return out


def _later_fault(rng: random.Random, nodes: int) -> Step:
    out: Step = {"at": _moment(rng), "do": "fault", "for": round(rng.uniform(2, 120), 1)}
    kind = rng.choice((*LATER_FAULTS, "stop_part"))
    out["fault"] = kind
    if kind in ("fill_disk", "exhaust_memory"):
        out["node"] = f"node-{rng.randint(1, nodes)}"
    if kind == "freeze_container":
        out["index"] = rng.randint(0, 5)
    if kind == "stop_part":
        out["part"] = rng.choice(LATER_PARTS)
    return out
