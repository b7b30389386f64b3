"""What pods say about where they may run: selectors, affinity, tolerations, spreading.

Source: ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minik8s.objects.frozen import Object
from minik8s.objects.validation import names
from minik8s.objects.validation.field import (
    Errors,
    GoValue,
    duplicate,
    forbidden,
    invalid,
    messages_invalid,
    not_supported,
    required,
)
from minik8s.objects.validation.meta import label_name, label_selector

TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_OPERATOR_MESSAGE = "not a valid selector operator"


def node_selector_requirement(errors: Errors, requirement: Object, path: str, *, check_values: bool = True) -> None:
    operator, values = requirement.get("operator", ""), requirement.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            errors.append(required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            errors.append(forbidden(
                f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            errors.append(required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'"))
    else:
        errors.append(invalid(f"{path}.operator", operator, _OPERATOR_MESSAGE))
    label_name(errors, requirement.get("key", ""), f"{path}.key")
    if check_values:
        for i, value in enumerate(values):
            messages_invalid(errors, f"{path}.values[{i}]", value, names.label_value(value))


def _node_field_requirement(errors: Errors, requirement: Object, path: str) -> None:
    values = requirement.get("values") or ()
    if requirement.get("operator") in ("In", "NotIn"):
        if len(values) != 1:
            errors.append(required(
                f"{path}.values", "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
    else:
        errors.append(invalid(f"{path}.operator", requirement.get("operator", ""), _OPERATOR_MESSAGE))
    if requirement.get("key") != "metadata.name":
        errors.append(invalid(f"{path}.key", requirement.get("key", ""), "not a valid field selector key"))
        return
    for i, value in enumerate(values):
        messages_invalid(errors, f"{path}.values[{i}]", value, names.name_is_subdomain(value, False))


def node_selector_term(errors: Errors, term: Object, path: str, *, check_values: bool = True) -> None:
    for i, requirement in enumerate(term.get("matchExpressions") or ()):
        node_selector_requirement(errors, requirement, f"{path}.matchExpressions[{i}]", check_values=check_values)
    for i, requirement in enumerate(term.get("matchFields") or ()):
        _node_field_requirement(errors, requirement, f"{path}.matchFields[{i}]")


def node_selector(errors: Errors, selector: Object, path: str, *, check_values: bool = True) -> None:
    terms = selector.get("nodeSelectorTerms") or ()
    if not terms:
        errors.append(required(f"{path}.nodeSelectorTerms", "must have at least one node selector term"))
    for i, term in enumerate(terms):
        node_selector_term(errors, term, f"{path}.nodeSelectorTerms[{i}]", check_values=check_values)


def _weight(errors: Errors, term: Object, path: str) -> None:
    if not 0 < term.get("weight", 0) <= 100:
        errors.append(invalid(f"{path}.weight", term.get("weight", 0), "must be in the range 1-100"))


def affinity(errors: Errors, value: Object | None, path: str) -> None:
    if not value:
        return
    if (node := value.get("nodeAffinity")) is not None:
        if node.get(_REQUIRED) is not None:
            node_selector(errors, node[_REQUIRED], f"{path}.nodeAffinity.{_REQUIRED}")
        for i, term in enumerate(node.get(_PREFERRED) or ()):
            at = f"{path}.nodeAffinity.{_PREFERRED}[{i}]"
            _weight(errors, term, at)
            node_selector_term(errors, term.get("preference") or {}, f"{at}.preference", check_values=False)
    for key in ("podAffinity", "podAntiAffinity"):
        pods = value.get(key) or {}
        for i, term in enumerate(pods.get(_REQUIRED) or ()):
            _pod_affinity_term(errors, term, f"{path}.{key}.{_REQUIRED}[{i}]")
        for i, term in enumerate(pods.get(_PREFERRED) or ()):
            at = f"{path}.{key}.{_PREFERRED}[{i}]"
            _weight(errors, term, at)
            _pod_affinity_term(errors, term.get("podAffinityTerm") or {}, f"{at}.podAffinityTerm")


def _pod_affinity_term(errors: Errors, term: Object, path: str) -> None:
    label_selector(errors, term.get("labelSelector"), f"{path}.labelSelector")
    label_selector(errors, term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for name in term.get("namespaces") or ():
        messages_invalid(errors, f"{path}.namespace", name, names.name_is_label(name, False))
    _match_label_keys(errors, term, path)
    topology = term.get("topologyKey", "")
    if not topology:
        errors.append(required(f"{path}.topologyKey", "can not be empty"))
    label_name(errors, topology, f"{path}.topologyKey")


def _match_label_keys(errors: Errors, term: Object, path: str) -> None:
    own: Errors = []
    for field in ("matchLabelKeys", "mismatchLabelKeys"):
        keys = term.get(field) or ()
        if keys and term.get("labelSelector") is None:
            own.append(forbidden(f"{path}.{field}", "must not be specified when labelSelector is not set"))
        for i, key in enumerate(keys):
            label_name(own, key, f"{path}.{field}[{i}]")
    match = term.get("matchLabelKeys") or ()
    _twice_selected(own, match, term.get("labelSelector") or {}, path)
    for i, key in enumerate(term.get("mismatchLabelKeys") or ()):
        if key in match:
            own.append(invalid(f"{path}.mismatchLabelKeys[{i}]",
                               key, "exists in both matchLabelKeys and mismatchLabelKeys"))
    errors += own


def tolerations(errors: Errors, items: list[Object] | None, path: str) -> None:
    for i, toleration in enumerate(items or ()):
        at = f"{path}[{i}]"
        key, operator = toleration.get("key", ""), toleration.get("operator", "")
        effect, value = toleration.get("effect", ""), toleration.get("value", "")
        if key:
            label_name(errors, key, f"{at}.key")
        elif operator != "Exists":
            errors.append(invalid(f"{at}.operator", operator, "operator must be Exists when `key` is empty, "
                                  'which means "match all values and all keys"'))
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            errors.append(invalid(f"{at}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
        if operator in ("Equal", ""):
            if messages := names.label_value(value):
                errors.append(invalid(f"{at}.operator", value, ";".join(messages)))
        elif operator == "Exists":
            if value:
                errors.append(invalid(f"{at}.operator", value, "value must be empty when `operator` is 'Exists'"))
        else:
            errors.append(not_supported(f"{at}.operator", operator, ("Equal", "Exists")))
        if effect:
            taint_effect(errors, effect, f"{at}.effect")


def taint_effect(errors: Errors, effect: str, path: str) -> None:
    if not effect:
        errors.append(required(path))
    elif effect not in TAINT_EFFECTS:
        errors.append(not_supported(path, effect, TAINT_EFFECTS))


_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
_INCLUSION = ("Honor", "Ignore")


def topology_spread(errors: Errors, items: list[Object] | None, path: str) -> None:
    pairs: list[tuple[Any, Any]] = []
    for i, constraint in enumerate(items or ()):
        at = f"{path}[{i}]"
        skew, key = constraint.get("maxSkew", 0), constraint.get("topologyKey", "")
        when = constraint.get("whenUnsatisfiable", "")
        if skew <= 0:
            errors.append(invalid(f"{at}.maxSkew", skew, "must be greater than zero"))
        if not key:
            errors.append(required(f"{at}.topologyKey", "can not be empty"))
        else:
            label_name(errors, key, f"{at}.topologyKey")
        if when not in _UNSATISFIABLE:
            errors.append(not_supported(f"{at}.whenUnsatisfiable", when, _UNSATISFIABLE))
        if (key, when) in pairs:
            errors.append(duplicate(f"{at}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {when}}}"))
        pairs.append((key, when))
        domains = constraint.get("minDomains")
        if domains is not None:
            if domains <= 0:
                errors.append(invalid(f"{at}.minDomains", domains, "must be greater than zero"))
            if when != "DoNotSchedule":
                errors.append(invalid(f"{at}.minDomains", domains,
                                      f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}"))
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if constraint.get(field) is not None and constraint[field] not in _INCLUSION:
                errors.append(not_supported(f"{at}.{field}", constraint[field], _INCLUSION))
        _spread_label_keys(errors, constraint, at)
        label_selector(errors, constraint.get("labelSelector"), f"{at}.labelSelector")


def _spread_label_keys(errors: Errors, constraint: Object, path: str) -> None:
    keys = constraint.get("matchLabelKeys") or ()
    selector = constraint.get("labelSelector")
    if keys and selector is None:
        errors.append(forbidden(f"{path}.matchLabelKeys", "must not be specified when labelSelector is not set"))
        return
    for i, key in enumerate(keys):
        label_name(errors, key, f"{path}.matchLabelKeys[{i}]")
    _twice_selected(errors, keys, selector or {}, path)


def _twice_selected(errors: Errors, keys: Sequence[str], selector: Object, path: str) -> None:
    """A key of ``matchLabelKeys`` stands in a new pod's selector once, merged in by the server (KEP-3243, KEP-3633);
    one that stands there twice was also written by hand."""
    seen = set(selector.get("matchLabels") or ())
    for expression in selector.get("matchExpressions") or ():
        key = expression.get("key", "")
        if key in keys and key in seen:
            errors.append(invalid(f"{path}[{list(keys).index(key)}]", key,
                                  "exists in both matchLabelKeys and labelSelector"))
        seen.add(key)


def node_affinity_value(value: Object | None) -> GoValue:
    return GoValue(value, "*core.v1.NodeAffinity")
