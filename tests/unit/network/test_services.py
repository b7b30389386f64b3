"""Who answers behind a Service."""

from collections import Counter

import pytest
from network_bench import Net


@pytest.fixture
def net() -> Net:
    net = Net()
    net.web()
    net.settle()
    return net


def cluster_ip(net: Net, name: str = "web") -> str:
    return str(net.client.get("services", "default", name)["spec"]["clusterIP"])


def test_a_cluster_ip_spreads_over_all_ready_pods(net: Net) -> None:
    answers = Counter(net.dial("", cluster_ip(net), node="node-1") for _ in range(90))
    assert len(answers) == 3 and min(answers.values()) > 15


def test_pods_that_are_not_ready_get_nothing(net: Net) -> None:
    net.web("slow", ready_after=1000)
    net.settle()
    assert net.dial("", cluster_ip(net, "slow"), node="node-1") == "connection refused"


def test_a_wrong_port_is_refused(net: Net) -> None:
    assert net.dial("", cluster_ip(net), 81, node="node-1") == "connection refused"


def test_client_ip_affinity_keeps_one_pod(net: Net) -> None:
    net.service("sticky", {"app": "web"}, sessionAffinity="ClientIP")
    net.settle()
    assert len({net.dial("192.0.2.7", cluster_ip(net, "sticky"), node="node-1") for _ in range(20)}) == 1


def test_a_node_port_is_open_on_every_node(net: Net) -> None:
    net.service("np", {"app": "web"}, type="NodePort")
    net.settle()
    port = net.client.get("services", "default", "np")["spec"]["ports"][0]["nodePort"]
    for number in (2, 3, 4):
        assert net.dial("", f"172.18.0.{number}", port).startswith("web-")
    assert net.dial("", "172.18.0.2", 31999) == "connection refused"


def test_local_external_policy_keeps_to_the_node(net: Net) -> None:
    net.pod("only", node="node-2", app="only")
    net.service("local", {"app": "only"}, type="NodePort", externalTrafficPolicy="Local")
    net.settle()
    port = net.client.get("services", "default", "local")["spec"]["ports"][0]["nodePort"]
    assert net.dial("", "172.18.0.3", port) == "only"
    assert net.dial("", "172.18.0.2", port) == "i/o timeout"


def test_local_internal_policy_keeps_to_the_node(net: Net) -> None:
    net.pod("only", node="node-2", app="only")
    net.service("local", {"app": "only"}, internalTrafficPolicy="Local")
    net.settle()
    assert net.dial("", cluster_ip(net, "local"), node="node-2") == "only"
    assert net.dial("", cluster_ip(net, "local"), node="node-1") == "i/o timeout"


def test_a_load_balancer_gets_an_address(net: Net) -> None:
    net.service("lb", {"app": "web"}, type="LoadBalancer")
    net.settle()
    address = net.client.get("services", "default", "lb")["status"]["loadBalancer"]["ingress"][0]["ip"]
    assert net.dial("", address, node="node-1").startswith("web-")


def test_a_terminating_pod_serves_when_nobody_else_is_left(net: Net) -> None:
    net.web("last", 1, pre_stop=20)
    net.settle()
    net.client.patch("deployments.apps", "default", "last", {"spec": {"replicas": 0}})
    net.settle(5)
    assert net.dial("", cluster_ip(net, "last"), node="node-1").startswith("last-")
    net.settle(30)
    assert net.dial("", cluster_ip(net, "last"), node="node-1") == "connection refused"


def test_rules_of_a_node_that_hears_nothing_grow_old(net: Net) -> None:
    before = {e.address for e in net.fabric.proxies.endpoints("node-1", "default", "web")}
    fault = net.cluster.faults.partition_node("node-1")
    net.client.patch("deployments.apps", "default", "web", {"spec": {"replicas": 6}})
    net.settle(40)
    assert {e.address for e in net.fabric.proxies.endpoints("node-1", "default", "web")} == before
    assert {e.address for e in net.fabric.proxies.endpoints("node-2", "default", "web")} != before
    fault.undo()
    net.settle(5)
    fresh = [net.fabric.proxies.endpoints(n, "default", "web") for n in ("node-1", "node-2")]
    assert fresh[0] == fresh[1]


def test_the_api_server_passes_requests_on(net: Net) -> None:
    from minik8s.cluster import ADMIN
    from minik8s.wire import Request

    def get(path: str) -> tuple[int, object]:
        answer = net.cluster.handle(Request("GET", f"/api/v1/namespaces/default/{path}", {}, {}, None, ADMIN))
        return answer.status, answer.body

    status, body = get("services/web/proxy/")
    assert status == 200 and b"Welcome to nginx!" in body  # type: ignore[operator]
    assert get("services/web:80/proxy/missing")[0] == 404
    net.service("empty", {"app": "nobody"})
    net.settle(2)
    status, body = get("services/empty/proxy/")
    assert status == 503 and body["message"] == 'no endpoints available for service "empty"'  # type: ignore[index]
