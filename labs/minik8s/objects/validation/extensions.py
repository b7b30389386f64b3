"""APIServices and admission registrations. Source: ``pkg/apis/admissionregistration/validation/validation.go``,
``kube-aggregator/pkg/apis/apiregistration/validation``. CustomResourceDefinitions and their objects are the API
server's own business (``minik8s.apiserver.crd_validation``)."""

from __future__ import annotations

import re

from minik8s.objects.frozen import Object
from minik8s.objects.validation import meta, names
from minik8s.objects.validation.field import (
    Errors,
    duplicate,
    invalid,
    not_supported,
    required,
)
from minik8s.objects.validation.rules import Rules, both, plain


def api_service(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.path_segment_name)
    spec, name = obj["spec"], obj["metadata"].get("name", "")
    wanted = f"{spec.get('version', '')}.{spec.get('group', '')}"
    if name != wanted:
        errors.append(invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{wanted}"'))
    for key, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        if not 0 < spec.get(key, 0) <= most:
            errors.append(invalid(f"spec.{key}", spec.get(key, 0), f"must be positive and less than {most}"))


_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")


def webhooks(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    seen = set()
    for i, hook in enumerate(obj.get("webhooks") or ()):
        at, name = f"webhooks[{i}]", hook.get("name", "")
        if not name:
            errors.append(required(f"{at}.name"))
        elif names.dns1123_subdomain(name):
            errors.append(invalid(f"{at}.name", name, ",".join(names.dns1123_subdomain(name))))
        elif name.count(".") < 2:
            errors.append(invalid(f"{at}.name", name,
                                  "should be a domain with at least three segments separated by dots"))
        if name in seen:
            errors.append(duplicate(f"{at}.name", name))
        seen.add(name)
        if not hook.get("admissionReviewVersions"):
            errors.append(required(f"{at}.admissionReviewVersions", "must specify one of v1, v1beta1"))
        if hook.get("sideEffects") not in ("None", "NoneOnDryRun"):
            errors.append(not_supported(f"{at}.sideEffects", hook.get("sideEffects") or "", ("None", "NoneOnDryRun"))
                          if hook.get("sideEffects") else
                          required(f"{at}.sideEffects", "must specify one of None, NoneOnDryRun"))
        _rules(errors, hook.get("rules"), f"{at}.rules")


def _rules(errors: Errors, rules: list[Object] | None, path: str) -> None:
    for i, rule in enumerate(rules or ()):
        for key in ("apiGroups", "apiVersions", "resources", "operations"):
            values = rule.get(key) or []
            if not values:
                errors.append(required(f"{path}[{i}].{key}"))
            if len(values) > 1 and "*" in values and key != "resources":
                what = {"apiGroups": "API groups", "apiVersions": "versions"}.get(key, key)
                errors.append(invalid(f"{path}[{i}].{key}", values,
                                      f"if '*' is present, must not specify other {what}"))
        for j, operation in enumerate(rule.get("operations") or ()):
            if operation not in _OPERATIONS:
                errors.append(not_supported(f"{path}[{i}].operations[{j}]", operation, _OPERATIONS))


def admission_policy(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    spec = obj["spec"]
    if spec.get("failurePolicy") not in (None, "Fail", "Ignore"):
        errors.append(not_supported("spec.failurePolicy", spec["failurePolicy"], ("Fail", "Ignore")))
    match = spec.get("matchConstraints")
    if match is None:
        errors.append(required("spec.matchConstraints"))
    else:
        if not match.get("resourceRules"):
            errors.append(required("spec.matchConstraints.resourceRules"))
        _rules(errors, match.get("resourceRules"), "spec.matchConstraints.resourceRules")
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        errors.append(required("spec.validations", "validations or auditAnnotations must be specified"))
    for i, validation in enumerate(spec.get("validations") or ()):
        if not (validation.get("expression") or "").strip():
            errors.append(required(f"spec.validations[{i}].expression", "expression is not specified"))
    for i, variable in enumerate(spec.get("variables") or ()):
        name = variable.get("name", "")
        if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
            errors.append(invalid(f"spec.variables[{i}].name", name, "name is not a valid CEL identifier") if name
                          else required(f"spec.variables[{i}].name", "name is not specified"))


def admission_binding(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    spec = obj["spec"]
    if not spec.get("policyName"):
        errors.append(required("spec.policyName"))
    actions = spec.get("validationActions") or []
    if not actions:
        errors.append(required("spec.validationActions"))
    for i, action in enumerate(actions):
        if action not in ("Audit", "Deny", "Warn"):
            errors.append(not_supported(f"spec.validationActions[{i}]", action, ("Audit", "Deny", "Warn")))
    if "Deny" in actions and "Warn" in actions:
        errors.append(invalid("spec.validationActions", actions, "must not contain both Deny and Warn "
                              "(repeating the same validation failure information in the API response and headers "
                              "serves no purpose)"))


ADMISSION = "admissionregistration.k8s.io"
RULES: dict[tuple[str, str], Rules] = {
    ("apiregistration.k8s.io", "APIService"): Rules(api_service, both(api_service)),
    (ADMISSION, "ValidatingWebhookConfiguration"): Rules(webhooks, both(webhooks)),
    (ADMISSION, "MutatingWebhookConfiguration"): Rules(webhooks, both(webhooks)),
    (ADMISSION, "ValidatingAdmissionPolicy"): Rules(admission_policy, both(admission_policy)),
    (ADMISSION, "ValidatingAdmissionPolicyBinding"): Rules(admission_binding, both(admission_binding)),
    ("", "ComponentStatus"): plain(names.name_is_subdomain, namespaced=False)}
