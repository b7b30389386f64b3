"""Images: names, registries, policies, back-off."""

import base64
import json

import pytest
from kubelet_bench import Bench

from minik8s.kubelet.images import InvalidName, PullError, Registry, parse_reference


@pytest.mark.parametrize(("text", "full"), [
    ("nginx", "docker.io/library/nginx:latest"),
    ("nginx:1.27", "docker.io/library/nginx:1.27"),
    ("traefik/whoami", "docker.io/traefik/whoami:latest"),
    ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
    ("localhost:5000/app:v1", "localhost:5000/app:v1"),
    ("nginx@sha256:" + "a" * 64, "docker.io/library/nginx@sha256:" + "a" * 64),
])  # fmt: skip
def test_names_are_read_in_full(text: str, full: str) -> None:
    assert str(parse_reference(text)) == full


@pytest.mark.parametrize("text", ["", "NGINX", "nginx:", "nginx:a b", "-x", "a//b", "nginx@sha256:12"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        parse_reference(text)


def test_an_unknown_tag_and_an_unknown_repository_are_told_apart() -> None:
    registry = Registry()
    with pytest.raises(PullError, match=r"code = NotFound .* docker.io/library/nginx:9.9: not found"):
        registry.pull("nginx:9.9")
    with pytest.raises(PullError, match="pull access denied, repository does not exist or may require authorization"):
        registry.pull("nosuch/app")
    with pytest.raises(PullError, match=r"lookup registry\.invalid: no such host"):
        registry.pull("registry.invalid/app")


def test_a_missing_image_fails_then_backs_off(bench: Bench) -> None:
    bench.pod("bad", "nginx:no-such-tag")
    bench.run(1.9)
    assert bench.container("bad")["state"]["waiting"]["reason"] == "ErrImagePull"
    bench.run(4)
    waiting = bench.container("bad")["state"]["waiting"]
    assert waiting["reason"] == "ImagePullBackOff"
    assert waiting["message"].startswith('Back-off pulling image "nginx:no-such-tag": ErrImagePull: rpc error:')
    told = {message for _, message in bench.events("bad")}
    assert {'Back-off pulling image "nginx:no-such-tag"', "Error: ErrImagePull", "Error: ImagePullBackOff"} <= told
    assert bench.status("bad")["phase"] == "Pending"


def test_a_private_image_needs_the_pull_secret(bench: Bench) -> None:
    auth = base64.b64encode(b"student:kubernetes").decode()
    config = json.dumps({"auths": {"registry.example.com": {"auth": auth}}})
    bench.client.create("secrets", {
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": "pull", "namespace": "default"},
        "data": {".dockerconfigjson": base64.b64encode(config.encode()).decode()}})
    bench.pod("without", "registry.example.com/team/app:1.0")
    bench.pod("with", "registry.example.com/team/app:1.0", imagePullSecrets=[{"name": "pull"}])
    bench.run(15)
    assert bench.container("without")["state"]["waiting"]["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert bench.status("with")["phase"] == "Running"


def test_policy_never_does_not_pull(bench: Bench) -> None:
    bench.pod("never", container={"imagePullPolicy": "Never"})
    bench.run(3)
    assert bench.container("never")["state"]["waiting"]["reason"] == "ErrImageNeverPull"


def test_a_registry_can_be_taught_an_image(bench: Bench) -> None:
    bench.cluster.fleet.world.registry.add("example/app", size=1_000_000, command=["/app"],
                                           behaviour={"port": 8080, "body": "hi ${HOSTNAME}\n"})
    bench.pod("app", "example/app:v1")
    bench.run(10)
    assert bench.status("app")["phase"] == "Running"
    assert bench.worker("app").sandbox.dial(8080) is not None  # type: ignore[union-attr]


def test_an_application_named_like_a_command_is_the_application(bench: Bench) -> None:
    bench.pod("who", "traefik/whoami:v1.10")
    bench.run(20)
    assert bench.status("who")["phase"] == "Running"
    assert bench.container("who")["restartCount"] == 0
