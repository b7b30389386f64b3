"""Discovery: which groups, versions and resources there are.

Serves `/`, `/api`, `/api/v1`, `/apis`, `/apis/GROUP`, `/apis/GROUP/VERSION` from the registry, in the legacy form and,
when the Accept header asks for it, aggregated (apidiscovery.k8s.io/v2).

Sources: k8s.io/apiserver/pkg/endpoints/discovery, kube-aggregator, apiextensions-apiserver customresource_discovery.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from minik8s import wire
from minik8s.objects import Object
from minik8s.objects.kinds import Kind, Registry, Subresource
from minik8s.wire import Request, Response

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
CUSTOM_VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
_NOT_FOUND = "404 page not found\n"
_HOOKS = (
    "apiservice-discovery-controller",
    "apiservice-openapi-controller",
    "apiservice-openapiv3-controller",
    "apiservice-registration-controller",
    "apiservice-status-local-available-controller",
    "apiservice-status-remote-available-controller",
    "apiservice-wait-for-first-sync",
    "bootstrap-controller",
    "crd-informer-synced",
    "generic-apiserver-start-informers",
    "kube-apiserver-autoregistration",
    "peer-endpoint-reconciler-controller",
    "priority-and-fairness-config-consumer",
    "priority-and-fairness-config-producer",
    "priority-and-fairness-filter",
    "rbac/bootstrap-roles",
    "scheduling/bootstrap-system-priority-classes",
    "start-apiextensions-controllers",
    "start-apiextensions-informers",
    "start-apiserver-admission-initializer",
    "start-cluster-authentication-info-controller",
    "start-kube-aggregator-informers",
    "start-kube-apiserver-identity-lease-controller",
    "start-kube-apiserver-identity-lease-garbage-collector",
    "start-kubernetes-service-cidr-controller",
    "start-legacy-token-tracking-controller",
    "start-service-ip-repair-controllers",
    "start-system-namespaces-controller",
    "storage-object-count-tracker-hook",
    "storage-readiness",
)
_COMMON_CHECKS = ("autoregister-completion", "log", "ping", *(f"poststarthook/{hook}" for hook in _HOOKS))
_STORAGE_CHECKS = ("etcd", "loopback-serving-certificate")
HEALTH_CHECKS: dict[str, tuple[str, ...]] = {
    "healthz": (*_COMMON_CHECKS, *_STORAGE_CHECKS),
    "livez": (*_COMMON_CHECKS, *_STORAGE_CHECKS),
    "readyz": (*_COMMON_CHECKS, "informer-sync", "shutdown"),
}
"""The single checks behind /healthz, /livez and /readyz, by name (as kube-apiserver 1.36 lists them at `/`)."""
_PATHS = (
    "/.well-known/openid-configuration",
    "/api",
    "/apis",
    "/apis/",
    *(f"/{group}" for group in HEALTH_CHECKS),
    *(f"/{group}/{check}" for group, checks in HEALTH_CHECKS.items() for check in checks),
    "/flagz",
    "/metrics",
    "/metrics/slis",
    "/openapi/v2",
    "/openapi/v3",
    "/openapi/v3/",
    "/openid/v1/jwks",
    "/statusz",
    "/version",
)


def handle(request: Request, registry: Registry) -> Response | None:
    """The answer to a discovery request; None when the path is none of discovery's."""
    parts = [part for part in request.path.split("/") if part]
    if request.path == "/":
        return _json({"paths": _root_paths(registry)})
    if not parts or parts[0] not in ("api", "apis") or len(parts) > (2 if parts[0] == "api" else 3):
        return None
    if request.method not in ("GET", "HEAD"):
        return _wrong_method(request, parts)
    if len(parts) == 1:
        return _root(request, registry, parts[0])
    if parts[0] == "api":
        return _resources(registry, "", parts[1])
    return _group(registry, parts[1]) if len(parts) == 2 else _resources(registry, parts[1], parts[2])


def _json(body: Object, **headers: str) -> Response:
    return Response(200, body, {"content-type": "application/json", **headers})


def _page_not_found() -> Response:
    headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    return Response(404, _NOT_FOUND.encode(), headers)


def _wrong_method(request: Request, parts: list[str]) -> Response:
    raise wire.StatusError(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
        {},
    )


def _root_paths(registry: Registry) -> list[str]:
    groups = [group for group in registry.groups() if group]
    paths = {f"/apis/{group}" for group in groups} | {"/api/v1"}
    paths |= {f"/apis/{group}/{version}" for group in groups for version in registry.versions(group)}
    return sorted(paths | set(_PATHS))


def _root(request: Request, registry: Registry, prefix: str) -> Response:
    groups = [""] if prefix == "api" else [group for group in registry.groups() if group]
    if wants_aggregated(request.headers.get("accept", "")):
        return _aggregated(request, registry, groups)
    if prefix == "api":
        address = request.headers.get("host", "127.0.0.1")
        body: Object = {"kind": "APIVersions", "versions": registry.versions("")}
        body["serverAddressByClientCIDRs"] = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
        return _json(body)
    return _json({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group_of(registry, g) for g in groups]})


def wants_aggregated(accept: str) -> bool:
    """Whether the first acceptable media type is aggregated discovery."""
    for item in accept.split(","):
        kind, *parameters = [part.strip() for part in item.split(";")]
        wanted = dict(p.split("=", 1) for p in parameters if "=" in p)
        if wanted.get("as") == "APIGroupDiscoveryList" and wanted.get("v") == "v2" and kind == "application/json":
            return wanted.get("g") == "apidiscovery.k8s.io"
        if kind in ("application/json", "*/*") and "as" not in wanted:
            return False
    return False


def group_of(registry: Registry, group: str) -> Object:
    """The metav1.APIGroup entry of a group, without its type."""
    versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in registry.versions(group)]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _group(registry: Registry, group: str) -> Response:
    if not registry.versions(group):
        return _page_not_found()
    return _json({"kind": "APIGroup", "apiVersion": "v1", **group_of(registry, group)})


def _resources(registry: Registry, group: str, version: str) -> Response:
    kinds = registry.in_version(group, version)
    if not kinds:
        if not registry.versions(group):
            return _page_not_found()
        raise wire.path_not_found()
    entries = [entry for kind in kinds for entry in _entries(kind)]
    body: Object = {"kind": "APIResourceList"}
    if group:
        body["apiVersion"] = "v1"
    return _json(body | {"groupVersion": kinds[0].api_version, "resources": entries})


def _entries(kind: Kind) -> list[Object]:
    """The APIResources of a kind and its subresources."""
    main: Object = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": CUSTOM_VERBS if kind.custom else list(kind.verbs),
    }
    if kind.short_names:
        main["shortNames"] = list(kind.short_names)
    if kind.categories:
        main["categories"] = list(kind.categories)
    if kind.storable:
        main["storageVersionHash"] = storage_version_hash(kind)
    return [main, *(_subresource(kind, sub) for sub in kind.subresources)]


def _subresource(kind: Kind, sub: Subresource) -> Object:
    out: Object = {"name": f"{kind.plural}/{sub.name}", "singularName": "", "namespaced": kind.namespaced}
    if sub.group or sub.version:
        out |= {"group": sub.group, "version": sub.version}
    return out | {"kind": sub.kind, "verbs": list(sub.verbs)}


def storage_version_hash(kind: Kind) -> str:
    """The first 8 bytes of SHA-256 of `group/version/kind` as stored, in base64."""
    group, version = kind.storage or (kind.group, kind.version)
    digest = hashlib.sha256(f"{group}/{version}/{kind.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def _aggregated(request: Request, registry: Registry, groups: list[str]) -> Response:
    body: Object = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}}
    body["items"] = [_aggregated_group(registry, group) for group in groups]
    tag = hashlib.sha512(json.dumps(body, sort_keys=True).encode()).hexdigest().upper()
    headers = {"content-type": AGGREGATED, "etag": f'"{tag}"', "vary": "Accept", "cache-control": "public"}
    if request.headers.get("if-none-match", "") == f'"{tag}"':
        return Response(304, None, headers)
    return Response(200, body, headers)


def _aggregated_group(registry: Registry, group: str) -> Object:
    versions = []
    for version in registry.versions(group):
        kinds = registry.in_version(group, version)
        entry: Object = {"version": version, "resources": [_aggregated_kind(kind) for kind in kinds]}
        versions.append(entry | {"freshness": "Current"})
    return {"metadata": {"name": group} if group else {}, "versions": versions}


def _aggregated_kind(kind: Kind) -> Object:
    out: Object = {
        "resource": kind.plural,
        "responseKind": _response_kind(kind, "", "", kind.kind),
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": CUSTOM_VERBS if kind.custom else list(kind.verbs),
    }
    if kind.short_names:
        out["shortNames"] = list(kind.short_names)
    if kind.categories:
        out["categories"] = list(kind.categories)
    if kind.subresources:
        out["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": _response_kind(kind, sub.group, sub.version, sub.kind),
                "verbs": list(sub.verbs),
            }
            for sub in kind.subresources
        ]
    return out


def _response_kind(kind: Kind, group: str, version: str, name: str) -> dict[str, Any]:
    """Built-in kinds leave group and version empty when they are the enclosing ones; custom kinds name them."""
    if kind.custom and not group and not version:
        group, version = kind.group, kind.version
    return {"group": group, "version": version, "kind": name}
