"""Rows of core/v1 kinds (except pods and replication controllers) and of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minik8s.apiserver.tables import pods
from minik8s.apiserver.tables.format import NONE, UNKNOWN, age, condition, since
from minik8s.objects import Object


def namespace(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"]["name"], (obj.get("status") or {}).get("phase", ""), age(obj, now)]


def secret(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("type", ""), len(obj.get("data") or ()), age(obj, now)]


def config_map(obj: Object, now: float) -> list[Any]:
    count = len(obj.get("data") or ()) + len(obj.get("binaryData") or ())
    return [obj["metadata"]["name"], count, age(obj, now)]


def name_and_age(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"]["name"], age(obj, now)]


def node(obj: Object, now: float) -> list[Any]:
    status = obj.get("status") or {}
    info = status.get("nodeInfo") or {}
    return [
        obj["metadata"]["name"],
        _node_status(obj),
        ",".join(_roles(obj["metadata"].get("labels") or {})) or NONE,
        age(obj, now),
        info.get("kubeletVersion", ""),
        _address(status, "InternalIP"),
        _address(status, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        _kernel(info),
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _kernel(info: Mapping[str, Any]) -> str:
    kernel, architecture = info.get("kernelVersion"), info.get("architecture")
    return f"{kernel} ({architecture})" if kernel and architecture else kernel or UNKNOWN


def _node_status(obj: Object) -> str:
    ready = condition(obj, "Ready")
    text = "Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"
    return text + (",SchedulingDisabled" if (obj.get("spec") or {}).get("unschedulable") else "")


def _roles(labels: Mapping[str, str]) -> list[str]:
    prefix = "node-role.kubernetes.io/"
    roles = {key.removeprefix(prefix) for key in labels if key.startswith(prefix)}
    return sorted((roles | {labels.get("kubernetes.io/role", "")}) - {""})


def _address(status: Mapping[str, Any], kind: str) -> str:
    for entry in status.get("addresses") or ():
        if entry.get("type") == kind:
            return str(entry.get("address", ""))
    return NONE


def resource_quota(obj: Object, now: float) -> list[Any]:
    status = obj.get("status") or {}
    used = status.get("used") or {}
    requests: list[str] = []
    limits: list[str] = []
    for name, hard in sorted((status.get("hard") or {}).items()):
        (limits if name.startswith("limits.") else requests).append(f"{name}: {used.get(name, '0')}/{hard}")
    return [obj["metadata"]["name"], ", ".join(requests), ", ".join(limits), age(obj, now)]


def component_status(obj: Object, now: float) -> list[Any]:
    for entry in obj.get("conditions") or ():
        if entry.get("type") == "Healthy":
            healthy = "Healthy" if entry.get("status") == "True" else "Unhealthy"
            return [obj["metadata"]["name"], healthy, entry.get("message", ""), entry.get("error", "")]
    return [obj["metadata"]["name"], "Unknown", "", ""]


def event(obj: Object, now: float) -> list[Any]:
    """A core/v1 Event, or an events.k8s.io/v1 one (whose core fields are called `deprecated...`)."""
    target = obj.get("involvedObject") or obj.get("regarding") or {}
    first, last, count = _event_times(obj, now)
    kind = target.get("kind", "").lower()
    return [
        last,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{target['name']}" if target.get("name") else kind,
        target.get("fieldPath", ""),
        _event_source(obj),
        (obj.get("message") or obj.get("note") or "").strip(),
        first,
        count,
        obj["metadata"]["name"],
    ]


def _event_times(obj: Object, now: float) -> tuple[str, str, int]:
    first_seen = obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime")
    last_seen = obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp")
    first = since(first_seen, now)
    last = since(last_seen, now) if last_seen else first
    series = obj.get("series")
    if series:
        return first, since(series.get("lastObservedTime"), now), series.get("count", 0)
    return first, last, obj.get("count") or obj.get("deprecatedCount") or 1


def _event_source(obj: Object) -> str:
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    component = source.get("component") or obj.get("reportingComponent") or obj.get("reportingController") or ""
    instance = source.get("host") or obj.get("reportingInstance") or ""
    return f"{component}, {instance}" if instance else component


ROWS: dict[str, Callable[[Object, float], list[Any]]] = {
    "pods": pods.pod,
    "podtemplates": pods.pod_template,
    "namespaces": namespace,
    "secrets": secret,
    "configmaps": config_map,
    "serviceaccounts": name_and_age,
    "nodes": node,
    "resourcequotas": resource_quota,
    "componentstatuses": component_status,
    "events": event,
}
