"""OpenAPI documents: what kubectl reads to validate, to patch and to explain."""

from __future__ import annotations

import json
from typing import Any

import pytest

from minik8s.apiserver import openapi
from minik8s.apiserver.crd_kinds import CustomKind
from minik8s.objects.kinds import BUILTIN, Registry
from minik8s.wire import Request, Response


def get(path: str, registry: Registry = BUILTIN, **headers: str) -> Response:
    found = openapi.handle(Request("GET", path, headers=headers), registry)
    assert found is not None
    return found


def document(path: str, registry: Registry = BUILTIN) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(get(f"/openapi/v3/{path}", registry).body)
    return loaded


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(item) for item in value.values()))
    return set().union(*(references(item) for item in value)) if isinstance(value, list) else set()


def test_the_index_names_a_document_for_each_version_by_its_hash() -> None:
    paths = json.loads(get("/openapi/v3").body)["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/autoscaling/v2"} <= set(paths)
    url = paths["apis/apps/v1"]["serverRelativeURL"]
    assert url.startswith("/openapi/v3/apis/apps/v1?hash=")
    assert json.loads(get("/openapi/v3").body)["paths"]["apis/apps/v1"]["serverRelativeURL"] == url


@pytest.mark.parametrize("path", ["api/v1", "apis/apps/v1", "apis/networking.k8s.io/v1"])
def test_every_reference_leads_somewhere(path: str) -> None:
    found = document(path)
    schemas = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
    assert references(found) <= schemas


def test_patches_of_built_in_kinds_take_field_validation_and_strategic_merge() -> None:
    operation = document("apis/apps/v1")["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert operation["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert "fieldValidation" in {parameter["name"] for parameter in operation["parameters"]}
    assert "application/strategic-merge-patch+json" in operation["requestBody"]["content"]


def test_lists_tell_how_they_merge() -> None:
    spec = document("api/v1")["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]
    containers = spec["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert containers["x-kubernetes-patch-strategy"] == "merge"
    assert spec["required"] == ["containers"]


def test_enumerations_are_told_and_described() -> None:
    policy = document("api/v1")["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]["properties"]["restartPolicy"]
    assert policy["enum"] == ["Always", "Never", "OnFailure"]
    assert policy["description"].endswith(' - `"OnFailure"`')


def test_custom_kinds_have_documents_too() -> None:
    registry = BUILTIN.copy()
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    registry.add(CustomKind("g.io", "v1", "W", "ws", "w", True, custom=True, schema=schema, list_kind="WList"))
    found = document("apis/g.io/v1", registry)
    own = found["components"]["schemas"]["io.g.v1.W"]
    assert own["properties"]["spec"]["properties"]["size"] == {"type": "integer"}
    assert own["x-kubernetes-group-version-kind"] == [{"group": "g.io", "version": "v1", "kind": "W"}]
    content = found["paths"]["/apis/g.io/v1/namespaces/{namespace}/ws/{name}"]["patch"]["requestBody"]["content"]
    assert "application/strategic-merge-patch+json" not in content


def test_version_2_is_one_document() -> None:
    found = json.loads(get("/openapi/v2").body)
    assert found["swagger"] == "2.0"
    assert references(found) <= {f"#/definitions/{name}" for name in found["definitions"]}
    media = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    bare = get("/openapi/v2", accept=media)
    assert bare.headers["content-type"] == media.replace("@", ".")
    assert b"2.0" in bare.body


def test_what_a_client_has_already_is_not_sent_again() -> None:
    tag = get("/openapi/v3/apis/apps/v1").headers["etag"]
    found = openapi.handle(Request("GET", "/openapi/v3/apis/apps/v1", headers={"if-none-match": tag}), BUILTIN)
    assert found is not None and found.status == 304
    assert get("/openapi/v3/apis/nope/v1").status == 404
