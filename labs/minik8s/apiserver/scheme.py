"""The bridge from the request flow to what is known of kinds: decode, default, prepare, validate.

Built-in kinds are handled by `minik8s.objects`, custom resources by `minik8s.apiserver.crd`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from minik8s.apiserver import managedfields
from minik8s.apiserver.apply import server_side_apply
from minik8s.objects import Object
from minik8s.objects import schema as _schema
from minik8s.objects.kinds import Kind

if TYPE_CHECKING:
    from minik8s.apiserver.call import Call


def _optional(module: str, name: str, default: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return getattr(import_module(module), name, default)  # type: ignore[no-any-return]
    except ImportError:
        return default


decode_type = _schema.decode_type


def decode(call: Call, kind: Kind, obj: Object, old: Object | None = None) -> _schema.DecodeResult:
    """`obj` as the kind's own schema reads it."""
    return _schema.decode(kind, obj, old)


_defaults = _optional("minik8s.objects.defaults", "apply_defaults", lambda kind, obj: None)


def default(call: Call, kind: Kind, obj: Object) -> Object:
    _defaults(kind, obj)
    return obj


def prepare_create(call: Call, obj: Object) -> Object:
    return obj


def validate_create(call: Call, obj: Object) -> None:
    pass


def prepare_update(call: Call, new: Object, old: Object) -> Object:
    return new


def validate_update(call: Call, new: Object, old: Object) -> None:
    pass


def prepare_status_update(call: Call, new: Object, old: Object) -> Object:
    meta = {**old["metadata"], "managedFields": new["metadata"].get("managedFields")}
    return {**old, "metadata": meta, "status": new.get("status") or {}}


def validate_status_update(call: Call, new: Object, old: Object) -> None:
    pass


def track(call: Call, new: Object, old: Object | None, operation: str = "Update") -> Object:
    """`new` with its managed fields brought up to date for this request."""
    return managedfields.track(
        call.kind, old, new, call.manager, call.info.subresource, call.now, operation
    )


def apply(call: Call, live: Object | None, body: Object) -> Object:
    """The object after server-side apply of `body`."""
    force = bool(call.options.force)
    return server_side_apply(call.kind, live, body, call.options.manager, force, call.info.subresource, call.now)


def unstructured_error(kind: Kind, obj: Object) -> str:
    """Why a strategically patched object cannot be converted."""
    return _schema.decode(kind, obj).error
