"""`run.py bench scheduler`: decisions per second, plain and fast, and how many nodes each decision looks at.

What is timed is the scheduling cycle: from a pod that was read and queued to its place counted on a node (filter,
score, select, assume). The last line printed is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minik8s.objects import Object
from minik8s.scheduler.config import profiles
from minik8s.scheduler.fast import FastScheduler
from minik8s.scheduler.framework import Handle, Profile
from minik8s.scheduler.record import Decision
from minik8s.scheduler.scheduler import Scheduler
from minik8s.scheduler.snapshot import HOSTNAME, REGION, ZONE, PodInfo, Snapshot

ZONES = 10
PLAIN_SECONDS = 10.0
"""The plain scheduler decides for so long and reports its rate: it need not get through all pods."""

HttpBench = Callable[[argparse.Namespace], dict[str, Any]]
http_bench: HttpBench | None = None
"""created -> bound over HTTPS, in place of `bench.api.created_to_bound`: gets the parsed arguments, returns figures."""


class _Nothing:
    """No objects besides pods and nodes."""

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        return None

    def list(self, resource: str, namespace: str | None = None) -> list[Object]:
        return []


def make_node(index: int) -> Object:
    """A node of 32 cores, in one of ten zones."""
    name = f"node-{index}"
    labels = {HOSTNAME: name, ZONE: f"zone-{index % ZONES}", REGION: "region-1"}
    allocatable = {"cpu": "32", "memory": "64Gi", "ephemeral-storage": "100Gi", "pods": "110"}
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": {"allocatable": allocatable}}


def make_pod(index: int, signatures: int, spread: bool, affinity: bool) -> Object:
    """Pod `index`, of kind `index % signatures`: kinds differ in what they request."""
    kind = index % signatures
    labels = {"app": f"app-{kind}"}
    requests = {"cpu": f"{100 + 10 * kind}m", "memory": f"{200 + 5 * kind}Mi"}
    spec: dict[str, Any] = {
        "containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10", "resources": {"requests": requests}}],
        "priority": 0,
    }
    selector = {"matchLabels": labels}
    if spread:
        spec["topologySpreadConstraints"] = [
            {"maxSkew": 5, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector},
            {"maxSkew": 3, "topologyKey": HOSTNAME, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector},
        ]
    if affinity:
        term = {"labelSelector": selector, "topologyKey": ZONE}
        apart = {"labelSelector": selector, "topologyKey": HOSTNAME}
        spec["affinity"] = {
            "podAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 50, "podAffinityTerm": term}]
            },
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": apart}]
            },
        }
    return {"metadata": {"name": f"pod-{index}", "namespace": "default", "labels": labels}, "spec": spec}


class Times(NamedTuple):
    """Seconds on the wall and of the processor: on a busy machine the second says more."""

    wall: float
    cpu: float

    def rates(self, decisions: int) -> dict[str, Any]:
        return {
            "decisions": decisions,
            "seconds": round(self.wall, 4),
            "decisions_per_second": round(decisions / self.wall, 1),
            "decisions_per_cpu_second": round(decisions / max(self.cpu, 1e-9), 1),
        }


class Side:
    """A scheduler, plain or fast, over a cluster of its own."""

    def __init__(self, fast: bool, nodes: int, percentage: int) -> None:
        self.snapshot = Snapshot()
        self.handle = Handle(self.snapshot, _Nothing())
        self.profile: Profile = profiles(self.handle)["default-scheduler"]
        for index in range(nodes):
            self.snapshot.set_node(make_node(index))
        self.scheduler: Scheduler
        if fast:
            self.scheduler = FastScheduler(self.snapshot, self.handle, percentage, min_nodes=0)
        else:
            self.scheduler = Scheduler(self.snapshot, percentage)

    def run(self, pods: Sequence[PodInfo], limit: float | None = None) -> tuple[list[str | None], Times, int]:
        """(where each pod went, the time it took, nodes looked at); stops when a time limit is over."""
        went: list[str | None] = []
        looked_at = 0
        schedule, place, profile = self.scheduler.schedule, self.snapshot.add_pod, self.profile
        start, cpu = time.perf_counter(), time.process_time()
        end = start + limit if limit else None
        for pod in pods:
            decision, _ = schedule(pod, profile)
            if decision.node is not None:
                place(pod.on(decision.node))
            went.append(decision.node)
            looked_at += _looked_at(decision)
            if end is not None and time.perf_counter() > end:
                break
        return went, Times(time.perf_counter() - start, time.process_time() - cpu), looked_at


def _looked_at(decision: Decision) -> int:
    return len(decision.feasible) + len(decision.diagnosis.nodes)


def read(args: argparse.Namespace) -> tuple[list[PodInfo], float]:
    """The pods as they stand in the queue, and the seconds that reading them took."""
    made = [make_pod(index, args.signatures, args.spread, args.affinity) for index in range(args.pods)]
    start = time.perf_counter()
    pods = [PodInfo(pod) for pod in made]
    for pod in pods:
        assert pod.signature  # worked out when a pod is read, as kube-scheduler does
    return pods, time.perf_counter() - start


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Both sides on the same pods; the plain one for a limited time."""
    pods, reading = read(args)
    plain = Side(False, args.nodes, args.percentage)
    plain_went, plain_time, plain_looked = plain.run(pods, args.plain_seconds)
    pods, reading = read(args)
    fast = Side(True, args.nodes, args.percentage)
    assert isinstance(fast.scheduler, FastScheduler)
    went, fast_time, looked_at = fast.run(pods)
    return {
        "bench": "scheduler",
        "nodes": args.nodes,
        "pods": args.pods,
        "signatures": args.signatures,
        "spread": args.spread,
        "affinity": args.affinity,
        "percentageOfNodesToScore": args.percentage,
        "read_seconds_per_pod": round(reading / max(1, len(pods)), 9),
        "equal": plain_went == went[: len(plain_went)],
        "plain": {
            **plain_time.rates(len(plain_went)),
            "node_evaluations_per_pod": round(plain_looked / max(1, len(plain_went)), 2),
        },
        "fast": {
            **fast_time.rates(len(went)),
            "node_evaluations_per_pod": round((fast.scheduler.evaluated + looked_at) / max(1, len(went)), 2),
            "nodes_touched_per_pod": round(fast.scheduler.touched / max(1, len(went)), 2),
            "by_the_plain_path": fast.scheduler.plain,
            "unschedulable": went.count(None),
        },
    }


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="run.py bench scheduler", description=__doc__)
    found.add_argument("--nodes", type=int, default=5000)
    found.add_argument("--pods", type=int, default=10000)
    found.add_argument("--signatures", type=int, default=1, help="how many kinds of pods, taking turns")
    found.add_argument("--spread", action="store_true", help="pods with topology spread constraints")
    found.add_argument("--affinity", action="store_true", help="pods with inter-pod (anti-)affinity")
    found.add_argument("--percentage", type=int, default=0, help="percentageOfNodesToScore (0: adaptive)")
    found.add_argument("--plain-seconds", type=float, default=PLAIN_SECONDS)
    found.add_argument("--http", action="store_true", help="created -> bound over HTTPS as well")
    found.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; exit status 1 when plain and fast disagree."""
    args = parser().parse_args(argv)
    figures = measure(args)
    if args.http:
        from minik8s.bench.api import created_to_bound

        figures["http"] = (http_bench or created_to_bound)(args)
    if not args.json:
        for name in ("plain", "fast"):
            side = figures[name]
            print(f"{name:>5}: {side['decisions_per_second']:>12,.1f} decisions/s over {side['decisions']} pods")
    print(json.dumps(figures))
    return 0 if figures["equal"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
