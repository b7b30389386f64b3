"""VolumeBinding: claims must be bound, or find a volume or a provisioner on the node, before the pod goes there.

Source: kube-scheduler `plugins/volumebinding/` (volume_binding.go, binder.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minik8s.objects import Object
from minik8s.objects.meta import controller_of
from minik8s.objects.quantity import parse_quantity
from minik8s.objects.selectors import matches
from minik8s.scheduler.framework import (
    SKIP,
    UNRESOLVABLE,
    WAIT,
    CycleState,
    Handle,
    Plugin,
    Status,
    error,
    unresolvable,
)
from minik8s.scheduler.plugins import volumes as v
from minik8s.scheduler.snapshot import NodeInfo, PodInfo, Snapshot

REASON_BIND = "node(s) didn't find available persistent volumes to bind"
REASON_NODE = "node(s) didn't match PersistentVolume's node affinity"
REASON_SPACE = "node(s) did not have enough free storage"
REASON_GONE = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
REASON_IMMEDIATE = "pod has unbound immediate PersistentVolumeClaims"

CLASSES = "storageclasses.storage.k8s.io"
TIMEOUT = 600.0


@dataclass
class Plan:
    """What has to be done for a pod's claims on one node."""

    reasons: list[str] = field(default_factory=list)
    bindings: list[tuple[Object, Object]] = field(default_factory=list)
    provisions: list[Object] = field(default_factory=list)


@dataclass
class Claims:
    """A pod's claims, by what is left to do, and the plans for the nodes that pass."""

    bound: list[Object] = field(default_factory=list)
    immediate: list[Object] = field(default_factory=list)
    delayed: list[Object] = field(default_factory=list)
    plans: dict[str, Plan] = field(default_factory=dict)


class VolumeBinding(Plugin):
    name = "VolumeBinding"
    events = ("pvc/add", "pvc/update", "pv/add", "pv/update", "node/add", "node/label", "storageclass/add", "csi/any")

    def __init__(self, handle: Handle, args: Mapping[str, Any] | None = None) -> None:
        super().__init__(handle, args)
        self.assumed: dict[str, str] = {}  # volume name -> pod key that is about to take it
        self.started: dict[str, float] = {}  # pod key -> when its binding began

    # PreFilter

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Status | None:
        claims = Claims()
        for name, ephemeral in v.claim_names(pod):
            claim = self.handle.listers.get("persistentvolumeclaims", pod.namespace, name)
            problem = _problem(pod, name, ephemeral, claim)
            if problem:
                return unresolvable(problem)
            assert claim is not None
            self._sort_in(claims, claim)
        if not any(True for _ in v.claim_names(pod)):
            return SKIP
        if claims.immediate:
            return unresolvable(REASON_IMMEDIATE)
        state[self.name] = claims
        return None

    def _sort_in(self, claims: Claims, claim: Object) -> None:
        storage_class = self.handle.listers.get(CLASSES, "", v.storage_class_of(claim))
        if v.is_bound(claim):
            claims.bound.append(claim)
        elif v.waits_for_consumer(storage_class) and not claim["spec"].get("volumeName"):
            claims.delayed.append(claim)
        else:
            claims.immediate.append(claim)

    # Filter

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        claims: Claims = state[self.name]
        plan = self._plan(claims, pod, node)
        if plan.reasons:
            return Status(UNRESOLVABLE, tuple(plan.reasons))
        claims.plans[node.name] = plan
        return None

    def _plan(self, claims: Claims, pod: PodInfo, node: NodeInfo) -> Plan:
        plan = Plan()
        gone = self._check_bound(claims.bound, node, plan)
        self._check_delayed(claims.delayed, pod, node, plan)
        if gone:
            plan.reasons.append(REASON_GONE)
        return plan

    def _check_bound(self, bound: list[Object], node: NodeInfo, plan: Plan) -> bool:
        """Volumes of bound claims must suit the node; returns whether one does not exist."""
        for claim in bound:
            volume = self.handle.listers.get("persistentvolumes", "", claim["spec"]["volumeName"])
            if volume is None:
                return True
            if not v.suits_node(volume, node.node):
                plan.reasons.append(REASON_NODE)
                return False
        return False

    def _check_delayed(self, delayed: list[Object], pod: PodInfo, node: NodeInfo, plan: Plan) -> None:
        to_find: list[Object] = []
        to_provision: list[Object] = []
        for claim in delayed:
            selected = (claim["metadata"].get("annotations") or {}).get(v.SELECTED_NODE)
            if selected is not None and selected != node.name:
                plan.reasons.append(REASON_BIND)
                return
            (to_find if selected is None else to_provision).append(claim)
        to_provision += self._find(sorted(to_find, key=v.requested_size), pod, node, plan)
        self._check_provisioning(to_provision, node, plan)

    def _find(self, claims: list[Object], pod: PodInfo, node: NodeInfo, plan: Plan) -> list[Object]:
        """Give each claim, smallest first, the smallest volume that suits; returns the claims that found none."""
        taken = {name for name, key in self.assumed.items() if key != pod.key}
        left = []
        for claim in claims:
            volume = v.find_volume(claim, self._volumes(), node.node, taken)
            if volume is None:
                left.append(claim)
            else:
                taken.add(volume["metadata"]["name"])
                plan.bindings.append((claim, volume))
        return left

    def _volumes(self) -> list[Object]:
        found = self.handle.listers.list("persistentvolumes")
        return sorted(found, key=lambda volume: str(volume["metadata"]["name"]))

    def _check_provisioning(self, claims: list[Object], node: NodeInfo, plan: Plan) -> None:
        for claim in claims:
            storage_class = self.handle.listers.get(CLASSES, "", v.storage_class_of(claim)) or {}
            provisioner = storage_class.get("provisioner") or v.NO_PROVISIONER
            if provisioner == v.NO_PROVISIONER or not topology_allows(storage_class, node):
                plan.reasons.append(REASON_BIND)
                return
            if not self._has_capacity(provisioner, storage_class, claim, node):
                plan.reasons.append(REASON_SPACE)
                return
            plan.provisions.append(claim)

    def _has_capacity(self, provisioner: str, storage_class: Object, claim: Object, node: NodeInfo) -> bool:
        """Whether the driver, if it reports its capacity, has room for the claim within reach of the node."""
        listers = self.handle.listers
        driver = listers.get("csidrivers.storage.k8s.io", "", provisioner)
        size = v.requested_size(claim)
        if not size or driver is None or not (driver.get("spec") or {}).get("storageCapacity"):
            return True
        return any(
            capacity.get("storageClassName") == storage_class["metadata"]["name"]
            and _room(capacity) >= size
            and matches(capacity.get("nodeTopology"), node.labels)
            for capacity in listers.list("csistoragecapacities.storage.k8s.io")
        )

    # Reserve, PreBind: the plan of the chosen node is carried out

    def reserve(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        for _, volume in self._chosen(state, node).bindings:
            self.assumed[volume["metadata"]["name"]] = pod.key
        return None

    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None:
        self.assumed = {name: key for name, key in self.assumed.items() if key != pod.key}
        self.started.pop(pod.key, None)

    def pre_bind(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        """Write the plan once, then wait (Status WAIT) until the PV controller has bound every claim."""
        plan = self._chosen(state, node)
        if not plan.bindings and not plan.provisions:
            return None
        if pod.key not in self.started:
            self.started[pod.key] = self.handle.now()
            self._write(plan, node)
        if self._all_bound(pod, plan):
            self.unreserve(state, pod, node)
            return None
        if self.handle.now() - self.started[pod.key] >= float(self.args.get("bindTimeoutSeconds", TIMEOUT)):
            return error("binding volumes: context deadline exceeded")
        return Status(WAIT, ("waiting for volumes to be bound",))

    def _chosen(self, state: CycleState, node: str) -> Plan:
        claims: Claims | None = state.get(self.name)
        return claims.plans.get(node, Plan()) if claims else Plan()

    def _write(self, plan: Plan, node: str) -> None:
        client = self.handle.client
        for claim, volume in plan.bindings:
            client.update("persistentvolumes", bound_volume(volume, claim))
        for claim in plan.provisions:
            meta = claim["metadata"]
            annotations = {**(meta.get("annotations") or {}), v.SELECTED_NODE: node}
            client.update("persistentvolumeclaims", {**claim, "metadata": {**meta, "annotations": annotations}})

    def _all_bound(self, pod: PodInfo, plan: Plan) -> bool:
        claims = [claim for claim, _ in plan.bindings] + plan.provisions
        names = [claim["metadata"]["name"] for claim in claims]
        found = [self.handle.listers.get("persistentvolumeclaims", pod.namespace, name) for name in names]
        return all(claim is not None and v.is_bound(claim) for claim in found)


def _problem(pod: PodInfo, name: str, ephemeral: bool, claim: Object | None) -> str:
    """Why a claim cannot be used at all, or ""."""
    if claim is None:
        if ephemeral:
            return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
        return f'persistentvolumeclaim "{name}" not found'
    if (claim.get("status") or {}).get("phase") == "Lost":
        volume = claim["spec"].get("volumeName", "")
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
    if claim["metadata"].get("deletionTimestamp") is not None:
        return f'persistentvolumeclaim "{name}" is being deleted'
    if ephemeral and not _made_for(claim, pod):
        key = f"{pod.namespace}/{name}"
        return f"PVC {key} was not created for pod {pod.key} (pod is not owner)"
    return ""


def _made_for(claim: Object, pod: PodInfo) -> bool:
    """Whether the pod controls the claim of its generic ephemeral volume."""
    owner, uid = controller_of(claim), pod.pod["metadata"].get("uid")
    if owner is None:
        return False
    return bool(owner.get("uid") == uid if uid else owner.get("name") == pod.name)


def topology_allows(storage_class: Object, node: NodeInfo) -> bool:
    """MatchTopologySelectorTerms of allowedTopologies: one term whose every key has one of its values."""
    terms = storage_class.get("allowedTopologies")
    if not terms:
        return True
    return any(
        all(node.labels.get(e["key"]) in e["values"] for e in term.get("matchLabelExpressions") or ()) for term in terms
    )


def _room(capacity: Object) -> int:
    stated = capacity.get("maximumVolumeSize") or capacity.get("capacity")
    return parse_quantity(stated).nanos if stated is not None else -1


def bound_volume(volume: Object, claim: Object) -> Object:
    """The volume with its claimRef set, as the scheduler writes it for the PV controller to finish."""
    meta, spec = volume["metadata"], volume["spec"]
    theirs = claim["metadata"]
    ref = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": theirs["name"]}
    ref |= {key: theirs[key] for key in ("namespace", "uid", "resourceVersion") if theirs.get(key)}
    annotations = {**(meta.get("annotations") or {}), v.BOUND_BY_CONTROLLER: "yes"}
    return {**volume, "metadata": {**meta, "annotations": annotations}, "spec": {**spec, "claimRef": ref}}
