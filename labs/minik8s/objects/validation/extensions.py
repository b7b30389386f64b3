"""CustomResourceDefinitions (their own fields; schemas of custom resources are the API server's), APIServices,
admission registrations. Source: ``apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go``."""

from __future__ import annotations

import re

from minik8s.objects.frozen import Object
from minik8s.objects.validation import meta, names
from minik8s.objects.validation.field import (
    Errors,
    GoValue,
    duplicate,
    invalid,
    messages_invalid,
    not_supported,
    required,
)
from minik8s.objects.validation.rules import Rules, both, plain

GROUP = "apiextensions.k8s.io"
_STORAGE = "must have exactly one version marked as storage version"


def definition(errors: Errors, obj: Object) -> None:
    own, spec = obj["metadata"], obj["spec"]
    plural, group = spec["names"].get("plural", ""), spec.get("group", "")
    wanted = f"{plural}.{group}"

    def name_check(name: str, prefix: bool) -> list[str]:
        bad = names.name_is_subdomain(name, prefix)
        return bad if name == wanted else [*bad, 'must be spec.names.plural+"."+spec.group']

    meta.object_meta(errors, own, False, name_check)
    _spec(errors, spec)


def _spec(errors: Errors, spec: Object) -> None:
    group = spec.get("group", "")
    if not group:
        errors.append(required("spec.group"))
    else:
        messages_invalid(errors, "spec.group", group, names.dns1123_subdomain(group))
        if "." not in group:
            errors.append(invalid("spec.group", group, "should be a domain with at least one dot"))
    scope = spec.get("scope", "")
    if scope not in ("Cluster", "Namespaced"):
        errors.append(not_supported("spec.scope", scope, ("Cluster", "Namespaced")) if scope else required("spec.scope"))
    versions = spec.get("versions") or []
    seen, stored = set(), 0
    for i, version in enumerate(versions):
        name = version.get("name", "")
        stored += bool(version.get("storage"))
        messages_invalid(errors, f"spec.versions[{i}].name", name, names.dns1035_label(name))
        if name in seen:
            errors.append(invalid("spec.versions", GoValue(versions, "[]apiextensions.v1.CustomResourceDefinitionVersion"),
                                  "must contain unique version names"))
        seen.add(name)
        _version(errors, version, f"spec.versions[{i}]")
    if stored != 1:
        shown = GoValue(versions or None, "[]apiextensions.v1.CustomResourceDefinitionVersion")
        errors.append(invalid("spec.versions", shown, _STORAGE))
    _names(errors, spec["names"], "spec.names")
    if spec.get("preserveUnknownFields"):
        errors.append(invalid("spec.preserveUnknownFields", True, "cannot set to true, set "
                              "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"))


def _version(errors: Errors, version: Object, path: str) -> None:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if schema is None:
        errors.append(required(f"{path}.schema.openAPIV3Schema", "schemas are required"))
    elif schema.get("type") != "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        kind = schema.get("type", "")
        at = f"{path}.schema.openAPIV3Schema.type"
        errors.append(invalid(at, kind, "must be object at the root") if kind
                      else required(at, "must not be empty at the root"))
    for i, column in enumerate(version.get("additionalPrinterColumns") or ()):
        at = f"{path}.additionalPrinterColumns[{i}]"
        for key in ("name", "type", "jsonPath"):
            if not column.get(key):
                errors.append(required(f"{at}.{key}"))
        if column.get("type") and column["type"] not in ("boolean", "date", "integer", "number", "string"):
            errors.append(invalid(f"{at}.type", column["type"], "must be one of boolean,date,integer,number,string"))
    scale = (version.get("subresources") or {}).get("scale")
    if scale is not None:
        for key, prefix in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
            value = scale.get(key, "")
            if not value:
                errors.append(required(f"{path}.subresources.scale.{key}"))
            elif not value.startswith(prefix):
                errors.append(invalid(f"{path}.subresources.scale.{key}", value,
                                      f"should be a json path under {prefix.rstrip('.')}"))


def _names(errors: Errors, value: Object, path: str) -> None:
    for key in ("plural", "singular", "kind", "listKind"):
        text = value.get(key, "")
        if not text:
            errors.append(required(f"{path}.{key}"))
            continue
        errors += [invalid(f"{path}.{key}", text, message) for message in names.dns1035_label(text.lower())]
    for i, short in enumerate(value.get("shortNames") or ()):
        messages_invalid(errors, f"{path}.shortNames[{i}]", short, names.dns1035_label(short))
    if value.get("kind") and value.get("kind") == value.get("listKind"):
        errors.append(invalid(f"{path}.listKind", value["listKind"], "kind and listKind may not be the same"))


def definition_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    spec, before = new["spec"], old["spec"]
    _spec(errors, spec)
    established = any(c.get("type") == "Established" and c.get("status") == "True"
                      for c in old["status"].get("conditions") or ())
    if established:
        meta.immutable(errors, spec.get("scope"), before.get("scope"), "spec.scope")
        for key in ("kind",):
            meta.immutable(errors, spec["names"].get(key), before["names"].get(key), f"spec.names.{key}")
    meta.immutable(errors, spec.get("group"), before.get("group"), "spec.group")
    meta.immutable(errors, spec["names"].get("plural"), before["names"].get("plural"), "spec.names.plural")
    present = {v.get("name") for v in spec.get("versions") or ()}
    for i, version in enumerate(old["status"].get("storedVersions") or ()):
        if version not in present:
            errors.append(invalid(f"status.storedVersions[{i}]", version, "missing from spec.versions; "
                                  f"{version} was previously a storage version, and must remain in spec.versions until a "
                                  "storage migration ensures no data remains persisted in "
                                  f"{version} and removes {version} from status.storedVersions"))


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
                errors.append(invalid(f"{path}[{i}].{key}", values, "if '*' is present, must not specify other "
                                      f"{'API groups' if key == 'apiGroups' else 'versions' if key == 'apiVersions' else key}"))
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
    (GROUP, "CustomResourceDefinition"): Rules(definition, definition_update),
    ("apiregistration.k8s.io", "APIService"): Rules(api_service, both(api_service)),
    (ADMISSION, "ValidatingWebhookConfiguration"): Rules(webhooks, both(webhooks)),
    (ADMISSION, "MutatingWebhookConfiguration"): Rules(webhooks, both(webhooks)),
    (ADMISSION, "ValidatingAdmissionPolicy"): Rules(admission_policy, both(admission_policy)),
    (ADMISSION, "ValidatingAdmissionPolicyBinding"): Rules(admission_binding, both(admission_binding)),
    ("", "ComponentStatus"): plain(names.name_is_subdomain, namespaced=False)}
