"""Ingress and Gateway API."""

import random
from collections import Counter

from network_bench import Net

from minik8s.dataplane import Call
from minik8s.network.gateways import INGRESS_ADDRESS
from minik8s.network.routes import http_route_backend, ingress_backend


def ingress(*rules: tuple[str, str, str, str]) -> dict:  # type: ignore[type-arg]
    """(host, path type, path, service)"""
    def path(kind: str, text: str, service: str) -> dict:  # type: ignore[type-arg]
        backend = {"service": {"name": service, "port": {"number": 80}}}
        return {"pathType": kind, "path": text, "backend": backend}

    return {"metadata": {"name": "i", "namespace": "default"}, "spec": {"rules": [
        {"host": h, "http": {"paths": [path(t, p, s)]}} for h, t, p, s in rules]}}


def test_ingress_paths_go_by_elements_and_the_longest_wins() -> None:
    found = [ingress(("", "Prefix", "/", "root"), ("", "Prefix", "/a", "a"), ("", "Exact", "/a/b", "exact"),
                     ("x.example.com", "Prefix", "/", "host"), ("*.example.com", "Prefix", "/", "wild"))]

    def service(path: str, host: str = "") -> str:
        backend = ingress_backend(found, Call(path, host=host))
        return backend.service if backend else ""

    assert [service(p) for p in ("/", "/a", "/a/c", "/ab", "/a/b")] == ["root", "a", "a", "root", "exact"]
    assert [service("/a", h) for h in ("x.example.com", "y.example.com", "a.b.example.com")] == ["host", "wild", "a"]


def test_http_route_weights_split_the_traffic() -> None:
    route = {"metadata": {"name": "r", "namespace": "default"}, "spec": {"rules": [
        {"matches": [{"headers": [{"name": "X-Canary", "value": "yes"}]}],
         "backendRefs": [{"name": "new", "port": 80}]},
        {"backendRefs": [{"name": "old", "port": 80, "weight": 9}, {"name": "new", "port": 80, "weight": 1}]}]}}
    rng = random.Random(0)
    counted = Counter(http_route_backend([route], Call("/"), rng).service for _ in range(1000))  # type: ignore[union-attr]
    assert 60 < counted["new"] < 140
    forced = http_route_backend([route], Call("/", headers={"x-canary": "yes"}), rng)
    assert forced is not None and forced.service == "new"


def test_an_ingress_leads_from_a_host_name_to_pods() -> None:
    net = Net()
    net.web()
    spec = ingress(("web.example.com", "Prefix", "/", "web"))["spec"]
    net.create("ingresses.networking.k8s.io", "Ingress", "web", spec, "networking.k8s.io/v1")
    net.settle()
    status = net.client.get("ingresses.networking.k8s.io", "default", "web")["status"]
    assert status["loadBalancer"]["ingress"] == [{"ip": INGRESS_ADDRESS}]
    load = net.cluster.traffic.run("http://web.example.com/", rate=10, duration=3)
    assert load.lost == 0 and len(load.summary()["pods"]) == 3
    assert net.cluster.traffic.run(f"http://{INGRESS_ADDRESS}/", rate=1, duration=1).results[0].status == 404


GROUP = "gateway.networking.k8s.io"


def install(net: Net, kind: str, plural: str) -> None:
    """A CRD as the Gateway API project's, without its schema."""
    name = f"{plural}.{GROUP}"
    if net.client.find("customresourcedefinitions.apiextensions.k8s.io", "", name) is not None:
        return
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    net.client.create("customresourcedefinitions.apiextensions.k8s.io", {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": name, "annotations": {"api-approved.kubernetes.io": "unapproved, test"}},
        "spec": {"group": GROUP, "scope": "Namespaced",
                 "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
                 "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                               "schema": schema}]}})


def test_a_gateway_splits_traffic_by_weight_for_a_canary() -> None:
    net = Net()
    net.web("old")
    net.web("new", image="httpd:2.4")
    install(net, "Gateway", "gateways")
    install(net, "HTTPRoute", "httproutes")
    net.settle(5)
    net.create(f"gateways.{GROUP}", "Gateway", "gw", {
        "gatewayClassName": "any", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}, f"{GROUP}/v1")
    net.create(f"httproutes.{GROUP}", "HTTPRoute", "shop", {
        "parentRefs": [{"name": "gw"}], "hostnames": ["shop.example.com"], "rules": [{"backendRefs": [
            {"name": "old", "port": 80, "weight": 9}, {"name": "new", "port": 80, "weight": 1}]}]}, f"{GROUP}/v1")
    net.settle(20)
    assert net.client.get(f"gateways.{GROUP}", "default", "gw")["status"]["addresses"]
    load = net.cluster.traffic.run("http://shop.example.com/", rate=50, duration=10)
    new = sum(count for pod, count in load.summary()["pods"].items() if pod.startswith("new-"))
    assert load.lost == 0 and 25 <= new <= 80
