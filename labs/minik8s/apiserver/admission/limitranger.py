"""LimitRanger: fills in a namespace's default requests and limits and keeps its bounds.

Source: plugin/pkg/admission/limitranger.
"""

from __future__ import annotations

from collections.abc import Iterable

from minik8s.apiserver.admission.attributes import UPDATE, Attributes, Server, forbidden
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.apiserver.admission.podresources import Resources, parse_list, pod_limits, pod_requests
from minik8s.objects.frozen import Object
from minik8s.objects.quantity import Quantity

ANNOTATION = "kubernetes.io/limit-ranger"


class LimitRanger(Plugin):
    name = "LimitRanger"
    operations = frozenset({"CREATE", "UPDATE"})
    resources = frozenset({"pods", "persistentvolumeclaims"})

    def mutate(self, a: Attributes, server: Server) -> None:
        if a.resource == "pods" and _applies(a) and a.object is not None:
            for limit_range in server.store.list("limitranges", a.namespace):
                _set_defaults(a.object, limit_range)

    def validate(self, a: Attributes, server: Server) -> None:
        if not _applies(a) or a.object is None:
            return
        for limit_range in server.store.list("limitranges", a.namespace):
            check = _pod_faults if a.resource == "pods" else _claim_faults
            faults = list(dict.fromkeys(check(a.object, (limit_range.get("spec") or {}).get("limits") or ())))
            if faults:
                raise forbidden(a, faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]")


def _applies(a: Attributes) -> bool:
    if a.old_object is not None and a.old_object["metadata"].get("deletionTimestamp"):
        return False
    if a.resource == "pods":
        return a.subresource == "resize" if a.operation == UPDATE else not a.subresource
    return not a.subresource


# ---- defaults ----------------------------------------------------------------


def _set_defaults(pod: Object, limit_range: Object) -> None:
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    for item in (limit_range.get("spec") or {}).get("limits") or ():
        if item.get("type") == "Container":
            requests |= item.get("defaultRequest") or {}
            limits |= item.get("default") or {}
    notes: list[str] = []
    for field, what in (("containers", "container"), ("initContainers", "init container")):
        for container in pod["spec"].get(field) or ():
            resources = dict(container.get("resources") or {})
            for part, defaults, word in (("requests", requests, "request"), ("limits", limits, "limit")):
                missing = sorted(name for name in defaults if name not in (resources.get(part) or {}))
                if missing:
                    given = resources.get(part) or {}
                    resources[part] = {**given, **{name: defaults[name] for name in missing}}
                    notes.append(f"{', '.join(missing)} {word} for {what} {container['name']}")
            container["resources"] = resources
    if notes:
        meta = pod["metadata"]
        text = "LimitRanger plugin set: " + "; ".join(notes)
        meta["annotations"] = {**(meta.get("annotations") or {}), ANNOTATION: text}


# ---- bounds --------------------------------------------------------------------


def _pod_faults(pod: Object, items: Iterable[Object]) -> Iterable[str]:
    for item in items:
        if item.get("type") == "Container":
            for field in ("containers", "initContainers"):
                for container in pod["spec"].get(field) or ():
                    resources = container.get("resources") or {}
                    yield from _bounds(item, parse_list(resources.get("requests")), parse_list(resources.get("limits")))
        elif item.get("type") == "Pod":
            yield from _bounds(item, pod_requests(pod), pod_limits(pod))


def _claim_faults(claim: Object, items: Iterable[Object]) -> Iterable[str]:
    requests = parse_list((claim["spec"].get("resources") or {}).get("requests"))
    for item in items:
        kind = item.get("type", "")
        if kind != "PersistentVolumeClaim":
            continue
        for name, bound in sorted(parse_list(item.get("min")).items()):
            yield from _minimum(kind, name, bound, requests, {})
        for name, bound in sorted(parse_list(item.get("max")).items()):
            if name not in requests:
                yield f"maximum {name} usage per {kind} is {bound}.  No request is specified"
            elif requests[name] > bound:
                yield f"maximum {name} usage per {kind} is {bound}, but request is {requests[name]}"


def _bounds(item: Object, requests: Resources, limits: Resources) -> Iterable[str]:
    kind = item.get("type", "")
    for name, bound in sorted(parse_list(item.get("min")).items()):
        yield from _minimum(kind, name, bound, requests, limits)
    for name, bound in sorted(parse_list(item.get("max")).items()):
        yield from _maximum(kind, name, bound, requests, limits)
    for name, bound in sorted(parse_list(item.get("maxLimitRequestRatio")).items()):
        yield from _ratio(kind, name, bound, requests.get(name), limits.get(name))


def _minimum(kind: str, name: str, bound: Quantity, requests: Resources, limits: Resources) -> Iterable[str]:
    head = f"minimum {name} usage per {kind} is {bound}"
    if name not in requests:
        yield f"{head}.  No request is specified"
    elif requests[name] < bound:
        yield f"{head}, but request is {requests[name]}"
    elif name in limits and limits[name] < bound:
        yield f"{head}, but limit is {limits[name]}"


def _maximum(kind: str, name: str, bound: Quantity, requests: Resources, limits: Resources) -> Iterable[str]:
    head = f"maximum {name} usage per {kind} is {bound}"
    if name not in limits:
        yield f"{head}.  No limit is specified"
    elif limits[name] > bound:
        yield f"{head}, but limit is {limits[name]}"
    elif name in requests and requests[name] > bound:
        yield f"{head}, but request is {requests[name]}"


def _ratio(kind: str, name: str, bound: Quantity, request: Quantity | None, limit: Quantity | None) -> Iterable[str]:
    head = f"{name} max limit to request ratio per {kind} is {bound}"
    if not request:
        yield f"{head}, but no request is specified or request is 0"
    elif not limit:
        yield f"{head}, but no limit is specified or limit is 0"
    elif limit.exact / request.exact > bound.exact:
        yield f"{head}, but provided ratio is {float(limit.exact / request.exact):f}"
