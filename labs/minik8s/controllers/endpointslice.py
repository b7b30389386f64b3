"""endpointslice-controller: the addresses behind a Service (pkg/controller/endpointslice, k8s.io/endpointslice).

Slices are kept per address family and per set of port numbers, at most 100 endpoints each; endpoints that stay keep
their slice, so that a change touches as few slices as possible.
"""

from __future__ import annotations

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
from minik8s.controllers.owners import index_by_label, with_labels
from minik8s.controllers.podutil import is_ready
from minik8s.controllers.slicing import (
    BY_SERVICE,
    MANAGED_BY,
    SERVICE_NAME,
    SLICES,
    Group,
    SliceWriter,
    endpoint_key,
    plan,
    service_of,
)
from minik8s.objects import Object
from minik8s.objects.meta import key, labels, name, owner_ref
from minik8s.wire import StatusError

CONTROLLER = "endpointslice-controller.k8s.io"
ZONE = "topology.kubernetes.io/zone"


class EndpointSliceController(Controller):
    name = "endpointslice-controller"
    component = "endpoint-slice-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.services = ctx.informers("services")
        self.pods = index_by_label(ctx.informers("pods"))
        self.nodes = ctx.informers("nodes")
        self.slices = ctx.informers(SLICES)
        self.slices.add_index(BY_SERVICE, service_of)
        self.writer, self.triggers = SliceWriter(ctx.client), TriggerTimes()
        self.services.on_change(lambda old, new: self.enqueue(key(new or old or {})))
        self.pods.on_change(ServiceWatch(self.services, self.enqueue))
        self.slices.on_change(self._slice_changed)

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        for changed in (old, new):
            if changed is not None and labels(changed).get(MANAGED_BY) == CONTROLLER:
                for service in service_of(changed):
                    self.enqueue(service)

    def reconcile(self, service_key: str) -> float | None:
        namespace, _, short = service_key.partition("/")
        service = self.services.get(namespace, short)
        if service is None:
            self.triggers.forget(service_key)
        if service is None or "deletionTimestamp" in service["metadata"]:
            return None  # the garbage collector removes the slices of a Service that is gone
        if service["spec"].get("type") == "ExternalName" or not service["spec"].get("selector"):
            return None
        existing = [
            s
            for s in self.slices.by_index(BY_SERVICE, service_key)
            if labels(s).get(MANAGED_BY) == CONTROLLER and "deletionTimestamp" not in s["metadata"]
        ]
        selector = {"matchLabels": service["spec"]["selector"]}
        pods = with_labels(self.pods, namespace, selector)
        trigger = self.triggers.of(service, pods)
        families = service["spec"].get("ipFamilies") or ["IPv4"]
        for family in families:
            mine = [s for s in existing if s["addressType"] == family]
            wanted = plan(mine, self._groups(service, pods, family), self._base(service, family))
            changed = [s if any(s is old for old in mine) else stamped(s, trigger) for s in wanted]
            self._write(service, mine, changed)
        for stale in existing:
            if stale["addressType"] not in families:
                self.writer.delete(stale)
        return None

    # ---- what should be ----------------------------------------------------------
    def _groups(self, service: Object, pods: list[Object], family: str) -> list[Group]:
        """Endpoints grouped by the port numbers that their pods offer."""
        groups: dict[str, Group] = {}
        for pod in pods:
            if not belongs(pod, terminating=True):
                continue
            node = self.nodes.get("", pod["spec"].get("nodeName", ""))
            if node is None and not service["spec"].get("publishNotReadyAddresses"):
                continue
            endpoint = self._endpoint(service, pod, node, family)
            if endpoint is not None:
                ports = self._ports(service, pod)
                group = groups.setdefault(repr(ports), Group(ports, {}))
                group.endpoints[endpoint_key(endpoint)] = endpoint
        return list(groups.values())

    def _endpoint(self, service: Object, pod: Object, node: Object | None, family: str) -> Object | None:
        addresses = [ip for ip in pod_ips(pod) if (":" in ip) == (family == "IPv6")]
        if not addresses:
            return None
        meta, serving, terminating = pod["metadata"], is_ready(pod), "deletionTimestamp" in pod["metadata"]
        always = bool(service["spec"].get("publishNotReadyAddresses"))
        ready = always or (serving and not terminating)
        out: Object = {
            "addresses": addresses[:1],
            "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
            "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
        }
        if pod["spec"].get("nodeName"):
            out["nodeName"] = pod["spec"]["nodeName"]
        if node is not None and labels(node).get(ZONE):
            out["zone"] = labels(node)[ZONE]
        if hostname := hostname_of(pod, service):
            out["hostname"] = hostname
        hints = _hints(service, out)
        if hints and ready:
            out["hints"] = hints
        return out

    def _ports(self, service: Object, pod: Object) -> list[Object]:
        out: list[Object] = []
        for port in service["spec"].get("ports") or ():
            number = port_number(pod, port)
            if number is None:
                continue
            entry: Object = {"name": port.get("name", ""), "protocol": port.get("protocol", "TCP"), "port": number}
            if port.get("appProtocol"):
                entry["appProtocol"] = port["appProtocol"]
            out.append(entry)
        return out

    def _base(self, service: Object, family: str) -> Object:
        """A slice of this Service without endpoints: labels of the Service, and those that tell whose it is."""
        own = {k: v for k, v in labels(service).items() if k not in (SERVICE_NAME, MANAGED_BY, IS_HEADLESS)}
        marks = {SERVICE_NAME: name(service), MANAGED_BY: CONTROLLER}
        if is_headless(service):
            marks[IS_HEADLESS] = ""
        meta = {
            "generateName": name(service) + "-",
            "namespace": service["metadata"]["namespace"],
            "labels": {**own, **marks},
            "ownerReferences": [owner_ref(service)],
        }
        return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, "addressType": family}

    def _write(self, service: Object, existing: list[Object], wanted: list[Object]) -> None:
        try:
            self.writer.write(existing, wanted)
        except StatusError as error:
            if error.code not in (404, 409):
                message = f"Error updating Endpoint Slices for Service {key(service)}: {error.message}"
                self.ctx.recorder.event(service, "Warning", "FailedToUpdateEndpointSlices", message)
            raise


def _hints(service: Object, endpoint: Object) -> Object:
    """Same-zone and same-node hints for `spec.trafficDistribution` (KEP-4444, KEP-3015)."""
    wish = service["spec"].get("trafficDistribution")
    out: Object = {}
    if wish in ("PreferClose", "PreferSameZone", "PreferSameNode") and endpoint.get("zone"):
        out["forZones"] = [{"name": endpoint["zone"]}]
    if wish == "PreferSameNode" and endpoint.get("nodeName"):
        out["forNodes"] = [{"name": endpoint["nodeName"]}]
    return out
