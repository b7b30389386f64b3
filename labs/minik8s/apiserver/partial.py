"""meta.k8s.io/v1 PartialObjectMetadata: an object reduced to its metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minik8s.objects import Object

_DAEMON_SET_GENERATION = "deprecated.daemonset.template.generation"
"""Written by the conversion to apps/v1, so not in the metadata of the internal object."""


def metadata(obj: Object) -> Object:
    """The PartialObjectMetadata of one object."""
    found = obj["metadata"]
    if obj.get("kind") == "DaemonSet" and _DAEMON_SET_GENERATION in (found.get("annotations") or {}):
        found = _without_generation(found)
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": found}


def _without_generation(found: Object) -> Object:
    annotations = {key: value for key, value in found["annotations"].items() if key != _DAEMON_SET_GENERATION}
    out = {key: value for key, value in found.items() if key != "annotations"}
    return {**out, "annotations": annotations} if annotations else out


def metadata_list(objs: Iterable[Object], list_meta: Mapping[str, Any]) -> Object:
    """A PartialObjectMetadataList of objects, with the metadata of their list."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": dict(list_meta),
        "items": [metadata(obj) for obj in objs],
    }
