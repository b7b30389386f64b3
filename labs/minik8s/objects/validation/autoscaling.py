"""autoscaling. Source: ``pkg/apis/autoscaling/validation/validation.go``; v1 objects are checked as v2."""

from __future__ import annotations

from minik8s.objects.frozen import Object
from minik8s.objects.quantity import parse_quantity
from minik8s.objects.validation import meta, names
from minik8s.objects.validation.field import Errors, forbidden, invalid, messages_invalid, not_supported, required
from minik8s.objects.validation.rules import Rules

_SOURCES = {"Object": "object", "External": "external", "Pods": "pods", "Resource": "resource",
            "ContainerResource": "containerResource"}
_POLICIES, _SELECT = ("Percent", "Pods"), ("Disabled", "Max", "Min")


def autoscaler(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _spec(errors, obj["spec"])


def _spec(errors: Errors, spec: Object, old: Object | None = None) -> None:
    least, most = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if least is not None and least < 1:
        errors.append(invalid("spec.minReplicas", least, "must be greater than or equal to 1"))
    if most < 1:
        errors.append(invalid("spec.maxReplicas", most, "must be greater than 0"))
    if least is not None and most < least:
        errors.append(invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    target, was = spec["scaleTargetRef"], (old or {}).get("scaleTargetRef")
    _named(errors, target, "spec.scaleTargetRef")
    if was is None or any(was.get(key) != target.get(key) for key in ("apiVersion", "kind")):
        core = target.get("kind") == "ReplicationController"  # the only kind of the core group that scales
        _version(errors, target, "spec.scaleTargetRef", core=core)
    for i, metric in enumerate(spec.get("metrics") or ()):
        _metric(errors, metric, f"spec.metrics[{i}]")
    utilization = spec.get("targetCPUUtilizationPercentage")
    if utilization is not None and utilization < 1:
        errors.append(invalid("spec.metrics[0].resource.target.averageUtilization", utilization,
                              "must be greater than 0"))
    behavior = spec.get("behavior") or {}
    for key in ("scaleUp", "scaleDown"):
        if behavior.get(key) is not None:
            _rules(errors, behavior[key], f"spec.behavior.{key}")


def _named(errors: Errors, ref: Object, path: str) -> None:
    for key in ("kind", "name"):
        if not ref.get(key):
            errors.append(required(f"{path}.{key}"))
        else:
            messages_invalid(errors, f"{path}.{key}", ref[key], names.path_segment_name(ref[key], False))


def _version(errors: Errors, ref: Object, path: str, *, core: bool) -> None:
    version = ref.get("apiVersion", "")
    if version.count("/") > 1:
        errors.append(invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}"))
    elif "/" not in version and not core:
        errors.append(invalid(f"{path}.apiVersion", version, "apiVersion must specify API group"))


def _metric(errors: Errors, metric: Object, path: str) -> None:
    kind = metric.get("type", "")
    if not kind:
        errors.append(required(f"{path}.type", "must specify a metric source type"))
    if kind not in _SOURCES:
        errors.append(not_supported(f"{path}.type", kind, tuple(sorted(_SOURCES))))
    present = [key for key in _SOURCES.values() if metric.get(key) is not None]
    for key in present[:1]:
        _source(errors, key, metric[key], f"{path}.{key}")
    expected = _SOURCES.get(kind)
    if expected is None:
        errors.append(not_supported(f"{path}.type", kind, tuple(sorted(_SOURCES))))
    elif expected not in present:
        errors.append(required(f"{path}.{expected}", "must populate information for the given metric source"))
    if len(present) != 1:
        errors += [forbidden(f"{path}.{key}", "must populate the given metric source only")
                   for key in present if key != expected]


def _source(errors: Errors, key: str, source: Object, path: str) -> None:
    target = source.get("target") or {}
    if key in ("resource", "containerResource"):
        if not source.get("name"):
            errors.append(required(f"{path}.name", "must specify a resource name"))
        if key == "containerResource" and not source.get("container"):
            errors.append(required(f"{path}.container", "must specify a container"))
        _target(errors, target, f"{path}.target")
        utilization, average = target.get("averageUtilization"), target.get("averageValue")
        if utilization is None and average is None:
            errors.append(required(f"{path}.target.averageUtilization",
                                   "must set either a target raw value or a target utilization"))
        if utilization is not None and average is not None:
            errors.append(forbidden(f"{path}.target.averageValue",
                                    "may not set both a target raw value and a target utilization"))
        return
    if key == "object":
        _named(errors, source.get("describedObject") or {}, f"{path}.describedObject")
        _version(errors, source.get("describedObject") or {}, f"{path}.describedObject", core=True)
    _identifier(errors, source.get("metric") or {}, f"{path}.metric")
    _target(errors, target, f"{path}.target")
    if key == "pods":
        if target.get("averageValue") is None:
            errors.append(required(f"{path}.target.averageValue", "must specify a positive target averageValue"))
    elif target.get("value") is None and target.get("averageValue") is None:
        errors.append(required(f"{path}.target.averageValue",
                               "must set either a target value for metric or a per-pod target"))
    if key == "external" and target.get("value") is not None and target.get("averageValue") is not None:
        errors.append(forbidden(f"{path}.target.value",
                                "may not set both a target value for metric and a per-pod target"))


def _identifier(errors: Errors, metric: Object, path: str) -> None:
    name = metric.get("name", "")
    if not name:
        errors.append(required(f"{path}.name", "must specify a metric name"))
    else:
        messages_invalid(errors, f"{path}.name", name, names.path_segment_name(name, False))


def _target(errors: Errors, target: Object, path: str) -> None:
    kind = target.get("type", "")
    if not kind:
        errors.append(required(f"{path}.type", "must specify a metric target type"))
    if kind not in ("Utilization", "Value", "AverageValue"):
        errors.append(invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue"))
    for key in ("value", "averageValue"):
        text = target.get(key)
        if text is not None and parse_quantity(text).nanos <= 0:
            errors.append(invalid(f"{path}.{key}", text, "must be positive"))
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        errors.append(invalid(f"{path}.averageUtilization", utilization, "must be greater than 0"))


def _rules(errors: Errors, rules: Object, path: str) -> None:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        errors.append(invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero"))
    if window is not None and window > 3600:
        errors.append(invalid(f"{path}.stabilizationWindowSeconds", window, "must be less than or equal to 3600"))
    select = rules.get("selectPolicy")
    if select is not None and select not in _SELECT:
        errors.append(not_supported(f"{path}.selectPolicy", select, _SELECT))
    policies = rules.get("policies") or ()
    if not policies:
        errors.append(required(f"{path}.policies", "must specify at least one Policy"))
    for i, policy in enumerate(policies):
        at = f"{path}.policies[{i}]"
        if policy.get("type") not in _POLICIES:
            errors.append(not_supported(f"{at}.type", policy.get("type", ""), _POLICIES))
        for key in ("value", "periodSeconds"):
            if policy.get(key, 0) <= 0:
                errors.append(invalid(f"{at}.{key}", policy.get(key, 0), "must be greater than zero"))
        if policy.get("periodSeconds", 0) > 1800:
            errors.append(invalid(f"{at}.periodSeconds", policy["periodSeconds"], "must be less than or equal to 1800"))


def autoscaler_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    _spec(errors, new["spec"], old["spec"])


def autoscaler_status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    meta.nonnegative(errors, new["status"].get("currentReplicas"), "status.currentReplicas")
    meta.nonnegative(errors, new["status"].get("desiredReplicas"), "status.desiredReplicas")


def scale(errors: Errors, obj: Object) -> None:
    """The ``scale`` subresource of any kind."""
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    replicas = (obj.get("spec") or {}).get("replicas", 0)
    meta.nonnegative(errors, replicas, "spec.replicas")


RULES: dict[tuple[str, str], Rules] = {
    ("autoscaling", "HorizontalPodAutoscaler"): Rules(autoscaler, autoscaler_update, autoscaler_status_update),
    ("autoscaling", "Scale"): Rules(scale)}
