"""Addresses for Services of type LoadBalancer where there is no cloud, as MetalLB gives them."""

from __future__ import annotations

from minik8s.client import Context, Controller
from minik8s.objects.frozen import Object
from minik8s.objects.meta import key, split_key

POOL = ("172.19.255.", 200, 250)


class LoadBalancers(Controller):
    """Writes `status.loadBalancer.ingress` of Services, Ingresses and (through GatewayStatus) Gateways."""

    name = "bare-metal-loadbalancer"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self._services = ctx.informers("services")
        self._services.on_change(lambda old, new: self.enqueue(key(new or old or {})))

    def reconcile(self, key: str) -> float | None:
        namespace, name = split_key(key)
        service = self._services.get(namespace, name)
        if service is None:
            return None
        wanted = service["spec"].get("type") == "LoadBalancer" and not service["metadata"].get("deletionTimestamp")
        ours = not service["spec"].get("loadBalancerClass")
        current = _addresses(service)
        if wanted and ours and not current:
            address = service["spec"].get("loadBalancerIP") or self._free()
            if address is None:
                return 30.0
            self._write(service, [{"ip": address, "ipMode": "VIP"}])
            self.ctx.recorder.event(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer")
        elif not wanted and current:
            self._write(service, [])
        return None

    def _write(self, service: Object, ingress: list[Object]) -> None:
        meta = service["metadata"]
        body = {"status": {"loadBalancer": {"ingress": ingress}}}
        self.client.patch("services", meta["namespace"], meta["name"], body, type="merge", subresource="status")

    def _free(self) -> str | None:
        prefix, first, last = POOL
        taken = {a for s in self._services.list() for a in _addresses(s)}
        return next((f"{prefix}{i}" for i in range(first, last + 1) if f"{prefix}{i}" not in taken), None)


def _addresses(service: Object) -> list[str]:
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [i.get("ip", "") for i in ingress]
