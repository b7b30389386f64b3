"""POST to a collection."""

from __future__ import annotations

from minik8s.apiserver import bodies, options, scheme
from minik8s.apiserver.call import Call
from minik8s.apiserver.errors import plain_error
from minik8s.apiserver.strategies import generate_name
from minik8s.apiserver.verbs import common
from minik8s.objects import Object, freeze
from minik8s.objects.meta import rfc3339
from minik8s.store import Exists
from minik8s.wire import Response, StatusError, already_exists

_NAME_ATTEMPTS = 8


def create(call: Call) -> Response:
    """Decode, default, admit, prepare, validate, store."""
    call.options = options.write_options(call.request, "CreateOptions")
    obj = bodies.read_object(call, call.kind)
    return Response(201, create_object(call, obj))


def create_object(call: Call, obj: Object, *, tracked: bool = False) -> Object:
    """Everything after decoding; also for an update or apply that creates. `obj` is consumed.

    `tracked`: its managed fields are settled already.
    """
    common.check_namespace(call, obj)
    meta = obj["metadata"] = dict(obj["metadata"])
    for name in ("uid", "creationTimestamp", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"):
        meta.pop(name, None)
    obj = scheme.default(call.kind, obj)
    common.dedup_owner_references(call, obj)
    if not tracked:
        obj = scheme.track(call, obj, None)
    attributes = call.attributes("CREATE", obj, None, meta.get("name") or "")
    call.server.admission.mutate(attributes)
    obj = attributes.object or obj
    attempts = _NAME_ATTEMPTS if meta.get("generateName") and not meta.get("name") else 1
    for attempt in range(attempts):
        try:
            return _store(call, dict(obj) if attempts > 1 else obj)
        except StatusError as error:
            if error.reason != "AlreadyExists" or attempt == attempts - 1:
                raise
    raise AssertionError("unreachable")


def _store(call: Call, obj: Object) -> Object:
    server = call.server
    meta = obj["metadata"] = dict(obj["metadata"])
    meta["creationTimestamp"] = rfc3339(call.now)
    meta["uid"] = server.clock.uid()
    if meta.get("generateName") and not meta.get("name"):
        meta["name"] = generate_name(meta["generateName"], server.clock.suffix())
    obj = scheme.prepare_create(call, obj)
    with server.allocators.allocate(call, obj, None):
        scheme.validate_create(call, obj)
        attributes = call.attributes("CREATE", obj, None, meta["name"])
        server.admission.validate(attributes)
        if obj["metadata"].get("resourceVersion"):
            raise plain_error("resourceVersion should not be set on objects to be created")
        return _commit(call, obj)


def _commit(call: Call, obj: Object) -> Object:
    server, key = call.server, common.place(call, obj)
    if call.options.dry_run:
        if (old := server.store.get(key)) is not None:
            raise _exists(call, key.name, old)
        return freeze(obj)  # type: ignore[no-any-return]
    try:
        created = server.store.create(key, server.storage_form(call.kind, obj))
    except Exists:
        raise _exists(call, key.name, server.store.get(key)) from None
    server.stored(call.kind, created)
    return server.versioned(call.kind, created)


def _exists(call: Call, name: str, old: Object | None) -> StatusError:
    error = already_exists(call.kind.plural, name, call.kind.group)
    if old is not None and old["metadata"].get("deletionTimestamp"):
        error.message = f"object is being deleted: {error.message}"
    return error
