"""NetworkPolicy: who may talk to whom."""

import pytest
from network_bench import Net, Object


@pytest.fixture(scope="module")
def net() -> Net:
    net = Net()
    net.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace",
                                     "metadata": {"name": "team", "labels": {"team": "blue"}}})
    net.settle(2)
    net.pod("db", app="db")
    net.pod("api", node="node-2", app="api")
    net.pod("web", node="node-3", app="web")
    net.pod("guest", namespace="team", app="api")
    net.settle()
    return net


def with_policy(net: Net, spec: Object, pairs: list[tuple[str, str]], port: int = 80) -> list[bool]:
    net.create("networkpolicies.networking.k8s.io", "NetworkPolicy", "p", spec, "networking.k8s.io/v1")
    net.settle(1)
    out = []
    for one, other in pairs:
        source, target = (net.address(*reversed(n.split("/"))) if "/" in n else net.address(n) for n in (one, other))
        out.append(net.dial(source, target, port) == other.rpartition("/")[2])
    net.client.delete("networkpolicies.networking.k8s.io", "default", "p")
    net.settle(1)
    return out


DB = {"matchLabels": {"app": "db"}}
API = {"matchLabels": {"app": "api"}}


def test_without_policies_everybody_may_talk(net: Net) -> None:
    assert net.dial(net.address("web"), net.address("db")) == "db"


def test_an_empty_ingress_list_shuts_the_door(net: Net) -> None:
    spec = {"podSelector": DB, "policyTypes": ["Ingress"]}
    assert with_policy(net, spec, [("api", "db"), ("api", "web"), ("db", "web")]) == [False, True, True]


def test_a_pod_selector_means_the_own_namespace(net: Net) -> None:
    spec = {"podSelector": DB, "ingress": [{"from": [{"podSelector": API}]}]}
    assert with_policy(net, spec, [("api", "db"), ("web", "db"), ("team/guest", "db")]) == [True, False, False]


def test_namespace_and_pod_selector_together_are_one_peer(net: Net) -> None:
    both = {"namespaceSelector": {"matchLabels": {"team": "blue"}}, "podSelector": API}
    spec = {"podSelector": DB, "ingress": [{"from": [both]}]}
    assert with_policy(net, spec, [("api", "db"), ("team/guest", "db")]) == [False, True]


def test_ports_narrow_a_rule(net: Net) -> None:
    spec = {"podSelector": DB, "ingress": [{"ports": [{"port": 81, "endPort": 90}]}]}
    assert with_policy(net, spec, [("api", "db")]) == [False]
    spec = {"podSelector": DB, "ingress": [{"ports": [{"port": 70, "endPort": 90}]}]}
    assert with_policy(net, spec, [("api", "db")]) == [True]


def test_egress_is_decided_at_the_source(net: Net) -> None:
    spec = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"],
            "egress": [{"to": [{"podSelector": API}]}]}
    assert with_policy(net, spec, [("web", "api"), ("web", "db"), ("api", "db")]) == [True, False, True]


def test_blocks_of_addresses_with_exceptions(net: Net) -> None:
    block = {"cidr": "10.244.0.0/16", "except": ["10.244.2.0/24"]}
    spec = {"podSelector": DB, "ingress": [{"from": [{"ipBlock": block}]}]}
    assert with_policy(net, spec, [("api", "db"), ("web", "db")]) == [True, False]
