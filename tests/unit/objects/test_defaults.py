"""Defaulting and what the registry prepares, where recordings do not reach."""

from __future__ import annotations

from typing import Any

import pytest

from minik8s.objects import Object, freeze
from minik8s.objects.defaults import apply_defaults, prepare_create, prepare_status_update, prepare_update
from minik8s.objects.defaults.pods import image_tag
from minik8s.objects.kinds import BUILTIN, Kind
from minik8s.objects.schema import decode


def kind_of(word: str) -> Kind:
    found = BUILTIN.find(word)
    assert found is not None
    return found


def made(word: str, **fields: Any) -> Object:
    kind = kind_of(word)
    obj = decode(kind, {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "a"}, **fields}).object
    obj["metadata"]["uid"] = "u"
    return prepare_create(kind, apply_defaults(kind, obj), "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(("image", "tag"), [
    ("nginx", "latest"), ("nginx:1.27", "1.27"), ("host:5000/nginx", "latest"), ("host:5000/a/b:c", "c"),
    ("nginx@sha256:abc", ""), ("nginx:1@sha256:abc", "1")])
def test_image_tags(image: str, tag: str) -> None:
    assert image_tag(image) == tag


def test_limits_become_requests_in_pods_but_not_in_templates() -> None:
    spec = {"containers": [{"name": "a", "image": "x", "resources": {"limits": {"cpu": "1"}}}]}
    assert made("pods", spec=spec)["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1"}
    template = made("deploy", spec={"template": {"spec": spec}})["spec"]["template"]
    assert "requests" not in template["spec"]["containers"][0]["resources"]


@pytest.mark.parametrize(("resources", "qos"), [
    ({}, "BestEffort"), ({"requests": {"cpu": "1"}}, "Burstable"),
    ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
    ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ({"limits": {"example.com/gpu": "1"}}, "BestEffort")])
def test_qos_class(resources: Object, qos: str) -> None:
    pod = made("pods", spec={"containers": [{"name": "a", "image": "x", "resources": resources}]})
    assert pod["status"] == {"phase": "Pending", "qosClass": qos}


def test_gated_pods_say_why_they_wait() -> None:
    pod = made("pods", spec={"containers": [{"name": "a", "image": "x"}], "schedulingGates": [{"name": "g"}]})
    assert pod["status"]["conditions"][0]["reason"] == "SchedulingGated"


def test_string_data_becomes_data() -> None:
    secret = made("secrets", data={"a": "eA=="}, stringData={"b": "y", "a": "z"})
    assert secret["data"] == {"a": "eg==", "b": "eQ=="} and "stringData" not in secret


def test_status_is_not_the_creators_to_write() -> None:
    assert made("deploy", status={"replicas": 3})["status"] == {}


def test_generation_follows_the_spec_only() -> None:
    kind, old = kind_of("deploy"), freeze(made("deploy"))
    labelled = prepare_update(kind, {**old, "metadata": {**old["metadata"], "labels": {"x": "y"}}}, old)
    assert labelled["metadata"]["generation"] == 1
    scaled = prepare_update(kind, {**old, "spec": {**old["spec"], "replicas": 2}, "status": {"replicas": 9}}, old)
    assert scaled["metadata"]["generation"] == 2 and scaled["status"] == {}


def test_status_updates_change_nothing_else() -> None:
    kind, old = kind_of("deploy"), freeze(made("deploy"))
    new = prepare_status_update(kind, {**old, "spec": {**old["spec"], "replicas": 7}, "status": {"replicas": 1}}, old)
    assert new["spec"] is old["spec"] and new["status"] == {"replicas": 1} and new["metadata"] == old["metadata"]


def test_a_daemon_set_counts_its_templates() -> None:
    kind, old = kind_of("ds"), freeze(made("ds"))
    template = {**old["spec"]["template"], "metadata": {"labels": {"v": "2"}}}
    new = prepare_update(kind, {**old, "spec": {**old["spec"], "template": template}}, old)
    assert new["metadata"]["annotations"] == {"deprecated.daemonset.template.generation": "2"}


def test_services_keep_what_they_were_given() -> None:
    kind = kind_of("svc")
    old = made("svc", spec={"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}], "clusterIP": "10.96.0.9"})
    new = made("svc", spec={"type": "NodePort", "ports": [{"port": 80}, {"port": 81, "name": "b"}]})
    spec = prepare_update(kind, new, freeze(old))["spec"]
    assert spec["clusterIP"] == "10.96.0.9" and spec["clusterIPs"] == ["10.96.0.9"]
    assert [port.get("nodePort") for port in spec["ports"]] == [30080, None]


def test_defaults_of_a_stored_object_change_nothing() -> None:
    pod = freeze(made("pods", spec={"containers": [{"name": "a", "image": "x"}]}))
    assert apply_defaults(kind_of("pods"), pod) is pod
