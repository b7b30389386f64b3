"""RuntimeClass: a pod's runtime class must exist, and brings its overhead and its nodes (KEP-688)."""

from __future__ import annotations

from minik8s.apiserver.admission.attributes import Attributes, Server, forbidden
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.objects.frozen import Object, thaw
from minik8s.objects.quantity import parse_quantity
from minik8s.store import Key


class RuntimeClass(Plugin):
    name = "RuntimeClass"
    resources = frozenset({"pods"})

    def mutate(self, a: Attributes, server: Server) -> None:
        if a.subresource or a.object is None:
            return
        found = _class_of(a, server)
        if found is None:
            return
        spec = a.object["spec"]
        fixed = (found.get("overhead") or {}).get("podFixed")
        if fixed and spec.get("overhead") is None:
            spec["overhead"] = thaw(fixed)
        scheduling = found.get("scheduling") or {}
        if scheduling.get("nodeSelector"):
            spec["nodeSelector"] = _merged(a, scheduling["nodeSelector"], spec.get("nodeSelector") or {})
        added = [t for t in thaw(scheduling.get("tolerations") or []) if t not in (spec.get("tolerations") or [])]
        if added:
            spec["tolerations"] = [*(spec.get("tolerations") or []), *added]

    def validate(self, a: Attributes, server: Server) -> None:
        if a.subresource or a.object is None:
            return
        given = a.object["spec"].get("overhead")
        found = _class_of(a, server)
        fixed = ((found or {}).get("overhead") or {}).get("podFixed")
        if given is not None and not fixed:
            raise forbidden(a, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
        if fixed and not _equal(given or {}, fixed):
            raise forbidden(a, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")


def _class_of(a: Attributes, server: Server) -> Object | None:
    name = (a.object or {})["spec"].get("runtimeClassName")
    if not name:
        return None
    found = server.store.get(Key("runtimeclasses.node.k8s.io", "", name))
    if found is None:
        raise forbidden(a, f'pod rejected: RuntimeClass "{name}" not found')
    return found


def _merged(a: Attributes, wanted: Object, given: Object) -> Object:
    for key, value in sorted(wanted.items()):
        if key in given and given[key] != value:
            ours = f"runtimeClass.scheduling.nodeSelector[{key}] = {value}"
            raise forbidden(a, f"conflict: {ours}; pod.spec.nodeSelector[{key}] = {given[key]}")
    return {**given, **wanted}


def _equal(one: Object, other: Object) -> bool:
    return one.keys() == other.keys() and all(parse_quantity(one[k]) == parse_quantity(other[k]) for k in one)
