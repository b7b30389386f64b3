"""What counts towards a ResourceQuota (pkg/quota/v1/evaluator/core)."""

from __future__ import annotations

from collections.abc import Iterable

from minik8s.controllers.podutil import is_finished
from minik8s.objects import Object
from minik8s.objects.meta import parse_time
from minik8s.objects.quantity import Quantity, parse_quantity
from minik8s.objects.selectors import Selector, new_requirement

Usage = dict[str, Quantity]
PLAIN = {"cpu", "memory", "ephemeral-storage"}
COUNTED = {
    "pods": "pods",
    "services": "services",
    "replicationcontrollers": "replicationcontrollers",
    "resourcequotas": "resourcequotas",
    "secrets": "secrets",
    "configmaps": "configmaps",
    "persistentvolumeclaims": "persistentvolumeclaims",
}
"""Resources with a quota name of their own; every other one is limited as count/RESOURCE."""


def resources_of(hard: Iterable[str]) -> set[str]:
    """The resources that must be listed to compute the usage of these quota names."""
    out: set[str] = set()
    for name in hard:
        if name.startswith("count/"):
            out.add(name.removeprefix("count/"))
        elif name in COUNTED:
            out.add(name)
        elif name.startswith("services."):
            out.add("services")
        elif name == "requests.storage" or ".storageclass.storage.k8s.io/" in name:
            out.add("persistentvolumeclaims")
        else:
            out.add("pods")
    return out


def usage_of(resource: str, obj: Object, now: float) -> Usage:
    """What one object uses, by quota name."""
    one = parse_quantity("1")
    out: Usage = {f"count/{resource}": one}
    if resource == "pods":
        return out | (pod_usage(obj) if not _ended(obj, now) else {})
    if resource in COUNTED:
        out[COUNTED[resource]] = one
    if resource == "services":
        out |= _service_usage(obj)
    elif resource == "persistentvolumeclaims":
        out |= _claim_usage(obj)
    return out


def _ended(pod: Object, now: float) -> bool:
    """Finished pods, and pods that should be gone by now (their node is lost), use nothing."""
    meta = pod["metadata"]
    if is_finished(pod) or "deletionTimestamp" not in meta:
        return is_finished(pod)
    return now > parse_time(meta["deletionTimestamp"]) + float(meta.get("deletionGracePeriodSeconds") or 0)


def pod_usage(pod: Object) -> Usage:
    out: Usage = {"pods": parse_quantity("1")}
    for field, prefix in (("requests", "requests."), ("limits", "limits.")):
        for name, amount in pod_resources(pod, field).items():
            if name in PLAIN:
                out[prefix + name] = amount
                if field == "requests":
                    out[name] = amount
            elif field == "requests" and ("/" in name or name.startswith("hugepages-")):
                out[prefix + name] = amount
    return out


def pod_resources(pod: Object, field: str) -> Usage:
    """The pod's requests or limits: containers and sidecars together, or the largest init container, and overhead."""
    spec = pod["spec"]
    total: Usage = {}
    sidecars: Usage = {}
    largest: Usage = {}
    for init in spec.get("initContainers") or ():
        mine = _amounts(init, field)
        if init.get("restartPolicy") == "Always":
            sidecars = add(sidecars, mine)
            largest = _most(largest, sidecars)
        else:
            largest = _most(largest, add(sidecars, mine))
    for container in spec.get("containers") or ():
        total = add(total, _amounts(container, field))
    total = _most(add(total, sidecars), largest)
    level = {name: parse_quantity(v) for name, v in ((spec.get("resources") or {}).get(field) or {}).items()}
    return add(total | level, {n: parse_quantity(v) for n, v in (spec.get("overhead") or {}).items()})


def _amounts(container: Object, field: str) -> Usage:
    return {n: parse_quantity(v) for n, v in ((container.get("resources") or {}).get(field) or {}).items()}


def add(one: Usage, other: Usage) -> Usage:
    out = dict(one)
    for name, amount in other.items():
        out[name] = out[name] + amount if name in out else amount
    return out


def _most(one: Usage, other: Usage) -> Usage:
    out = dict(one)
    for name, amount in other.items():
        if name not in out or out[name] < amount:
            out[name] = amount
    return out


def _service_usage(service: Object) -> Usage:
    spec, zero = service["spec"], parse_quantity("0")
    kind, ports = spec.get("type", "ClusterIP"), len(spec.get("ports") or ())
    opened = kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts", True))
    return {
        "services.loadbalancers": parse_quantity("1") if kind == "LoadBalancer" else zero,
        "services.nodeports": parse_quantity(str(ports)) if opened else zero,
    }


def _claim_usage(claim: Object) -> Usage:
    out: Usage = {}
    size = ((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage")
    kind = claim["spec"].get("storageClassName")
    prefix = f"{kind}.storageclass.storage.k8s.io/" if kind else ""
    if prefix:
        out[prefix + "persistentvolumeclaims"] = parse_quantity("1")
    if size is not None:
        out["requests.storage"] = parse_quantity(size)
        if prefix:
            out[prefix + "requests.storage"] = parse_quantity(size)
    return out


# ---- scopes ---------------------------------------------------------------------
def in_scope(quota: Object, pod: Object) -> bool:
    """Whether a pod falls under the quota's scopes."""
    spec = quota["spec"]
    rules = [{"scopeName": s, "operator": "Exists"} for s in spec.get("scopes") or ()]
    rules += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return all(_matches(rule, pod) for rule in rules)


def _matches(rule: Object, pod: Object) -> bool:
    spec, status = pod["spec"], pod.get("status") or {}
    match rule["scopeName"]:
        case "Terminating":
            return spec.get("activeDeadlineSeconds") is not None
        case "NotTerminating":
            return spec.get("activeDeadlineSeconds") is None
        case "BestEffort":
            return bool(status.get("qosClass") == "BestEffort")
        case "NotBestEffort":
            return bool(status.get("qosClass") != "BestEffort")
        case "PriorityClass":
            if rule["operator"] == "Exists":
                return bool(spec.get("priorityClassName"))
            found = new_requirement("name", _OPERATORS[rule["operator"]], rule.get("values") or ())
            return Selector((found,)).matches({"name": spec.get("priorityClassName", "")})
        case "CrossNamespacePodAffinity":
            return _crosses_namespaces(spec)
    return False


_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def _crosses_namespaces(spec: Object) -> bool:
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        terms = list(rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        preferred = rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [term["podAffinityTerm"] for term in preferred]
        if any(t.get("namespaces") or t.get("namespaceSelector") is not None for t in terms):
            return True
    return False
