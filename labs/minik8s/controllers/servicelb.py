"""service-lb-controller: addresses for Services of type LoadBalancer (cloud-provider controllers/service).

Only a cloud has load balancers. The simulated one is there when the option `cloud` is set, or when a node says by its
providerID that it stands in it; elsewhere such Services stay <pending>, as on any cluster without a cloud.
"""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.objects import Object
from minik8s.objects.meta import key
from minik8s.wire import StatusError

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
PROVIDER = "minik8s://"
POOL = "203.0.113."
"""TEST-NET-3 (RFC 5737): addresses that belong to nobody."""


class ServiceLBController(Controller):
    name = "service-lb-controller"
    component = "service-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.services = ctx.informers("services")
        self.nodes = ctx.informers("nodes")
        self.services.on_change(lambda old, new: self.enqueue(key(new)) if new is not None else None)
        self.nodes.on_change(self._node_changed)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if old is None and new is not None and _in_cloud(new):
            for service in self.services.list():
                if service["spec"].get("type") == "LoadBalancer":
                    self.enqueue(key(service))

    def _has_cloud(self) -> bool:
        return bool(self.ctx.options.get("cloud")) or any(_in_cloud(node) for node in self.nodes.list())

    def reconcile(self, name: str) -> float | None:
        namespace, _, short = name.partition("/")
        service = self.services.get(namespace, short)
        if service is None or not self._has_cloud():
            return None
        wanted = service["spec"].get("type") == "LoadBalancer" and not service["spec"].get("loadBalancerClass")
        if "deletionTimestamp" in service["metadata"] or not wanted:
            self._clean_up(service)
        else:
            self._ensure(service)
        return None

    def _ensure(self, service: Object) -> None:
        finalizers = service["metadata"].get("finalizers") or []
        if FINALIZER not in finalizers:
            meta = {**service["metadata"], "finalizers": [*finalizers, FINALIZER]}
            service = self.client.update("services", {**service, "metadata": meta})
        if _ingress(service):
            return
        event = self.ctx.recorder.event
        event(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer")
        address = self._free_address(service["spec"].get("loadBalancerIP"))
        status = {**(service.get("status") or {}), "loadBalancer": {"ingress": [{"ip": address, "ipMode": "VIP"}]}}
        self.client.update("services", {**service, "status": status}, subresource="status")
        event(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer")

    def _free_address(self, wish: str | None) -> str:
        taken = {entry.get("ip") for service in self.client.list("services") for entry in _ingress(service)}
        if wish and wish not in taken:
            return wish
        return next(
            ip
            for n in range(1, 2**16)
            if (ip := f"{POOL}{n}" if n < 255 else f"198.51.{n // 256}.{n % 256}") not in taken
        )

    def _clean_up(self, service: Object) -> None:
        finalizers = service["metadata"].get("finalizers") or []
        if FINALIZER not in finalizers:
            return
        event = self.ctx.recorder.event
        event(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer")
        if _ingress(service) and "deletionTimestamp" not in service["metadata"]:
            status = {**(service.get("status") or {}), "loadBalancer": {}}
            service = self.client.update("services", {**service, "status": status}, subresource="status")
        left = [f for f in finalizers if f != FINALIZER]
        meta = {k: v for k, v in service["metadata"].items() if k != "finalizers"} | (
            {"finalizers": left} if left else {}
        )
        try:
            self.client.update("services", {**service, "metadata": meta})
        except StatusError as error:
            if error.code != 404:
                raise
        event(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer")


def _ingress(service: Object) -> list[Object]:
    return list(((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ())


def _in_cloud(node: Object) -> bool:
    return str(node["spec"].get("providerID", "")).startswith(PROVIDER)
