"""Paths that are no resources: discovery, OpenAPI, version, health and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minik8s.apiserver import discovery, openapi
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
_HEALTH = frozenset({"healthz", "livez", "readyz"})


def answer(server: ApiServer, request: Request, info: RequestInfo, unknown: StatusError | None = None) -> Response:
    """The answer to a path outside the resources, or to one of a resource that there is not."""
    found = discovery.handle(request, server.registry) or openapi.handle(request, server.registry)
    if found is not None:
        return found
    parts = [part for part in request.path.split("/") if part]
    if parts and parts[0] in ("version", *_HEALTH, "metrics"):
        if request.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        return _builtin(server, parts)
    if unknown is not None and _group_known(server, info):
        raise unknown
    return not_found()


def _group_known(server: ApiServer, info: RequestInfo) -> bool:
    return info.prefix == "api" or info.group in server.registry.groups()


def not_found() -> Response:
    """The HTTP layer's own 404."""
    return Response(404, b"404 page not found\n", {"content-type": _TEXT})


def _builtin(server: ApiServer, parts: list[str]) -> Response:
    if parts == ["version"]:
        return Response(200, VERSION, {"content-type": "application/json"})
    if parts[0] in _HEALTH:
        return Response(200, b"ok", {"content-type": _TEXT})
    return Response(200, _metrics(server), {"content-type": "text/plain; version=0.0.4; charset=utf-8"})


def _metrics(server: ApiServer) -> bytes:
    lines = [
        "# HELP apiserver_storage_objects [STABLE] Number of stored objects",
        "# TYPE apiserver_storage_objects gauge",
    ]
    for resource in server.store.resources():
        lines.append(f'apiserver_storage_objects{{resource="{resource}"}} {server.store.count(resource)}')
    return ("\n".join(lines) + "\n").encode()
