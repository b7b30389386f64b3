"""Server-side apply: merge what a manager applies, drop what it no longer applies, refuse what others own.

Sources: sigs.k8s.io/structured-merge-diff/merge/update.go, k8s.io/apimachinery/pkg/util/managedfields/internal.
"""

from __future__ import annotations

import json
from typing import Any

from minik8s import wire
from minik8s.apiserver import compare as comparing
from minik8s.apiserver import managedfields, merging, typed
from minik8s.apiserver.fieldset import FieldSet, contains, difference, intersection, path_text, paths, union
from minik8s.apiserver.managedfields import Entry, Managed, Manager
from minik8s.apiserver.typecheck import check
from minik8s.apiserver.typed import Node
from minik8s.objects import Object
from minik8s.objects.kinds import Kind, split_api_version
from minik8s.objects.meta import rfc3339
from minik8s.wire import StatusError

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_MAX_ANNOTATIONS = 256 * 1024
Conflicts = list[tuple[Manager, tuple[str, ...]]]


class _Conflict(Exception):
    def __init__(self, conflicts: Conflicts):
        self.conflicts = conflicts


def server_side_apply(
    kind: Kind,
    live: Object | None,
    patch: Object,
    manager: str,
    force: bool,
    subresource: str,
    now: float,
) -> Object:
    """The object after `manager` applied `patch`, with its managedFields; `live` itself when nothing changes.

    live   the stored object; None when it does not exist (the patch is then the object to create)
    force  take fields from their owners instead of failing

    StatusError: 400 for a patch of another kind or with managedFields, 409 with a FieldManagerConflict cause for each
    field that another manager owns, 500 for a patch that does not fit the schema (as upstream).
    """
    _check_kind(kind, patch)
    state = _Applying(kind, live, patch, manager, subresource, now)
    try:
        result = state.run(force)
    except _Conflict as found:
        result = _upgrade(state, found.conflicts) if manager == "kubectl" else _fail(found.conflicts)
    if manager == "kubectl" and (result["metadata"].get("annotations") or {}).get(LAST_APPLIED):
        result = _sync_last_applied(result, patch)
    if live is not None and _unchanged(live, result):
        return live
    return result


def _check_kind(kind: Kind, patch: Object) -> None:
    version, name = patch.get("apiVersion") or "", patch.get("kind") or ""
    if version != kind.api_version or name != kind.kind:
        group, of = split_api_version(version) if isinstance(version, str) else ("", "")
        raise wire.bad_request(f"invalid object type: {group}/{of}, Kind={name}")
    if (patch.get("metadata") or {}).get("managedFields") is not None:
        raise wire.bad_request("metadata.managedFields must be nil")


class _Applying:
    """One apply: what it works on, so that it can be run again with force."""

    def __init__(self, kind: Kind, live: Object | None, patch: Object, manager: str, subresource: str, now: float):
        self.kind, self.live, self.patch, self.now = kind, live or {}, patch, now
        self.exists = live is not None
        self.node = typed.of_kind(kind)
        self.who = managedfields.manager_of(manager, "Apply", kind.api_version, subresource)
        faults = check(self.node, patch)
        if faults:
            raise StatusError(500, "", f"failed to create typed patch object ({_name(kind, patch)}): {_faults(faults)}")

    def run(self, force: bool) -> Object:
        managed = self._managed()
        last = managed.get(self.who)
        merged = merging.merge(self.node, self.live, self.patch)
        named = _without_meta(comparing.named(self.node, self.patch))
        ignored = managedfields.reset_fields(self.kind, self.who.subresource)
        if ignored:
            named = difference(named, ignored, recursive=True)
        entry = Entry(named, self.kind.api_version, last.time if last else "", last.raw if last else None)
        managed[self.who] = entry
        if last is not None and last.fields:
            merged = self._prune(merged, managed, last)
        self._take(merged, managed, ignored, force)
        if not named:
            managed.pop(self.who, None)
        elif not self.exists or not _equal(self.live, merged):
            same = last is not None and last.fields == named
            managed[self.who] = entry._replace(fields=last.fields if same and last else named, time=rfc3339(self.now))
        return managedfields.with_entries(merged, managedfields.encode(managed))

    def _managed(self) -> Managed:
        """The stored owners; an object that nobody tracked yet belongs to before-first-apply."""
        managed = managedfields.decode(self.live.get("metadata", {}).get("managedFields"))
        if managed is None:
            raise wire.internal_error("failed to decode managed fields")
        if not managed and self.exists:
            version, sub = self.kind.api_version, self.who.subresource
            before = managedfields.manager_of(managedfields.BEFORE_FIRST_APPLY, "Update", version, sub)
            managedfields.update(self.kind, {}, self.live, managed, before, self.now)
        return managed

    def _prune(self, merged: Object, managed: Managed, last: Entry) -> Object:
        """Remove what this manager applied before, no longer applies, and nobody else owns."""
        node = self.node
        old = merging.with_named_parents(node, last.fields)
        pruned = _removed(node, merged, old)
        owned: FieldSet = {}
        for entry in managed.values():
            owned = union(owned, entry.fields)
        owned = merging.with_named_parents(node, owned)
        whole = merging.everything(node, merged)
        kept = union(merging.everything(node, pruned), owned)
        pruned = _removed(node, merged, difference(whole, kept))
        gone = intersection(difference(whole, merging.everything(node, pruned)), old)
        return _removed(node, merged, gone)

    def _take(self, merged: Object, managed: Managed, ignored: FieldSet, force: bool) -> None:
        """Take the fields that this apply changes from their owners; _Conflict unless `force`."""
        removed, changed = comparing.compare(self.node, self.live, merged)
        if ignored:
            removed = difference(removed, ignored, recursive=True)
            changed = difference(changed, ignored, recursive=True)
        conflicts: Conflicts = []
        for manager, entry in managed.items():
            if manager != self.who and not force:
                conflicts += [(manager, path) for path in paths(intersection(entry.fields, changed))]
        if conflicts:
            raise _Conflict(conflicts)
        lost = union(removed, changed)
        for manager in [manager for manager in managed if manager != self.who]:
            left = difference(managed[manager].fields, lost)
            if not left:
                del managed[manager]
            elif left is not managed[manager].fields:
                managed[manager] = managed[manager]._replace(fields=left)


def _removed(node: Node, obj: Object, fields: FieldSet) -> Object:
    if not fields:
        return obj
    rest = merging.remove(node, obj, fields)
    if rest is merging.DROP:
        rest = {}
    out: Object = {**{key: obj[key] for key in ("apiVersion", "kind") if key in obj}, **rest}
    # metadata that nobody owns is never removed
    out["metadata"] = {**_system(obj["metadata"]), **(out.get("metadata") or {})}
    return out


def _system(metadata: Object) -> Object:
    return {key: value for key, value in metadata.items() if key in comparing.STRIPPED_META}


def _without_meta(fields: FieldSet) -> FieldSet:
    """The set without what nobody owns: type, and what the server sets in metadata."""
    out = {key: below for key, below in fields.items() if key not in ("f:apiVersion", "f:kind", "f:metadata")}
    metadata = fields.get("f:metadata") or {}
    kept = {key: below for key, below in metadata.items() if key != "." and key[2:] not in comparing.STRIPPED_META}
    if kept:
        out["f:metadata"] = kept
    return out


def _name(kind: Kind, patch: Object) -> str:
    metadata = patch.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    space, name = (metadata.get(key) if isinstance(metadata.get(key), str) else "" for key in ("namespace", "name"))
    return f"{space}/{name}; {kind.group}/{kind.version}, Kind={kind.kind}"


def _faults(faults: list[str]) -> str:
    return faults[0] if len(faults) == 1 else "errors:\n" + "\n".join(f"  {fault}" for fault in faults)


def _equal(live: Object, merged: Object) -> bool:
    return bool(merged == live)


def _unchanged(live: Object, result: Object) -> bool:
    """Whether only times of managedFields differ."""
    mine, theirs = result["metadata"].get("managedFields"), live["metadata"].get("managedFields")
    if not managedfields.same_but_times(mine, theirs):
        return False
    return managedfields.with_entries(result, None) == managedfields.with_entries(live, None)


# -- conflicts ---------------------------------------------------------------------------------------------------


def _manager_text(manager: Manager) -> str:
    text = json.dumps(manager.name, ensure_ascii=False)
    if manager.subresource:
        text += f' with subresource "{manager.subresource}"'
    return f"{text} using {manager.api_version}" if manager.operation == "Update" else text


def _fail(conflicts: Conflicts) -> Object:
    """409 that names every owner and field."""
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {_manager_text(manager)}",
            "field": path_text(path),
        }
        for manager, path in conflicts
    ]
    raise StatusError(409, "Conflict", _conflict_message(conflicts), {"causes": causes})


def _conflict_message(conflicts: Conflicts) -> str:
    if len(conflicts) == 1:
        manager, path = conflicts[0]
        return f"Apply failed with 1 conflict: conflict with {_manager_text(manager)}: {path_text(path)}"
    lines = []
    for manager in sorted({manager for manager, _ in conflicts}, key=_identifier):
        lines.append(f"conflicts with {_manager_text(manager)}:")
        lines += [f"- {path_text(path)}" for owner, path in conflicts if owner == manager]
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)


def _identifier(manager: Manager) -> str:
    """The JSON text by which upstream sorts managers."""
    found = {"manager": manager.name, "operation": manager.operation, "apiVersion": manager.api_version}
    if manager.subresource:
        found["subresource"] = manager.subresource
    return json.dumps({key: value for key, value in found.items() if value}, separators=(",", ":"))


# -- from client-side apply --------------------------------------------------------------------------------------


def _upgrade(state: _Applying, conflicts: Conflicts) -> Object:
    """kubectl may take what its own client-side apply left, as the last-applied annotation tells."""
    allowed = _allowed(state)
    if allowed is None:
        _fail(conflicts)
        raise AssertionError
    if any(not contains(allowed, path) for _, path in conflicts):
        _fail([(manager, path) for manager, path in conflicts if not contains(allowed, path)])
    return state.run(True)


def _allowed(state: _Applying) -> FieldSet | None:
    """The fields of the last-applied annotation that still have the value it says; None when there is none."""
    text = (state.live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    try:
        last: Any = json.loads(text) if text else None
    except ValueError:
        return None
    if not isinstance(last, dict) or last.get("apiVersion") != state.kind.api_version:
        return None
    removed, changed = comparing.compare(state.node, last, state.live)
    return difference(difference(comparing.named(state.node, last), changed), removed)


def _sync_last_applied(obj: Object, patch: Object) -> Object:
    """Keep the annotation of client-side apply in step, so that both ways of applying can be mixed."""
    metadata = dict(patch["metadata"])
    if "annotations" in metadata:
        metadata["annotations"] = {k: v for k, v in (metadata["annotations"] or {}).items() if k != LAST_APPLIED}
    text = json.dumps({**patch, "metadata": metadata}, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    annotations = {**obj["metadata"]["annotations"], LAST_APPLIED: text}
    if sum(len(key) + len(value.encode()) for key, value in annotations.items()) > _MAX_ANNOTATIONS:
        del annotations[LAST_APPLIED]
    return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}
