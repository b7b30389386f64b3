"""What the server says of itself: `explain` reads its OpenAPI document, `api-versions` its discovery."""

from __future__ import annotations

import pytest

from minik8s import lab


@pytest.fixture(scope="module")
def k() -> lab.Lab:
    return lab.connect(nodes=1)


def test_api_versions_are_sorted_group_versions(k: lab.Lab) -> None:
    found = k.kubectl("api-versions").stdout.split()
    assert found == sorted(found) and {"v1", "apps/v1", "networking.k8s.io/v1"} <= set(found)


def test_a_kind_shows_its_fields(k: lab.Lab) -> None:
    out = k.kubectl("explain deployment").stdout
    assert out.startswith("GROUP:      apps\nKIND:       Deployment\nVERSION:    v1\n")
    assert "  spec\t<DeploymentSpec>" in out


def test_a_path_shows_one_field_and_its_type(k: lab.Lab) -> None:
    assert "FIELD: imagePullPolicy <string>" in k.kubectl("explain pod.spec.containers.imagePullPolicy").stdout


def test_a_field_that_does_not_exist_is_an_error(k: lab.Lab) -> None:
    result = k.kubectl("explain pod.spec.containerz")
    assert (result.stderr, result.code) == ('error: field "containerz" does not exist\n', 1)


BACKUPS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: backups.shop.example.com}
spec:
  group: shop.example.com
  scope: Namespaced
  names: {plural: backups, singular: backup, kind: Backup, shortNames: [bk]}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {keep: {type: integer, description: How many to keep.}}}
"""


def test_custom_resources_are_listed_and_explained() -> None:
    k = lab.connect(nodes=0)
    k.apply(BACKUPS)
    k.sleep(2)
    listed = k.kubectl("api-resources --api-group=shop.example.com").stdout.splitlines()
    assert [line.split() for line in listed[1:]] == [["backups", "bk", "shop.example.com/v1", "true", "Backup"]]
    explained = k.kubectl("explain backup.spec.keep").stdout
    assert "FIELD: keep <integer>" in explained
    assert "    How many to keep." in explained
