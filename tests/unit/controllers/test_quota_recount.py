"""resourcequota-controller: what it counts, and that it counts again instead of wrongly when the server refuses."""

from __future__ import annotations

from minik8s.cluster import Cluster
from minik8s.controllers.quota_usage import usage_of
from minik8s.objects.meta import parse_time
from minik8s.store import Key
from minik8s.wire import Request, Response, StatusError

DELETED = "2026-01-01T00:10:00Z"


def pod(name: str, **meta: object) -> dict[str, object]:
    spec = {"containers": [{"name": "app", "image": "nginx:1.27"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default", **meta}, "spec": spec}


def test_a_refused_list_is_not_an_empty_one() -> None:
    cluster = Cluster(nodes=1)
    client = cluster.client()
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few", "namespace": "default"}}
    client.create("resourcequotas", {**quota, "spec": {"hard": {"pods": "2"}}})
    cluster.advance(1)
    for name in ("a", "b"):
        client.create("pods", pod(name))
    cluster.advance(10)
    connection = cluster.controlplane.process("kube-controller-manager").connection

    def refusing(request: Request, send: object) -> Response:
        if request.method == "GET" and request.path.endswith("/pods"):
            return Response(503, StatusError(503, "ServiceUnavailable", "etcdserver: request timed out").status())
        return send(request)  # type: ignore[operator, no-any-return]

    connection.interpose = refusing
    client.delete("pods", "default", "a", grace=0)
    cluster.advance(1)
    stored = cluster.store.get(Key("resourcequotas", "default", "few"))
    assert stored is not None and stored["status"]["used"] == {"pods": "2"}
    connection.interpose = None
    cluster.advance(10)
    stored = cluster.store.get(Key("resourcequotas", "default", "few"))
    assert stored is not None and stored["status"]["used"] == {"pods": "1"}


def test_a_pod_whose_node_is_lost_stops_counting_when_its_grace_is_over() -> None:
    going = pod("a", deletionTimestamp=DELETED, deletionGracePeriodSeconds=30)
    assert "pods" in usage_of("pods", going, parse_time(DELETED) + 30)
    assert "pods" not in usage_of("pods", going, parse_time(DELETED) + 31)
