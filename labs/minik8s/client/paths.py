"""From a resource's name to its path: `deployments.apps` -> /apis/apps/v1/namespaces/NS/deployments."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.objects.frozen import Object
from minik8s.objects.kinds import KINDS
from minik8s.wire import StatusError, path_not_found

_BUILT_IN: dict[str, tuple[str, str, bool]] = {}
for _kind in KINDS:
    _BUILT_IN.setdefault(
        _kind.resource_name,
        (
            f"/apis/{_kind.group}/{_kind.version}" if _kind.group else f"/api/{_kind.version}",
            _kind.plural,
            _kind.namespaced,
        ),
    )


class Paths:
    """Paths of built-in resources by table, of custom resources by asking the server's discovery once."""

    def __init__(self, fetch: Callable[[str], Object]):
        self._fetch = fetch
        self._custom: dict[str, tuple[str, str, bool]] = {}

    def collection(self, resource: str, namespace: str | None) -> str:
        prefix, plural, namespaced = self._find(resource)
        if namespaced and namespace:
            return f"{prefix}/namespaces/{namespace}/{plural}"
        return f"{prefix}/{plural}"

    def object(self, resource: str, namespace: str, name: str, subresource: str = "") -> str:
        prefix, plural, namespaced = self._find(resource)
        scope = f"/namespaces/{namespace}" if namespaced else ""
        tail = f"/{subresource}" if subresource else ""
        return f"{prefix}{scope}/{plural}/{name}{tail}"

    def _find(self, resource: str) -> tuple[str, str, bool]:
        found = _BUILT_IN.get(resource) or self._custom.get(resource)
        if found is None:
            found = self._custom[resource] = self._discover(resource)
        return found

    def _discover(self, resource: str) -> tuple[str, str, bool]:
        plural, _, group = resource.partition(".")
        if not group:
            raise path_not_found()
        version = self._fetch(f"/apis/{group}")["preferredVersion"]["groupVersion"]
        for entry in self._fetch(f"/apis/{version}")["resources"]:
            if entry["name"] == plural:
                return f"/apis/{version}", plural, bool(entry["namespaced"])
        raise StatusError(404, "NotFound", f'the server doesn\'t have a resource type "{resource}"')
