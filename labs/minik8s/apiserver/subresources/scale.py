"""`scale`: the number of replicas of a kind, whatever its own shape (autoscaling/v1 Scale)."""

from __future__ import annotations

from typing import Any

from minik8s.apiserver import bodies, negotiation, options, scheme
from minik8s.apiserver.call import Call
from minik8s.apiserver.crd_kinds import CustomKind
from minik8s.apiserver.errors import invalid_fields, invalid_patch, unprocessable
from minik8s.apiserver.patch.jsonpatch import JsonPatchError, json_patch
from minik8s.apiserver.patch.merge import merge_patch
from minik8s.apiserver.verbs import common, patch, update
from minik8s.objects import Object
from minik8s.objects.kinds import Kind
from minik8s.objects.selectors import format_label_selector, from_set
from minik8s.objects.validation import field
from minik8s.wire import Response, bad_request

SCALE = Kind("autoscaling", "v1", "Scale", "scales", "scale", True)


def get(call: Call) -> Response:
    return Response(200, scale_of(call, common.stored(call)))


def put(call: Call) -> Response:
    call.options = options.write_options(call.request, "UpdateOptions")
    old = common.stored(call)
    scale = bodies.read_object(call, SCALE)
    common.check_namespace(call, scale)
    common.check_name(call, scale)
    return Response(200, _store(call, old, scale))


def patch_(call: Call) -> Response:
    media = patch.check_media(call)
    call.options = options.write_options(call.request, "PatchOptions", patch=media)
    if media == negotiation.PATCH_TYPES[3]:
        return _apply(call)
    body, _ = patch.read_patch(call, media)
    old = common.stored(call)
    shown = scale_of(call, old)
    if media == negotiation.PATCH_TYPES[0]:
        try:
            new = json_patch(shown, body)
        except JsonPatchError:
            raise unprocessable() from None
    else:
        new = merge_patch(shown, body)
    result = scheme.decode_type("autoscaling.v1.Scale", new)
    if result.error:
        raise invalid_patch("", result.error)
    common.check_namespace(call, result.object)
    common.check_name(call, result.object)
    return Response(200, _store(call, old, result.object))


def _apply(call: Call) -> Response:
    body = call.request.body
    if not isinstance(body, dict):
        try:
            body, _ = bodies.parse_document(bodies.size_checked(body), True)
        except ValueError as error:
            raise bad_request(f"error decoding patch: {error}") from None
    old = common.stored(call)
    merged = merge_patch(scale_of(call, old), {"spec": body.get("spec") or {}})
    return Response(200, _store(call, old, merged, "Apply"))


def _store(call: Call, old: Object, scale: Object, operation: str = "Update") -> Object:
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        fault = field.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise invalid_fields("Scale", call.info.name, [fault], "autoscaling")
    update.check_uid(call, scale, old)
    meta = {**old["metadata"], "resourceVersion": scale["metadata"].get("resourceVersion") or ""}
    new = with_replicas(call, {**old, "metadata": meta}, replicas)
    new = scheme.track(call, new, old, operation)
    new = update.admit(call, old, new)
    update.check_version(call, new, old)
    return scale_of(call, update.write(call, old, new, scheme.prepare_update, scheme.validate_update))


def scale_of(call: Call, obj: Object) -> Object:
    """The Scale of an object."""
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    spec_path, status_path, selector_path = paths(call)
    replicas = _at(obj, spec_path)
    status: Object = {"replicas": _at(obj, status_path) or 0}
    if selector := _selector(call, obj, selector_path):
        status["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: meta[name] for name in kept if name in meta},
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def paths(call: Call) -> tuple[str, str, str]:
    """Where the kind keeps wanted and observed replicas and the selector: dotted paths."""
    if not isinstance(call.kind, CustomKind):
        return "spec.replicas", "status.replicas", "spec.selector"
    declared = call.kind.scale or {}
    names = ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")
    spec, status, selector = (str(declared.get(name) or "").removeprefix(".") for name in names)
    return spec, status, selector


def with_replicas(call: Call, obj: Object, replicas: int) -> Object:
    """The object with other wanted replicas."""
    out: Object = _set(obj, paths(call)[0].split("."), replicas)
    return out


def _set(value: Any, path: list[str], leaf: int) -> Any:
    if not path:
        return leaf
    inner = value.get(path[0]) if isinstance(value, dict) else None
    return {**(value or {}), path[0]: _set(inner, path[1:], leaf)}


def _at(obj: Object, path: str) -> Any:
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _selector(call: Call, obj: Object, path: str) -> str:
    value = _at(obj, path) if path else None
    if isinstance(value, str) or not value:
        return value or ""
    if call.kind.resource_name == "replicationcontrollers":
        return str(from_set(value))
    return format_label_selector(value)
