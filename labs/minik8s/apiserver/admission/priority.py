"""Priority: a pod's priority comes from its PriorityClass, never from its author (plugin/pkg/admission/priority)."""

from __future__ import annotations

from minik8s.apiserver.admission.attributes import CREATE, Attributes, Server, forbidden
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.objects.frozen import Object
from minik8s.store import Key

CLASSES = "priorityclasses.scheduling.k8s.io"


class Priority(Plugin):
    name = "Priority"
    operations = frozenset({"CREATE", "UPDATE"})
    resources = frozenset({"pods", CLASSES})

    def mutate(self, a: Attributes, server: Server) -> None:
        if a.resource != "pods" or a.subresource or a.object is None:
            return
        spec = a.object["spec"]
        if a.operation == CREATE:
            _set_priority(a, spec, server)
        elif a.old_object is not None:
            for field in ("priority", "preemptionPolicy"):
                if spec.get(field) is None and a.old_object["spec"].get(field) is not None:
                    spec[field] = a.old_object["spec"][field]

    def validate(self, a: Attributes, server: Server) -> None:
        if a.resource != CLASSES or a.subresource or not (a.object or {}).get("globalDefault"):
            return
        name = a.name or a.meta().get("name", "")
        found = default_class(server)
        if found is not None and found["metadata"]["name"] != name:
            other = found["metadata"]["name"]
            why = f"PriorityClass {other} is already marked as default. Only one default can exist"
            raise forbidden(a, why)


def default_class(server: Server) -> Object | None:
    """The globalDefault class; the lowest value if there are several."""
    marked = [c for c in server.store.list(CLASSES) if c.get("globalDefault")]
    return min(marked, key=lambda c: int(c.get("value", 0))) if marked else None


def _set_priority(a: Attributes, spec: Object, server: Server) -> None:
    name = spec.get("priorityClassName") or ""
    if name:
        found = server.store.get(Key(CLASSES, "", name))
        if found is None:
            raise forbidden(a, f"no PriorityClass with name {name} was found")
    else:
        found = default_class(server)
        if found is not None:
            spec["priorityClassName"] = found["metadata"]["name"]
    value = int(found.get("value", 0)) if found else 0
    policy = (found or {}).get("preemptionPolicy") or "PreemptLowerPriority"
    _must_agree(a, "the integer value of priority", spec.get("priority"), value)
    _must_agree(a, "the string value of PreemptionPolicy", spec.get("preemptionPolicy"), policy)
    spec["priority"], spec["preemptionPolicy"] = value, policy


def _must_agree(a: Attributes, what: str, given: object, computed: object) -> None:
    if given is not None and given != computed:
        why = (
            f"{what} ({given}) must not be provided in pod spec; "
            f"priority admission controller computed {computed} from the given PriorityClass name"
        )
        raise forbidden(a, why)
