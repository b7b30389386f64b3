"""Paths that are no resources, and methods that resources do not have."""

from __future__ import annotations

import pytest

from minik8s.objects import Object
from minik8s.wire import UserInfo
from unit.apiserver.serving import Api


def test_version_and_health(api: Api) -> None:
    assert api.get("/version").body["minor"] == "36"
    for path in ("/healthz", "/livez", "/readyz", "/livez/ping", "/readyz/informer-sync"):
        assert (api.get(path).status, api.get(path).body) == (200, b"ok")
    assert api.get("/livez", verbose="").body.startswith(b"[+]ping ok\n[+]log ok\n[+]etcd ok\n")
    assert api.get("/livez/nothing").status == 404


def test_openapi_and_metrics(api: Api) -> None:
    assert api.get("/openapi/v3").status == 200
    assert b"apiserver_storage_objects" in api.get("/metrics").body


@pytest.mark.parametrize("path", ["/nowhere", "/apis/nope.example.com", "/apis/nope.example.com/v1/things"])
def test_what_nobody_serves(api: Api, path: str) -> None:
    assert (api.get(path).status, api.get(path).body) == (404, b"404 page not found\n")


@pytest.mark.parametrize("path", ["/apis/apps/v1/gadgets", "/api/v1/namespaces/default/pods/p/nothing", "/api/v1/x"])
def test_what_a_group_does_not_have(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status, answer.body["reason"], answer.body["details"]) == (404, "NotFound", {})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/namespaces/default/pods"),
        ("POST", "/api/v1/namespaces/default/pods/p"),
        ("POST", "/api/v1/pods"),
        ("DELETE", "/api/v1/namespaces"),
        ("DELETE", "/api/v1/namespaces/default/pods/p/status"),
        ("POST", "/version"),
        ("PUT", "/apis"),
    ],
)
def test_methods_that_are_not_allowed(api: Api, method: str, path: str) -> None:
    answer = api.send(method, path, {})
    assert (answer.status, answer.body["reason"]) == (405, "MethodNotAllowed")


def test_component_statuses(api: Api) -> None:
    answer = api.get("/api/v1/componentstatuses")
    assert [item["metadata"]["name"] for item in answer.body["items"]] == ["controller-manager", "etcd-0", "scheduler"]
    assert answer.warnings == ["v1 ComponentStatus is deprecated in v1.19+"]


def test_who_may_not_is_told_what(api: Api) -> None:
    answer = api.send("GET", "/api/v1/namespaces/default/pods", user=UserInfo("jane"))
    assert answer.status == 403
    why = 'User "jane" cannot list resource "pods" in API group "" in the namespace "default"'
    assert answer.body["message"] == f"pods is forbidden: {why}"


class Meter:
    """A metrics server that measures the same everywhere."""

    def node_metrics(self, node: Object) -> Object | None:
        return {"kind": "NodeMetrics", "metadata": {"name": node["metadata"]["name"]}, "usage": {"cpu": "1"}}

    def pod_metrics(self, pod: Object) -> Object | None:
        return None


def test_metrics_are_there_when_somebody_measures(api: Api) -> None:
    api.post("/api/v1/nodes", {"metadata": {"name": "n"}})
    assert api.get("/apis/metrics.k8s.io/v1beta1/nodes").status == 404
    api.server.serve_metrics(Meter())
    assert [item["usage"] for item in api.get("/apis/metrics.k8s.io/v1beta1/nodes").body["items"]] == [{"cpu": "1"}]
    assert api.get("/apis/metrics.k8s.io/v1beta1/nodes/n").body["metadata"] == {"name": "n"}
    assert api.get("/apis/metrics.k8s.io/v1beta1/nodes/ghost").status == 404
