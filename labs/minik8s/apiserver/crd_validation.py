"""Is a CustomResourceDefinition well formed?

Source: apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go, pkg/apiserver/schema/validation.go.
"""

from __future__ import annotations

import re
from typing import Any

from minik8s.apiserver import crd_structural
from minik8s.objects import Object
from minik8s.objects.validation import field, meta, names
from minik8s.objects.validation.field import GoValue

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("binary", "bool", "byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_PROTECTED = (".k8s.io", ".kubernetes.io")
APPROVED = "api-approved.kubernetes.io"


def validate(new: Object, old: Object | None) -> field.Errors:
    """The faults of a new definition, or of a change to one."""
    errors: field.Errors = []
    if old is None:
        meta.object_meta(errors, new["metadata"], False, _name_check(new))
    else:
        meta.object_meta_update(errors, new["metadata"], old["metadata"])
    _spec(errors, new["spec"])
    if old is not None:
        _immutable(errors, new, old)
    _stored_versions(errors, new)
    _approval(errors, new, old)
    return errors


def _name_check(crd: Object) -> Any:
    spec = crd["spec"]
    wanted = f"{spec.get('names', {}).get('plural', '')}.{spec.get('group', '')}"

    def check(name: str, *_: Any) -> list[str]:
        found = names.dns1123_subdomain(name)
        return found if name == wanted else [*found, 'must be spec.names.plural+"."+spec.group']

    return check


def _spec(errors: field.Errors, spec: Object) -> None:
    group = spec.get("group", "")
    if not group:
        errors.append(field.required("spec.group"))
    elif found := names.dns1123_subdomain(group):
        errors.append(field.invalid("spec.group", group, ",".join(found)))
    elif "." not in group:
        errors.append(field.invalid("spec.group", group, "should be a domain with at least one dot"))
    _one_of(errors, "spec.scope", spec.get("scope", ""), ("Cluster", "Namespaced"))
    versions = spec.get("versions") or []
    for index, version in enumerate(versions):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            errors.append(field.required(f"spec.versions[{index}].schema.openAPIV3Schema"))
    if spec.get("preserveUnknownFields"):
        why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        errors.append(field.invalid("spec.preserveUnknownFields", True, why))
    for index, version in enumerate(versions):
        _version(errors, version, f"spec.versions[{index}]")
    shown = GoValue(versions, "[]apiextensions.v1.CustomResourceDefinitionVersion")
    found_names = [version.get("name") for version in versions]
    if len(set(found_names)) != len(found_names):
        errors.append(field.invalid("spec.versions", shown, "must contain unique version names"))
    if sum(bool(version.get("storage")) for version in versions) != 1:
        why = "must have exactly one version marked as storage version"
        errors.append(field.invalid("spec.versions", shown, why))
    own = spec.get("names") or {}
    for name in ("plural", "singular", "kind", "listKind"):
        if not own.get(name):
            errors.append(field.required(f"spec.names.{name}"))
    _names(errors, own, "spec.names")
    conversion = spec.get("conversion")
    if conversion is not None:
        _conversion(errors, conversion)


def _one_of(errors: field.Errors, path: str, value: str, accepted: tuple[str, ...]) -> None:
    if not value:
        errors.append(field.required(path))
    elif value not in accepted:
        errors.append(field.not_supported(path, value, accepted))


def _names(errors: field.Errors, own: Object, path: str) -> None:
    for name in ("plural", "singular"):
        if own.get(name) and (found := names.dns1035_label(own[name])):
            errors.append(field.invalid(f"{path}.{name}", own[name], ",".join(found)))
    for name in ("kind", "listKind"):
        if own.get(name) and (found := names.dns1035_label(own[name].lower())):
            why = "may have mixed case, but should otherwise match: " + ",".join(found)
            errors.append(field.invalid(f"{path}.{name}", own[name], why))
    if own.get("kind") and own["kind"] == own.get("listKind"):
        errors.append(field.invalid(f"{path}.listKind", own["kind"], "kind and listKind may not be the same"))
    for name in ("shortNames", "categories"):
        for index, value in enumerate(own.get(name) or ()):
            if found := names.dns1035_label(value):
                errors.append(field.invalid(f"{path}.{name}[{index}]", value, ",".join(found)))


def _conversion(errors: field.Errors, conversion: Object) -> None:
    path = "spec.conversion"
    strategy = conversion.get("strategy", "")
    _one_of(errors, f"{path}.strategy", strategy, ("None", "Webhook"))
    webhook = conversion.get("webhook") or {}
    if strategy != "Webhook":
        if webhook.get("clientConfig") is not None:
            why = "should not be set when strategy is not set to Webhook"
            errors.append(field.forbidden(f"{path}.webhookClientConfig", why))
        return
    config = webhook.get("clientConfig")
    if config is None:
        errors.append(field.required(f"{path}.webhookClientConfig", "required when strategy is set to Webhook"))
    elif (config.get("url") is None) == (config.get("service") is None):
        errors.append(field.required(f"{path}.webhookClientConfig", "exactly one of url or service is required"))
    if not webhook.get("conversionReviewVersions"):
        errors.append(field.required(f"{path}.conversionReviewVersions"))


def _version(errors: field.Errors, version: Object, path: str) -> None:
    name = version.get("name", "")
    if found := names.dns1035_label(name):
        errors.append(field.invalid(f"{path}.name", name, ",".join(found)))
    warning = version.get("deprecationWarning")
    if warning is not None and not version.get("deprecated"):
        why = "can only be set for deprecated versions"
        errors.append(field.invalid(f"{path}.deprecationWarning", warning, why))
    subresources = version.get("subresources") or {}
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if schema:
        _schema(errors, schema, subresources.get("status") is not None, f"{path}.schema")
    if subresources.get("scale") is not None:
        _scale(errors, subresources["scale"], f"{path}.subresources.scale")
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        _column(errors, column, f"{path}.additionalPrinterColumns[{index}]")
    for index, selectable in enumerate(version.get("selectableFields") or ()):
        if not selectable.get("jsonPath"):
            errors.append(field.required(f"{path}.selectableFields[{index}].jsonPath"))


def _schema(errors: field.Errors, schema: Object, status: bool, path: str) -> None:
    root = f"{path}.openAPIV3Schema"
    if status and schema.get("type", "object") != "object":
        why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        errors.append(field.invalid(f"{root}.type", schema["type"], why))
    if schema.get("nullable"):
        errors.append(field.forbidden(f"{root}.nullable", "nullable cannot be true at the root"))
    errors += crd_structural.validate(schema, root)


def _scale(errors: field.Errors, scale: Object, path: str) -> None:
    for name, prefix in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        value = scale.get(name, "")
        if not value:
            errors.append(field.required(f"{path}.{name}"))
        elif not _simple_path(value):
            errors.append(field.invalid(f"{path}.{name}", value, "is an invalid path"))
        elif not value.startswith(prefix):
            errors.append(field.invalid(f"{path}.{name}", value, f"should be a json path under {prefix[:-1]}"))
    value = scale.get("labelSelectorPath")
    if value and not value.startswith((".spec.", ".status.")):
        why = "should be a json path under either .spec or .status"
        errors.append(field.invalid(f"{path}.labelSelectorPath", value, why))


_SIMPLE = re.compile(r"^\.?[^.\[\]]+(?:\.[^.\[\]]+)*$")


def _simple_path(path: str) -> bool:
    return path.startswith(".") and _SIMPLE.match(path) is not None


def _column(errors: field.Errors, column: Object, path: str) -> None:
    if not column.get("name"):
        errors.append(field.required(f"{path}.name"))
    kind, known = column.get("type", ""), ",".join(_COLUMN_TYPES)
    if not kind:
        errors.append(field.required(f"{path}.type", f"must be one of {known}"))
    elif kind not in _COLUMN_TYPES:
        errors.append(field.invalid(f"{path}.type", kind, f"must be one of {known}"))
    form = column.get("format", "")
    if form and form not in _COLUMN_FORMATS:
        errors.append(field.invalid(f"{path}.format", form, f"must be one of {','.join(_COLUMN_FORMATS)}"))
    if not column.get("jsonPath"):
        errors.append(field.required(f"{path}.JSONPath"))
    elif not column["jsonPath"].startswith("."):
        why = "must be a simple json path starting with ."
        errors.append(field.invalid(f"{path}.JSONPath", column["jsonPath"], why))


def _immutable(errors: field.Errors, new: Object, old: Object) -> None:
    spec, before = new["spec"], old["spec"]
    if established(old):
        meta.immutable(errors, spec.get("scope"), before.get("scope"), "spec.scope")
        meta.immutable(errors, spec["names"].get("kind"), before["names"].get("kind"), "spec.names.kind")
    meta.immutable(errors, spec.get("group"), before.get("group"), "spec.group")
    meta.immutable(errors, spec["names"].get("plural"), before["names"].get("plural"), "spec.names.plural")


def established(crd: Object) -> bool:
    """Whether the definition's names have been accepted and it is served."""
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(entry["type"] == "Established" and entry["status"] == "True" for entry in conditions)


def _stored_versions(errors: field.Errors, crd: Object) -> None:
    stored = (crd.get("status") or {}).get("storedVersions") or []
    path = "status.storedVersions"
    if not stored:
        errors.append(field.invalid(path, GoValue(stored, "[]string"), "must have at least one stored version"))
        return
    versions = crd["spec"].get("versions") or []
    for version in versions:
        if version.get("storage") and version.get("name") not in stored:
            why = f"must have the storage version {version.get('name')}"
            errors.append(field.invalid(path, GoValue(stored, "[]string"), why))
    served = {version.get("name") for version in versions}
    for index, name in enumerate(stored):
        if name not in served:
            why = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in"
                f" spec.versions until a storage migration ensures no data remains persisted in {name} and removes"
                f" {name} from status.storedVersions"
            )
            errors.append(field.invalid(f"{path}[{index}]", name, why))


def _approval(errors: field.Errors, new: Object, old: Object | None) -> None:
    """Groups of Kubernetes itself need the annotation of its API reviewers."""
    group = new["spec"].get("group", "")
    if not (group in ("k8s.io", "kubernetes.io") or group.endswith(_PROTECTED)):
        return
    value = (new["metadata"].get("annotations") or {}).get(APPROVED, "")
    path = f"metadata.annotations[{APPROVED}]"
    if value.startswith("unapproved") or re.match(r"^https?://\S+$", value):
        return
    if old is not None and (old["metadata"].get("annotations") or {}).get(APPROVED, "") == value:
        return
    if not value:
        why = 'protected groups must have approval annotation "api-approved.kubernetes.io", see '
        errors.append(field.required(path, why + "https://github.com/kubernetes/enhancements/pull/1111"))
    else:
        why = (
            'protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason '
            'starting with "unapproved"'
        )
        errors.append(field.invalid(path, value, f"{why}, see https://github.com/kubernetes/enhancements/pull/1111"))
