"""`kubectl explain` reads the server's own OpenAPI document."""

from __future__ import annotations

import pytest

from minik8s import lab


@pytest.fixture(scope="module")
def k() -> lab.Lab:
    return lab.connect(nodes=1)


def test_a_kind_shows_its_fields(k: lab.Lab) -> None:
    out = k.kubectl("explain deployment").stdout
    assert out.startswith("GROUP:      apps\nKIND:       Deployment\nVERSION:    v1\n")
    assert "  spec\t<DeploymentSpec>" in out


def test_a_path_shows_one_field_and_its_type(k: lab.Lab) -> None:
    assert "FIELD: imagePullPolicy <string>" in k.kubectl("explain pod.spec.containers.imagePullPolicy").stdout


def test_a_field_that_does_not_exist_is_an_error(k: lab.Lab) -> None:
    result = k.kubectl("explain pod.spec.containerz")
    assert (result.stderr, result.code) == ('error: field "containerz" does not exist\n', 1)
