"""Rows of apps, batch, autoscaling, policy and scheduling kinds, and of replication controllers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minik8s.apiserver.tables.format import (
    NONE,
    UNKNOWN,
    UNSET,
    age,
    boolean,
    condition_true,
    containers,
    human_duration,
    labels_text,
    selector_text,
    since,
    template_spec,
)
from minik8s.objects import Object
from minik8s.objects.meta import controller_of, parse_time
from minik8s.objects.quantity import parse_quantity


def _status(obj: Object) -> Mapping[str, Any]:
    return obj.get("status") or {}


def _replicas(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, _status(obj)
    counts = [spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [obj["metadata"]["name"], *counts, age(obj, now), *containers(template_spec(obj))]


def replication_controller(obj: Object, now: float) -> list[Any]:
    return [*_replicas(obj, now), labels_text(obj["spec"].get("selector"))]


def replica_set(obj: Object, now: float) -> list[Any]:
    return [*_replicas(obj, now), selector_text(obj["spec"].get("selector")) or NONE]


def deployment(obj: Object, now: float) -> list[Any]:
    status = _status(obj)
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(obj, now),
        *containers(template_spec(obj)),
        selector_text(obj["spec"].get("selector")),
    ]


def stateful_set(obj: Object, now: float) -> list[Any]:
    ready = f"{_status(obj).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"
    return [obj["metadata"]["name"], ready, age(obj, now), *containers(template_spec(obj))]


_DAEMON_COUNTS = (
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "numberReady",
    "updatedNumberScheduled",
    "numberAvailable",
)


def daemon_set(obj: Object, now: float) -> list[Any]:
    return [
        obj["metadata"]["name"],
        *(_status(obj).get(name, 0) for name in _DAEMON_COUNTS),
        labels_text(template_spec(obj).get("nodeSelector")),
        age(obj, now),
        *containers(template_spec(obj)),
        selector_text(obj["spec"].get("selector")) or NONE,
    ]


def controller_revision(obj: Object, now: float) -> list[Any]:
    owner = controller_of(obj)
    return [obj["metadata"]["name"], _owner_text(owner), obj.get("revision", 0), age(obj, now)]


def _owner_text(owner: Object | None) -> str:
    if owner is None:
        return NONE
    group = owner["apiVersion"].rpartition("/")[0]
    kind = f"{owner['kind']}.{group}" if group else owner["kind"]
    return f"{kind.lower()}/{owner['name']}"


_JOB_STATES = (("Complete", "Complete"), ("Failed", "Failed"))
_JOB_LATER = (("Suspended", "Suspended"), ("FailureTarget", "FailureTarget"))


def _job_state(obj: Object) -> str:
    for wanted, text in _JOB_STATES:
        if condition_true(obj, wanted):
            return text
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for wanted, text in _JOB_LATER:
        if condition_true(obj, wanted):
            return text
    return "Running"


def _completions(spec: Mapping[str, Any], succeeded: int) -> str:
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallelism = spec.get("parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def job(obj: Object, now: float) -> list[Any]:
    spec, status = obj["spec"], _status(obj)
    duration = ""
    if status.get("startTime"):
        end = parse_time(status["completionTime"]) if status.get("completionTime") else now
        duration = human_duration(end - parse_time(status["startTime"]))
    return [
        obj["metadata"]["name"],
        _job_state(obj),
        _completions(spec, status.get("succeeded", 0)),
        duration,
        age(obj, now),
        *containers(template_spec(obj)),
        selector_text(spec.get("selector")) or NONE,
    ]


def cron_job(obj: Object, now: float) -> list[Any]:
    spec, status = obj["spec"], _status(obj)
    job_spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    last = status.get("lastScheduleTime")
    return [
        obj["metadata"]["name"],
        spec.get("schedule", ""),
        NONE if spec.get("timeZone") is None else spec["timeZone"],
        boolean(spec.get("suspend")),
        len(status.get("active") or ()),
        since(last, now) if last else NONE,
        age(obj, now),
        *containers((job_spec.get("template") or {}).get("spec")),
        selector_text(job_spec.get("selector")) or NONE,
    ]


def horizontal_pod_autoscaler(obj: Object, now: float) -> list[Any]:
    spec, status = obj["spec"], _status(obj)
    target = spec.get("scaleTargetRef") or {}
    minimum = spec.get("minReplicas")
    return [
        obj["metadata"]["name"],
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _metrics(*_metric_lists(spec, status)),
        UNSET if minimum is None else str(minimum),
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        age(obj, now),
    ]


def _metric_lists(spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """(spec.metrics, status.currentMetrics) of autoscaling/v2, also for an object of v1."""
    if "targetCPUUtilizationPercentage" not in spec:
        return spec.get("metrics") or [], status.get("currentMetrics") or []
    target = {"averageUtilization": spec["targetCPUUtilizationPercentage"]}
    specs = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    current = status.get("currentCPUUtilizationPercentage")
    if current is None:
        return specs, []
    return specs, [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": current}}}]


_METRIC_SOURCES = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}


def _metrics(specs: list[Any], statuses: list[Any]) -> str:
    if not specs:
        return NONE
    texts = []
    for index, spec in enumerate(specs):
        source = _METRIC_SOURCES.get(spec.get("type", ""))
        current = (statuses[index].get(source) if source and len(statuses) > index else None) or {}
        texts.append(_metric(source, spec.get(source) or {}, current.get("current")) if source else "<unknown type>")
    text = ", ".join(texts[:2])
    return f"{text} + {len(texts) - 2} more..." if len(texts) > 2 else text


def _metric(source: str, spec: Mapping[str, Any], current: Mapping[str, Any] | None) -> str:
    target = spec.get("target") or {}
    if source in ("external", "object"):
        average = target.get("averageValue") is not None
        name = "averageValue" if average else "value"
        return f"{_known(current, name)}/{target.get(name, '0')}{' (avg)' if average else ''}"
    if source == "pods":
        return f"{_known(current, 'averageValue')}/{target.get('averageValue', '0')}"
    if target.get("averageValue") is not None:
        return f"{spec['name']}: {_known(current, 'averageValue')}/{target['averageValue']}"
    used, wanted = (current or {}).get("averageUtilization"), target.get("averageUtilization")
    return f"{spec['name']}: {UNKNOWN if used is None else f'{used}%'}/{'<auto>' if wanted is None else f'{wanted}%'}"


def _known(current: Mapping[str, Any] | None, name: str) -> str:
    return UNKNOWN if current is None or current.get(name) is None else str(current[name])


def scale(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, _status(obj)
    return [obj["metadata"]["name"], spec.get("replicas", 0), status.get("replicas", 0), age(obj, now)]


def pod_disruption_budget(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    low, high = spec.get("minAvailable"), spec.get("maxUnavailable")
    return [
        obj["metadata"]["name"],
        "N/A" if low is None else str(low),
        "N/A" if high is None else str(high),
        _status(obj).get("disruptionsAllowed", 0),
        age(obj, now),
    ]


def priority_class(obj: Object, now: float) -> list[Any]:
    return [
        obj["metadata"]["name"],
        obj.get("value", 0),
        bool(obj.get("globalDefault")),
        age(obj, now),
        obj.get("preemptionPolicy", ""),
    ]


def resource_claim(obj: Object, now: float) -> list[Any]:
    states = ["deleted"] if obj["metadata"].get("deletionTimestamp") else []
    if _status(obj).get("allocation") is None:
        states += [] if states else ["pending"]
    else:
        states += ["allocated"] + (["reserved"] if _status(obj).get("reservedFor") else [])
    return [obj["metadata"]["name"], ",".join(states), age(obj, now)]


def resource_slice(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    pool = (spec.get("pool") or {}).get("name", "")
    return [obj["metadata"]["name"], spec.get("nodeName", ""), spec.get("driver", ""), pool, age(obj, now)]


def metrics(obj: Object, now: float) -> list[Any]:
    """Node or pod metrics, as metrics-server shows them; a pod's containers are summed."""
    used = [obj["usage"]] if "usage" in obj else [c.get("usage") or {} for c in obj.get("containers") or ()]
    amounts = [sum((parse_quantity(u.get(name, "0")) for u in used), parse_quantity("0")) for name in ("cpu", "memory")]
    return [obj["metadata"]["name"], *(str(amount) for amount in amounts), obj.get("window", "")]


ROWS: dict[str, Callable[[Object, float], list[Any]]] = {
    "replicationcontrollers": replication_controller,
    "replicasets.apps": replica_set,
    "deployments.apps": deployment,
    "statefulsets.apps": stateful_set,
    "daemonsets.apps": daemon_set,
    "controllerrevisions.apps": controller_revision,
    "jobs.batch": job,
    "cronjobs.batch": cron_job,
    "horizontalpodautoscalers.autoscaling": horizontal_pod_autoscaler,
    "scales.autoscaling": scale,
    "poddisruptionbudgets.policy": pod_disruption_budget,
    "priorityclasses.scheduling.k8s.io": priority_class,
    "resourceclaims.resource.k8s.io": resource_claim,
    "resourceslices.resource.k8s.io": resource_slice,
    "nodes.metrics.k8s.io": metrics,
    "pods.metrics.k8s.io": metrics,
}
