"""A cluster with a web Deployment and its Service, for network tests."""

from __future__ import annotations

from typing import Any

from minik8s.cluster import Cluster
from minik8s.dataplane import DialError

Object = dict[str, Any]


class Net:
    """Short words for what the tests do."""

    def __init__(self, nodes: int = 3, seed: int = 0):
        self.cluster = Cluster(nodes=nodes, seed=seed)
        self.client = self.cluster.client()
        self.fabric = self.cluster.network.fabric

    def create(self, resource: str, kind: str, name: str, spec: Object, api: str = "v1", **meta: Any) -> Object:
        namespace = meta.pop("namespace", "default")
        about = {"name": name, "namespace": namespace, **meta}
        body = {"apiVersion": api, "kind": kind, "metadata": about, "spec": spec}
        return self.client.create(resource, body)

    def web(self, name: str = "web", replicas: int = 3, *, image: str = "nginx:1.27", probe: bool = True,
            pre_stop: int = 0, ready_after: float | None = None) -> None:
        container: Object = {"name": "c", "image": image, "ports": [{"containerPort": 80, "name": "http"}]}
        if probe:
            container["readinessProbe"] = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1}
        if pre_stop:
            container["lifecycle"] = {"preStop": {"sleep": {"seconds": pre_stop}}}
        notes = {} if ready_after is None else {"sim.minik8s.io/ready-after": str(ready_after)}
        template = {"metadata": {"labels": {"app": name}, "annotations": notes}, "spec": {"containers": [container]}}
        self.create("deployments.apps", "Deployment", name, {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}, "apps/v1")
        self.service(name, {"app": name})

    def service(self, name: str, selector: Object, **spec: Any) -> Object:
        return self.create("services", "Service", name, {
            "selector": selector, "ports": [{"port": 80, "targetPort": 80}], **spec})

    def pod(self, name: str, *, node: str = "node-1", namespace: str = "default", **labels: str) -> None:
        container = {"name": "c", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}
        spec = {"nodeName": node, "containers": [container]}
        self.create("pods", "Pod", name, spec, namespace=namespace, labels=labels)

    def address(self, name: str, namespace: str = "default") -> str:
        return str(self.client.get("pods", namespace, name)["status"]["podIP"])

    def dial(self, source: str, address: str, port: int = 80, *, node: str = "") -> str:
        """The name of the pod that takes the connection, or the kind of error."""
        try:
            return self.fabric.route(source, address, port, node=node).host.name
        except DialError as error:
            return error.kind

    def settle(self, seconds: float = 20) -> None:
        self.cluster.advance(seconds)
