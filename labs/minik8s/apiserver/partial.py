"""meta.k8s.io/v1 PartialObjectMetadata: an object reduced to its metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minik8s.objects import Object


def metadata(obj: Object) -> Object:
    """The PartialObjectMetadata of one object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def metadata_list(objs: Iterable[Object], list_meta: Mapping[str, Any]) -> Object:
    """A PartialObjectMetadataList of objects, with the metadata of their list."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": dict(list_meta),
        "items": [metadata(obj) for obj in objs],
    }
