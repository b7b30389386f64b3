"""policy/v1. Source: ``pkg/apis/policy/validation/validation.go``."""

from __future__ import annotations

from minik8s.objects.frozen import Object
from minik8s.objects.validation import meta, names
from minik8s.objects.validation.apps import not_above_100_percent, positive_int_or_percent
from minik8s.objects.validation.field import Errors, GoValue, invalid, not_supported
from minik8s.objects.validation.rules import Rules

_EVICTION = ("AlwaysAllow", "IfHealthyBudget")


def _spec(errors: Errors, spec: Object) -> None:
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        errors.append(invalid("spec", GoValue(spec, "policy.v1.PodDisruptionBudgetSpec"),
                              "minAvailable and maxUnavailable cannot be both set"))
    for key, value in (("minAvailable", least), ("maxUnavailable", most)):
        if value is not None:
            positive_int_or_percent(errors, value, f"spec.{key}")
            not_above_100_percent(errors, value, f"spec.{key}")
    meta.label_selector(errors, spec.get("selector"), "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in _EVICTION:
        errors.append(not_supported("spec.unhealthyPodEvictionPolicy", policy, _EVICTION))


def budget(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _spec(errors, obj["spec"])


def budget_update(errors: Errors, new: Object, old: Object) -> None:
    budget(errors, new)  # upstream looks at the new object only


def budget_status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    meta.conditions(errors, new["status"].get("conditions"), "status.conditions")
    for key in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"):
        meta.nonnegative(errors, new["status"].get(key), f"status.{key}")


RULES: dict[tuple[str, str], Rules] = {
    ("policy", "PodDisruptionBudget"): Rules(budget, budget_update, budget_status_update)}
