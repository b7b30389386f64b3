"""Names in the cluster."""

import pytest
from network_bench import Net

from minik8s.dataplane import DialError


@pytest.fixture(scope="module")
def net() -> Net:
    net = Net()
    net.web(replicas=2)
    net.service("headless", {"app": "web"}, clusterIP="None")
    net.create("services", "Service", "outside", {
        "type": "ExternalName", "externalName": "web.default.svc.cluster.local"})
    net.create("statefulsets.apps", "StatefulSet", "db", {
        "serviceName": "db", "replicas": 2, "selector": {"matchLabels": {"app": "db"}},
        "template": {"metadata": {"labels": {"app": "db"}},
                     "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}},
    }, "apps/v1")
    net.service("db", {"app": "db"}, clusterIP="None")
    net.pod("client")
    net.settle(30)
    return net


def test_a_service_by_short_and_long_name(net: Net) -> None:
    address = net.client.get("services", "default", "web")["spec"]["clusterIP"]
    source = net.address("client")
    full = "web.default.svc.cluster.local"
    for name in ("web", "web.default", "web.default.svc", full, full + "."):
        assert net.fabric.resolve(source, name) == [address]


def test_short_names_mean_the_own_namespace(net: Net) -> None:
    with pytest.raises(DialError, match="no such host"):
        net.fabric.dns.resolve("other", "web")
    assert net.fabric.dns.resolve("other", "web.default")


def test_a_headless_service_gives_the_pods(net: Net) -> None:
    pods = [p["status"]["podIP"] for p in net.client.list("pods", "default", label_selector="app=web")]
    assert sorted(net.fabric.resolve("", "headless")) == sorted(pods)


def test_stateful_pods_have_names_of_their_own(net: Net) -> None:
    assert net.fabric.resolve("", "db-1.db") == [net.address("db-1")]


def test_an_external_name_is_an_alias(net: Net) -> None:
    assert net.fabric.resolve("", "outside") == net.fabric.resolve("", "web")
    assert net.fabric.records("", "outside", "CNAME") == ["web.default.svc.cluster.local."]


def test_srv_records_and_pod_addresses(net: Net) -> None:
    srv = net.fabric.records("", "kubernetes.default.svc.cluster.local", "SRV")
    assert srv == ["0 100 443 kubernetes.default.svc.cluster.local."]
    address = net.address("client")
    assert net.fabric.resolve("", f"{address.replace('.', '-')}.default.pod.cluster.local") == [address]


def test_tools_in_a_container_use_the_same_names(net: Net) -> None:
    worker = net.cluster.fleet.find("default", "client")
    assert worker is not None and worker.apps[0].running is not None
    session = worker.apps[0].running.exec(("sh", "-c", "wget -q -O- http://web | grep title; nslookup nope; echo $?"))
    net.settle(2)
    text = b"".join(d for _, d in session.read()).decode()
    assert "<title>Welcome to nginx!</title>" in text
    assert "** server can't find nope: NXDOMAIN" in text
