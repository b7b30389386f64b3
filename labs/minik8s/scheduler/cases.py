"""Runs recorded cases: a small cluster, pods that come in, and what the scheduler decides about each.

The format is that of `minik8s schedule FILE`: a JSON array of cases with nodes, pods, objects and incoming pods.
Decisions come back in the form of a recording of kube-scheduler (`expect` entries).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from minik8s.objects import Object
from minik8s.scheduler.config import DEFAULT_NAME, profiles
from minik8s.scheduler.explain import text
from minik8s.scheduler.framework import Handle, Nomination, Profile
from minik8s.scheduler.plugins import volumes as v
from minik8s.scheduler.plugins.volume_binding import Claims, Plan, bound_volume
from minik8s.scheduler.record import Decision, status_json
from minik8s.scheduler.scheduler import Scheduler
from minik8s.scheduler.snapshot import HOSTNAME, PodInfo, Snapshot

_RESOURCES = {
    "Namespace": "namespaces",
    "PriorityClass": "priorityclasses.scheduling.k8s.io",
    "Service": "services",
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "ReplicationController": "replicationcontrollers",
    "PodDisruptionBudget": "poddisruptionbudgets.policy",
    "PersistentVolume": "persistentvolumes",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "StorageClass": "storageclasses.storage.k8s.io",
    "CSINode": "csinodes.storage.k8s.io",
    "CSIDriver": "csidrivers.storage.k8s.io",
    "CSIStorageCapacity": "csistoragecapacities.storage.k8s.io",
}


def run(cases: Iterable[Object], config: Object | None = None) -> list[dict[str, Any]]:
    """[{"name", "expect": [...]}] for each case."""
    return [{"name": case["name"], "expect": _expect(case, config)} for case in cases]


def explained(cases: Iterable[Object], config: Object | None = None) -> list[dict[str, Any]]:
    """The same, each decision with its Korean explanation as well: {"name", "expect", "explain": [text, ...]}."""
    found = []
    for case in cases:
        nodes = [node["metadata"]["name"] for node in case["nodes"]]
        decisions = decide(case, config)
        told = [text(decision) for decision in decisions]
        found.append({"name": case["name"], "expect": [entry(d, nodes) for d in decisions], "explain": told})
    return found


def _expect(case: Object, config: Object | None) -> list[dict[str, Any]]:
    nodes = [node["metadata"]["name"] for node in case["nodes"]]
    return [entry(decision, nodes) for decision in decide(case, config)]


def decide(case: Object, config: Object | None = None) -> list[Decision]:
    """The decisions of one case, in the order in which the scheduler took the pods."""
    return World(case, config).play()


Decisions = list[Decision]


class World:
    """The cluster of one case; also the plugins' view of its objects."""

    def __init__(self, case: Object, config: Object | None = None) -> None:
        self.case = case
        self.objects: dict[str, dict[tuple[str, str], Object]] = {}
        for obj in case.get("objects") or ():
            self.put(_RESOURCES.get(obj["kind"], obj["kind"]), obj)
        self.snapshot = Snapshot()
        for node in case["nodes"]:
            self.snapshot.set_node(node)
        self.handle = Handle(self.snapshot, self)
        self.profiles = profiles(self.handle, config)
        self.scheduler = CaseScheduler(self.snapshot, 100)
        self.bound = 0
        for pod in map(PodInfo, case.get("pods") or ()):
            self._settle(pod)

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        return self.objects.get(resource, {}).get((namespace, name))

    def list(self, resource: str, namespace: str | None = None) -> list[Object]:
        found = self.objects.get(resource, {})
        return [obj for (space, _), obj in found.items() if namespace is None or space == namespace]

    def put(self, resource: str, obj: Object) -> None:
        meta = obj["metadata"]
        self.objects.setdefault(resource, {})[(meta.get("namespace", ""), meta["name"])] = obj

    def _settle(self, pod: PodInfo) -> None:
        """A pod that was there before: on its node, nominated, or finished."""
        if pod.status.get("phase") in ("Succeeded", "Failed"):
            return
        if pod.node_name:
            self.snapshot.add_pod(pod)
        elif pod.nominated:
            self.handle.nominator.add(pod, pod.nominated)

    def play(self) -> Decisions:
        incoming: Sequence[PodInfo] = [PodInfo(pod) for pod in self.case["incoming"]]
        if self.case.get("mode") == "queue":
            incoming = self._queue_order(incoming)
        return [decision for pod in incoming for decision in self._take(pod)]

    def _queue_order(self, pods: Sequence[PodInfo]) -> Sequence[PodInfo]:
        """Higher priority first, then arrival; pods that PreEnqueue holds back come last."""
        order = {pod.key: i for i, pod in enumerate(pods)}
        held = [pod for pod in pods if self._profile(pod).pre_enqueue(pod) is not None]
        free = [pod for pod in pods if pod not in held]
        return sorted(free, key=lambda p: self._profile(p).sort_key(p, order[p.key])) + held

    def _profile(self, pod: PodInfo) -> Profile:
        return self.profiles.get(pod.spec.get("schedulerName") or DEFAULT_NAME) or next(iter(self.profiles.values()))

    def _take(self, pod: PodInfo) -> Decisions:
        if pod.node_name:
            self._settle(pod)
            return [Decision(pod.key, "assigned", 0)]
        if pod.terminating:
            return [Decision(pod.key, "skipped", message=f"skip schedule deleting pod: {pod.key}")]
        if self._profile(pod).pre_enqueue(pod) is not None:
            return [Decision(pod.key, "gated", 0)]
        first = self._attempt(pod, 1)
        if not first.nominated:
            return [first]
        assert first.nomination is not None
        self._evict(first.nomination, pod)
        nominated = {**pod.pod, "status": {**pod.status, "nominatedNodeName": first.nominated}}
        return [first, self._attempt(PodInfo(nominated), 2)]

    def _attempt(self, pod: PodInfo, number: int) -> Decision:
        decision, state = self.scheduler.schedule(pod, self._profile(pod))
        decision.attempt = number
        if decision.node is not None:
            claims: Claims | None = state.get("VolumeBinding")
            self._bind_volumes(claims.plans.get(decision.node, Plan()) if claims else Plan(), decision.node)
            self._bind(pod, decision.node)
        return decision

    def _bind(self, pod: PodInfo, node: str) -> None:
        """Bound pods count as started at their binding, later than all that were there."""
        self.bound += 1
        started = f"9999-01-01T{self.bound // 3600:02}:{self.bound // 60 % 60:02}:{self.bound % 60:02}Z"
        status = {**pod.status, "startTime": pod.status.get("startTime") or started}
        status.pop("nominatedNodeName", None)
        self.handle.nominator.remove(pod.key)
        self.snapshot.add_pod(PodInfo({**pod.pod, "spec": {**pod.spec, "nodeName": node}, "status": status}))

    def _evict(self, nomination: Nomination, pod: PodInfo) -> None:
        """The victims go; pods of lower priority that were promised the node lose the promise."""
        for victim in nomination.victims:
            self.snapshot.remove_pod(victim)
        for other in self.handle.nominator.on(nomination.node):
            if other.priority < pod.priority:
                self.handle.nominator.remove(other.key)

    def _bind_volumes(self, plan: Plan, node: str) -> None:
        """What the PV controller and a provisioner do after the scheduler has chosen."""
        for claim, volume in plan.bindings:
            self._bind_claim(claim, volume)
        for claim in plan.provisions:
            self._bind_claim(claim, _provisioned(claim, self.snapshot.by_name[node].labels.get(HOSTNAME, node)))

    def _bind_claim(self, claim: Object, volume: Object) -> None:
        meta = claim["metadata"]
        self.put("persistentvolumes", {**bound_volume(volume, claim), "status": {"phase": "Bound"}})
        annotations = {**(meta.get("annotations") or {}), v.BIND_COMPLETED: "yes"}
        spec = {**claim["spec"], "volumeName": volume["metadata"]["name"]}
        bound = {**claim, "metadata": {**meta, "annotations": annotations}, "spec": spec, "status": {"phase": "Bound"}}
        self.put("persistentvolumeclaims", bound)


def _provisioned(claim: Object, hostname: str) -> Object:
    """A new volume for a claim, usable on one node."""
    spec = claim["spec"]
    term = {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": [hostname]}]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"pvc-{claim['metadata']['name']}"},
        "spec": {
            "accessModes": spec.get("accessModes"),
            "capacity": (spec.get("resources") or {}).get("requests") or {},
            "storageClassName": v.storage_class_of(claim),
            "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
        },
    }


class CaseScheduler(Scheduler):
    """Always takes the first of equals by name, so that a recording can be followed."""

    def select(self, decision: Decision) -> str:
        return decision.best[0]

    def explain_and_preempt(self, decision: Decision, state: Any, pod: PodInfo, profile: Profile) -> None:
        super().explain_and_preempt(decision, state, pod, profile)
        if decision.nomination and decision.nomination.ties:
            ties = tuple(sorted(decision.nomination.ties, key=lambda tie: tie[0]))
            decision.nomination = Nomination(*ties[0], ties=ties)


def entry(decision: Decision, nodes: Iterable[str]) -> dict[str, Any]:
    """A decision in the form of a recording."""
    refusal = decision.diagnosis.prefilter
    found: dict[str, Any] = {
        "pod": decision.pod,
        "attempt": decision.attempt,
        "outcome": decision.outcome,
        "feasible": sorted(decision.feasible),
        "filtered": _filtered(decision, nodes),
        "scores": {
            name: {"weight": s.weight, "nodes": dict(sorted(s.normalized.items()))}
            for name, s in sorted(decision.scores.items())
        },
        "totals": dict(sorted(decision.totals.items())),
        "best": decision.best,
        "node": decision.node,
        "message": decision.message,
        "nominated": decision.nominated,
        "victims": decision.victims,
    }
    if refusal is not None:
        found["prefilter"] = status_json(refusal)
    if decision.nomination and decision.nomination.ties:
        found["preemptionTies"] = [
            {"node": node, "victims": [victim.key for victim in victims]} for node, victims in decision.nomination.ties
        ]
    return found


def _filtered(decision: Decision, nodes: Iterable[str]) -> dict[str, Any]:
    """Why each node was refused; nodes that were not looked at have the status of all the others."""
    diagnosis = decision.diagnosis
    refused = set(diagnosis.nodes)
    if diagnosis.absent.reasons:
        refused = set(nodes) - set(decision.feasible)
    return {name: status_json(diagnosis.status(name)) for name in sorted(refused)}
