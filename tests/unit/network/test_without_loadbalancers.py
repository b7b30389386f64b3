"""Who gives a Service of type LoadBalancer its address: the cluster, a cloud, or nobody."""

from __future__ import annotations

from typing import Any

import pytest

from minik8s.cluster import Cluster

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]},
}


@pytest.mark.parametrize(
    ("options", "start"),
    [({}, "172.19.255."), ({"loadbalancers": False}, ""), ({"loadbalancers": False, "cloud": True}, "203.0.113.")],
)
def test_the_address_comes_from_whoever_is_there(options: dict[str, Any], start: str) -> None:
    cluster = Cluster(nodes=1, options=options)
    client = cluster.client()
    client.create("services", SERVICE, namespace="default")
    cluster.advance(30)
    ingress = client.get("services", "default", "web")["status"]["loadBalancer"].get("ingress") or [{"ip": ""}]
    assert ingress[0]["ip"].startswith(start)
    assert bool(ingress[0]["ip"]) == bool(start)
