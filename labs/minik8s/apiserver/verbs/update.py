"""PUT to an object, and the steps after which a patch is stored too."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.apiserver import bodies, options, scheme
from minik8s.apiserver.call import Call
from minik8s.apiserver.errors import invalid_fields
from minik8s.apiserver.strategies import CREATED_BY_UPDATE, needs_version
from minik8s.apiserver.verbs import common
from minik8s.apiserver.verbs.create import create_object
from minik8s.objects import Object, freeze
from minik8s.objects.validation import field
from minik8s.wire import MODIFIED, Response, StatusError, bad_request, conflict


def update(call: Call) -> Response:
    """Replace the object by the body."""
    call.options = options.write_options(call.request, "UpdateOptions")
    old = call.server.current(call.kind, call.key())
    obj = bodies.read_object(call, call.kind, old)
    common.check_namespace(call, obj)
    common.check_name(call, obj)
    if old is None:
        if call.info.subresource or call.kind.resource_name not in CREATED_BY_UPDATE:
            raise common.missing(call)
        obj["metadata"] = {k: v for k, v in obj["metadata"].items() if k not in ("uid", "resourceVersion")}
        return Response(201, create_object(call, obj))
    check_uid(call, obj, old)
    return Response(200, replace(call, old, scheme.default(call.kind, obj, old)))


def check_uid(call: Call, obj: Object, old: Object) -> None:
    """A uid in the body of a PUT is a precondition."""
    uid, real = obj["metadata"].get("uid"), old["metadata"]["uid"]
    if uid and uid != real:
        key = common.storage_key(call.kind, call.namespace, call.info.name)
        why = (
            f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg:"
            f" Precondition failed: UID in precondition: {uid}, UID in object meta: {real}"
        )
        raise conflict(call.kind.plural, call.info.name, why, call.kind.group)


def replace(call: Call, old: Object, new: Object, *, tracked: bool = True) -> Object:
    """Store `new` (decoded and defaulted) in place of `old`; the stored object, or `old` when nothing changes.

    `tracked` False: managed fields are settled already (server-side apply).
    """
    common.dedup_owner_references(call, new)
    if tracked:
        new = scheme.track(call, new, old)
    new = admit(call, old, new)
    check_version(call, new, old)
    return write(call, old, new, scheme.prepare_update, scheme.validate_update)


def admit(call: Call, old: Object, new: Object) -> Object:
    """The new object after mutating admission."""
    attributes = call.attributes("UPDATE", new, old)
    call.server.admission.mutate(attributes)
    return attributes.object or new


def check_version(call: Call, new: Object, old: Object) -> None:
    """Optimistic locking: the version that was read must be the current one."""
    version, current = new["metadata"].get("resourceVersion") or "", old["metadata"]["resourceVersion"]
    if version == current:
        return
    if version in ("", "0"):
        if call.request.method == "PUT" and needs_version(call.kind):
            fault = field.invalid("metadata.resourceVersion", 0, "must be specified for an update")
            raise invalid_fields(call.kind.plural, call.info.name, [fault], call.kind.group)
        return
    if not version.isdigit():
        why = f'strconv.ParseUint: parsing "{version}": invalid syntax'
        raise bad_request(f'invalid resource version: resourceVersion: Invalid value: "{version}": {why}')
    raise version_conflict(call)


def version_conflict(call: Call) -> StatusError:
    """409: the object has changed since it was read."""
    return conflict(call.kind.plural, call.info.name, MODIFIED, call.kind.group)


Prepare = Callable[[Call, Object, Object], Object]
Validate = Callable[[Call, Object, Object], None]


def write(call: Call, old: Object, new: Object, prepare: Prepare, validate: Validate) -> Object:
    """Restore what a client may not change, prepare, validate, and store unless nothing changed."""
    server = call.server
    new["metadata"] = _kept_metadata(new["metadata"], old["metadata"])
    new = prepare(call, new, old)
    with server.allocators.allocate(call, new, old):
        validate(call, new, old)
        server.admission.validate(call.attributes("UPDATE", new, old))
        if new == old:
            return old
        if call.options.dry_run:
            return freeze(new)  # type: ignore[no-any-return]
        if _emptied(call, new, old):
            return server.remove_emptied(call, new)
        stored = server.store.update(call.key(), server.storage_form(call.kind, new))
    server.stored(call.kind, stored)
    return server.versioned(call.kind, stored)


_SYSTEM = ("uid", "creationTimestamp")
_DELETION = ("deletionTimestamp", "deletionGracePeriodSeconds")


def _kept_metadata(meta: Object, old: Object) -> Object:
    """rest.BeforeUpdate: system fields left out are filled in, generation and deletion marks cannot be changed."""
    out = {key: value for key, value in meta.items() if key != "selfLink"}
    out["resourceVersion"] = old["resourceVersion"]
    for name in _SYSTEM:
        if not out.get(name):
            out[name] = old[name]
    if "generation" in old:
        out["generation"] = old["generation"]
    else:
        out.pop("generation", None)
    for name in _DELETION:
        if name in old and out.get(name) is None:
            out[name] = old[name]
    return out


def _emptied(call: Call, new: Object, old: Object) -> bool:
    """Whether the update takes away the last thing that a deletion waits for (ShouldDeleteDuringUpdate)."""
    if old["metadata"].get("deletionTimestamp") is None or new["metadata"].get("finalizers"):
        return False
    if call.kind.resource_name == "namespaces" and (new.get("spec") or {}).get("finalizers"):
        return False
    return not old["metadata"].get("deletionGracePeriodSeconds")
