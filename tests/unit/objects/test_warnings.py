"""Warnings, word by word as upstream's strategies and ``pkg/api/*/warnings.go`` have them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from minik8s.objects import kinds, warnings

SPEC = {"containers": [{"name": "c", "image": "nginx"}]}


def created(resource: str, spec: dict[str, Any], name: str = "x", **more: Any) -> list[str]:
    kind = next(k for k in kinds.KINDS if k.resource_name == resource)
    meta = {"name": name, "annotations": more.pop("annotations", {})}
    return warnings.on_create(kind, {"metadata": meta, "spec": spec, **more})


def pod(**spec: Any) -> list[str]:
    return created("pods", {**SPEC, **spec})


def container(**fields: Any) -> list[str]:
    return pod(containers=[{"name": "c", "image": "nginx", **fields}])


def test_nothing_is_said_about_a_usual_pod() -> None:
    assert pod() == []


def test_names_that_make_no_host_name() -> None:
    told = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"
    assert created("pods", SPEC, "a.b") == [f"metadata.name: {told}: [must not contain dots]"]
    told = told.replace("the Pod's hostname", "Pod names and hostnames")
    assert created("deployments.apps", {"template": {"spec": SPEC}}, "a.b") == [
        f"metadata.name: {told}: [must not contain dots]"]


@pytest.mark.parametrize(("fields", "text"), [
    ({"resources": {"limits": {"memory": "100m"}}},
     'resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer'),
    ({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
     'env[1]: hides previous definition of "A", which may be dropped when using apply'),
    ({"ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 80, "protocol": "TCP", "name": "b"}]},
     "ports[1]: duplicate port definition with spec.containers[0].ports[0]"),
    ({"ports": [{"containerPort": 80, "protocol": "TCP", "hostIP": "10.0.0.1"}]},
     "ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}"),
])
def test_containers(fields: dict[str, Any], text: str) -> None:
    assert container(**fields) == [f"spec.containers[0].{text}"]


def test_an_environment_variable_may_build_on_the_one_before() -> None:
    assert container(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}]) == []


@pytest.mark.parametrize(("spec", "text"), [
    ({"nodeSelector": {"beta.kubernetes.io/os": "linux"}},
     'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'),
    ({"imagePullSecrets": [{"name": "a"}, {"name": "a"}]}, 'spec.imagePullSecrets[1].name: duplicate name "a"'),
    ({"hostAliases": [{"ip": "010.0.0.1"}]},
     'spec.hostAliases[0].ip: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"'),
    ({"topologySpreadConstraints": [{"topologyKey": "zone"}]},
     "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod"),
    ({"terminationGracePeriodSeconds": -1},
     "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"),
    ({"volumes": [{"name": "v", "gitRepo": {"repository": "r"}}]},
     "spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"),
    ({"volumes": [{"name": "v", "configMap": {"name": "m", "items": [{"key": "a", "path": "p"},
                                                                      {"key": "b", "path": "p/q"}]}}]},
     'volume "v" (ConfigMap "m"): overlapping paths: "p/q" with "p"'),
])
def test_pod_specs(spec: dict[str, Any], text: str) -> None:
    assert pod(**spec) == [text]


@pytest.mark.parametrize(("resource", "spec", "text"), [
    ("services", {"type": "ClusterIP", "clusterIP": "None", "sessionAffinity": "ClientIP"},
     "spec.SessionAffinity is ignored for headless services"),
    ("services", {"type": "ClusterIP", "externalIPs": ["1.2.3.4"], "sessionAffinity": "None"},
     "spec.externalIPs is deprecated and may no longer be implemented in some clusters"),
    ("services", {"type": "ClusterIP", "trafficDistribution": "PreferClose"},
     'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'),
    ("persistentvolumes", {"persistentVolumeReclaimPolicy": "Recycle"},
     "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach"
     " is to use dynamic provisioning."),
    ("persistentvolumeclaims", {"resources": {"requests": {"storage": "1500m"}}},
     'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer'),
    ("resourcequotas", {"hard": {"cpu": "2", "limits.cpu": "1"}},
     "ResourceQuota cpu (2) should be less than limits.cpu (1)"),
    ("networkpolicies.networking.k8s.io", {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.5/24"}}]}]},
     'spec.ingress[0].from[0].ipBlock.cidr: CIDR value "10.0.0.5/24" is ambiguous in this context (should be'
     ' "10.0.0.0/24" or "10.0.0.5/32"?)'),
])
def test_other_kinds(resource: str, spec: dict[str, Any], text: str) -> None:
    assert created(resource, spec) == [text]


def test_an_ingress_class_in_an_annotation() -> None:
    assert created("ingresses.networking.k8s.io", {}, annotations={"kubernetes.io/ingress.class": "x"}) == [
        "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"]


def test_a_secret_of_type_tls_without_a_certificate() -> None:
    data = {"tls.crt": base64.b64encode(b"cert").decode(), "tls.key": ""}
    assert created("secrets", {}, type="kubernetes.io/tls", data=data) == [
        "tls: failed to find any PEM data in certificate input"]


def test_a_template_is_looked_at_again_when_it_changes() -> None:
    kind = next(k for k in kinds.KINDS if k.resource_name == "deployments.apps")
    spec = {"template": {"spec": {**SPEC, "terminationGracePeriodSeconds": -1}}}
    old = {"metadata": {"name": "d", "generation": 1}, "spec": spec}
    new = {"metadata": {"name": "d", "generation": 2}, "spec": spec}
    assert warnings.on_update(kind, old, old) == []
    assert len(warnings.on_update(kind, new, old)) == 1
