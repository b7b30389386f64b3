"""Variables that name the namespace's Services, in the old style of Docker links (pkg/kubelet/envvars)."""

from __future__ import annotations

from minik8s.client import Informer
from minik8s.objects.frozen import Object

Env = dict[str, str]

INDEX = "namespace"


def service_variables(services: Informer, namespace: str, links: bool) -> Env:
    """Those of the `kubernetes` Service always, those of the pod's own namespace when `links`."""
    out: Env = {}
    kubernetes = services.get("default", "kubernetes")
    if kubernetes is not None:
        out |= _variables(kubernetes)
    if links:
        for service in services.by_index(INDEX, namespace):
            if service is not kubernetes:
                out |= _variables(service)
    return out


def _variables(service: Object) -> Env:
    spec = service["spec"]
    address = spec.get("clusterIP")
    ports = spec.get("ports") or ()
    if not address or address == "None" or not ports:
        return {}
    name = service["metadata"]["name"].upper().replace("-", "_")
    first = ports[0]
    out = {f"{name}_SERVICE_HOST": address, f"{name}_SERVICE_PORT": str(first["port"])}
    for port in ports:
        if port.get("name"):
            out[f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
    protocol = (first.get("protocol") or "TCP").lower()
    out[f"{name}_PORT"] = f"{protocol}://{address}:{first['port']}"
    for port in ports:
        protocol = port.get("protocol") or "TCP"
        prefix = f"{name}_PORT_{port['port']}_{protocol}"
        out[prefix] = f"{protocol.lower()}://{address}:{port['port']}"
        out |= {f"{prefix}_PROTO": protocol.lower(), f"{prefix}_PORT": str(port["port"]), f"{prefix}_ADDR": address}
    return out
