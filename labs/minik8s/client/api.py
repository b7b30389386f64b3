"""Reads and writes of an actor: thin words over Request and Response.

Resources are named as `kubectl` names them in full: `pods`, `deployments.apps`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minik8s.client.paths import Paths
from minik8s.objects.frozen import Object
from minik8s.wire import Request, Response, StatusError, UserInfo, WatchStream

Transport = Callable[[Request], Response]
Objects = list[Object]
Query = dict[str, list[str]]

PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
"""Content types by the names that `kubectl patch --type` uses (and `apply` for server-side apply)."""


class Client:
    """Speaks to an API server through `transport` as `user`.

    Every method raises StatusError when the server answers with a status >= 400.
    Objects that come back are frozen when the server is in this process.
    """

    def __init__(self, transport: Transport, *, actor: str, user: UserInfo | None = None, agent: str = ""):
        """`actor` names the caller in the trace; `agent` is its User-Agent, which owns the fields it sets."""
        self.transport, self.actor, self.user, self.agent = transport, actor, user, agent or actor
        self.paths = Paths(self._discover)

    def as_actor(self, actor: str, user: UserInfo | None = None) -> Client:
        """The same connection under another name."""
        return Client(self.transport, actor=actor, user=user or self.user, agent=self.agent)

    # ---- reads -----------------------------------------------------------
    def get(self, resource: str, namespace: str, name: str) -> Object:
        return self.call("GET", self.paths.object(resource, namespace, name))

    def find(self, resource: str, namespace: str, name: str) -> Object | None:
        """`get`, or None when there is no such object."""
        try:
            return self.get(resource, namespace, name)
        except StatusError as error:
            if error.code != 404:
                raise
            return None

    def list(
        self, resource: str, namespace: str | None = None, *, label_selector: str = "", field_selector: str = ""
    ) -> Objects:
        """Objects ordered by (namespace, name). `namespace` None: of all namespaces."""
        return list(self.list_with_version(resource, namespace, label_selector, field_selector)[0])

    def list_with_version(
        self, resource: str, namespace: str | None = None, label_selector: str = "", field_selector: str = ""
    ) -> tuple[Objects, str]:
        """Objects and the resourceVersion at which they were all current: where a watch starts."""
        query = _query(labelSelector=label_selector, fieldSelector=field_selector)
        body = self.call("GET", self.paths.collection(resource, namespace), query=query)
        return body.get("items") or [], body["metadata"].get("resourceVersion", "")

    def watch(
        self,
        resource: str,
        namespace: str | None = None,
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> WatchStream:
        query = _query(
            watch="true",
            resourceVersion=resource_version,
            labelSelector=label_selector,
            fieldSelector=field_selector,
            allowWatchBookmarks="true",
        )
        response = self._send("GET", self.paths.collection(resource, namespace), query, None, None)
        if response.stream is None:
            raise StatusError(500, "InternalError", "the server did not open a watch")
        return response.stream

    # ---- writes ----------------------------------------------------------
    def create(self, resource: str, obj: Object, *, namespace: str | None = None) -> Object:
        space = namespace if namespace is not None else obj["metadata"].get("namespace", "")
        return self.call("POST", self.paths.collection(resource, space), obj)

    def create_subresource(self, resource: str, namespace: str, name: str, subresource: str, body: Object) -> Object:
        """POST to e.g. pods/NAME/binding, pods/NAME/eviction, serviceaccounts/NAME/token."""
        return self.call("POST", self.paths.object(resource, namespace, name, subresource), body)

    def update(self, resource: str, obj: Object, *, subresource: str = "") -> Object:
        """Replace; refused with 409 Conflict unless `metadata.resourceVersion` is the current one."""
        meta = obj["metadata"]
        return self.call("PUT", self.paths.object(resource, meta.get("namespace", ""), meta["name"], subresource), obj)

    def patch(
        self,
        resource: str,
        namespace: str,
        name: str,
        body: Any,
        *,
        type: str = "merge",
        subresource: str = "",
        force: bool = False,
    ) -> Object:
        query = _query(fieldManager=self.agent, force="true" if force else "") if type == "apply" else {}
        path = self.paths.object(resource, namespace, name, subresource)
        return self.call("PATCH", path, body, query=query, content_type=PATCH_TYPES[type])

    def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        grace: int | None = None,
        propagation: str | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> Object:
        """Delete with DeleteOptions: grace in seconds, propagation Foreground | Background | Orphan, preconditions."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        if propagation is not None:
            options["propagationPolicy"] = propagation
        preconditions = {k: v for k, v in (("uid", uid), ("resourceVersion", resource_version)) if v is not None}
        if preconditions:
            options["preconditions"] = preconditions
        return self.call("DELETE", self.paths.object(resource, namespace, name), options)

    # ---- the wire ----------------------------------------------------------
    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Query | None = None,
        content_type: str | None = None,
    ) -> Object:
        """Any request; the body of the answer."""
        out: Object = self._send(method, path, query or {}, body, content_type).body
        return out

    def _send(self, method: str, path: str, query: Query, body: Any, content_type: str | None) -> Response:
        headers = {"user-agent": self.agent}
        if content_type:
            headers["content-type"] = content_type
        response = self.transport(Request(method, path, query, headers, body, self.user, self.actor))
        if response.status >= 400:
            raise StatusError.from_status(response.body, response.status)
        return response

    def _discover(self, path: str) -> Object:
        return self.call("GET", path)


def _query(**values: str) -> Query:
    return {name: [value] for name, value in values.items() if value}
