"""pods/binding: what the scheduler writes.

Source: kubernetes pkg/registry/core/pod/storage/storage.go (BindingREST).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minik8s.apiserver import bodies, options
from minik8s.apiserver.call import Call
from minik8s.apiserver.errors import plain_error
from minik8s.apiserver.verbs import common
from minik8s.objects import Object
from minik8s.objects.kinds import BUILTIN, Kind
from minik8s.objects.meta import rfc3339
from minik8s.objects.validation import field
from minik8s.objects.validation.field import Errors, aggregate
from minik8s.wire import Response, StatusError, bad_request, conflict

BINDING: Kind = BUILTIN.by_kind("v1", "Binding")  # type: ignore[assignment]


def create(call: Call) -> Response:
    """Assign the pod to the node that the Binding targets, once and for all."""
    call.options = options.write_options(call.request, "CreateOptions")
    binding = bodies.read_object(call, BINDING)
    common.check_namespace(call, binding)
    name = call.info.name or binding["metadata"].get("name", "")
    if binding["metadata"].get("name") != name:
        raise bad_request("name in URL does not match name in Binding object")
    target = binding.get("target") or {}
    _check_target(target)
    pod = common.stored(call, name)
    call.server.admission.mutate(call.attributes("CREATE", binding, None, name))
    call.server.admission.validate(call.attributes("CREATE", binding, None, name))
    bound = _bound(call, pod, target["name"], binding)
    if not call.options.dry_run:
        call.server.store.update(call.key(name), bound)
    return Response(201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})


def create_binding(call: Call) -> Response:
    """POST to /bindings: the older way, by the Binding's own name."""
    pods = call.server.registry.by_resource("", "v1", "pods")
    assert pods is not None
    return create(replace(call, kind=pods))


def _check_target(target: Object) -> None:
    """ValidatePodBinding. Its errors are not typed upstream."""
    faults: Errors = []
    if target.get("kind") and target["kind"] != "Node":
        faults.append(field.not_supported("target.kind", target["kind"], ["Node", "<empty>"]))
    if not target.get("name"):
        faults.append(field.required("target.name"))
    if faults:
        raise plain_error(aggregate(faults))


def _bound(call: Call, pod: Object, node: str, binding: Object) -> Object:
    meta, spec = pod["metadata"], pod["spec"]
    if (uid := binding["metadata"].get("uid")) and uid != meta["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {meta['uid']}"
        raise _refused(meta["name"], why)
    if meta.get("deletionTimestamp") is not None:
        raise _refused(meta["name"], f"pod {meta['name']} is being deleted, cannot be assigned to a host")
    if spec.get("nodeName"):
        raise _refused(meta["name"], f'pod {meta["name"]} is already assigned to node "{spec["nodeName"]}"')
    if spec.get("schedulingGates"):
        raise _refused(meta["name"], f"pod {meta['name']} has non-empty .spec.schedulingGates")
    changed: dict[str, Any] = {**meta}
    for name in ("annotations", "labels"):
        if more := binding["metadata"].get(name):
            changed[name] = {**(meta.get(name) or {}), **more}
    status = {key: value for key, value in (pod.get("status") or {}).items() if key != "nominatedNodeName"}
    status["conditions"] = _scheduled(call, status.get("conditions") or [])
    return {**pod, "metadata": changed, "spec": {**spec, "nodeName": node}, "status": status}


def _refused(name: str, why: str) -> StatusError:
    return conflict("pods/binding", name, why)


def _scheduled(call: Call, conditions: list[Object]) -> list[Object]:
    """The conditions with PodScheduled true (UpdatePodCondition)."""
    now = rfc3339(call.now)
    new: Object = {"lastProbeTime": None, "lastTransitionTime": now, "status": "True", "type": "PodScheduled"}
    for index, old in enumerate(conditions):
        if old.get("type") == "PodScheduled":
            if old.get("status") == "True":
                new["lastTransitionTime"] = old.get("lastTransitionTime")
            return [*conditions[:index], new, *conditions[index + 1 :]]
    return [*conditions, new]
