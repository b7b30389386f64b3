"""The API server: one function from Request to Response.

parse the path -> authenticate -> authorize -> route to a verb -> represent -> audit
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from minik8s.apiserver import access, conversion, health, negotiation, requestinfo, routes
from minik8s.apiserver.admission import AdmissionChain
from minik8s.apiserver.allocators import Allocators
from minik8s.apiserver.audit import Audit
from minik8s.apiserver.authz import Authorizer
from minik8s.apiserver.call import Call
from minik8s.apiserver.config import Config
from minik8s.apiserver.errors import resource_not_found
from minik8s.apiserver.lifecycle import Lifecycle
from minik8s.apiserver.providers import MetricsProvider, Providers
from minik8s.apiserver.representation import represent, watch_shape
from minik8s.clock import Clock
from minik8s.objects import Object, freeze
from minik8s.objects.kinds import BUILTIN, Kind, Registry
from minik8s.store import Compacted, Key, Store
from minik8s.trace import Trace
from minik8s.wire import Request, Response, StatusError, WatchEvent

__all__ = ["ApiServer", "Config"]

METRICS = "metrics.k8s.io"


class ApiServer:
    """Speaks the Kubernetes API over a store. Holds no state of its own that could not be rebuilt from the store."""

    def __init__(self, store: Store, clock: Clock, trace: Trace, config: Config | None = None):
        self.store, self.clock, self.trace = store, clock, trace
        self.config = config or Config()
        self.registry = Registry(kind for kind in BUILTIN if kind.group != METRICS)
        self.providers = Providers()
        self.admission = AdmissionChain(self)
        self.allocators = Allocators(self)
        self.lifecycle = Lifecycle(self)
        self.audit = Audit(trace)
        self.lifecycle.load()

    @cached_property
    def authorizer(self) -> Authorizer:
        """Made at the first request of somebody who is not allowed everything."""
        return Authorizer(self.store)

    def serve_metrics(self, provider: MetricsProvider) -> None:
        """Serve metrics.k8s.io from `provider`; without one the group is not there, as without a metrics server."""
        self.providers.metrics = provider
        for kind in BUILTIN:
            if kind.group == METRICS:
                self.registry.add(kind)

    # ---- requests ----------------------------------------------------------
    def handle(self, request: Request) -> Response:
        """Answer one request. Never raises: every failure is a Response with a Status body."""
        info = requestinfo.parse(request.method, request.path, request.query)
        warnings: list[str] = []
        try:
            response = self._serve(request, info, warnings)
        except StatusError as error:
            media = negotiation.error_media(request.headers.get("accept", ""))
            headers = {"content-type": media, **error.headers}
            response = Response(error.code, error.status(), headers)
        if warnings:
            response.warnings = list(dict.fromkeys(warnings))
        self.audit.record(request, info, response)
        return response

    def _serve(self, request: Request, info: requestinfo.RequestInfo, warnings: list[str]) -> Response:
        user = access.admit(self, request, info)
        if not info.is_resource:
            return health.answer(self, request, info)
        kind = self.registry.by_resource(info.group, info.version, info.resource)
        if kind is None:
            return health.answer(self, request, info, unknown=resource_not_found())
        call = Call(self, request, info, kind, user, warnings=warnings)
        return represent(call, routes.dispatch(call))

    # ---- objects -----------------------------------------------------------
    def current(self, kind: Kind, key: Key) -> Object | None:
        """The stored object in the kind's version, or None."""
        obj = self.store.get(key)
        return None if obj is None else self.versioned(kind, obj)

    def versioned(self, kind: Kind, obj: Object) -> Object:
        """A stored object as `kind` shows it (the same object for nearly all kinds)."""
        return obj if kind.storage is None else conversion.from_storage(kind, obj)

    def storage_form(self, kind: Kind, obj: Object) -> Object:
        """An object of `kind` as it is stored."""
        return obj if kind.storage is None else conversion.to_storage(kind, obj)

    def stored(self, kind: Kind, obj: Object) -> None:
        """Called after every create and update."""
        self.lifecycle.stored(kind, obj)

    def removed(self, kind: Kind, obj: Object) -> None:
        """Called after every removal."""
        self.lifecycle.removed(kind, obj)

    def remove_emptied(self, call: Call, new: Object) -> Object:
        """An update took away the last finalizer of an object that is being deleted: it goes; the answer is `new`."""
        from minik8s.apiserver.verbs.delete import remove

        remove(call, new)
        return freeze(new)  # type: ignore[no-any-return]

    def list_at(self, resource: str, namespace: str | None, revision: int) -> list[Object]:
        """The objects of a collection as they stood after `revision`. Compacted."""
        store = self.store
        if revision < store.compacted - 1:
            raise Compacted(store.compacted)
        objects = store.list(resource, namespace)
        state = {(o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in objects}
        for event in reversed(store.events):
            if event.revision <= revision:
                break
            key = event.key
            if key.resource != resource or namespace not in (None, key.namespace):
                continue
            if event.old is None:
                state.pop((key.namespace, key.name), None)
            else:
                state[key.namespace, key.name] = event.old
        return [state[place] for place in sorted(state)]

    def served_since(self, kind: Kind) -> int:
        """The revision from which a custom kind can be watched; 0 for built-in kinds."""
        return self.lifecycle.served_since(kind)

    def watch_shape(self, call: Call) -> Callable[[WatchEvent], WatchEvent] | None:
        """How the events of a watch are represented; None: as they are."""
        return watch_shape(call)

