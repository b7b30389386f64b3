"""What the registry does to objects before they are checked and stored (``pkg/registry/<group>/<kind>/strategy.go``):
status cleared or kept, generations counted, fields that nobody may set.

``prepare_create`` expects ``metadata.uid`` and ``metadata.name`` to be set. Objects are taken as mutable dicts (their
parts may be frozen); every function returns the object to go on with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minik8s.objects.defaults import services
from minik8s.objects.frozen import Object
from minik8s.objects.kinds import Kind
from minik8s.objects.schema import struct_decoder
from minik8s.objects.schema_types import resolve, struct, type_of

DAEMON_GENERATION = "deprecated.daemonset.template.generation"

# Kinds that count generations, with the fields whose change makes a new one.
_GENERATION: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "Pod"): ("spec",), ("", "ReplicationController"): ("spec",), ("", "PodTemplate"): ("template",),
    ("apps", "Deployment"): ("spec",), ("apps", "ReplicaSet"): ("spec",), ("apps", "StatefulSet"): ("spec",),
    ("apps", "DaemonSet"): ("spec",), ("batch", "Job"): ("spec",), ("batch", "CronJob"): ("spec",),
    ("networking.k8s.io", "Ingress"): ("spec",), ("networking.k8s.io", "IngressClass"): ("spec",),
    ("networking.k8s.io", "NetworkPolicy"): ("spec",), ("networking.k8s.io", "ServiceCIDR"): ("spec",),
    ("policy", "PodDisruptionBudget"): ("spec",),
    ("discovery.k8s.io", "EndpointSlice"): ("addressType", "endpoints", "ports"),
    ("scheduling.k8s.io", "PriorityClass"): (),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): ("spec",),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): ("spec",),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): ("spec",),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): ("spec",),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): ("spec",),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): ("webhooks",),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): ("webhooks",),
}
_KEEPS_STATUS = frozenset({("", "Node"), ("apiextensions.k8s.io", "CustomResourceDefinition")})


def empty_status(kind: Kind) -> Object:
    """The status of a new object: what its Go type writes when nothing is set."""
    name = type_of(kind)
    field = struct(name).by_name.get("status") if name else None
    result: Object = struct_decoder(resolve(field.type.lstrip("*")))({}) if field is not None else {}
    return result


def has_status(kind: Kind) -> bool:
    return kind.subresource("status") is not None


# -- create --
def prepare_create(kind: Kind, obj: Object, now: str | None = None) -> Object:
    """``now``: the time as metav1.Time, for kinds that note when they entered a phase."""
    key = (kind.group, kind.kind)
    if has_status(kind) and key not in _KEEPS_STATUS:
        obj["status"] = empty_status(kind)
    if key in _GENERATION:
        obj["metadata"] = {**obj["metadata"], "generation": 1}
    elif not kind.custom and obj["metadata"].get("generation"):
        obj["metadata"] = {k: v for k, v in obj["metadata"].items() if k != "generation"}
    special = _CREATE.get(key)
    if special is not None:
        special(obj, now)
    return obj


def _pod_create(obj: Object, now: str | None) -> None:
    from minik8s.objects.validation.pods import qos_class
    status: Object = {"phase": "Pending", "qosClass": qos_class(obj["spec"])}
    if obj["spec"].get("schedulingGates"):
        status["conditions"] = [{
            "type": "PodScheduled", "status": "False", "lastProbeTime": None, "lastTransitionTime": None,
            "reason": "SchedulingGated", "message": "Scheduling is blocked due to non-empty scheduling gates"}]
    obj["status"] = status
    _match_label_keys(obj)


def _match_label_keys(obj: Object) -> None:
    """``matchLabelKeys`` of affinity terms become expressions of their selectors when the pod is made (KEP-3633)."""
    affinity, labels = obj["spec"].get("affinity") or {}, obj["metadata"].get("labels") or {}
    for name in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(name) or {}
        terms = [*(rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ()),
                 *(t["podAffinityTerm"] for t in rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ())]
        for term in terms:
            _expand_term(term, labels)
    for constraint in obj["spec"].get("topologySpreadConstraints") or ():
        _expand_term(constraint, labels)


def _expand_term(term: Object, labels: dict[str, str]) -> None:
    selector = term.get("labelSelector")
    added = [{"key": key, "operator": operator, "values": [labels[key]]}
             for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
             for key in term.get(field) or () if key in labels]
    if selector is not None and added:
        term["labelSelector"] = {**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *added]}


def _namespace_create(obj: Object, now: str | None) -> None:
    obj["status"] = {"phase": "Active"}
    finalizers = obj["spec"].get("finalizers") or []
    if "kubernetes" not in finalizers:
        obj["spec"] = {**obj["spec"], "finalizers": [*finalizers, "kubernetes"]}


def _volume_create(obj: Object, now: str | None) -> None:
    obj["status"] = {"phase": "Pending"} | ({"lastPhaseTransitionTime": now} if now else {})


def _claim_create(obj: Object, now: str | None) -> None:
    obj["status"] = {"phase": "Pending"}
    _claim_data_source(obj["spec"])


def _claim_data_source(spec: Object) -> None:
    """``dataSource`` and ``dataSourceRef`` mean the same and follow each other."""
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and reference is None:
        spec["dataSourceRef"] = {k: source.get(k) for k in ("apiGroup", "kind", "name")}
    elif reference is not None and source is None and not reference.get("namespace"):
        spec["dataSource"] = {k: reference.get(k) for k in ("apiGroup", "kind", "name")}


def _job_create(obj: Object, now: str | None) -> None:
    """A job selects its pods by its own uid, unless it manages its selector (``manualSelector``)."""
    spec, meta = obj["spec"], obj["metadata"]
    if "manualSelector" not in spec:
        spec["manualSelector"] = False
    if spec["manualSelector"]:
        return
    uid, name = meta.get("uid", ""), meta.get("name", "")
    own = {"controller-uid": uid, "batch.kubernetes.io/controller-uid": uid, "job-name": name,
           "batch.kubernetes.io/job-name": name}
    template = spec["template"]
    labels = {**((template.get("metadata") or {}).get("labels") or {}), **own}
    spec["template"] = {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}}
    selector = spec.get("selector") or {}
    match = {**(selector.get("matchLabels") or {}), "batch.kubernetes.io/controller-uid": uid}
    spec["selector"] = {**selector, "matchLabels": match}
    if "labels" not in meta:
        # The labels a job inherits from its template are copied when it is read, after these are set.
        obj["metadata"] = {**obj["metadata"], "labels": dict(labels)}


def _daemon_create(obj: Object, now: str | None) -> None:
    _annotate(obj, DAEMON_GENERATION, "1")


def _stateful_create(obj: Object, now: str | None) -> None:
    _drop_max_unavailable(obj, None)


def _drop_max_unavailable(new: Object, old: Object | None) -> None:
    """MaxUnavailableStatefulSet is off by default: the field stays only where it was."""
    if old is not None and "maxUnavailable" in _rolling(old):
        return
    rolling, strategy = _rolling(new), new["spec"].get("updateStrategy") or {}
    if "maxUnavailable" in rolling:
        kept = {field: value for field, value in rolling.items() if field != "maxUnavailable"}
        new["spec"] = {**new["spec"], "updateStrategy": {**strategy, "rollingUpdate": kept}}


def _rolling(stateful_set: Object) -> Object:
    return (stateful_set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}


def _annotate(obj: Object, key: str, value: str) -> None:
    meta = obj["metadata"]
    obj["metadata"] = {**meta, "annotations": {**(meta.get("annotations") or {}), key: value}}


_CREATE: dict[tuple[str, str], Callable[[Object, str | None], None]] = {
    ("", "Pod"): _pod_create, ("", "Namespace"): _namespace_create, ("", "PersistentVolume"): _volume_create,
    ("", "PersistentVolumeClaim"): _claim_create, ("batch", "Job"): _job_create,
    ("apps", "DaemonSet"): _daemon_create, ("apps", "StatefulSet"): _stateful_create, ("", "Service"): services.create}


# -- update --
def prepare_update(kind: Kind, new: Object, old: Object) -> Object:
    """An update of the main resource: status stays as it was, generation follows the spec."""
    key = (kind.group, kind.kind)
    if has_status(kind):
        if "status" in old:
            new["status"] = old["status"]
        else:
            new.pop("status", None)
    special = _UPDATE.get(key)
    if special is not None:
        special(new, old)
    _generation(key, kind, new, old)
    return new


def _generation(key: tuple[str, str], kind: Kind, new: Object, old: Object) -> None:
    before = old["metadata"].get("generation", 0)
    fields = _GENERATION.get(key)
    generation = before
    if fields is not None and any(new.get(f) is not old.get(f) and new.get(f) != old.get(f) for f in fields):
        generation = before + 1
    elif key == ("apps", "Deployment") and new["metadata"].get("annotations") != old["metadata"].get("annotations"):
        generation = before + 1  # rollbacks of old were asked for by annotations
    elif key == ("discovery.k8s.io",
                 "EndpointSlice") and new["metadata"].get("labels") != old["metadata"].get("labels"):
        generation = before + 1
    if kind.custom or new["metadata"].get("generation", 0) == generation:
        return
    meta = {k: v for k, v in new["metadata"].items() if k != "generation"}
    new["metadata"] = {**meta, "generation": generation} if generation else meta


def _daemon_update(new: Object, old: Object) -> None:
    count = (old["metadata"].get("annotations") or {}).get(DAEMON_GENERATION, "1")
    if new["spec"].get("template") != old["spec"].get("template"):
        count = str(int(count) + 1)
    if (new["metadata"].get("annotations") or {}).get(DAEMON_GENERATION) != count:
        _annotate(new, DAEMON_GENERATION, count)


def _namespace_update(new: Object, old: Object) -> None:
    new["spec"] = old["spec"]


def _node_update(new: Object, old: Object) -> None:
    new["status"] = old["status"]


def _claim_update(new: Object, old: Object) -> None:
    if new["spec"] is not old["spec"]:
        spec = dict(new["spec"])
        _claim_data_source(spec)
        new["spec"] = spec


def _pod_update(new: Object, old: Object) -> None:
    """Ephemeral containers change only through their own subresource."""
    kept = old["spec"].get("ephemeralContainers")
    if new["spec"].get("ephemeralContainers") != kept:
        spec = {k: v for k, v in new["spec"].items() if k != "ephemeralContainers"}
        new["spec"] = {**spec, "ephemeralContainers": kept} if kept else spec


_UPDATE: dict[tuple[str, str], Callable[[Object, Object], None]] = {
    ("apps", "DaemonSet"): _daemon_update, ("apps", "StatefulSet"): _drop_max_unavailable,
    ("", "Namespace"): _namespace_update, ("", "Node"): _node_update,
    ("", "PersistentVolumeClaim"): _claim_update, ("", "Pod"): _pod_update, ("", "Service"): services.update}


def prepare_status_update(kind: Kind, new: Object, old: Object) -> Object:
    """An update through the status subresource: all but status (and most of metadata) stays as it was."""
    for name in list(new):
        if name not in ("apiVersion", "kind", "metadata", "status"):
            if name in old:
                new[name] = old[name]
            else:
                del new[name]
    for name in old:
        if name not in new and name != "status":
            new[name] = old[name]
    if (kind.group, kind.kind) in _OWN_METADATA:
        new["metadata"] = _metadata_of(new["metadata"], old["metadata"])
    elif new["metadata"].get("generation") != old["metadata"].get("generation"):
        rest = {k: v for k, v in new["metadata"].items() if k != "generation"}
        count = old["metadata"].get("generation")
        new["metadata"] = {**rest, "generation": count} if count else rest
    if (kind.group, kind.kind) == ("", "Pod"):
        _pod_status_update(new, old)
    return new


# Kinds whose status updates may not touch labels (``metav1.ResetObjectMetaForStatus``).
_OWN_METADATA = frozenset({("apiextensions.k8s.io", "CustomResourceDefinition"),
                           ("apiregistration.k8s.io", "APIService"),
                           ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
                           ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
                           ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
                           ("networking.k8s.io", "ServiceCIDR"), ("storage.k8s.io", "VolumeAttachment")})


def _metadata_of(new: Object, old: Object) -> Object:
    kept = ("deletionTimestamp", "generation", "labels", "annotations", "finalizers", "ownerReferences", "selfLink")
    rest = {k: v for k, v in new.items() if k not in kept}
    return rest | {k: old[k] for k in kept if k in old}


def _pod_status_update(new: Object, old: Object) -> None:
    status: dict[str, Any] = new["status"]
    if "qosClass" not in status and "qosClass" in old["status"]:
        new["status"] = {**status, "qosClass": old["status"]["qosClass"]}
