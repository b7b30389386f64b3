"""Defaulting per kind, as ``pkg/apis/<group>/<version>/defaults.go``, and what the registry's strategies do to an
object before it is stored (``pkg/registry/<group>/<kind>/strategy.go``).

All functions take decoded objects (``schema.decode``) as plain dicts. One file per API group; each fills ``DEFAULTS``
and the strategy tables below, keyed by ``(group, version, kind)`` or ``(group, kind)``.
"""

from __future__ import annotations

from collections.abc import Callable

from minik8s.objects.defaults import apps, autoscaling, batch, core, extensions, networking, others
from minik8s.objects.defaults.strategies import prepare_create, prepare_status_update, prepare_update
from minik8s.objects.frozen import Object, thaw
from minik8s.objects.kinds import Kind

__all__ = ["apply_defaults", "prepare_create", "prepare_status_update", "prepare_update"]

DEFAULTS: dict[tuple[str, str, str], Callable[[Object], None]] = {
    **core.DEFAULTS, **apps.DEFAULTS, **batch.DEFAULTS, **autoscaling.DEFAULTS,
    **networking.DEFAULTS, **extensions.DEFAULTS, **others.DEFAULTS}


def apply_defaults(kind: Kind, obj: Object) -> Object:
    """Fill in what the object leaves open; changes ``obj`` and returns it. A kind without defaults is left alone.
    Frozen parts need no defaults when they come from the store; if one does, the object is copied first."""
    defaults = DEFAULTS.get((kind.group, kind.version, kind.kind))
    if defaults is not None:
        try:
            defaults(obj)
        except TypeError:
            obj = thaw(obj)
            defaults(obj)
    return obj
