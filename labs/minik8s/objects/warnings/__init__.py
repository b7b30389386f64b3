"""Warnings about objects that are valid and yet probably not meant (``WarningsOnCreate``, ``WarningsOnUpdate``).

Pure functions from objects that passed validation to texts; the words are Kubernetes 1.36's own
(``pkg/registry/*/*/strategy.go``, ``pkg/api/*/warnings.go``).
"""

from __future__ import annotations

from collections.abc import Callable

from minik8s.objects.frozen import Object
from minik8s.objects.kinds import Kind
from minik8s.objects.warnings import networks, others, workloads

__all__ = ["on_create", "on_status_update", "on_update"]

Create = Callable[[Object], list[str]]
Update = Callable[[Object, Object], list[str]]
_CREATE: dict[tuple[str, str], Create] = {**workloads.CREATE, **networks.CREATE, **others.CREATE}
_UPDATE: dict[tuple[str, str], Update] = {**workloads.UPDATE, **networks.UPDATE, **others.UPDATE}


def on_create(kind: Kind, obj: Object) -> list[str]:
    """What to say to who creates `obj`."""
    rule = _CREATE.get((kind.group, kind.kind))
    return rule(obj) if rule is not None else []


def on_update(kind: Kind, new: Object, old: Object) -> list[str]:
    """What to say to who replaces `old` by `new`."""
    rule = _UPDATE.get((kind.group, kind.kind))
    return rule(new, old) if rule is not None else []


def on_status_update(kind: Kind, new: Object) -> list[str]:
    """What to say to who replaces the status."""
    rule = networks.STATUS.get((kind.group, kind.kind))
    return rule(new) if rule is not None else []
