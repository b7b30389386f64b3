"""Spreading endpoints over slices with as few changes as possible (k8s.io/endpointslice reconciler.go)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minik8s.client.api import Client
from minik8s.objects import Object
from minik8s.objects.meta import labels, name
from minik8s.wire import StatusError

SLICES = "endpointslices.discovery.k8s.io"
BY_SERVICE = "service"
MAX_ENDPOINTS = 100
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"


@dataclass
class Group:
    """Endpoints that share their ports; by `endpoint_key`."""

    ports: list[Object]
    endpoints: dict[str, Object]


def endpoint_key(endpoint: Object) -> str:
    """What makes two endpoints the same: their addresses and what they stand for."""
    target = endpoint.get("targetRef") or {}
    return f"{target.get('uid') or target.get('name', '')}|{','.join(sorted(endpoint['addresses']))}"


def plan(existing: Sequence[Object], groups: Sequence[Group], base: Object) -> list[Object]:
    """The slices that should exist. An unchanged one is the very object of `existing`; new ones have no name.

    Without endpoints one empty slice remains, so that readers know the Service was looked at.
    """
    by_ports: dict[str, list[Object]] = {}
    for old in existing:
        by_ports.setdefault(repr([dict(p) for p in old.get("ports") or ()]), []).append(old)
    wanted: list[Object] = []
    unused: list[Object] = list(existing)
    fresh: list[Object] = []
    for group in groups:
        same = by_ports.get(repr(group.ports), [])
        kept, new = _fill(same, group, base)
        wanted += kept
        fresh += new
        used = {s["metadata"]["name"] for s in kept}
        unused = [s for s in unused if s["metadata"]["name"] not in used]
    if not wanted and not fresh:
        fresh.append({**base, "endpoints": [], "ports": []})
    for new_slice in fresh:  # rather write an old slice anew than delete it and make another
        wanted.append(_replace(unused.pop(0), new_slice) if unused else new_slice)
    return wanted


def _fill(same: Sequence[Object], group: Group, base: Object) -> tuple[list[Object], list[Object]]:
    """(slices that stay, new ones). Newcomers go where something changes anyway, else all into the fullest slice with
    room for all of them, else into new slices: better one slice more than many that are sent out again."""
    left = dict(group.endpoints)
    changing: list[tuple[Object, list[Object]]] = []
    unchanged: list[tuple[Object, list[Object]]] = []
    for old in same:
        before = old.get("endpoints") or []
        staying = [left.pop(k) for e in before if (k := endpoint_key(e)) in left]
        if staying:
            (unchanged if staying == before else changing).append((old, staying))
    newcomers = list(left.values())
    for _, endpoints in sorted(changing, key=lambda pair: -len(pair[1])):
        while newcomers and len(endpoints) < MAX_ENDPOINTS:
            endpoints.append(newcomers.pop(0))
    fresh: list[Object] = []
    while newcomers:
        fitting = [e for _, e in unchanged if len(e) + len(newcomers) <= MAX_ENDPOINTS]
        if fitting:
            max(fitting, key=len).extend(newcomers)
            break
        fresh.append({**base, "endpoints": newcomers[:MAX_ENDPOINTS], "ports": group.ports})
        newcomers = newcomers[MAX_ENDPOINTS:]
    kept = [pair for old in same for pair in (*changing, *unchanged) if pair[0] is old]
    return [_replace(old, {**base, "endpoints": e, "ports": group.ports}) for old, e in kept], fresh


def _replace(old: Object, new: Object) -> Object:
    """`old` with the content of `new`; `old` itself when nothing differs."""
    same = (old.get("endpoints") or []) == new["endpoints"] and (old.get("ports") or []) == new["ports"]
    if same and old["metadata"].get("labels") == new["metadata"]["labels"]:
        return old
    meta = {**old["metadata"], "labels": new["metadata"]["labels"]}
    return {**old, "metadata": meta, "endpoints": new["endpoints"], "ports": new["ports"]}


def service_of(endpoint_slice: Object) -> list[str]:
    """The key of the Service that a slice belongs to, for an index BY_SERVICE."""
    found = labels(endpoint_slice).get(SERVICE_NAME)
    return [f"{endpoint_slice['metadata']['namespace']}/{found}"] if found else []


class SliceWriter:
    """Makes the stored slices those that `plan` wants."""

    def __init__(self, client: Client):
        self._client = client

    def write(self, existing: Sequence[Object], wanted: Sequence[Object]) -> None:
        kept = {name(s) for s in wanted if "name" in s["metadata"]}
        for one in wanted:
            if "name" not in one["metadata"]:
                self._client.create(SLICES, one)
            elif not any(one is old for old in existing):
                self._client.update(SLICES, one)
        for old in existing:
            if name(old) not in kept:
                self.delete(old)

    def delete(self, old: Object) -> None:
        try:
            self._client.delete(SLICES, old["metadata"]["namespace"], name(old))
        except StatusError as error:
            if error.code != 404:
                raise
