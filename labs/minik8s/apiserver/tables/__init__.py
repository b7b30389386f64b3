"""meta.k8s.io/v1 Tables: what `kubectl get` shows, decided by the server.

One file per group of kinds holds their rows; `columns.json` holds the column definitions that Kubernetes 1.36 serves
(names, types, and the descriptions it takes from its API types). Kinds without rows of their own get `Name` and
`Created At`; custom resources get what their definition asks for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from minik8s.apiserver import partial
from minik8s.apiserver.tables import core, custom, network, pods, policy, storage, workloads
from minik8s.objects import Object
from minik8s.objects.kinds import Kind

Row = Callable[[Object, float], list[Any]]

ROWS: dict[str, Row] = {
    **core.ROWS,
    **workloads.ROWS,
    **network.ROWS,
    **storage.ROWS,
    **policy.ROWS,
}
AGE_COLUMN: Object = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
_SAME = {"events.events.k8s.io": "events"}


@lru_cache(maxsize=1)
def _definitions() -> dict[str, list[Object]]:
    """Column definitions by resource name; "" holds those of kinds without their own."""
    data = json.loads(resources.files(__package__).joinpath("columns.json").read_text("utf-8"))
    texts: list[str] = data["descriptions"]
    return {
        name: [
            {"name": title, "type": kind, "format": form, "description": texts[text], "priority": priority}
            for title, kind, form, priority, text in columns
        ]
        for name, columns in data["columns"].items()
    }


def columns(kind: Kind) -> list[Object]:
    """The column definitions of a kind's Table."""
    known = _definitions()
    if kind.custom:
        extra = custom.definitions(_custom_columns(kind))
        if extra and extra[-1]["name"] == "Age" and not getattr(kind, "columns", ()):
            extra[-1]["description"] = known[""][1]["description"]
        return [known[""][0], *extra]
    return known.get(_SAME.get(kind.resource_name, kind.resource_name)) or known[""]


def _custom_columns(kind: Kind) -> list[Object]:
    return list(getattr(kind, "columns", ())) or [AGE_COLUMN]


def render(
    kind: Kind,
    objs: Iterable[Object],
    now: float,
    include_object: str = "Metadata",
    list_meta: Mapping[str, Any] | None = None,
    *,
    headers: bool = True,
    subresource: str = "",
) -> Object:
    """A Table of `objs`.

    include_object  "Metadata", "Object" or "None" (the `includeObject` query parameter)
    list_meta       metadata of the list; None: `objs` is one object, whose resourceVersion is used
    headers         False for the events of a watch after its first one: columnDefinitions is null
    subresource     "scale" when the objects are Scales rather than of `kind`
    """
    items = list(objs)
    if subresource == "scale":
        row, heads = ROWS["scales.autoscaling"], _definitions()["scales.autoscaling"]
    else:
        row, heads = row_of(kind), columns(kind)
    if list_meta is None:
        version = items[0]["metadata"].get("resourceVersion", "") if items else ""
        list_meta = {"resourceVersion": version} if version else {}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {key: value for key, value in list_meta.items() if value not in ("", None)},
        "columnDefinitions": heads if headers else None,
        "rows": [_table_row(row, obj, now, include_object) for obj in items],
    }


def row_of(kind: Kind) -> Row:
    """The function from (object, now) to the cells of its row."""
    if kind.custom:
        extra = _custom_columns(kind)
        return lambda obj, now: [obj["metadata"]["name"], *custom.cells(obj, extra, now)]
    name = _SAME.get(kind.resource_name, kind.resource_name)
    return ROWS.get(name, _name_and_creation)


def _name_and_creation(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"].get("name", ""), obj["metadata"].get("creationTimestamp")]


def _table_row(row: Row, obj: Object, now: float, include_object: str) -> Object:
    out: Object = {"cells": row(obj, now)}
    if obj.get("kind") == "Pod":
        conditions = pods.row_conditions(obj)
        if conditions:
            out["conditions"] = conditions
    if include_object == "Object":
        out["object"] = obj
    else:
        out["object"] = partial.metadata(obj) if include_object != "None" else None
    return out


__all__ = ["columns", "render", "row_of"]
