"""What kube-apiserver puts into an empty cluster: namespaces, the kubernetes service, priority classes, RBAC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from minik8s.apiserver import rbac_bootstrap
from minik8s.objects.frozen import Object
from minik8s.objects.meta import rfc3339
from minik8s.store import Key

if TYPE_CHECKING:
    from minik8s.clock import Clock
    from minik8s.store import Store

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
SERVICE_IP = "10.96.0.1"
SERVICE_CIDR = "10.96.0.0/16"


class Server(Protocol):
    @property
    def store(self) -> Store: ...

    @property
    def clock(self) -> Clock: ...


def bootstrap(server: Server, *, address: str = "127.0.0.1", port: int = 6443) -> None:
    """Create what is missing; what is there stays as it is. `address:port` is where the API server listens."""
    now = rfc3339(server.clock.now())
    for resource, obj in _objects(address, port, now):
        meta = obj["metadata"]
        key = Key(resource, meta.get("namespace", ""), meta["name"])
        if server.store.get(key) is None:
            filled = {**meta, "uid": server.clock.uid(), "creationTimestamp": now}
            server.store.create(key, {**obj, "metadata": filled})


def _objects(address: str, port: int, now: str) -> Iterator[tuple[str, Object]]:
    for name in NAMESPACES:
        yield "namespaces", _namespace(name)
    for role in rbac_bootstrap.cluster_roles():
        yield "clusterroles.rbac.authorization.k8s.io", role
    for binding in rbac_bootstrap.cluster_role_bindings():
        yield "clusterrolebindings.rbac.authorization.k8s.io", binding
    for obj in rbac_bootstrap.namespaced():
        plural = "roles" if obj["kind"] == "Role" else "rolebindings"
        yield f"{plural}.rbac.authorization.k8s.io", obj
    yield from (("priorityclasses.scheduling.k8s.io", obj) for obj in _priority_classes())
    yield "servicecidrs.networking.k8s.io", _service_cidr(now)
    yield "services", _service(port)
    yield "endpoints", _endpoints(address, port)
    yield "endpointslices.discovery.k8s.io", _endpoint_slice(address, port)


def _namespace(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _priority_classes() -> Iterator[Object]:
    texts = {
        "system-node-critical": (
            2000001000,
            "Used for system critical pods that must not be moved from their current node.",
        ),
        "system-cluster-critical": (
            2000000000,
            "Used for system critical pods that must run in the cluster, "
            "but can be moved to another node if necessary.",
        ),
    }
    for name, (value, description) in texts.items():
        yield {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name, "generation": 1},
            "value": value,
            "description": description,
            "preemptionPolicy": "PreemptLowerPriority",
        }


def _service_cidr(now: str) -> Object:
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "",
        "message": "Kubernetes default Service CIDR is ready",
        "lastTransitionTime": now,
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes", "finalizers": ["networking.k8s.io/service-cidr-finalizer"]},
        "spec": {"cidrs": [SERVICE_CIDR]},
        "status": {"conditions": [ready]},
    }


_COMPONENT = {"component": "apiserver", "provider": "kubernetes"}


def _service(port: int) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": dict(_COMPONENT)},
        "spec": {
            "clusterIP": SERVICE_IP,
            "clusterIPs": [SERVICE_IP],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
            "sessionAffinity": "None",
            "type": "ClusterIP",
        },
        "status": {"loadBalancer": {}},
    }


def _endpoints(address: str, port: int) -> Object:
    subset = {"addresses": [{"ip": address}], "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}
    labels = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    meta = {"name": "kubernetes", "namespace": "default", "labels": labels}
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": [subset]}


def _endpoint_slice(address: str, port: int) -> Object:
    meta = {
        "name": "kubernetes",
        "namespace": "default",
        "generation": 1,
        "labels": {"kubernetes.io/service-name": "kubernetes"},
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta,
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
