"""Custom kinds as the server serves them, and what its storage does with custom resources.

Sources: apiextensions-apiserver/pkg/registry/customresource/{strategy,status_strategy,validator}.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from minik8s.apiserver import crd_rules, crd_schema, crd_values, typed
from minik8s.objects import Object
from minik8s.objects.kinds import SCALE, STATUS_VERBS, Kind, Subresource, custom_kind
from minik8s.objects.schema import DecodeResult
from minik8s.objects.validation import field, meta, names

_MAX_INT32 = 2**31 - 1


@dataclass(frozen=True, eq=False)
class CustomKind(Kind):
    """One served version of a CustomResourceDefinition."""

    schema: Object | None = None
    columns: tuple[Object, ...] = ()
    scale: Object | None = None
    preserve_unknown: bool = False
    deprecation: str = ""

    @cached_property
    def node(self) -> typed.Node:
        return typed.of_schema(self.schema or {crd_schema.PRESERVE: True})

    @property
    def has_status(self) -> bool:
        return self.subresource("status") is not None


def kinds_of(crd: Object) -> list[CustomKind]:
    """The served versions of a definition, by the names that were accepted."""
    spec, accepted = crd["spec"], crd["status"]["acceptedNames"]
    group, namespaced = spec["group"], spec["scope"] == "Namespaced"
    stored = next(version["name"] for version in spec["versions"] if version.get("storage"))
    out = []
    for version in spec["versions"]:
        if not version.get("served"):
            continue
        subresources = _subresources(accepted["kind"], version.get("subresources") or {})
        base = custom_kind(group, version["name"], accepted, namespaced, subresources)
        values: dict[str, Any] = {name: getattr(base, name) for name in Kind.__dataclass_fields__}
        values["storage"] = None if version["name"] == stored else (group, stored)
        out.append(
            CustomKind(
                **values,
                schema=(version.get("schema") or {}).get("openAPIV3Schema"),
                columns=tuple(version.get("additionalPrinterColumns") or ()),
                scale=(version.get("subresources") or {}).get("scale"),
                preserve_unknown=bool(spec.get("preserveUnknownFields")),
                deprecation=_deprecation(version, group, accepted["kind"]),
            )
        )
    return sorted(out, key=lambda kind: version_order(kind.version))


def _subresources(kind: str, wanted: Object) -> tuple[Subresource, ...]:
    out: list[Subresource] = []
    if wanted.get("status") is not None:
        out.append(Subresource("status", kind, STATUS_VERBS))
    if wanted.get("scale") is not None:
        out.append(SCALE)
    return tuple(out)


def _deprecation(version: Object, group: str, kind: str) -> str:
    if not version.get("deprecated"):
        return ""
    text: str = version.get("deprecationWarning") or f"{group}/{version['name']} {kind} is deprecated"
    return text


def version_order(version: str) -> tuple[Any, ...]:
    """Sort key of kube-aware version priority: v2, v1, v1beta2, v1beta1, v1alpha1, then names."""
    match = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if match is None:
        return (1, version)
    major, stage, minor = match.groups()
    return (0, {None: 0, "beta": 1, "alpha": 2}[stage], -int(major), -int(minor or 0))


# -- reading -----------------------------------------------------------------------------------------------------


def decode(kind: CustomKind, obj: Object) -> DecodeResult:
    """`obj` with unknown fields pruned (unless the definition preserves them) and named."""
    schema = kind.schema or {crd_schema.PRESERVE: True}
    return crd_schema.decode(obj, {**schema, crd_schema.PRESERVE: True} if kind.preserve_unknown else schema)


def default(kind: CustomKind, obj: Object) -> Object:
    """`obj` with the schema's defaults, changed in place."""
    if kind.schema:
        metadata = obj.get("metadata")
        crd_schema.default(obj, kind.schema)
        if metadata is not None:
            obj["metadata"] = metadata
    return obj


# -- writing -----------------------------------------------------------------------------------------------------


def prepare_create(kind: CustomKind, obj: Object) -> Object:
    """Status is not set on create where it has its own endpoint; the first generation is 1."""
    out = {key: value for key, value in obj.items() if key != "status" or not kind.has_status}
    out["metadata"] = {**out["metadata"], "generation": 1}
    return out


def prepare_update(kind: CustomKind, new: Object, old: Object) -> Object:
    """Status stays as it was where it has its own endpoint; other changes than of metadata count as a generation."""
    out = dict(new)
    if kind.has_status:
        out.pop("status", None)
        if "status" in old:
            out["status"] = old["status"]
    if _content(out, kind.has_status) != _content(old, kind.has_status):
        out["metadata"] = {**out["metadata"], "generation": old["metadata"].get("generation", 0) + 1}
    return out


def _content(obj: Object, without_status: bool) -> Object:
    drop = ("metadata", "status") if without_status else ("metadata",)
    return {key: value for key, value in obj.items() if key not in drop}


def prepare_status_update(kind: CustomKind, new: Object, old: Object) -> Object:
    """Only status and managedFields change."""
    out = {key: value for key, value in old.items() if key != "status"}
    if "status" in new:
        out["status"] = new["status"]
    metadata = {key: value for key, value in old["metadata"].items() if key != "managedFields"}
    if new["metadata"].get("managedFields"):
        metadata["managedFields"] = new["metadata"]["managedFields"]
    return {**out, "metadata": metadata}


def validate_create(kind: CustomKind, obj: Object) -> field.Errors:
    """The faults of a new resource."""
    errors: field.Errors = []
    meta.object_meta(errors, obj["metadata"], kind.namespaced, lambda name, prefix: names.dns1123_subdomain(name))
    schema = kind.schema
    if schema:
        errors += crd_values.validate(obj, schema)
    errors += _scale_faults(kind, obj, spec=True)
    if schema:
        errors += crd_values.list_types(obj, schema)
        errors += crd_rules.evaluate(schema, obj, None, errors)
    return errors


def validate_update(kind: CustomKind, new: Object, old: Object) -> field.Errors:
    """The faults of a changed resource; what did not change is not faulted."""
    errors: field.Errors = []
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    schema = kind.schema
    if schema:
        errors += crd_values.validate(new, schema, "", old)
    errors += _scale_faults(kind, new, spec=True)
    if schema:
        before = [str(fault) for fault in crd_values.list_types(old, schema)]
        errors += [fault for fault in crd_values.list_types(new, schema) if str(fault) not in before]
        errors += crd_rules.evaluate(schema, new, old, errors)
    return errors


def validate_status_update(kind: CustomKind, new: Object, old: Object) -> field.Errors:
    """The faults of a changed status."""
    errors: field.Errors = []
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    schema = kind.schema or {}
    status = (schema.get("properties") or {}).get("status")
    if status and "status" in new:
        errors += crd_values.validate(new["status"], status, "status", old.get("status"))
        errors += crd_values.list_types(new["status"], status, "status")
    errors += _scale_faults(kind, new, spec=False)
    errors += crd_rules.evaluate({**schema, "properties": {"status": status or {}}}, new, old, errors)
    return errors


# -- scale -------------------------------------------------------------------------------------------------------


def _scale_faults(kind: CustomKind, obj: Object, *, spec: bool) -> field.Errors:
    if kind.scale is None:
        return []
    paths = [kind.scale["statusReplicasPath"]]
    if spec:
        paths.insert(0, kind.scale["specReplicasPath"])
    out: field.Errors = []
    for path in paths:
        value = at_path(obj, path)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            text = f"{path} accessor error: {value} is of the type {type(value).__name__}, expected int64"
            out.append(field.invalid(path, 0, text))
        elif value < 0:
            out.append(field.invalid(path, value, "should be a non-negative integer"))
        elif value > _MAX_INT32:
            out.append(field.invalid(path, value, f"should be less than or equal to {_MAX_INT32}"))
    return out


def at_path(obj: Any, path: str) -> Any:
    """The value at a simple JSON path such as `.spec.replicas`; None when there is none."""
    for part in path.removeprefix(".").split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj
