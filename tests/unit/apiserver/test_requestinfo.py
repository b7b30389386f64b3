"""A path says which verb on which resource is meant."""

from __future__ import annotations

import pytest

from minik8s.apiserver import requestinfo


@pytest.mark.parametrize(
    ("method", "path", "verb", "resource", "namespace", "name", "subresource"),
    [
        ("GET", "/api/v1/pods", "list", "pods", "", "", ""),
        ("GET", "/api/v1/namespaces/a/pods", "list", "pods", "a", "", ""),
        ("GET", "/api/v1/namespaces/a/pods/p", "get", "pods", "a", "p", ""),
        ("PATCH", "/api/v1/namespaces/a/pods/p/status", "patch", "pods", "a", "p", "status"),
        ("POST", "/apis/apps/v1/namespaces/a/deployments", "create", "deployments.apps", "a", "", ""),
        ("DELETE", "/apis/apps/v1/namespaces/a/deployments", "deletecollection", "deployments.apps", "a", "", ""),
        ("GET", "/api/v1/namespaces", "list", "namespaces", "", "", ""),
        ("GET", "/api/v1/namespaces/a", "get", "namespaces", "a", "a", ""),
        ("PUT", "/api/v1/namespaces/a/finalize", "update", "namespaces", "a", "a", "finalize"),
        ("GET", "/api/v1/nodes/n/proxy/metrics/x", "get", "nodes", "", "n", "proxy"),
        ("GET", "/api/v1/watch/pods", "watch", "pods", "", "", ""),
    ],
)
def test_resource_paths(
    method: str, path: str, verb: str, resource: str, namespace: str, name: str, subresource: str
) -> None:
    info = requestinfo.parse(method, path, {})
    assert (info.verb, info.group_resource, info.namespace, info.name, info.subresource) == (
        verb,
        resource,
        namespace,
        name,
        subresource,
    )


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/apis/apps/v1", "/healthz", "/version", "/nowhere/at/all"])
def test_other_paths_are_no_resources(path: str) -> None:
    info = requestinfo.parse("GET", path, {})
    assert not info.is_resource
    assert info.verb == "get"


def test_the_watch_parameter_makes_a_list_a_watch() -> None:
    assert requestinfo.parse("GET", "/api/v1/pods", {"watch": ["1"]}).verb == "watch"
    assert requestinfo.parse("GET", "/api/v1/pods", {"watch": ["false"]}).verb == "list"


def test_what_follows_a_subresource_is_kept_for_proxies() -> None:
    assert requestinfo.parse("GET", "/api/v1/nodes/n/proxy/metrics/x", {}).rest == "metrics/x"
