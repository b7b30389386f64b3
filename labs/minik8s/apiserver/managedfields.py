"""metadata.managedFields: who owns which field, kept up to date on every write.

`track` runs on each create, update and patch. Entries hold their sets in FieldsV1 form and are frozen, so a write that
changes nothing of an entry shares it with the stored object.

Source: k8s.io/apimachinery/pkg/util/managedfields/internal.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from minik8s.apiserver import compare as comparing
from minik8s.apiserver import typed
from minik8s.apiserver.fieldset import LEAF, FieldSet, difference, shared, union
from minik8s.objects import Object
from minik8s.objects.kinds import Kind
from minik8s.objects.meta import rfc3339

MAX_UPDATE_MANAGERS = 10
ANCIENT = "ancient-changes"
BEFORE_FIRST_APPLY = "before-first-apply"


class Manager(NamedTuple):
    """Who owns a set of fields. `api_version` is "" for Apply, whose identity does not depend on it."""

    name: str
    operation: str
    api_version: str
    subresource: str


class Entry(NamedTuple):
    """One entry of managedFields. `time` is RFC 3339 text, "" for none; `raw` the stored form it was read from."""

    fields: FieldSet
    api_version: str
    time: str
    raw: Object | None = None


Managed = dict[Manager, Entry]


def manager_of(name: str, operation: str, api_version: str, subresource: str = "") -> Manager:
    """The identity of a writer; an empty name is called "unknown"."""
    return Manager(name or "unknown", operation, "" if operation == "Apply" else api_version, subresource)


def decode(entries: list[Object] | None) -> Managed | None:
    """The entries of metadata.managedFields; None when they cannot be read."""
    out: Managed = {}
    for raw in entries or ():
        operation, fields = raw.get("operation", ""), raw.get("fieldsV1") or {}
        if operation not in ("Apply", "Update") or not isinstance(fields, dict):
            return None
        version = raw.get("apiVersion", "")
        manager = manager_of(raw.get("manager", ""), operation, version, raw.get("subresource", ""))
        out[manager] = Entry(fields, version, raw.get("time", ""), raw)
    return out


def encode(managed: Managed) -> list[Object]:
    """metadata.managedFields: Apply entries first, then by time, manager, version and subresource."""
    order = sorted(managed.items(), key=lambda item: (item[0].operation, item[1].time, item[0].name, *item[0][2:]))
    return [_encode(manager, entry) for manager, entry in order]


def _encode(manager: Manager, entry: Entry) -> Object:
    raw = entry.raw
    same = raw is not None and raw.get("fieldsV1") is entry.fields
    if raw is not None and same and raw.get("time", "") == entry.time:
        return raw
    out: Object = {"manager": manager.name, "operation": manager.operation, "apiVersion": entry.api_version}
    if entry.time:
        out["time"] = entry.time
    out |= {"fieldsType": "FieldsV1", "fieldsV1": entry.fields if same else shared(entry.fields)}
    if manager.subresource:
        out["subresource"] = manager.subresource
    return out


def with_entries(obj: Object, entries: list[Object] | None) -> Object:
    """The object with these managedFields."""
    metadata = dict(obj["metadata"])
    metadata.pop("managedFields", None)
    if entries:
        metadata["managedFields"] = entries
    return {**obj, "metadata": metadata}


def track(
    kind: Kind,
    old: Object | None,
    new: Object,
    manager: str,
    subresource: str,
    now: float,
    operation: str = "Update",
) -> Object:
    """`new` with its managedFields brought up to date for a write by `manager`.

    old          the stored object; None on create
    subresource  "" for the object itself; "status", "scale", ...
    now          virtual time in seconds
    """
    live = (old or {}).get("metadata", {}).get("managedFields")
    managed = _starting_point(live, new["metadata"].get("managedFields"), subresource)
    if not managed and old is not None:
        return with_entries(new, None) if "managedFields" in new["metadata"] else new
    who = manager_of(manager, operation, kind.api_version, subresource)
    update(kind, old or {}, new, managed, who, now)
    cap(managed)
    if live and len(managed) == len(live):
        entries = encode(managed)
        if all(mine is theirs for mine, theirs in zip(entries, live, strict=True)):
            entries = live
        return new if new["metadata"].get("managedFields") is entries else with_entries(new, entries)
    return with_entries(new, encode(managed))


def _starting_point(live: list[Object] | None, sent: list[Object] | None, subresource: str) -> Managed:
    """What the request left of managedFields: its own list when it is a valid one, else the stored list."""
    if sent is None or sent is live or subresource:
        return decode(live) or {}
    if sent == [] or sent == [{}]:
        return {}
    return decode(sent) or decode(live) or {}


def update(kind: Kind, old: Object, new: Object, managed: Managed, who: Manager, now: float) -> None:
    """Bring `managed` up to date for the change from `old` to `new` by `who`, in place."""
    removed, changed = comparing.compare(typed.of_kind(kind), old, new)
    ignored = reset_fields(kind, who.subresource)
    if ignored:
        removed = difference(removed, ignored, recursive=True)
        changed = difference(changed, ignored, recursive=True)
    if not removed and not changed:
        return
    mine = managed.get(who)
    lost = union(removed, changed)
    for manager in list(managed):
        entry = managed[manager]
        left = difference(entry.fields, lost)
        if not left:
            del managed[manager]
        elif left is not entry.fields:
            managed[manager] = entry._replace(fields=left)
    if changed:
        kept = managed.get(who)
        fields = union(kept.fields, changed) if kept else changed
        if mine is not None and fields == mine.fields:
            fields = mine.fields
        managed[who] = Entry(fields, kind.api_version, rfc3339(now), mine.raw if mine else None)


def cap(managed: Managed) -> None:
    """Merge the oldest Update entries of each version into one `ancient-changes` when there are more than ten."""
    updaters = [manager for manager in managed if manager.operation == "Update"]
    excess = len(updaters) - MAX_UPDATE_MANAGERS
    if excess <= 0:
        return
    updaters.sort(key=lambda manager: (managed[manager].time, manager))
    first: dict[str, Manager] = {}
    for manager in updaters:
        if excess <= 0:
            break
        version = managed[manager].api_version
        if version not in first:
            first[version] = manager
            continue
        bucket = manager_of(ANCIENT, "Update", version)
        if bucket not in managed:
            managed[bucket] = managed.pop(first[version])._replace(raw=None)
        entry = managed.pop(manager)
        managed[bucket] = Entry(union(entry.fields, managed[bucket].fields), version, entry.time)
        excess -= 1


@lru_cache(maxsize=512)
def reset_fields(kind: Kind, subresource: str) -> FieldSet:
    """What a write through this endpoint cannot change, and so does not own (the strategies' GetResetFields)."""
    has_status = kind.subresource("status") is not None
    if subresource == "status":
        return _STATUS_RESETS.get(kind.resource_name) or (_SPEC_AND_META if kind.custom else _SPEC)
    if subresource == "ephemeralcontainers":
        return _all_but(kind, "ephemeralContainers")
    if subresource == "approval":
        return {"f:spec": LEAF}
    return {"f:status": LEAF} if has_status and not subresource else {}


_SPEC: FieldSet = {"f:spec": LEAF}
_SPEC_AND_META: FieldSet = {"f:spec": LEAF, "f:metadata": LEAF}
_STATUS_RESETS: dict[str, FieldSet] = {
    "pods": {"f:spec": LEAF, "f:metadata": {"f:deletionTimestamp": LEAF, "f:ownerReferences": LEAF}},
    "deployments.apps": {"f:spec": LEAF, "f:metadata": {"f:labels": LEAF}},
    "customresourcedefinitions.apiextensions.k8s.io": _SPEC_AND_META,
    "apiservices.apiregistration.k8s.io": _SPEC_AND_META,
}


def _all_but(kind: Kind, field: str) -> FieldSet:
    """Everything except one field of spec."""
    spec = typed.of_kind(kind).fields["spec"]
    return {
        "f:metadata": LEAF,
        "f:status": LEAF,
        "f:spec": {f"f:{name}": LEAF for name in spec.fields if name != field},
    }


def same_but_times(left: list[Object] | None, right: list[Object] | None) -> bool:
    """Whether two managedFields differ in their times only."""
    return [_timeless(entry) for entry in left or ()] == [_timeless(entry) for entry in right or ()]


def _timeless(entry: Object) -> Any:
    return {key: value for key, value in entry.items() if key != "time"}


__all__ = [
    "Entry",
    "Managed",
    "Manager",
    "cap",
    "decode",
    "encode",
    "manager_of",
    "reset_fields",
    "same_but_times",
    "track",
    "update",
    "with_entries",
]
