"""/openapi/v2, /openapi/v3 and the documents of each group and version, made from the registry on first use.

Source: k8s.io/kube-openapi/pkg/handler3, pkg/handler.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any

from minik8s import __version__, wire
from minik8s.apiserver.openapi_paths import PATCH_SCHEMA, Paths
from minik8s.apiserver.openapi_schemas import V2, V3, Schemas, custom_name
from minik8s.objects import Object, schema_types
from minik8s.objects.kinds import Kind, Registry
from minik8s.wire import Request, Response

VERSION = "v1.36.2"
_JSON = "application/json"
_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_PATCH = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"


def handle(request: Request, registry: Registry) -> Response | None:
    """The answer to an OpenAPI request; None when the path is none of OpenAPI's."""
    path = request.path.rstrip("/")
    if path != "/openapi/v2" and path != "/openapi/v3" and not path.startswith("/openapi/v3/"):
        return None
    if request.method not in ("GET", "HEAD"):
        message = "the server does not allow this method on the requested resource"
        raise wire.StatusError(405, "MethodNotAllowed", message, {})
    if path == "/openapi/v3":
        return _answer(request, json.dumps({"paths": _index(registry)}).encode(), "")
    if path == "/openapi/v2":
        return _version_2(request, registry)
    return _document(request, registry, path.removeprefix("/openapi/v3/"))


def _group_versions(registry: Registry) -> list[tuple[str, str]]:
    return [(group, version) for group in registry.groups() for version in registry.versions(group)]


def _path_of(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _index(registry: Registry) -> Object:
    paths = {}
    for group, version in _group_versions(registry):
        path = _path_of(group, version)
        tag = _hash(tuple(registry.in_version(group, version)))
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={tag}"}
    return paths


@lru_cache(maxsize=256)
def _hash(kinds: tuple[Kind, ...]) -> str:
    """What changes whenever the document of these kinds would, without making it."""
    told: list[Any] = [__version__, VERSION]
    for kind in kinds:
        told += [kind.api_version, kind.plural, kind.kind, kind.short_names, kind.verbs, repr(kind.subresources)]
        told.append(getattr(kind, "schema", None))
    return hashlib.sha512(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest().upper()


def _document(request: Request, registry: Registry, path: str) -> Response | None:
    for group, version in _group_versions(registry):
        if _path_of(group, version) == path:
            kinds = tuple(registry.in_version(group, version))
            return _answer(request, document(group, version, kinds), _hash(kinds))
    return Response(404, b"404 page not found\n", {"content-type": "text/plain; charset=utf-8"})


@lru_cache(maxsize=64)
def document(group: str, version: str, kinds: tuple[Kind, ...]) -> bytes:
    """The OpenAPI 3 document of one group and version, as JSON."""
    schemas, paths = Schemas(V3), Paths(group, version, V3)
    for kind in kinds:
        _add(schemas, paths, kind)
    found = dict(sorted(schemas.found.items())) | {_PATCH: PATCH_SCHEMA}
    scheme = {"type": "apiKey", "description": "Bearer Token authentication", "name": "authorization", "in": "header"}
    out = {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION},
        "paths": dict(sorted(paths.paths.items())),
        "components": {"schemas": found, "securitySchemes": {"BearerToken": scheme}},
    }
    return json.dumps(out, separators=(",", ":"), ensure_ascii=False).encode()


def _add(schemas: Schemas, paths: Paths, kind: Kind) -> None:
    name = _schema_name(schemas, kind)
    if not name:
        return
    listed = ""
    if "list" in kind.verbs:
        listed = schemas.list_type(name, kind.group, kind.version, kind.list_kind)
    for sub in kind.subresources:
        if sub.group or sub.version:
            _collect(schemas, sub.group, sub.version, sub.kind)
    paths.add(kind, name, listed)


def _collect(schemas: Schemas, group: str, version: str, kind: str) -> None:
    type_ = schema_types.type_of((group, version, kind))
    if type_:
        schemas.type_name(type_)


def _schema_name(schemas: Schemas, kind: Kind) -> str:
    schema = getattr(kind, "schema", None)
    if kind.custom:
        name = custom_name(kind.group, kind.version, kind.kind)
        return schemas.custom(name, schema or {"type": "object"}, kind.group, kind.version, kind.kind)
    type_ = schema_types.type_of(kind)
    return schemas.type_name(type_) if type_ else ""


def _version_2(request: Request, registry: Registry) -> Response:
    accept = request.headers.get("accept", "")
    if accept and all("protobuf" in part for part in accept.split(",")):
        return _answer(request, _bare_document(), "", _PROTOBUF)
    tables = tuple((gv, tuple(registry.in_version(*gv))) for gv in _group_versions(registry))
    return _answer(request, _swagger(tables), "")


def _bare_document() -> bytes:
    """The OpenAPI 2 document in gnostic's protobuf, without paths and definitions.

    kubectl 1.27 and later ask for this form only about kinds that no OpenAPI 3 document has, and then need it to say
    that it does not know them either.
    """

    def text(number: int, value: bytes) -> bytes:
        return bytes([number << 3 | 2, len(value)]) + value

    info = text(1, b"Kubernetes") + text(2, VERSION.encode())
    return text(1, b"2.0") + text(2, info) + text(8, b"") + text(9, b"")


@lru_cache(maxsize=1)
def _swagger(tables: tuple[tuple[tuple[str, str], tuple[Kind, ...]], ...]) -> bytes:
    """The OpenAPI 2 document of everything."""
    schemas = Schemas(V2)
    found: dict[str, Object] = {}
    for (group, version), kinds in tables:
        paths = Paths(group, version, V2, old=True)
        for kind in kinds:
            _add(schemas, paths, kind)
        found |= paths.paths
    out = {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": VERSION},
        "paths": dict(sorted(found.items())),
        "definitions": dict(sorted(schemas.found.items())) | {_PATCH: PATCH_SCHEMA},
    }
    return json.dumps(out, separators=(",", ":"), ensure_ascii=False).encode()


def _answer(request: Request, body: bytes, tag: str, media: str = _JSON) -> Response:
    tag = tag or hashlib.sha512(body).hexdigest().upper()
    headers = {"content-type": media, "etag": f'"{tag}"', "vary": "Accept"}
    headers["cache-control"] = "public, immutable" if request.param("hash") else "no-cache, private"
    if request.headers.get("if-none-match", "") == f'"{tag}"':
        return Response(304, None, headers)
    return Response(200, body, headers)
