"""Paths that are no resources: discovery, OpenAPI, version, health and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minik8s.apiserver import discovery, openapi, tokens
from minik8s.apiserver.errors import method_not_allowed
from minik8s.apiserver.requestinfo import RequestInfo
from minik8s.wire import Request, Response, StatusError

if TYPE_CHECKING:
    from minik8s.apiserver.server import ApiServer

_TEXT = "text/plain; charset=utf-8"
VERSION = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "go1.26",
    "compiler": "gc",
    "platform": "linux/amd64",
}


def answer(server: ApiServer, request: Request, info: RequestInfo, unknown: StatusError | None = None) -> Response:
    """The answer to a path outside the resources, or to one of a resource that there is not."""
    for handle in (discovery.handle, openapi.handle):
        found = handle(request, server.registry)
        if found is not None:
            return found
    parts = [part for part in request.path.split("/") if part]
    builtin = _builtin(server, request, parts)
    if builtin is not None:
        return builtin
    if unknown is not None and _group_known(server, info):
        raise unknown
    return not_found()


def _group_known(server: ApiServer, info: RequestInfo) -> bool:
    return info.prefix == "api" or info.group in server.registry.groups()


def not_found() -> Response:
    """The HTTP layer's own 404."""
    return Response(404, b"404 page not found\n", {"content-type": _TEXT})


def _builtin(server: ApiServer, request: Request, parts: list[str]) -> Response | None:
    match parts:
        case ["version"]:
            if request.method not in ("GET", "HEAD"):
                raise method_not_allowed()
            return Response(200, VERSION, {"content-type": "application/json"})
        case ["metrics"]:
            return Response(200, _metrics(server), {"content-type": "text/plain; version=0.0.4; charset=utf-8"})
        case [".well-known", "openid-configuration"]:
            return Response(200, _issuer(), {"content-type": "application/json"})
        case ["openid", "v1", "jwks"]:
            return Response(200, {"keys": []}, {"content-type": "application/jwk-set+json"})
        case [group, *rest] if group in discovery.HEALTH_CHECKS:
            return _health(group, "/".join(rest), "verbose" in request.query)
    return None


def _health(group: str, check: str, verbose: bool) -> Response:
    """What answers at all is healthy: /livez, one of its checks, or all of them by name."""
    checks = discovery.HEALTH_CHECKS[group]
    if check and check not in checks:
        return not_found()
    text = "ok"
    if verbose and not check:
        first = [name for name in ("ping", "log", "etcd") if name in checks]
        names = [*first, *(name for name in checks if name not in first)]
        text = "".join(f"[+]{name} ok\n" for name in names) + f"{group} check passed\n"
    return Response(200, text.encode(), {"content-type": _TEXT, "x-content-type-options": "nosniff"})


def _issuer() -> dict[str, object]:
    """OpenID discovery. Tokens are signed with a shared key (HS256), so there are no public keys to publish."""
    return {
        "issuer": tokens.ISSUER,
        "jwks_uri": f"{tokens.ISSUER}/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["HS256"],
    }


def _metrics(server: ApiServer) -> bytes:
    lines = [
        "# HELP apiserver_storage_objects [STABLE] Number of stored objects",
        "# TYPE apiserver_storage_objects gauge",
    ]
    for resource in server.store.resources():
        lines.append(f'apiserver_storage_objects{{resource="{resource}"}} {server.store.count(resource)}')
    return ("\n".join(lines) + "\n").encode()
