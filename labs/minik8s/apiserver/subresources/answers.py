"""Kinds that are only answered, never stored: reviews, tokens, metrics."""

from __future__ import annotations

from minik8s.apiserver import bodies, options, reviews, tokens
from minik8s.apiserver.call import Call
from minik8s.apiserver.encoding import ObjectList
from minik8s.apiserver.errors import resource_not_found
from minik8s.apiserver.verbs import common
from minik8s.apiserver.verbs.read import predicate
from minik8s.objects import Object
from minik8s.objects.kinds import Kind
from minik8s.store import Key
from minik8s.wire import Response, not_found

TOKEN_REQUEST = Kind("authentication.k8s.io", "v1", "TokenRequest", "tokenrequests", "tokenrequest", True)


def review(call: Call) -> Response:
    """A question about identity or permission."""
    call.options = options.write_options(call.request, "CreateOptions")
    body = bodies.read_object(call, call.kind)
    return Response(201, reviews.review(call.server, call.user, call.kind.resource_name, call.info.namespace, body))


def token(call: Call) -> Response:
    """serviceaccounts/token: a TokenRequest is answered with a token in its status."""
    call.options = options.write_options(call.request, "CreateOptions")
    body = bodies.read_object(call, TOKEN_REQUEST)
    common.check_namespace(call, body)
    return Response(201, tokens.create_token(call.server, call.info.namespace, call.info.name, body))


_COMPONENTS = {"controller-manager": "ok", "etcd-0": "ok", "scheduler": "ok"}


def components(call: Call) -> Response:
    """ComponentStatuses (deprecated): the parts of the control plane, which are well when this answers."""
    found = [_component(name, message) for name, message in _COMPONENTS.items()]
    if call.info.name:
        for component in found:
            if component["metadata"]["name"] == call.info.name:
                return Response(200, component)
        raise not_found(call.kind.plural, call.info.name)
    return Response(200, ObjectList(kind="ComponentStatusList", apiVersion="v1", metadata={}, items=found))


def _component(name: str, message: str) -> Object:
    condition = {"type": "Healthy", "status": "True", "message": message}
    return {"kind": "ComponentStatus", "apiVersion": "v1", "metadata": {"name": name}, "conditions": [condition]}


def metrics(call: Call) -> Response:
    """metrics.k8s.io: what the provider measures of nodes and pods."""
    provider, store = call.server.providers.metrics, call.server.store
    if provider is None or not getattr(provider, "measures", True):
        raise resource_not_found()
    measure = provider.node_metrics if call.kind.plural == "nodes" else provider.pod_metrics
    if call.info.name:
        obj = store.get(Key(call.kind.plural, call.namespace, call.info.name))
        found = measure(obj) if obj is not None else None
        if found is None:
            raise not_found(call.kind.plural, call.info.name, call.kind.group)
        return Response(200, found)
    objects = store.list(call.kind.plural, call.info.namespace or None if call.kind.namespaced else "")
    keep = predicate(call, options.list_options(call.request, False))
    items: list[Object] = [m for obj in objects if keep is None or keep(obj) if (m := measure(obj)) is not None]
    body = {"kind": call.kind.list_kind, "apiVersion": call.kind.api_version, "metadata": {}, "items": items}
    return Response(200, body)
