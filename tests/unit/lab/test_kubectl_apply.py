"""Client-side `kubectl apply`: what is compared, what is sent, what is said."""

from __future__ import annotations

from minik8s import lab
from minik8s.lab.kubectl import threeway

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}
"""


def test_values_that_the_server_filled_in_are_no_change() -> None:
    k = lab.connect(nodes=0)
    said = [k.kubectl("apply -f -", stdin=DEPLOYMENT).stdout for _ in range(2)]
    assert said == ["deployment.apps/web created\n", "deployment.apps/web unchanged\n"]


def test_a_port_is_paired_by_its_number() -> None:
    k = lab.connect(nodes=0)
    k.kubectl("apply -f -", stdin=DEPLOYMENT)
    assert k.kubectl("apply -f -", stdin=DEPLOYMENT.replace("{containerPort: 80}", "{containerPort: 81}")).code == 0
    (container,) = k.get("deployment/web")["spec"]["template"]["spec"]["containers"]
    assert container["ports"] == [{"containerPort": 81, "protocol": "TCP"}]


def test_lists_without_a_key_are_replaced_whole() -> None:
    old, new = {"subjects": [{"name": "a"}, {"name": "b"}]}, {"subjects": [{"name": "b"}]}
    assert threeway.patch(old, new, old, "rolebindings.rbac.authorization.k8s.io", strategic=True) == new


def test_custom_resources_have_no_keyed_lists() -> None:
    old, new = {"containers": [{"name": "a", "x": 1}]}, {"containers": [{"name": "a", "x": 2}]}
    assert threeway.patch(old, new, old, "crontabs.example.com", strategic=False) == new


def test_an_object_that_was_not_applied_before_is_warned_about() -> None:
    k = lab.connect(nodes=0)
    k.kubectl("create configmap settings --from-literal=a=1")
    manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: '2'}}"
    result = k.kubectl("apply -f -", stdin=manifest)
    assert result.stderr.startswith("Warning: resource configmaps/settings is missing the kubectl.kubernetes.io/")
    assert k.kubectl("apply -f -", stdin=manifest)[:2] == ("configmap/settings unchanged\n", "")


def test_a_version_that_is_not_served_is_no_match() -> None:
    result = lab.connect(nodes=0).kubectl("apply -f -", stdin=DEPLOYMENT.replace("apps/v1", "apps/v1beta1"))
    assert result.stderr == (
        'error: resource mapping not found for name: "web" namespace: "" from "STDIN": no matches for kind '
        '"Deployment" in version "apps/v1beta1"\nensure CRDs are installed first\n'
    )
