"""pods/ephemeralcontainers and pods/resize: the parts of a pod's spec that may change while it runs."""

from __future__ import annotations

from minik8s.apiserver import bodies, options, scheme
from minik8s.apiserver.call import Call
from minik8s.apiserver.errors import invalid_fields
from minik8s.apiserver.verbs import common, patch, update
from minik8s.objects import Object
from minik8s.objects.validation import pod_updates
from minik8s.objects.validation.field import Errors
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
    return Response(200, store(call, old, scheme.default(call.kind, obj)))


def patch_(call: Call) -> Response:
    return patch.patch(call, store)


def store(call: Call, old: Object, new: Object, *, tracked: bool = True) -> Object:
    """Store what of `new` the subresource may change."""
    if tracked:
        new = scheme.track(call, new, old)
    new = update.admit(call, old, new)
    update.check_version(call, new, old)
    if call.info.subresource == "resize":
        return update.write(call, old, new, _prepare_resize, _validate_resize)
    return update.write(call, old, new, _prepare_ephemeral, _validate_ephemeral)


def _prepare_ephemeral(call: Call, new: Object, old: Object) -> Object:
    spec = {key: value for key, value in old["spec"].items() if key != "ephemeralContainers"}
    if added := new["spec"].get("ephemeralContainers"):
        spec["ephemeralContainers"] = added
    return _with_spec(new, old, spec)


def _prepare_resize(call: Call, new: Object, old: Object) -> Object:
    spec, parts = dict(old["spec"]), ("initContainers", "containers")
    if any(len(new["spec"].get(part) or ()) != len(spec.get(part) or ()) for part in parts):
        return new  # for validation to refuse
    spec.pop("resources", None)
    if "resources" in new["spec"]:
        spec["resources"] = new["spec"]["resources"]
    for part in parts:
        if part in spec:
            spec[part] = _resized(new["spec"].get(part) or [], spec[part])
    return _with_spec(new, old, spec)


def _resized(new: list[Object], old: list[Object]) -> list[Object]:
    """The old containers with the new resources; a list that was reordered is left for validation to refuse."""
    if [c.get("name") for c in new] != [c.get("name") for c in old]:
        return new
    fields = ("resources", "resizePolicy")
    return [
        {**{k: v for k, v in before.items() if k not in fields}, **{k: now[k] for k in fields if k in now}}
        for now, before in zip(new, old, strict=True)
    ]


def _with_spec(new: Object, old: Object, spec: Object) -> Object:
    """The old pod with another spec: a new generation when it differs."""
    meta = {key: value for key, value in old["metadata"].items() if key != "managedFields"}
    if entries := new["metadata"].get("managedFields"):
        meta["managedFields"] = entries
    if spec != old["spec"]:
        meta["generation"] = meta.get("generation", 0) + 1
    return {**old, "metadata": meta, "spec": spec}


def _validate_ephemeral(call: Call, new: Object, old: Object) -> None:
    errors: Errors = []
    pod_updates.ephemeral_update(errors, new, old)
    if errors:
        raise invalid_fields("Pod", call.info.name, errors)


def _validate_resize(call: Call, new: Object, old: Object) -> None:
    errors: Errors = []
    pod_updates.resize_update(errors, new, old)
    if errors:
        raise invalid_fields("Pod", call.info.name, errors)
