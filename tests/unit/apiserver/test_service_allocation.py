"""Services get addresses and ports, once each."""

from __future__ import annotations

import ipaddress
from typing import Any

from minik8s.apiserver.server import ApiServer
from unit.apiserver.serving import Api

SERVICES = "/api/v1/namespaces/default/services"


def make(api: Api, name: str, **spec: Any) -> Any:
    body = {"metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": [{"port": 80}], **spec}}
    return api.post(SERVICES, body)


def test_each_has_an_address_of_its_own_out_of_the_range(api: Api) -> None:
    addresses = [make(api, f"s{i}").body["spec"]["clusterIP"] for i in range(50)]
    network = ipaddress.ip_network("10.96.0.0/16")
    assert len(set(addresses)) == 50
    assert all(ipaddress.ip_address(address) in network for address in addresses)


def test_an_address_is_given_once_and_given_back(api: Api) -> None:
    assert make(api, "a", clusterIP="10.96.60.1").status == 201
    refused = make(api, "b", clusterIP="10.96.60.1")
    assert refused.status == 422
    assert "failed to allocate IP 10.96.60.1: provided IP is already allocated" in refused.body["message"]
    assert make(api, "c", clusterIP="10.97.0.1").status == 422
    api.delete(f"{SERVICES}/a")
    assert make(api, "b", clusterIP="10.96.60.1").status == 201


def test_headless_services_have_none(api: Api) -> None:
    assert make(api, "h", clusterIP="None").body["spec"]["clusterIP"] == "None"


def test_node_ports(api: Api) -> None:
    first = make(api, "a", type="NodePort").body["spec"]["ports"][0]["nodePort"]
    assert 30000 <= first <= 32767
    taken = make(api, "b", type="NodePort", ports=[{"port": 80, "nodePort": first}])
    assert "provided port is already allocated" in taken.body["message"]
    outside = make(api, "b", type="NodePort", ports=[{"port": 80, "nodePort": 80}])
    assert "The range of valid ports is 30000-32767" in outside.body["message"]


def test_a_refused_service_takes_nothing(api: Api) -> None:
    assert make(api, "Bad_Name", clusterIP="10.96.60.2").status == 422
    assert make(api, "good", clusterIP="10.96.60.2").status == 201
    dry = {"metadata": {"name": "dry"}, "spec": {"clusterIP": "10.96.60.3", "ports": [{"port": 1}]}}
    assert api.post(SERVICES, dry, dryRun="All").status == 201
    assert make(api, "real", clusterIP="10.96.60.3").status == 201


def test_a_server_that_starts_again_knows_what_is_taken(api: Api) -> None:
    make(api, "a", clusterIP="10.96.60.1")
    api.server = ApiServer(api.store, api.clock, api.trace)
    assert make(api, "b", clusterIP="10.96.60.1").status == 422
