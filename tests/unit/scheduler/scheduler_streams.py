"""Random streams of events for the property tests: nodes, pods of many kinds, comings and goings."""

from __future__ import annotations

import random
from typing import Any

from minik8s.objects import Object
from minik8s.scheduler.config import profiles
from minik8s.scheduler.fast import FastScheduler
from minik8s.scheduler.framework import Handle
from minik8s.scheduler.record import Decision
from minik8s.scheduler.scheduler import Scheduler
from minik8s.scheduler.snapshot import PodInfo, Snapshot

ZONES = ("a", "b", "c")
APPS = ("web", "db", "cache")


class Empty:
    """Listers over a few namespaces and services."""

    def __init__(self, objects: dict[str, list[Object]] | None = None) -> None:
        self.objects = objects or {}

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        for obj in self.list(resource):
            if obj["metadata"]["name"] == name and obj["metadata"].get("namespace", "") == namespace:
                return obj
        return None

    def list(self, resource: str, namespace: str | None = None) -> list[Object]:
        found = self.objects.get(resource, [])
        return [o for o in found if namespace is None or o["metadata"].get("namespace", "") == namespace]


class Side:
    """One scheduler with a snapshot of its own."""

    def __init__(self, fast: bool, listers: Empty, percentage: int, config: Object | None = None) -> None:
        self.snapshot = Snapshot()
        self.handle = Handle(self.snapshot, listers)
        self.profile = profiles(self.handle, config)["default-scheduler"]
        self.scheduler: Scheduler
        if fast:
            self.scheduler = FastScheduler(self.snapshot, self.handle, percentage, min_nodes=0)
        else:
            self.scheduler = Scheduler(self.snapshot, percentage)

    def schedule(self, pod: Object) -> Decision:
        info = PodInfo(pod)
        decision, _ = self.scheduler.schedule(info, self.profile)
        if decision.node is not None:
            self.snapshot.add_pod(info.on(decision.node))
        return decision


def node(rng: random.Random, index: int) -> Object:
    labels = {"kubernetes.io/hostname": f"n{index}"}
    if rng.random() < 0.9:
        labels["topology.kubernetes.io/zone"] = rng.choice(ZONES)
    if rng.random() < 0.3:
        labels["disk"] = rng.choice(["ssd", "hdd"])
    if rng.random() < 0.05:
        del labels["kubernetes.io/hostname"]
    spec: dict[str, Any] = {}
    if rng.random() < 0.15:
        effect = rng.choice(["NoSchedule", "PreferNoSchedule"])
        spec["taints"] = [{"key": "team", "value": "x", "effect": effect}]
    if rng.random() < 0.05:
        spec["unschedulable"] = True
    cpu, memory = rng.choice([("2", "4Gi"), ("4", "8Gi"), ("8", "16Gi")])
    status: dict[str, Any] = {"allocatable": {"cpu": cpu, "memory": memory, "pods": str(rng.choice([4, 10, 110]))}}
    if rng.random() < 0.3:
        status["images"] = [{"names": ["big:1"], "sizeBytes": rng.choice([100, 600]) * 1024 * 1024}]
    return {"metadata": {"name": f"n{index}", "labels": labels}, "spec": spec, "status": status}


def pod(rng: random.Random, index: int, kinds: int = 12) -> Object:
    """Pods of at most `kinds` different kinds."""
    kind = random.Random(rng.randrange(kinds) * 7919 + 13)
    labels = {"app": kind.choice(APPS)}
    requests = {"cpu": kind.choice(["100m", "500m", "1"]), "memory": kind.choice(["128Mi", "1Gi"])}
    container: dict[str, Any] = {"name": "c", "image": kind.choice(["big:1", "small:1"])}
    if kind.random() < 0.85:
        container["resources"] = {"requests": requests}
    spec: dict[str, Any] = {"containers": [container], "priority": 0}
    selector = {"matchLabels": {"app": kind.choice(APPS)}}
    zone, host = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
    if kind.random() < 0.4:
        spec["topologySpreadConstraints"] = [
            {
                "maxSkew": kind.choice([1, 2]),
                "topologyKey": key,
                "whenUnsatisfiable": kind.choice(["DoNotSchedule", "ScheduleAnyway"]),
                "labelSelector": {"matchLabels": dict(labels)},
                **({"nodeTaintsPolicy": "Honor"} if kind.random() < 0.3 else {}),
            }
            for key in kind.choice([(zone,), (host,), (zone, host)])
        ]
    affinity: dict[str, Any] = {}
    for name in ("podAffinity", "podAntiAffinity"):
        rules: dict[str, Any] = {}
        if kind.random() < 0.15:
            term = {"labelSelector": selector, "topologyKey": kind.choice([zone, host])}
            rules["requiredDuringSchedulingIgnoredDuringExecution"] = [term]
        if kind.random() < 0.25:
            term = {"labelSelector": selector, "topologyKey": kind.choice([zone, host])}
            weighted = {"weight": kind.randrange(1, 101), "podAffinityTerm": term}
            rules["preferredDuringSchedulingIgnoredDuringExecution"] = [weighted]
        if rules:
            affinity[name] = rules
    if kind.random() < 0.25:
        preference = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
        term = [{"weight": 10, "preference": preference}]
        affinity["nodeAffinity"] = {"preferredDuringSchedulingIgnoredDuringExecution": term}
    if affinity:
        spec["affinity"] = affinity
    if kind.random() < 0.15:
        spec["nodeSelector"] = {"disk": "ssd"}
    if kind.random() < 0.3:
        spec["tolerations"] = [{"key": "team", "operator": "Exists"}]
    return {"metadata": {"name": f"p{index}", "namespace": "default", "labels": labels}, "spec": spec}


def listers(rng: random.Random) -> Empty:
    services = [
        {"metadata": {"name": "s", "namespace": "default"}, "spec": {"selector": {"app": "web"}}},
    ]
    names = [{"metadata": {"name": "default", "labels": {}}}]
    return Empty({"services": services if rng.random() < 0.5 else [], "namespaces": names})


def compare(seed: int, nodes: int, steps: int, percentage: int, kinds: int = 12) -> tuple[int, int]:
    """Drive both sides through one random history; returns (decisions by the fast path, by the plain one)."""
    rng = random.Random(seed)
    world = listers(rng)
    plain, fast = (Side(is_fast, world, percentage) for is_fast in (False, True))
    sides = (plain, fast)
    for index in range(nodes):
        made = node(rng, index)
        for side in sides:
            side.snapshot.set_node(made)
    placed: dict[str, tuple[Object, str]] = {}
    for step in range(steps):
        dice = rng.random()
        if dice < 0.15 and placed:
            key = rng.choice(sorted(placed))
            gone, where = placed.pop(key)
            for side in sides:
                side.snapshot.remove_pod(PodInfo(gone).on(where))
        elif dice < 0.17:
            made = node(rng, rng.randrange(nodes + 2))
            for side in sides:
                side.snapshot.set_node(made)
        else:
            new = pod(rng, step, kinds)
            first, second = plain.schedule(new), fast.schedule(new)
            told = f"seed {seed} step {step} pod {new}"
            assert (second.node, second.outcome, second.message) == (first.node, first.outcome, first.message), told
            assert fast.scheduler.next_start == plain.scheduler.next_start, told
            if first.node is not None:
                placed[first.pod] = (new, first.node)
    assert isinstance(fast.scheduler, FastScheduler)
    return steps - fast.scheduler.plain, fast.scheduler.plain
