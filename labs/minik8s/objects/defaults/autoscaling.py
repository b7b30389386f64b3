"""Defaults of autoscaling. Source: ``pkg/apis/autoscaling/v1/defaults.go``, ``.../v2/defaults.go``."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.objects.defaults.pods import default
from minik8s.objects.frozen import Object

CPU_UTILIZATION = 80


def _v1(obj: Object) -> None:
    default(obj["spec"], "minReplicas", 1)


def _v2(obj: Object) -> None:
    spec = obj["spec"]
    default(spec, "minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": CPU_UTILIZATION}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    if (behavior := spec.get("behavior")) is not None:
        _rules(behavior, "scaleUp", {"stabilizationWindowSeconds": 0}, [
            {"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}])
        _rules(behavior, "scaleDown", {}, [{"type": "Percent", "value": 100, "periodSeconds": 15}])


def _rules(behavior: Object, name: str, more: Object, policies: list[Object]) -> None:
    rules = behavior.get(name)
    if rules is None:
        rules = behavior[name] = {}
    for key, value in more.items():
        default(rules, key, value)
    default(rules, "selectPolicy", "Max")
    default(rules, "policies", policies)


DEFAULTS: dict[tuple[str, str, str], Callable[[Object], None]] = {
    ("autoscaling", "v1", "HorizontalPodAutoscaler"): _v1, ("autoscaling", "v2", "HorizontalPodAutoscaler"): _v2}
