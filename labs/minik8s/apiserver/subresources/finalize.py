"""namespaces/finalize: the namespace controller says that nothing is left in it."""

from __future__ import annotations

from minik8s.apiserver import bodies, options, scheme
from minik8s.apiserver.call import Call
from minik8s.apiserver.verbs import common, update
from minik8s.objects import Object
from minik8s.wire import Response


def put(call: Call) -> Response:
    """Only spec.finalizers is taken from the body."""
    call.options = options.write_options(call.request, "UpdateOptions")
    old = call.server.current(call.kind, call.key())
    obj = bodies.read_object(call, call.kind, old)
    common.check_name(call, obj)
    if old is None:
        raise common.missing(call)
    update.check_uid(call, obj, old)
    update.check_version(call, obj, old)
    obj = scheme.track(call, obj, old)
    return Response(200, update.write(call, old, obj, _prepare, _validate))


def _prepare(call: Call, new: Object, old: Object) -> Object:
    finalizers = (new.get("spec") or {}).get("finalizers")
    spec = {key: value for key, value in (old.get("spec") or {}).items() if key != "finalizers"}
    if finalizers:
        spec["finalizers"] = finalizers
    return {**old, "metadata": new["metadata"], "spec": spec}


def _validate(call: Call, new: Object, old: Object) -> None:
    """Whatever finalizers are left may be taken away."""
