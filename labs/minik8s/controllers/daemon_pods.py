"""The pods of a DaemonSet: on which nodes they belong, and how they are bound there (pkg/controller/daemon/util)."""

from __future__ import annotations

from collections.abc import Sequence

from minik8s.controllers.history import REVISION_LABEL
from minik8s.controllers.podcontrol import pod_from_template
from minik8s.controllers.podutil import created
from minik8s.controllers.taints import taints_of, tolerates
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of, labels
from minik8s.objects.selectors import match_labels, node_selector_matches

GENERATION_ANNOTATION = "deprecated.daemonset.template.generation"
GENERATION_LABEL = "pod-template-generation"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
TOLERATIONS: tuple[tuple[str, str], ...] = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
"""(taint key, effect) that every daemon pod tolerates: a node's agent must run when the node is in trouble."""


def daemon_tolerations(spec: Object) -> list[Object]:
    """The pod's tolerations, and those of every daemon pod."""
    rows = [*TOLERATIONS]
    if spec.get("hostNetwork"):
        rows.append(("node.kubernetes.io/network-unavailable", "NoSchedule"))
    out = [dict(t) for t in spec.get("tolerations") or ()]
    for key, effect in rows:
        row = {"key": key, "operator": "Exists", "effect": effect}
        if row not in out:
            out.append(row)
    return out


def new_pod(owner: Object, node: str, digest: str) -> Object:
    """A pod for `node`: required affinity to that node's name leaves the scheduler no choice."""
    pod = pod_from_template(owner["spec"]["template"], owner)
    marks = {REVISION_LABEL: digest}
    if generation := annotations_of(owner).get(GENERATION_ANNOTATION):
        marks[GENERATION_LABEL] = generation
    meta = {**pod["metadata"], "labels": {**(pod["metadata"].get("labels") or {}), **marks}}
    spec = {**pod["spec"], "tolerations": daemon_tolerations(pod["spec"]), "affinity": _bound_to(pod["spec"], node)}
    return {**pod, "metadata": meta, "spec": spec}


def _bound_to(spec: Object, node: str) -> Object:
    only = [{"key": "metadata.name", "operator": "In", "values": [node]}]
    affinity = dict(spec.get("affinity") or {})
    node_affinity = dict(affinity.get("nodeAffinity") or {})
    node_affinity[REQUIRED] = {"nodeSelectorTerms": [{"matchFields": only}]}
    return {**affinity, "nodeAffinity": node_affinity}


def target_node(pod: Object) -> str:
    """The node that a daemon pod runs on, or is meant for."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    affinity = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED) or {}
    for term in affinity.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == "metadata.name" and len(field.get("values") or ()) == 1:
                return str(field["values"][0])
    return ""


def belongs(owner: Object, node: Object) -> tuple[bool, bool]:
    """(should a pod of `owner` run on `node`, may one that is there stay)."""
    spec = owner["spec"]["template"]["spec"]
    if spec.get("nodeName") and spec["nodeName"] != node["metadata"]["name"]:
        return False, False
    if not match_labels(spec.get("nodeSelector") or {}, labels(node)):
        return False, False
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED)
    if required and not node_selector_matches(required, node):
        return False, False
    accepted = daemon_tolerations(spec)
    unwanted = [t for t in taints_of(node) if not any(tolerates(toleration, t) for toleration in accepted)]
    if any(t["effect"] in ("NoExecute", "NoSchedule") for t in unwanted):
        return False, not any(t["effect"] == "NoExecute" for t in unwanted)
    return True, True


def oldest_scheduled_first(pods: Sequence[Object]) -> list[Object]:
    """Scheduled pods first, then by age: the first of them is the one to keep."""
    return sorted(pods, key=lambda p: (not p["spec"].get("nodeName"), created(p), p["metadata"]["name"]))


def is_updated(pod: Object, digest: str, generation: str | None) -> bool:
    found = labels(pod)
    if generation is not None and found.get(GENERATION_LABEL) == generation:
        return True
    return bool(digest) and found.get(REVISION_LABEL) == digest
