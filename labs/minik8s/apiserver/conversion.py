"""Kinds that are served in a version other than the one they are kept in.

events.k8s.io/v1 Events are kept as core/v1 Events (pkg/apis/events/v1/conversion.go), autoscaling/v1
HorizontalPodAutoscalers as autoscaling/v2 (pkg/apis/autoscaling/v1/conversion.go). Versions of a custom kind differ in
their apiVersion only (conversion strategy None).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from minik8s.objects import Object
from minik8s.objects.kinds import Kind, api_version

# events.k8s.io name -> core name, for the fields that are called differently.
_EVENT_NAMES = {
    "reportingController": "reportingComponent",
    "regarding": "involvedObject",
    "note": "message",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_CORE_NAMES = {core: new for new, core in _EVENT_NAMES.items()}
# Core fields that are always written, with what is written when they are not set.
_CORE_ZEROS: Object = {
    "involvedObject": {},
    "source": {},
    "firstTimestamp": None,
    "lastTimestamp": None,
    "eventTime": None,
    "reportingComponent": "",
    "reportingInstance": "",
}
_NEW_ZEROS: Object = {
    "regarding": {},
    "deprecatedSource": {},
    "deprecatedFirstTimestamp": None,
    "deprecatedLastTimestamp": None,
    "eventTime": None,
}


def to_storage(kind: Kind, obj: Object) -> Object:
    """An object of `kind` in the version it is kept in."""
    if kind.storage is None:
        return obj
    stored = obj if kind.custom else _TO[kind.kind](obj)
    return {**stored, "apiVersion": api_version(*kind.storage)}


def from_storage(kind: Kind, obj: Object) -> Object:
    """A stored object in the version of `kind`."""
    if kind.storage is None:
        return obj
    shown = obj if kind.custom else _FROM[kind.kind](obj)
    return {**shown, "apiVersion": kind.api_version}


def _event_to_core(obj: Object) -> Object:
    out = {_EVENT_NAMES.get(name, name): value for name, value in obj.items()}
    return {**_CORE_ZEROS, **out}


def _event_from_core(obj: Object) -> Object:
    out = {_CORE_NAMES.get(name, name): value for name, value in obj.items()}
    for name in ("reportingController", "reportingInstance", "action", "reason", "type", "note"):
        if out.get(name) == "":
            del out[name]
    return {**_NEW_ZEROS, **out}


_ANNOTATIONS = {
    "metrics": "autoscaling.alpha.kubernetes.io/metrics",
    "behavior": "autoscaling.alpha.kubernetes.io/behavior",
    "conditions": "autoscaling.alpha.kubernetes.io/conditions",
    "currentMetrics": "autoscaling.alpha.kubernetes.io/current-metrics",
}


def _is_cpu(metric: Object) -> bool:
    resource = metric.get("resource") or {}
    target = resource.get("target") or {}
    return metric.get("type") == "Resource" and resource.get("name") == "cpu" and "averageUtilization" in target


def _hpa_to_v2(obj: Object) -> Object:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = dict(obj["metadata"].get("annotations") or {})
    metrics = _carried(annotations, "metrics", [])
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        metrics = [*metrics, {"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    if metrics:
        spec["metrics"] = metrics
    if (behavior := _carried(annotations, "behavior", None)) is not None:
        spec["behavior"] = behavior
    if (conditions := _carried(annotations, "conditions", None)) is not None:
        status["conditions"] = conditions
    current = _carried(annotations, "currentMetrics", [])
    used = status.pop("currentCPUUtilizationPercentage", None)
    if used is not None:
        current = [*current, {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": used}}}]
    if current:
        status["currentMetrics"] = current
    status.setdefault("desiredReplicas", 0)
    return {**obj, "metadata": _with_annotations(obj["metadata"], annotations), "spec": spec, "status": status}


def _hpa_from_v2(obj: Object) -> Object:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = dict(obj["metadata"].get("annotations") or {})
    others = []
    for metric in spec.pop("metrics", None) or ():
        if _is_cpu(metric) and "targetCPUUtilizationPercentage" not in spec:
            spec["targetCPUUtilizationPercentage"] = metric["resource"]["target"]["averageUtilization"]
        else:
            others.append(metric)
    left = []
    for metric in status.pop("currentMetrics", None) or ():
        current = (metric.get("resource") or {}).get("current") or {}
        is_cpu = metric.get("type") == "Resource" and metric["resource"].get("name") == "cpu"
        if is_cpu and "averageUtilization" in current and "currentCPUUtilizationPercentage" not in status:
            status["currentCPUUtilizationPercentage"] = current["averageUtilization"]
        else:
            left.append(metric)
    carried = {"metrics": others, "behavior": spec.pop("behavior", None), "currentMetrics": left,
               "conditions": status.pop("conditions", None)}  # fmt: skip
    for name, value in carried.items():
        if value:
            annotations[_ANNOTATIONS[name]] = json.dumps(value, separators=(",", ":"))
    status.setdefault("currentReplicas", 0)
    status.setdefault("desiredReplicas", 0)
    return {**obj, "metadata": _with_annotations(obj["metadata"], annotations), "spec": spec, "status": status}


def _carried(annotations: dict[str, str], name: str, default: Any) -> Any:
    """What v1 has no field for travels in an annotation."""
    text = annotations.pop(_ANNOTATIONS[name], None)
    if text is None:
        return default
    try:
        return json.loads(text)
    except ValueError:
        return default


def _with_annotations(meta: Object, annotations: dict[str, str]) -> Object:
    out = {key: value for key, value in meta.items() if key != "annotations"}
    if annotations:
        out["annotations"] = annotations
    return out


_TO: dict[str, Callable[[Object], Object]] = {"Event": _event_to_core, "HorizontalPodAutoscaler": _hpa_to_v2}
_FROM: dict[str, Callable[[Object], Object]] = {"Event": _event_from_core, "HorizontalPodAutoscaler": _hpa_from_v2}
