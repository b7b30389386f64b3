"""What a Service's endpoints look like, for EndpointSlices and for Endpoints (pkg/controller/util/endpoint)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from minik8s.client.informer import Informer
from minik8s.controllers.owners import in_namespace, index_by_namespace
from minik8s.controllers.podutil import condition, is_finished
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of, key, labels, name
from minik8s.objects.selectors import match_labels

LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time"
IS_HEADLESS = "service.kubernetes.io/headless"


def is_headless(service: Object) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")


def selects(service: Object, pod: Object) -> bool:
    selector = service["spec"].get("selector")
    return bool(selector) and match_labels(selector, labels(pod))


def pod_ips(pod: Object) -> list[str]:
    status = pod.get("status") or {}
    found = [entry["ip"] for entry in status.get("podIPs") or () if entry.get("ip")]
    return found or ([status["podIP"]] if status.get("podIP") else [])


def belongs(pod: Object, *, terminating: bool) -> bool:
    """Whether a pod is an endpoint at all: not ended, with an address, and alive unless `terminating` ones count."""
    if is_finished(pod) or not pod_ips(pod):
        return False
    return terminating or "deletionTimestamp" not in pod["metadata"]


def hostname_of(pod: Object, service: Object) -> str:
    """The name under which cluster DNS knows this pod of a governing Service, or ""."""
    spec = pod["spec"]
    same = pod["metadata"]["namespace"] == service["metadata"]["namespace"]
    return (
        str(spec["hostname"])
        if same and spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]
        else ""
    )


def port_number(pod: Object, port: Object) -> int | None:
    """The number behind a Service port's targetPort on this pod; None when no container names it so."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    protocol = port.get("protocol", "TCP")
    containers = list(pod["spec"].get("containers") or ())
    containers += [c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in containers:
        for offered in container.get("ports") or ():
            if offered.get("name") == target and offered.get("protocol", "TCP") == protocol:
                return int(offered["containerPort"])
    return None


class TriggerTimes:
    """Since when what a Service's endpoints show has been so: the earliest change that the last look did not see
    (endpointslice/util/trigger_time_tracker.go)."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, str]] = {}

    def of(self, service: Object, pods: Iterable[Object]) -> str:
        """The time for the annotation; "" when no pod became ready or unready since the last look."""
        old = self._seen.get(key(service))
        now = self._seen[key(service)] = {name(pod): _turned(pod) for pod in pods}
        if old is None:
            return str(service["metadata"]["creationTimestamp"])
        return min((time for pod, time in now.items() if time > old.get(pod, "")), default="")

    def forget(self, service: str) -> None:
        self._seen.pop(service, None)


def _turned(pod: Object) -> str:
    return str((condition(pod, "Ready") or {}).get("lastTransitionTime") or "")


def stamped(obj: Object, trigger: str) -> Object:
    """`obj` with the time of the change in its annotations, or without one."""
    notes = {k: v for k, v in annotations_of(obj).items() if k != LAST_CHANGE}
    notes |= {LAST_CHANGE: trigger} if trigger else {}
    meta = {k: v for k, v in obj["metadata"].items() if k != "annotations"}
    return {**obj, "metadata": meta | ({"annotations": notes} if notes else {})}


def pod_matters(old: Object, new: Object) -> bool:
    """Whether an update of a pod can change any endpoint."""
    if old["metadata"].get("labels") != new["metadata"].get("labels"):
        return True
    if ("deletionTimestamp" in old["metadata"]) != ("deletionTimestamp" in new["metadata"]):
        return True
    return _facts(old) != _facts(new)


def _facts(pod: Object) -> tuple[object, ...]:
    status, spec = pod.get("status") or {}, pod["spec"]
    ready = next((c.get("status") for c in status.get("conditions") or () if c["type"] == "Ready"), None)
    return ready == "True", is_finished(pod), status.get("podIP"), spec.get("nodeName"), spec.get("hostname")


class ServiceWatch:
    """Rings the keys of the Services that select a changed pod, before or after the change."""

    def __init__(self, services: Informer, ring: Callable[[str], None]):
        self._services, self._ring = index_by_namespace(services), ring

    def __call__(self, old: Object | None, new: Object | None) -> None:
        updated = old is not None and new is not None and old["metadata"]["uid"] == new["metadata"]["uid"]
        if updated and not pod_matters(old or {}, new or {}):
            return
        pods = [pod for pod in (old, new) if pod is not None]
        for service in in_namespace(self._services, pods[0]["metadata"]["namespace"]):
            if any(selects(service, pod) for pod in pods):
                self._ring(key(service))
