"""The life of CustomResourceDefinitions: names accepted, kinds served, instances removed before the definition goes.

What apiextensions' controllers do after a write (naming, establishing, finalizing) is done here at once, as further
writes of the server itself.

Sources: apiextensions-apiserver/pkg/controller/{status,establish,finalizer}, pkg/registry/customresourcedefinition.
"""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import TYPE_CHECKING

from minik8s.apiserver.crd_kinds import CustomKind, kinds_of, version_order
from minik8s.objects import Object
from minik8s.objects.kinds import Registry
from minik8s.objects.meta import rfc3339
from minik8s.objects.schema import DecodeResult, decode_type
from minik8s.store import Key, Missing

if TYPE_CHECKING:
    from minik8s.apiserver.server import ApiServer

FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
RESOURCE = "customresourcedefinitions.apiextensions.k8s.io"
_NAME_CHECKS = (
    ("plural", "PluralConflict"),
    ("singular", "SingularConflict"),
    ("shortNames", "ShortNamesConflict"),
    ("kind", "KindConflict"),
    ("listKind", "ListKindConflict"),
)


def gateway_api() -> list[Object]:
    """The CustomResourceDefinitions of the Gateway API's standard channel (GatewayClass, Gateway, HTTPRoute,
    ReferenceGrant), to be created by whoever wants them."""
    text = resources.files("minik8s.apiserver").joinpath("data/gateway-api.json").read_text("utf-8")
    loaded: list[Object] = json.loads(text)
    return loaded


# -- reading ----------------------------------------------------------------------------------------------------

_SCHEMA = "apiextensions.v1.JSONSchemaProps"
_NESTED = ("items", "additionalProperties", "not")
_NESTED_MAPS = ("properties", "patternProperties", "definitions")
_NESTED_LISTS = ("allOf", "anyOf", "oneOf")
_UNKNOWN = re.compile(r'^((?:unknown|duplicate) field) "')


def read_schemas(result: DecodeResult) -> DecodeResult:
    """A decoded definition with the schemas that stand where a type takes more than a schema (`items`,
    `additionalProperties`) decoded too; the faults in them are the result's."""
    if result.error:
        return result
    for index, version in enumerate(result.object["spec"].get("versions") or ()):
        holder = version.get("schema") or {}
        if isinstance(holder.get("openAPIV3Schema"), dict):
            path = f"spec.versions[{index}].schema.openAPIV3Schema"
            holder["openAPIV3Schema"] = _read_nested(holder["openAPIV3Schema"], path, result)
    return result


def _read_nested(schema: Object, path: str, result: DecodeResult) -> Object:
    out = dict(schema or {})
    for name in _NESTED:
        sub = out.get(name)
        if isinstance(sub, dict):
            found = decode_type(_SCHEMA, sub)
            result.error = result.error or found.error
            result.strict += [_UNKNOWN.sub(rf'\1 "{path}.{name}.', note) for note in found.strict]
            out[name] = _read_nested(found.object, f"{path}.{name}", result)
    for name in _NESTED_MAPS:
        for key, sub in (out.get(name) or {}).items():
            out[name] = {**out[name], key: _read_nested(sub, f"{path}.{name}.{key}", result)}
    for name in _NESTED_LISTS:
        if out.get(name):
            out[name] = [_read_nested(sub, f"{path}.{name}[{i}]", result) for i, sub in enumerate(out[name])]
    return out


# -- what a write of a definition keeps -------------------------------------------------------------------------


def prepare_create(crd: Object) -> Object:
    """A new definition has no status but the version it stores."""
    spec = dict(crd["spec"])
    spec.pop("preserveUnknownFields", None) if not spec.get("preserveUnknownFields") else None
    status: Object = {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": _stored(crd)}
    return {**crd, "spec": spec, "metadata": {**crd["metadata"], "generation": 1}, "status": status}


def prepare_update(new: Object, old: Object) -> Object:
    """Status is the server's; a change of spec is a new generation; storage versions are remembered."""
    status = dict(old.get("status") or {})
    stored = list(status.get("storedVersions") or ())
    status["storedVersions"] = stored + [name for name in _stored(new) if name not in stored]
    metadata = new["metadata"]
    if new["spec"] != old["spec"]:
        metadata = {**metadata, "generation": old["metadata"].get("generation", 0) + 1}
    return {**new, "metadata": metadata, "status": status}


def _stored(crd: Object) -> list[str]:
    return [version["name"] for version in crd["spec"].get("versions") or () if version.get("storage")][:1]


def with_finalizer(crd: Object) -> Object:
    """The definition as it is marked for deletion: its instances go first."""
    metadata, status = crd["metadata"], crd.get("status") or {}
    finalizers = [*(metadata.get("finalizers") or ())]
    if FINALIZER in finalizers:
        return crd
    return {**crd, "metadata": {**metadata, "finalizers": [*finalizers, FINALIZER]}, "status": status}


# -- after a write ----------------------------------------------------------------------------------------------


def stored(server: ApiServer, crd: Object) -> None:
    """After a definition was created or updated: settle its names, serve its kinds, or begin its end."""
    if crd["metadata"].get("deletionTimestamp"):
        _finalize(server, crd)
        return
    settled = settle(server, crd)
    if settled is not crd:
        crd = server.store.update(_key(crd), settled)
    register(server.registry, crd)


def removed(server: ApiServer, crd: Object) -> None:
    """After a definition is gone: its kinds are, and names it held may be another's."""
    unregister(server.registry, crd)
    for other in server.store.list(RESOURCE, None):
        if other["spec"]["group"] == crd["spec"]["group"]:
            stored(server, other)


def load(server: ApiServer) -> None:
    """Serve what a store holds from before."""
    for crd in server.store.list(RESOURCE, None):
        register(server.registry, crd)


def _key(crd: Object) -> Key:
    return Key(RESOURCE, "", crd["metadata"]["name"])


def register(registry: Registry, crd: Object) -> None:
    """Serve the kinds of an established definition, in place of what it served before."""
    unregister(registry, crd)
    if _condition(crd, "Established") != "True":
        return
    group = crd["spec"]["group"]
    others = [kind for kind in registry if kind.group == group]
    for kind in sorted([*others, *kinds_of(crd)], key=lambda kind: version_order(kind.version)):
        registry.remove(kind)
        registry.add(kind)


def unregister(registry: Registry, crd: Object) -> None:
    spec = crd["spec"]
    for kind in [kind for kind in registry if kind.group == spec["group"] and kind.plural == spec["names"]["plural"]]:
        registry.remove(kind)


def _condition(crd: Object, wanted: str) -> str:
    for entry in (crd.get("status") or {}).get("conditions") or ():
        if entry["type"] == wanted:
            return str(entry["status"])
    return ""


# -- names and conditions ---------------------------------------------------------------------------------------


def settle(server: ApiServer, crd: Object) -> Object:
    """The definition with its names accepted as far as they are free, and its conditions; itself if all is said."""
    now = rfc3339(server.clock.now())
    accepted, conflict = _accept(server, crd)
    conditions = list((crd.get("status") or {}).get("conditions") or ())
    if conflict is None:
        said = _said("NamesAccepted", "True", "NoConflicts", "no conflicts found")
    else:
        said = _said("NamesAccepted", "False", *conflict)
    conditions = _with(conditions, said, now)
    if conflict is None and _condition(crd, "Established") != "True":
        served = _said("Established", "True", "InitialNamesAccepted", "the initial names have been accepted")
        conditions = _with(conditions, served, now)
    elif conflict is not None and not _condition(crd, "Established"):
        refused = _said("Established", "False", "NotAccepted", "not all names are accepted")
        conditions = _with(conditions, refused, now)
    status = {**(crd.get("status") or {}), "conditions": conditions, "acceptedNames": accepted}
    return crd if status == crd.get("status") else {**crd, "status": status}


def _said(kind: str, status: str, reason: str, message: str) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _with(conditions: list[Object], said: Object, now: str) -> list[Object]:
    """The conditions with one set; its time moves only with its status."""
    for index, entry in enumerate(conditions):
        if entry["type"] == said["type"]:
            time = entry.get("lastTransitionTime", now) if entry["status"] == said["status"] else now
            fresh = _ordered(said, time)
            return conditions if fresh == entry else [*conditions[:index], fresh, *conditions[index + 1 :]]
    return [*conditions, _ordered(said, now)]


def _ordered(said: Object, time: str) -> Object:
    return {"type": said["type"], "status": said["status"], "lastTransitionTime": time} | {
        name: said[name] for name in ("reason", "message")
    }


def _accept(server: ApiServer, crd: Object) -> tuple[Object, tuple[str, str] | None]:
    """(the accepted names, (reason, message) of the last conflict)."""
    wanted = crd["spec"]["names"]
    names = dict((crd.get("status") or {}).get("acceptedNames") or {})
    used, kinds = _taken(server, crd)
    conflict: tuple[str, str] | None = None
    for name, reason in _NAME_CHECKS:
        held = names.get(name)
        taken = kinds if name in ("kind", "listKind") else used
        if name == "shortNames":
            asked = wanted.get(name) or []
            clashes = [short for short in asked if short not in (held or []) and short in taken]
        else:
            clashes = [wanted[name]] if wanted.get(name) and wanted[name] != held and wanted[name] in taken else []
        if clashes:
            texts = [f'"{clash}" is already in use' for clash in clashes]
            conflict = (reason, texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
        elif wanted.get(name):
            names[name] = wanted[name]
        else:
            names.pop(name, None)
    names.pop("categories", None)
    if wanted.get("categories"):
        names["categories"] = wanted["categories"]
    order = ("plural", "singular", "shortNames", "kind", "listKind", "categories")
    return {name: names[name] for name in order if name in names}, conflict


def _taken(server: ApiServer, crd: Object) -> tuple[set[str], set[str]]:
    """(resource names, kinds) that other definitions of the group hold."""
    used: set[str] = set()
    kinds: set[str] = set()
    for other in server.store.list(RESOURCE, None):
        if other["metadata"]["name"] == crd["metadata"]["name"] or other["spec"]["group"] != crd["spec"]["group"]:
            continue
        names = (other.get("status") or {}).get("acceptedNames") or {}
        used |= {names.get("plural", ""), names.get("singular", ""), *(names.get("shortNames") or ())}
        kinds |= {names.get("kind", ""), names.get("listKind", "")}
    return used - {""}, kinds - {""}


# -- the end ----------------------------------------------------------------------------------------------------


def _finalize(server: ApiServer, crd: Object) -> None:
    """Remove the instances, then let go of the definition."""
    if FINALIZER not in (crd["metadata"].get("finalizers") or ()):
        return
    if _condition(crd, "Terminating") != "True":
        pending = "CustomResource deletion is in progress"
        crd = _terminating(server, crd, "True", "InstanceDeletionInProgress", pending)
    server.clock.call_soon(_delete_instances, server, crd["metadata"]["name"])


def _terminating(server: ApiServer, crd: Object, status: str, reason: str, message: str) -> Object:
    said = _said("Terminating", status, reason, message)
    conditions = _with(list(crd["status"].get("conditions") or ()), said, rfc3339(server.clock.now()))
    return server.store.update(_key(crd), {**crd, "status": {**crd["status"], "conditions": conditions}})


_LOOK_AGAIN = 5.0


def _delete_instances(server: ApiServer, name: str) -> None:
    """Delete what is left of the kind; those with finalizers of their own are waited for."""
    crd = server.store.get(Key(RESOURCE, "", name))
    if crd is None or not crd["metadata"].get("deletionTimestamp"):
        return
    resource = f"{crd['spec']['names']['plural']}.{crd['spec']['group']}"
    waiting = False
    for obj in server.store.list(resource, None):
        waiting = _delete_instance(server, resource, obj) or waiting
    if waiting:
        server.clock.call_later(_LOOK_AGAIN, _delete_instances, server, name)
        return
    _let_go(server, crd)


def _delete_instance(server: ApiServer, resource: str, obj: Object) -> bool:
    """Whether the object has to be waited for."""
    metadata = obj["metadata"]
    key = Key(resource, metadata.get("namespace", ""), metadata["name"])
    if metadata.get("finalizers"):
        if not metadata.get("deletionTimestamp"):
            marks = {"deletionTimestamp": rfc3339(server.clock.now()), "deletionGracePeriodSeconds": 0}
            server.store.update(key, {**obj, "metadata": {**metadata, **marks}})
        return True
    try:
        server.store.delete(key)
    except Missing:
        pass
    return False


def _let_go(server: ApiServer, crd: Object) -> None:
    done = "removed all instances"
    crd = _terminating(server, crd, "False", "InstanceDeletionCompleted", done)
    rest = [name for name in crd["metadata"].get("finalizers") or () if name != FINALIZER]
    if rest:
        server.store.update(_key(crd), {**crd, "metadata": {**crd["metadata"], "finalizers": rest}})
        return
    server.store.delete(_key(crd))
    removed(server, crd)


__all__ = ["CustomKind", "gateway_api", "load", "removed", "stored"]
