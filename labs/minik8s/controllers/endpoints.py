"""endpoints-controller: the deprecated Endpoints object of every Service with a selector (pkg/controller/endpoint).

Kept because old readers still exist (deprecated since 1.33; use EndpointSlice). At most 1,000 addresses.
"""

from __future__ import annotations

from collections.abc import Iterable

from minik8s.client.controller import Context, Controller
from minik8s.controllers.endpoints_common import (
    IS_HEADLESS,
    ServiceWatch,
    TriggerTimes,
    belongs,
    hostname_of,
    is_headless,
    pod_ips,
    port_number,
    stamped,
)
from minik8s.controllers.endpoints_pack import Offer, repack
from minik8s.controllers.owners import index_by_label, with_labels
from minik8s.controllers.podutil import is_ready
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of, key, labels
from minik8s.wire import StatusError

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
CAPACITY = 1000


class EndpointsController(Controller):
    name = "endpoints-controller"
    component = "endpoint-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.services = ctx.informers("services")
        self.pods = index_by_label(ctx.informers("pods"))
        self.endpoints = ctx.informers("endpoints")
        self.services.on_change(lambda old, new: self.enqueue(key(new or old or {})))
        self.triggers = TriggerTimes()
        self.pods.on_change(ServiceWatch(self.services, self.enqueue))
        self.endpoints.on_change(lambda old, new: self.enqueue(key(old)) if new is None and old is not None else None)

    def reconcile(self, name: str) -> float | None:
        namespace, _, short = name.partition("/")
        service = self.services.get(namespace, short)
        if service is None:
            self.triggers.forget(name)
            self._remove(namespace, short)
            return None
        if service["spec"].get("type") == "ExternalName" or not service["spec"].get("selector"):
            return None
        pods = with_labels(self.pods, namespace, {"matchLabels": service["spec"]["selector"]})
        trigger = self.triggers.of(service, pods)
        subsets = self._subsets(service, pods)
        current = self.endpoints.get(namespace, short)
        wanted = self._wanted(service, current, subsets)
        if current is None:
            self._create(service, stamped(wanted, trigger))
        elif wanted["metadata"] != current["metadata"] or subsets != (current.get("subsets") or []):
            self.client.update("endpoints", stamped(wanted, trigger))
        return None

    def _remove(self, namespace: str, name: str) -> None:
        if self.endpoints.get(namespace, name) is None:
            return
        try:
            self.client.delete("endpoints", namespace, name)
        except StatusError as error:
            if error.code != 404:
                raise

    def _create(self, service: Object, wanted: Object) -> None:
        try:
            self.client.create("endpoints", wanted)
        except StatusError as error:
            if error.code not in (403, 409):
                message = f"Failed to create endpoint for service {key(service)}: {error.message}"
                self.ctx.recorder.event(wanted, "Warning", "FailedToCreateEndpoint", message)
            if error.code != 403:
                raise

    def _wanted(self, service: Object, current: Object | None, subsets: list[Object]) -> Object:
        marks = {k: v for k, v in labels(service).items() if k != IS_HEADLESS}
        if is_headless(service):
            marks[IS_HEADLESS] = ""
        marks[MANAGED_BY] = self.component
        meta: Object = (
            dict(current["metadata"])
            if current is not None
            else {
                "name": service["metadata"]["name"],
                "namespace": service["metadata"]["namespace"],
            }
        )
        meta["labels"] = marks
        notes = {k: v for k, v in annotations_of(current or {"metadata": {}}).items() if k != OVER_CAPACITY}
        if sum(len(s.get("addresses") or ()) + len(s.get("notReadyAddresses") or ()) for s in subsets) >= CAPACITY:
            notes[OVER_CAPACITY] = "truncated"
        if notes:
            meta["annotations"] = notes
        else:
            meta.pop("annotations", None)
        return {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, **({"subsets": subsets} if subsets else {})}

    def _subsets(self, service: Object, pods: Iterable[Object]) -> list[Object]:
        """Addresses grouped by their ports, in upstream's order."""
        offers: list[Offer] = []
        family = (service["spec"].get("ipFamilies") or ["IPv4"])[0]
        always, count = bool(service["spec"].get("publishNotReadyAddresses")), 0
        for pod in pods:
            if not belongs(pod, terminating=always) or count >= CAPACITY:
                continue
            ips = [ip for ip in pod_ips(pod) if (":" in ip) == (family == "IPv6")]
            if not ips:
                continue
            count += 1
            address, ready = _address(service, pod, ips[0]), always or is_ready(pod)
            offers += [(address, ready, port) for port in self._ports(service, pod)]
        return repack(offers)

    def _ports(self, service: Object, pod: Object) -> list[Object | None]:
        """The ports of the Service as this pod offers them; [None] for a headless Service without any."""
        wanted = service["spec"].get("ports") or ()
        if not wanted:
            return [None] if is_headless(service) else []
        out: list[Object | None] = []
        for port in wanted:
            number = port_number(pod, port)
            if number is None:
                continue
            entry: Object = {"name": port["name"]} if port.get("name") else {}
            entry |= {"port": number, "protocol": port.get("protocol", "TCP")}
            if port.get("appProtocol"):
                entry["appProtocol"] = port["appProtocol"]
            out.append(entry)
        return out


def _address(service: Object, pod: Object, ip: str) -> Object:
    meta = pod["metadata"]
    out: Object = {"ip": ip}
    if pod["spec"].get("nodeName"):
        out["nodeName"] = pod["spec"]["nodeName"]
    if hostname := hostname_of(pod, service):
        out["hostname"] = hostname
    out["targetRef"] = {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
    return out
