"""DELETE of an object or of a collection: grace periods, finalizers, propagation, preconditions.

Source: k8s.io/apiserver/pkg/registry/generic/registry/store.go and pkg/registry/rest/delete.go.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minik8s.apiserver import bodies, crd, options
from minik8s.apiserver.call import Call
from minik8s.apiserver.encoding import ObjectList
from minik8s.apiserver.options import DeleteOptions
from minik8s.apiserver.strategies import ORPHANS_BY_DEFAULT, RETURNS_DELETED, UNCOLLECTED
from minik8s.apiserver.verbs import common
from minik8s.apiserver.verbs.read import predicate
from minik8s.objects import Object, freeze
from minik8s.objects.meta import parse_time, rfc3339
from minik8s.wire import Response, StatusError, conflict, forbidden

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
_JOBS_ORPHANED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set"
    " propagationPolicy=Orphan to suppress this warning"
)
_SYSTEM_CLASSES = ("system-node-critical", "system-cluster-critical")


def delete(call: Call) -> Response:
    """Delete one object, or mark it for those who still have to let go of it."""
    wanted = options.delete_options(call.request, bodies.read_delete_options(call))
    call.options.dry_run = wanted.dry_run
    old = call.server.current(call.kind, call.key())
    if old is None:
        call.server.admission.validate(call.attributes("DELETE", None, None))
        raise common.missing(call)
    if call.kind.resource_name == "jobs.batch" and wanted.propagation is None and wanted.orphan is None:
        call.warnings.append(_JOBS_ORPHANED)
    result, gone = delete_object(call, old, wanted)
    status = 202 if not gone and wanted.orphan is False else 200
    return Response(status, result)


def delete_object(call: Call, old: Object, wanted: DeleteOptions) -> tuple[Object, bool]:
    """(what the API answers, whether the object is gone). StatusError."""
    call.server.admission.validate(call.attributes("DELETE", None, old, old["metadata"]["name"]))
    if call.kind.resource_name == "priorityclasses.scheduling.k8s.io" and old["metadata"]["name"] in _SYSTEM_CLASSES:
        why = "this is a system priority class and cannot be deleted"
        raise forbidden(call.kind.plural, old["metadata"]["name"], why, call.kind.group)
    check_preconditions(call, old, wanted)
    if call.kind.resource_name == "namespaces":
        return _delete_namespace(call, old)
    if call.kind.resource_name == crd.RESOURCE:
        old = crd.with_finalizer(old)
    marked, graceful, pending = _grace(call, old, wanted)
    if pending:
        return _answer(call, old, False), False
    meta = dict(marked["metadata"])
    _finalizers(call, meta, wanted)
    waiting = bool(meta.get("finalizers"))
    if waiting and not graceful:
        _mark_deleting(call, meta)
    new = freeze({**marked, "metadata": meta})
    if new["metadata"] != old["metadata"] and (graceful or waiting):
        new = _update(call, new)
    if waiting or meta.get("deletionGracePeriodSeconds"):
        return _answer(call, new, False), False
    if call.options.dry_run:
        return _answer(call, new, True), True
    return _answer(call, remove(call, new if graceful else old), True), True


def remove(call: Call, obj: Object) -> Object:
    """Take the object out of the store; its last state."""
    server = call.server
    key = call.key(obj["metadata"]["name"])
    last = server.store.delete(key, final=server.storage_form(call.kind, obj))
    server.removed(call.kind, last)
    return server.versioned(call.kind, last)


def check_preconditions(call: Call, obj: Object, wanted: DeleteOptions) -> None:
    """uid and resourceVersion, when given, must be the object's. StatusError 409."""
    meta, kind = obj["metadata"], call.kind
    if wanted.uid is not None and wanted.uid != meta["uid"]:
        why = (
            f"the UID in the precondition ({wanted.uid}) does not match the UID in record ({meta['uid']})."
            " The object might have been deleted and then recreated"
        )
        raise conflict(kind.kind, meta["name"], why, kind.group)
    if wanted.resource_version is not None and wanted.resource_version != meta["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({wanted.resource_version}) does not match the ResourceVersion in"
            f" record ({meta['resourceVersion']}). The object might have been modified"
        )
        raise conflict(kind.kind, meta["name"], why, kind.group)


def _grace(call: Call, old: Object, wanted: DeleteOptions) -> tuple[Object, bool, bool]:
    """(the object marked, whether it is deleted gracefully, whether a deletion is under way that nothing changes)."""
    if call.kind.resource_name != "pods":
        return old, False, False
    meta = old["metadata"]
    if meta.get("deletionTimestamp") is not None:
        current = meta.get("deletionGracePeriodSeconds")
        if current is None:
            return old, False, True
        if wanted.grace is None or wanted.grace >= current:
            return old, current == 0 and not meta.get("finalizers"), True
        moment = parse_time(meta["deletionTimestamp"]) - current + wanted.grace
        return _marked(old, moment, wanted.grace, meta.get("generation")), True, False
    period = _pod_grace(old, wanted)
    generation = meta.get("generation")
    generation = generation + 1 if generation else generation
    return _marked(old, call.now + period, period, generation), True, False


def _pod_grace(pod: Object, wanted: DeleteOptions) -> int:
    """podStrategy.CheckGracefulDelete: nothing has to end gracefully that never ran or has ended."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    period = wanted.grace if wanted.grace is not None else spec.get("terminationGracePeriodSeconds") or 0
    if not spec.get("nodeName") or status.get("phase") in ("Failed", "Succeeded"):
        period = 0
    return int(period) if period >= 0 else 1


def _marked(old: Object, moment: float, grace: int, generation: Any) -> Object:
    meta = {**old["metadata"], "deletionTimestamp": rfc3339(moment), "deletionGracePeriodSeconds": grace}
    if generation:
        meta["generation"] = generation
    return {**old, "metadata": meta}


def _mark_deleting(call: Call, meta: Object) -> None:
    """markAsDeleting: for kinds that know no grace but have finalizers."""
    if meta.get("deletionTimestamp") is None:
        if meta.get("generation"):
            meta["generation"] += 1
        meta["deletionTimestamp"] = rfc3339(call.now)
    meta["deletionGracePeriodSeconds"] = 0


def _finalizers(call: Call, meta: Object, wanted: DeleteOptions) -> None:
    """Set or take away the finalizers by which the garbage collector is asked to orphan or to go first."""
    if call.kind.resource_name in UNCOLLECTED:
        return
    old = list(meta.get("finalizers") or ())
    new = [name for name in old if name not in (ORPHAN, FOREGROUND)]
    if _orphans(call, old, wanted):
        new.append(ORPHAN)
    if _foreground(old, wanted):
        new.append(FOREGROUND)
    if set(new) != set(old):
        if new:
            meta["finalizers"] = new
        else:
            meta.pop("finalizers", None)


def _orphans(call: Call, finalizers: list[str], wanted: DeleteOptions) -> bool:
    if wanted.orphan is not None:
        return wanted.orphan
    if wanted.propagation is not None:
        return wanted.propagation == "Orphan"
    for name in finalizers:
        if name in (ORPHAN, FOREGROUND):
            return name == ORPHAN
    return call.kind.resource_name in ORPHANS_BY_DEFAULT


def _foreground(finalizers: list[str], wanted: DeleteOptions) -> bool:
    if wanted.orphan is not None:
        return False
    if wanted.propagation is not None:
        return wanted.propagation == "Foreground"
    for name in finalizers:
        if name in (ORPHAN, FOREGROUND):
            return name == FOREGROUND
    return False


def _update(call: Call, new: Object) -> Object:
    if call.options.dry_run:
        return new
    server = call.server
    stored = server.store.update(call.key(new["metadata"]["name"]), server.storage_form(call.kind, new))
    server.stored(call.kind, stored)
    return server.versioned(call.kind, stored)


def _answer(call: Call, obj: Object, gone: bool) -> Object:
    """The object, or a Status about it when the kind answers so."""
    del gone
    if call.kind.resource_name in RETURNS_DELETED or obj["metadata"].get("finalizers"):
        return obj
    return deleted_status(call, obj)


def deleted_status(call: Call, obj: Object) -> Object:
    meta = obj["metadata"]
    details: Object = {"name": meta["name"]}
    if call.kind.group:
        details["group"] = call.kind.group
    details |= {"kind": call.kind.plural, "uid": meta["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _delete_namespace(call: Call, old: Object) -> tuple[Object, bool]:
    """namespace/storage: the first delete marks it Terminating; it goes when its spec has no finalizers left."""
    meta = old["metadata"]
    if meta["name"] in ("default", "kube-system", "kube-public"):
        raise forbidden("namespaces", meta["name"], "this namespace may not be deleted")
    if meta.get("deletionTimestamp") is None:
        status = {**(old.get("status") or {}), "phase": "Terminating"}
        marked = {**old, "metadata": {**meta, "deletionTimestamp": rfc3339(call.now)}, "status": status}
        return _update(call, freeze(marked)), False
    if (old.get("spec") or {}).get("finalizers") or meta.get("finalizers"):
        return old, False
    if call.options.dry_run:
        return old, True
    return remove(call, old), True


def delete_collection(call: Call) -> Response:
    """Delete everything that the selectors let through; answers the objects as they were."""
    body = bodies.read_delete_options(call)
    wanted = options.delete_options(call.request, body)
    call.options.dry_run = wanted.dry_run
    listing = options.list_options(call.request, False)
    keep = predicate(call, listing)
    server, kind = call.server, call.kind
    items = server.store.list(kind.storage_resource, call.info.namespace or None if kind.namespaced else "")
    chosen = [server.versioned(kind, obj) for obj in items]
    chosen = [obj for obj in chosen if keep is None or keep(obj)]
    for obj in chosen:
        _delete_one(call, obj, wanted)
    meta = {"resourceVersion": str(server.store.revision)}
    listed = {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": meta, "items": chosen}
    return Response(200, listed if kind.custom else ObjectList(listed))


def _delete_one(call: Call, obj: Object, wanted: DeleteOptions) -> None:
    meta = obj["metadata"]
    info = replace(call.info, name=meta["name"], namespace=meta.get("namespace", ""))
    single = replace(call, info=info)
    current = call.server.current(call.kind, single.key())
    if current is None:
        return
    try:
        delete_object(single, current, wanted)
    except StatusError as error:
        if error.code != 404:
            raise
