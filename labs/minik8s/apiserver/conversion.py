"""Kinds that are served in a version other than the one they are kept in: Events and HorizontalPodAutoscalers."""

from __future__ import annotations

from minik8s.objects import Object
from minik8s.objects.kinds import Kind


def to_storage(kind: Kind, obj: Object) -> Object:
    return obj


def from_storage(kind: Kind, obj: Object) -> Object:
    return obj
