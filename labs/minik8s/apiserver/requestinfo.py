"""What a request asks for, read from its method and path alone.

Follows k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
_PATH_VERBS = frozenset({"watch", "proxy"})


@dataclass(slots=True, frozen=True)
class RequestInfo:
    """The parsed path. `resource` is "" for non-resource requests such as /healthz.

    `verb` is an API verb (get, list, watch, create, update, patch, delete, deletecollection) or, for
    non-resource requests, the method in lower case. `rest` holds what follows a subresource (proxy paths).
    """

    verb: str
    path: str
    prefix: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    rest: str = ""

    @property
    def is_resource(self) -> bool:
        return self.resource != ""

    @property
    def group_resource(self) -> str:
        """`pods` or `deployments.apps`: the key of the store and of the registry."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


def parse(method: str, path: str, query: dict[str, list[str]]) -> RequestInfo:
    """The request info of `method path?query`."""
    if query and "watch" in query and query["watch"][0].lower() not in ("false", "0", ""):
        return _parse(method, path, True)
    return _parse(method, path, False)


@lru_cache(maxsize=8192)
def _parse(method: str, path: str, watch: bool) -> RequestInfo:
    parts = [unquote(part) if "%" in part else part for part in path.strip("/").split("/")]
    other = RequestInfo(verb=method.lower(), path=path)
    if len(parts) < 3 or parts[0] not in ("api", "apis"):
        return other
    prefix, parts = parts[0], parts[1:]
    group = ""
    if prefix == "apis":
        if len(parts) < 3:
            return other
        group, parts = parts[0], parts[1:]
    version, parts = parts[0], parts[1:]
    verb = _VERBS.get(method, "")
    if parts[0] in _PATH_VERBS:
        if len(parts) < 2:
            return other
        verb, parts = parts[0], parts[1:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES:
            parts = parts[2:]
    resource, name, subresource = parts[0], "", ""
    if len(parts) > 1:
        name = parts[1]
    if len(parts) > 2 and verb != "proxy":
        subresource = parts[2]
    if not name and verb == "get":
        verb = "watch" if watch else "list"
    elif not name and verb == "delete":
        verb = "deletecollection"
    return RequestInfo(
        verb=verb,
        path=path,
        prefix=prefix,
        group=group,
        version=version,
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name,
        rest="/".join(parts[3:]),
    )
