"""LimitRange and ResourceQuota. Source: ``pkg/apis/core/validation/validation.go``."""

from __future__ import annotations

from minik8s.objects.frozen import Object
from minik8s.objects.quantity import NANOS, Quantity, parse_quantity
from minik8s.objects.validation import meta, names, resources
from minik8s.objects.validation.field import (
    Errors,
    GoValue,
    duplicate,
    forbidden,
    invalid,
    messages_invalid,
    required,
)

_LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_KEYS = ("max", "min", "default", "defaultRequest")
SCOPES = ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity",
          "VolumeAttributesClass")
_COMPUTE = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})


def limit_range(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    seen = set()
    for i, item in enumerate(obj["spec"].get("limits") or ()):
        at, kind = f"spec.limits[{i}]", item.get("type", "")
        bad = names.qualified_name(kind)
        messages_invalid(errors, f"{at}.type", kind, bad)
        if not bad and "/" not in kind and kind not in _LIMIT_TYPES:
            errors.append(invalid(f"{at}.type", kind, "must be a standard limit type or fully qualified"))
        if kind in seen:
            errors.append(duplicate(f"{at}.type", kind))
        seen.add(kind)
        _limit_item(errors, item, kind, at)


def _limit_item(errors: Errors, item: Object, kind: str, at: str) -> None:
    amounts: dict[str, dict[str, str]] = {}
    for key in _KEYS:
        values = item.get(key) or {}
        if kind == "Pod" and key.startswith("default"):
            if values:
                errors.append(forbidden(f"{at}.{key}", "may not be specified when `type` is 'Pod'"))
            continue
        _names(errors, values, kind, f"{at}.{key}")
        amounts[key] = values
    if kind == "PersistentVolumeClaim" and not any("storage" in (item.get(k) or {}) for k in ("min", "max")):
        errors.append(required(f"{at}.limits",
                               "either minimum or maximum storage value is required, but neither was provided"))
    ratios = item.get("maxLimitRequestRatio") or {}
    _names(errors, ratios, kind, f"{at}.maxLimitRequestRatio")
    for name in dict.fromkeys([k for values in amounts.values() for k in values] + list(ratios)):
        _compare(errors, name, {k: parse_quantity(v[name]) for k, v in amounts.items() if name in v}, at)
        if name in ratios:
            _ratio(errors, name, ratios[name], amounts, at)


def _names(errors: Errors, values: dict[str, str], kind: str, path: str) -> None:
    check = resources.container_resource_name if kind in ("Pod", "Container") else resources.resource_name
    for name in values:
        check(errors, name, f"{path}[{name}]")


def _compare(errors: Errors, name: str, q: dict[str, Quantity], at: str) -> None:
    low, high, default, request = q.get("min"), q.get("max"), q.get("default"), q.get("defaultRequest")

    def above(a: Quantity | None, b: Quantity | None, key: str, shown: Quantity | None, words: str) -> None:
        if a is not None and b is not None and a > b:
            errors.append(invalid(f"{at}.{key}[{name}]", str(shown), words.format(a, b)))

    above(low, high, "min", low, "min value {} is greater than max value {}")
    above(low, request, "defaultRequest", request, "min value {} is greater than default request value {}")
    above(request, high, "defaultRequest", request, "default request value {} is greater than max value {}")
    above(request,
          default, "defaultRequest", request, "default request value {} is greater than default limit value {}")
    above(low, default, "default", low, "min value {} is greater than default value {}")
    above(default, high, "default", high, "default value {} is greater than max value {}")
    if default is not None and request is not None and default != request and not resources.overcommit_allowed(name):
        errors.append(invalid(f"{at}.defaultRequest[{name}]", str(request),
                              f"default value {default} must equal to defaultRequest value {request} in {name}"))


def _ratio(errors: Errors, name: str, text: str, amounts: dict[str, dict[str, str]], at: str) -> None:
    ratio = parse_quantity(text)
    if ratio.nanos < NANOS:
        errors.append(invalid(f"{at}.maxLimitRequestRatio[{name}]", text, f"ratio {text} is less than 1"))
    low, high = amounts.get("min", {}).get(name), amounts.get("max", {}).get(name)
    if low is not None and high is not None and parse_quantity(low).nanos:
        most = parse_quantity(high).milli() / parse_quantity(low).milli()
        if ratio.milli() / 1000 > most:
            errors.append(invalid(f"{at}.maxLimitRequestRatio[{name}]", text,
                                  f"ratio {text} is greater than max/min = {most:f}"))


def limit_range_update(errors: Errors, new: Object, old: Object) -> None:
    # The registry asks for metadata of an update nowhere; the whole object is checked again.
    limit_range(errors, new)


def quota(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _quota_spec(errors, obj["spec"])
    _amounts(errors, obj["status"].get("hard"), "status.hard")
    _amounts(errors, obj["status"].get("used"), "status.used")


def _amounts(errors: Errors, values: dict[str, str] | None, path: str) -> None:
    for name, text in (values or {}).items():
        resources.quota_resource_name(errors, name, f"{path}[{name}]")
        resources.quantity_value(errors, name, text, f"{path}[{name}]")


def scope_fits(scope: str, name: str) -> bool:
    """Whether a quota with the scope may count the resource."""
    if scope in ("Terminating", "NotTerminating", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity"):
        return name == "pods" or name in _COMPUTE or name.endswith("ephemeral-storage") or (
            scope == "PriorityClass" and name.startswith(("requests.", "limits.")))
    if scope == "BestEffort":
        return name == "pods"
    if scope == "VolumeAttributesClass":
        return name in ("persistentvolumeclaims", "requests.storage")
    return True


def _quota_spec(errors: Errors, spec: Object) -> None:
    hard, scopes = spec.get("hard") or {}, spec.get("scopes") or []
    _amounts(errors, hard, "spec.hard")
    for scope in scopes:
        if scope not in SCOPES:
            errors.append(invalid("spec.scopes", scopes, "unsupported scope"))
        for name in sorted(hard):
            if resources.is_standard_quota(name) and not scope_fits(scope, name):
                errors.append(invalid("spec.scopes", scopes, "unsupported scope applied to resource"))
    _conflicts(errors, set(scopes), scopes, "spec.scopes")
    if spec.get("scopeSelector") is not None:
        _scope_selector(errors, spec, hard)


def _conflicts(errors: Errors, found: set[str], shown: list[str] | None, path: str) -> None:
    for pair in ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"}):
        if pair <= found:
            errors.append(invalid(path, shown or None, "conflicting scopes"))


_EXISTS_ONLY = ("must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
                "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
                "ResourceQuotaScopeCrossNamespacePodAffinity")


def _scope_selector(errors: Errors, spec: Object, hard: dict[str, str]) -> None:
    path, found = "spec.scopeSelector.matchExpressions", set()
    for requirement in spec["scopeSelector"].get("matchExpressions") or ():
        scope, operator = requirement.get("scopeName", ""), requirement.get("operator", "")
        values = requirement.get("values") or []
        if scope not in SCOPES:
            errors.append(invalid(f"{path}.scopeName", scope, "unsupported scope"))
        for name in sorted(hard):
            if resources.is_standard_quota(name) and not scope_fits(scope, name):
                errors.append(invalid(path, GoValue(spec["scopeSelector"], "core.v1.ScopeSelector"),
                                      "unsupported scope applied to resource"))
        if scope in SCOPES and scope not in ("PriorityClass", "VolumeAttributesClass") and operator != "Exists":
            errors.append(invalid(f"{path}.operator", operator, _EXISTS_ONLY))
        if operator in ("In", "NotIn"):
            if not values:
                errors.append(required(f"{path}.values",
                                       "must be at least one value when `operator` is 'In' or 'NotIn' for "
                                       "scope selector"))
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                errors.append(invalid(f"{path}.values", values,
                                      "must be no value when `operator` is 'Exist' or 'DoesNotExist' for "
                                      "scope selector"))
        else:
            errors.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
        found.add(scope)
    _conflicts(errors, found, spec.get("scopes"), path)


def quota_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    _quota_spec(errors, new["spec"])
    if set(new["spec"].get("scopes") or ()) != set(old["spec"].get("scopes") or ()):
        errors.append(invalid("spec.scopes", new["spec"].get("scopes"), meta.IMMUTABLE))


def quota_status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    if not new["metadata"].get("resourceVersion"):
        errors.append(required("resourceVersion"))
    _amounts(errors, new["status"].get("hard"), "status.hard")
    _amounts(errors, new["status"].get("used"), "status.used")
