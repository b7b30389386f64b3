"""Steps that several verbs share."""

from __future__ import annotations

from typing import Any

from minik8s.apiserver.call import Call
from minik8s.objects import Object
from minik8s.objects.kinds import Kind
from minik8s.store import Key
from minik8s.wire import StatusError, bad_request, not_found


def missing(call: Call, name: str = "") -> StatusError:
    """404 for the object of the request."""
    return not_found(call.kind.plural, name or call.info.name, call.kind.group)


def stored(call: Call, name: str = "") -> Object:
    """The object of the request, as the kind's version shows it. StatusError 404."""
    obj = call.server.store.get(call.key(name))
    if obj is None:
        raise missing(call, name)
    return call.server.versioned(call.kind, obj)


def check_namespace(call: Call, obj: Object) -> None:
    """The object has the namespace of the request: an empty one is filled in, a cluster-scoped one cleared. 400."""
    meta = obj.get("metadata")
    if not isinstance(meta, dict):
        meta = obj["metadata"] = {}
    namespace, wanted = meta.get("namespace") or "", call.namespace
    if namespace == wanted:
        return
    if not wanted:
        obj["metadata"] = {key: value for key, value in meta.items() if key != "namespace"}
    elif namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    else:
        obj["metadata"] = {**meta, "namespace": wanted}


def check_name(call: Call, obj: Object) -> None:
    """The object's name is the one in the path. StatusError 400."""
    name, wanted = obj["metadata"].get("name") or "", call.info.name
    if name == wanted:
        return
    if not name:
        raise bad_request(f"the name of the object ({wanted} based on URL) was undeterminable: name must be provided")
    raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({wanted})")


def storage_key(kind: Kind, namespace: str, name: str) -> str:
    """Where upstream would keep the object in etcd; some messages show it."""
    plural = {"nodes": "minions", "services": "services/specs", "endpoints": "services/endpoints"}
    base = plural.get(kind.plural, kind.plural) if not kind.group else kind.plural
    if kind.group == "networking.k8s.io" and kind.plural == "ingresses":
        base = "ingress"
    place = f"{namespace}/{name}" if namespace else name
    return f"/registry/{kind.group + '/' if kind.custom else ''}{base}/{place}"


def dedup_owner_references(call: Call, obj: Object) -> None:
    """Owner references that are equal are kept once, with a warning."""
    references: list[Any] | None = obj["metadata"].get("ownerReferences")
    if not references or len(references) < 2:
        return
    kept = [r for i, r in enumerate(references) if r not in references[:i]]
    if len(kept) == len(references):
        return
    obj["metadata"] = {**obj["metadata"], "ownerReferences": kept}
    uids = [r.get("uid", "") for i, r in enumerate(references) if r in references[:i]]
    call.warnings.append(
        f".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may"
        f" reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed:"
        f" {', '.join(dict.fromkeys(uids))}"
    )


def place(call: Call, obj: Object) -> Key:
    """The store key of an object."""
    return Key(call.kind.storage_resource, call.namespace, obj["metadata"]["name"])
