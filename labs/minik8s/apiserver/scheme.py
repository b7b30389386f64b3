"""The bridge from the request flow to what is known of kinds: decode, default, prepare, validate.

Built-in kinds are handled by `minik8s.objects`, custom resources by `minik8s.apiserver.crd_kinds`.
"""

from __future__ import annotations

from minik8s.apiserver import crd, crd_kinds, crd_validation, managedfields
from minik8s.apiserver.apply import server_side_apply
from minik8s.apiserver.call import Call
from minik8s.apiserver.crd_kinds import CustomKind
from minik8s.apiserver.errors import invalid_fields
from minik8s.objects import Object, defaults, schema, validation, warnings
from minik8s.objects.kinds import Kind
from minik8s.objects.meta import rfc3339
from minik8s.objects.schema import DecodeResult, decode_type
from minik8s.objects.validation.field import Errors

__all__ = ["decode", "decode_type", "default"]


def decode(kind: Kind, obj: Object, old: Object | None = None) -> DecodeResult:
    """`obj` as the kind's own schema reads it; parts that are `old`'s own are taken as they are."""
    if isinstance(kind, CustomKind):
        return crd_kinds.decode(kind, obj)
    if kind.resource_name == crd.RESOURCE:
        return crd.read_schemas(schema.decode(kind, obj))
    return schema.decode(kind, obj, old)


def default(kind: Kind, obj: Object, old: Object | None = None) -> Object:
    """`obj` with what it leaves open filled in; it may be changed itself. `old`: the stored object it started from."""
    if old is not None and kind.kind == "Pod" and obj.get("spec") is old.get("spec"):
        return obj  # pods have defaults in their spec only, and this one has them
    if isinstance(kind, CustomKind):
        return crd_kinds.default(kind, obj)
    return defaults.apply_defaults(kind, obj)


def prepare_create(call: Call, obj: Object) -> Object:
    """What the storage does to a new object: generation, status, derived fields."""
    kind = call.kind
    if kind.resource_name == crd.RESOURCE:
        return crd.prepare_create(obj)
    return (
        crd_kinds.prepare_create(kind, obj)
        if isinstance(kind, CustomKind)
        else defaults.prepare_create(kind, obj, rfc3339(call.now))
    )


def validate_create(call: Call, obj: Object) -> None:
    """StatusError 422 when the new object is not valid."""
    kind = call.kind
    if isinstance(kind, CustomKind):
        _refuse(call, obj, crd_kinds.validate_create(kind, obj))
    elif kind.resource_name == crd.RESOURCE:
        _refuse(call, obj, crd_validation.validate(obj, None))
    else:
        _refuse(call, obj, validation.validate_create(kind, obj))
        call.warnings.extend(warnings.on_create(kind, obj))


def prepare_update(call: Call, new: Object, old: Object) -> Object:
    """What the storage does to a changed object."""
    kind = call.kind
    if isinstance(kind, CustomKind):
        return crd_kinds.prepare_update(kind, new, old)
    if kind.resource_name == crd.RESOURCE:
        return crd.prepare_update(new, old)
    return defaults.prepare_update(kind, new, old)


def validate_update(call: Call, new: Object, old: Object) -> None:
    kind = call.kind
    if isinstance(kind, CustomKind):
        _refuse(call, new, [*validation.common_update(kind, new, old), *crd_kinds.validate_update(kind, new, old)])
    elif kind.resource_name == crd.RESOURCE:
        _refuse(call, new, [*validation.common_update(kind, new, old), *crd_validation.validate(new, old)])
    else:
        _refuse(call, new, validation.validate_update(kind, new, old))
        call.warnings.extend(warnings.on_update(kind, new, old))


def prepare_status_update(call: Call, new: Object, old: Object) -> Object:
    """What of `new` the status subresource may change."""
    kind = call.kind
    if isinstance(kind, CustomKind):
        return crd_kinds.prepare_status_update(kind, new, old)
    return defaults.prepare_status_update(kind, new, old)


def validate_status_update(call: Call, new: Object, old: Object) -> None:
    kind = call.kind
    if isinstance(kind, CustomKind):
        errors = crd_kinds.validate_status_update(kind, new, old)
        _refuse(call, new, [*validation.common_update(kind, new, old), *errors])
    else:
        _refuse(call, new, validation.validate_status_update(kind, new, old))
        call.warnings.extend(warnings.on_status_update(kind, new))


def _refuse(call: Call, obj: Object, errors: Errors) -> None:
    if errors:
        raise invalid_fields(call.kind.kind, obj["metadata"].get("name", ""), errors, call.kind.group)


def track(call: Call, new: Object, old: Object | None, operation: str = "Update") -> Object:
    """`new` with its managed fields brought up to date for this request."""
    return managedfields.track(call.kind, old, new, call.manager, call.info.subresource, call.now, operation)


def apply(call: Call, live: Object | None, body: Object) -> Object:
    """The object after server-side apply of `body`."""
    force = bool(call.options.force)
    return server_side_apply(call.kind, live, body, call.options.manager, force, call.info.subresource, call.now)
