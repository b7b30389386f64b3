"""Discovery: what clients learn about the API."""

from __future__ import annotations

from typing import Any

import pytest

from minik8s.apiserver import discovery
from minik8s.apiserver.crd_kinds import CustomKind
from minik8s.objects.kinds import BUILTIN, SCALE, Registry
from minik8s.wire import Request, Response, StatusError


def get(path: str, accept: str = "", registry: Registry = BUILTIN) -> Response:
    found = discovery.handle(Request("GET", path, headers={"accept": accept} if accept else {}), registry)
    assert found is not None
    return found


def by_name(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in items}


def test_groups_name_their_preferred_version_first() -> None:
    groups = by_name(get("/apis").body["groups"])
    assert groups["autoscaling"]["preferredVersion"]["version"] == "v2"
    assert [entry["version"] for entry in groups["autoscaling"]["versions"]] == ["v2", "v1"]
    assert get("/apis/apps").body["kind"] == "APIGroup"


def test_resources_come_with_their_subresources() -> None:
    resources = by_name(get("/apis/apps/v1").body["resources"])
    assert resources["deployments"]["shortNames"] == ["deploy"]
    assert resources["deployments"]["storageVersionHash"] == "8aSe+NMegvE="
    assert resources["deployments/scale"]["kind"] == "Scale"
    assert resources["deployments/scale"]["group"] == "autoscaling"


def test_the_core_group_has_no_type_version() -> None:
    assert "apiVersion" not in get("/api/v1").body
    assert get("/api").body["versions"] == ["v1"]


def test_aggregated_discovery_is_given_to_those_who_ask() -> None:
    answer = get("/apis", discovery.AGGREGATED + ",application/json")
    assert answer.headers["content-type"] == discovery.AGGREGATED
    apps = next(item for item in answer.body["items"] if item["metadata"]["name"] == "apps")
    resources = [entry["resource"] for entry in apps["versions"][0]["resources"]]
    assert resources[:2] == ["controllerrevisions", "daemonsets"]
    tag = answer.headers["etag"]
    headers = {"accept": discovery.AGGREGATED, "if-none-match": tag}
    again = discovery.handle(Request("GET", "/apis", headers=headers), BUILTIN)
    assert again is not None and again.status == 304


def test_plain_json_asked_for_first_is_plain() -> None:
    assert get("/api", "application/json," + discovery.AGGREGATED).body["kind"] == "APIVersions"


def test_unknown_groups_and_versions_are_not_found() -> None:
    assert get("/apis/nope.example.com").status == 404
    with pytest.raises(StatusError) as caught:
        get("/apis/apps/v9")
    assert caught.value.code == 404


def test_other_paths_are_not_discovery() -> None:
    assert discovery.handle(Request("GET", "/api/v1/pods"), BUILTIN) is None
    assert discovery.handle(Request("GET", "/version"), BUILTIN) is None


def test_custom_kinds_are_found_like_others() -> None:
    registry = BUILTIN.copy()
    registry.add(CustomKind("g.io", "v1", "W", "ws", "w", True, ("x",), subresources=(SCALE,), custom=True))
    resources = by_name(get("/apis/g.io/v1", registry=registry).body["resources"])
    assert resources["ws"]["verbs"][0] == "delete"
    answer = get("/apis", discovery.AGGREGATED, registry)
    group = next(item for item in answer.body["items"] if item["metadata"]["name"] == "g.io")
    entry = group["versions"][0]["resources"][0]
    assert entry["responseKind"] == {"group": "g.io", "version": "v1", "kind": "W"}
    assert entry["subresources"][0]["responseKind"]["kind"] == "Scale"


def test_the_root_lists_every_path() -> None:
    paths = get("/").body["paths"]
    assert {"/api/v1", "/apis/apps/v1", "/healthz", "/openapi/v3", "/version"} <= set(paths)
    assert paths == sorted(paths)
