"""What an object counts for against a ResourceQuota; shared by admission and the resourcequota controller.

Sources: apiserver pkg/quota/v1/generic/evaluator.go, kubernetes pkg/quota/v1/evaluator/core.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minik8s.apiserver.admission.podresources import Resources, add, parse_list, pod_limits, pod_requests
from minik8s.objects.frozen import Object
from minik8s.objects.meta import parse_time
from minik8s.objects.quantity import parse_quantity

ONE = parse_quantity("1")

ALIASES = {
    "configmaps": "configmaps",
    "resourcequotas": "resourcequotas",
    "replicationcontrollers": "replicationcontrollers",
    "secrets": "secrets",
}
"""Resources that may be counted by their bare name beside `count/...`."""

IGNORED = frozenset({"events", "events.events.k8s.io", "bindings", "localsubjectaccessreviews.authorization.k8s.io"})

_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_POD_NAMES = frozenset(
    {"count/pods", "pods", *_COMPUTE, *(f"requests.{n}" for n in _COMPUTE), *(f"limits.{n}" for n in _COMPUTE)}
)
_HUGEPAGES = ("hugepages-", "requests.hugepages-")
_SERVICE_NAMES = frozenset({"count/services", "services", "services.nodeports", "services.loadbalancers"})
_CLAIM_NAMES = frozenset({"count/persistentvolumeclaims", "persistentvolumeclaims", "requests.storage"})
_CLASS_SUFFIX = ".storageclass.storage.k8s.io/"
_REQUIRED = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})


def tracked(resource: str, names: Iterable[str]) -> list[str]:
    """Those of a quota's `hard` names that objects of `resource` ("pods", "deployments.apps") can use."""
    if resource == "pods":
        return [n for n in names if n in _POD_NAMES or n.startswith(_HUGEPAGES) or _extended(n)]
    if resource == "services":
        return [n for n in names if n in _SERVICE_NAMES]
    if resource == "persistentvolumeclaims":
        return [n for n in names if n in _CLAIM_NAMES or _CLASS_SUFFIX in n]
    own = {f"count/{resource}", ALIASES.get(resource, "")}
    return [n for n in names if n in own]


def _extended(name: str) -> bool:
    """`requests.example.com/gpu`: extended resources are counted by their requests only."""
    rest = name.removeprefix("requests.")
    return rest != name and "/" in rest and "kubernetes.io/" not in rest and _CLASS_SUFFIX not in name


def usage(resource: str, obj: Object, now: float) -> Resources:
    """What `obj` uses, by quota name. `now` (virtual seconds) decides whether a deleted pod's grace is over."""
    if resource == "pods":
        return _pod_usage(obj, now)
    if resource == "services":
        return _service_usage(obj)
    if resource == "persistentvolumeclaims":
        return _claim_usage(obj)
    counted = {f"count/{resource}": ONE}
    if resource in ALIASES:
        counted[ALIASES[resource]] = ONE
    return counted


def _pod_usage(pod: Object, now: float) -> Resources:
    counted: Resources = {"count/pods": ONE}
    if not _charged(pod, now):
        return counted
    return add(counted, compute_usage(pod_requests(pod), pod_limits(pod)))


def _charged(pod: Object, now: float) -> bool:
    """Whether a pod still counts: not finished, and not past its grace period."""
    if (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
        return False
    meta = pod["metadata"]
    deleted, grace = meta.get("deletionTimestamp"), meta.get("deletionGracePeriodSeconds")
    return not (deleted and grace is not None and now > parse_time(deleted) + int(grace))


def compute_usage(requests: Resources, limits: Resources) -> Resources:
    """Quota names for a pod's or container's requests and limits."""
    out: Resources = {"pods": ONE}
    for name in _COMPUTE:
        if name in requests:
            out[name] = out[f"requests.{name}"] = requests[name]
        if name in limits:
            out[f"limits.{name}"] = limits[name]
    for name, amount in requests.items():
        if name.startswith("hugepages-"):
            out[name] = out[f"requests.{name}"] = amount
        elif "/" in name and "kubernetes.io/" not in name:
            out[f"requests.{name}"] = amount
    return out


def _service_usage(service: Object) -> Resources:
    spec = service["spec"]
    ports, kind = spec.get("ports") or [], spec.get("type", "ClusterIP")
    nodeports = 0
    if kind == "NodePort":
        nodeports = len(ports)
    elif kind == "LoadBalancer":
        allocates = spec.get("allocateLoadBalancerNodePorts", True)
        nodeports = len(ports) if allocates else sum(1 for p in ports if p.get("nodePort"))
    return {
        "count/services": ONE,
        "services": ONE,
        "services.nodeports": parse_quantity(nodeports),
        "services.loadbalancers": parse_quantity(int(kind == "LoadBalancer")),
    }


def _claim_usage(claim: Object) -> Resources:
    spec = claim["spec"]
    out: Resources = {"count/persistentvolumeclaims": ONE, "persistentvolumeclaims": ONE}
    annotations = claim["metadata"].get("annotations") or {}
    name = annotations.get("volume.beta.kubernetes.io/storage-class") or spec.get("storageClassName") or ""
    if name:
        out[f"{name}{_CLASS_SUFFIX}persistentvolumeclaims"] = ONE
    asked = parse_list((spec.get("resources") or {}).get("requests")).get("storage")
    given = parse_list((claim.get("status") or {}).get("allocatedResources")).get("storage")
    if asked is not None:
        storage = given if given is not None and given > asked else asked
        out["requests.storage"] = storage
        if name:
            out[f"{name}{_CLASS_SUFFIX}requests.storage"] = storage
    return out


# ---- scopes and constraints ---------------------------------------------------


def scopes_match(quota: Object, resource: str, obj: Object) -> bool:
    """Whether every scope of the quota holds for the object. Only pods (and claims' class) have scopes."""
    spec = quota.get("spec") or {}
    requirements = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    requirements += (spec.get("scopeSelector") or {}).get("matchExpressions") or []
    return all(_scope_matches(requirement, resource, obj) for requirement in requirements)


def _scope_matches(requirement: Object, resource: str, obj: Object) -> bool:
    name = requirement.get("scopeName")
    if resource == "persistentvolumeclaims":
        return name == "VolumeAttributesClass" and _selects(requirement, obj["spec"].get("volumeAttributesClassName"))
    if resource != "pods":
        return False
    spec = obj["spec"]
    if name in ("Terminating", "NotTerminating"):
        return bool((spec.get("activeDeadlineSeconds") is not None) == (name == "Terminating"))
    if name in ("BestEffort", "NotBestEffort"):
        return bool(is_best_effort(obj) == (name == "BestEffort"))
    if name == "PriorityClass":
        return _selects(requirement, spec.get("priorityClassName"))
    return name == "CrossNamespacePodAffinity" and _crosses_namespaces(spec)


def _selects(requirement: Object, value: Any) -> bool:
    operator, values = requirement.get("operator"), requirement.get("values") or ()
    if operator == "Exists":
        return bool(value)
    if operator == "DoesNotExist":
        return not value
    return (bool(value) and value in values) if operator == "In" else not value or value not in values


def is_best_effort(pod: Object) -> bool:
    """Whether no container asks for or limits CPU or memory."""
    spec = pod["spec"]
    holders = [spec, *(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    for holder in holders:
        resources = holder.get("resources") or {}
        for part in ("requests", "limits"):
            amounts = parse_list(resources.get(part))
            if amounts.get("cpu") or amounts.get("memory"):
                return False
    return True


def _crosses_namespaces(spec: Object) -> bool:
    for kind in ("podAffinity", "podAntiAffinity"):
        affinity = (spec.get("affinity") or {}).get(kind) or {}
        terms = list(affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        for weighted in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            terms.append(weighted.get("podAffinityTerm") or {})
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False


def unmet_constraints(resource: str, names: Iterable[str], obj: Object) -> str:
    """`must specify requests.cpu for: app`, or "". A quota on CPU or memory makes every container name them."""
    if resource != "pods":
        return ""
    required = _REQUIRED.intersection(names)
    spec = obj["spec"]
    pod_level = spec.get("resources") or {}
    missing: dict[str, set[str]] = {}
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        resources = container.get("resources") or {}
        requests = {**(pod_level.get("requests") or {}), **(resources.get("requests") or {})}
        limits = {**(pod_level.get("limits") or {}), **(resources.get("limits") or {})}
        for name in required.difference(compute_usage(parse_list(requests), parse_list(limits))):
            missing.setdefault(name, set()).add(container["name"])
    if not missing:
        return ""
    return "must specify " + "; ".join(f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing))
