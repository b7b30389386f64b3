"""endpointslice-mirroring-controller: EndpointSlices for hand-written Endpoints (controller/endpointslicemirroring)."""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.endpoints_common import LAST_CHANGE
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
from minik8s.objects.meta import annotations_of, key, labels, name, owner_ref

CONTROLLER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
MAX_ADDRESSES = 1000


class EndpointSliceMirroringController(Controller):
    name = "endpointslice-mirroring-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.endpoints = ctx.informers("endpoints")
        self.services = ctx.informers("services")
        self.slices = ctx.informers(SLICES)
        self.slices.add_index(BY_SERVICE, service_of)
        self.writer = SliceWriter(ctx.client)
        for informer in (self.endpoints, self.services):
            informer.on_change(lambda old, new: self.enqueue(key(new or old or {})))
        self.slices.on_change(self._slice_changed)

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        for changed in (old, new):
            if changed is not None and labels(changed).get(MANAGED_BY) == CONTROLLER:
                for service in service_of(changed):
                    self.enqueue(service)

    def reconcile(self, endpoints_key: str) -> float | None:
        namespace, _, short = endpoints_key.partition("/")
        endpoints = self.endpoints.get(namespace, short)
        existing = [
            s for s in self.slices.by_index(BY_SERVICE, endpoints_key) if labels(s).get(MANAGED_BY) == CONTROLLER
        ]
        if endpoints is None or not self._mirrors(endpoints):
            for old in existing:
                self.writer.delete(old)
            return None
        by_family: dict[str, list[Group]] = {}
        for subset in endpoints.get("subsets") or ():
            for family, group in _groups(subset).items():
                by_family.setdefault(family, []).append(group)
        for family in ("IPv4", "IPv6"):
            mine = [s for s in existing if s["addressType"] == family]
            groups = [g for g in by_family.get(family, []) if g.endpoints]
            wanted = plan(mine, groups, _base(endpoints, family)) if groups else []
            self.writer.write(mine, wanted)
        return None

    def _mirrors(self, endpoints: Object) -> bool:
        """Whether a person wrote them: no leader election lock, not opted out, a Service without selector."""
        if labels(endpoints).get(SKIP) == "true" or LEADER in annotations_of(endpoints):
            return False
        service = self.services.get(endpoints["metadata"]["namespace"], name(endpoints))
        return service is not None and not service["spec"].get("selector")


def _groups(subset: Object) -> dict[str, Group]:
    """The endpoints of one subset by address family."""
    ports = [
        {"name": p.get("name", ""), "protocol": p.get("protocol", "TCP"), "port": p["port"]}
        | ({"appProtocol": p["appProtocol"]} if p.get("appProtocol") else {})
        for p in subset.get("ports") or ()
    ]
    out = {family: Group(ports, {}) for family in ("IPv4", "IPv6")}
    for field, ready in (("addresses", True), ("notReadyAddresses", False)):
        for address in (subset.get(field) or ())[:MAX_ADDRESSES]:
            endpoint: Object = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
            for source in ("hostname", "nodeName", "targetRef"):
                if address.get(source):
                    endpoint[source] = address[source]
            out["IPv6" if ":" in address["ip"] else "IPv4"].endpoints[endpoint_key(endpoint)] = endpoint
    return out


def _base(endpoints: Object, family: str) -> Object:
    meta: Object = {
        "generateName": name(endpoints) + "-",
        "namespace": endpoints["metadata"]["namespace"],
        "labels": {**labels(endpoints), SERVICE_NAME: name(endpoints), MANAGED_BY: CONTROLLER},
        "ownerReferences": [owner_ref(endpoints)],
    }
    notes = {k: v for k, v in annotations_of(endpoints).items() if k != LAST_CHANGE and not k.startswith("kubectl.")}
    if notes:
        meta["annotations"] = notes
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, "addressType": family}
