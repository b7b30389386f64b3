"""`status`: the observed half of an object, written by those who observe."""

from __future__ import annotations

from minik8s.apiserver import bodies, options, scheme
from minik8s.apiserver.call import Call
from minik8s.apiserver.verbs import common, patch, update
from minik8s.objects import Object
from minik8s.wire import Response


def get(call: Call) -> Response:
    return Response(200, common.stored(call))


def put(call: Call) -> Response:
    call.options = options.write_options(call.request, "UpdateOptions")
    old = call.server.current(call.kind, call.key())
    obj = bodies.read_object(call, call.kind, old)
    common.check_namespace(call, obj)
    common.check_name(call, obj)
    if old is None:
        raise common.missing(call)
    update.check_uid(call, obj, old)
    return Response(200, store(call, old, scheme.default(call.kind, obj, old)))


def patch_(call: Call) -> Response:
    """The four patch types, on the status alone."""
    return patch.patch(call, store)


def store(call: Call, old: Object, new: Object, *, tracked: bool = True) -> Object:
    """Store what of `new` belongs to the status."""
    if tracked:
        new = scheme.track(call, new, old)
    new = update.admit(call, old, new)
    update.check_version(call, new, old)
    return update.write(call, old, new, scheme.prepare_status_update, scheme.validate_status_update)
