"""Which function answers which verb on which resource."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.apiserver import negotiation, strategies
from minik8s.apiserver.call import Call
from minik8s.apiserver.errors import method_not_allowed, resource_not_found
from minik8s.apiserver.subresources import answers, binding, connect, eviction, finalize, podspec, scale, status
from minik8s.apiserver.verbs import create, delete, patch, read, update, watch
from minik8s.wire import Response

Handler = Callable[[Call], Response]
Verbs = dict[str, Handler]

VERBS: Verbs = {
    "create": create.create,
    "get": read.get,
    "list": read.list_,
    "watch": watch.watch,
    "update": update.update,
    "patch": patch.patch,
    "delete": delete.delete,
    "deletecollection": delete.delete_collection,
}
_STREAMS: Verbs = {"create": connect.stream, "get": connect.stream}
_PROXY: Verbs = dict.fromkeys(("create", "get", "update", "patch", "delete"), connect.proxy)
_PODSPEC: Verbs = {"get": podspec.get, "update": podspec.put, "patch": podspec.patch_}

SUBRESOURCES: dict[str, Verbs] = {
    "status": {"get": status.get, "update": status.put, "patch": status.patch_},
    "scale": {"get": scale.get, "update": scale.put, "patch": scale.patch_},
    "binding": {"create": binding.create},
    "eviction": {"create": eviction.create},
    "ephemeralcontainers": _PODSPEC,
    "resize": _PODSPEC,
    "finalize": {"update": finalize.put},
    "approval": {"get": status.get, "update": status.put, "patch": status.patch_},
    "token": {"create": answers.token},
    "log": {"get": connect.log},
    "exec": _STREAMS,
    "attach": _STREAMS,
    "portforward": _STREAMS,
    "proxy": _PROXY,
}


def dispatch(call: Call) -> Response:
    """Find the handler of the call, check its representation, and run it. StatusError 404, 405, 406."""
    handler = _subresource(call) if call.info.subresource else _verb(call)
    call.output = negotiation.negotiate(call.request.headers.get("accept", ""))
    if warning := strategies.deprecation(call.kind):
        call.warnings.append(warning)
    return handler(call)


def _verb(call: Call) -> Handler:
    info, kind, verb = call.info, call.kind, call.info.verb
    if info.namespace and not kind.namespaced and kind.resource_name != "namespaces":
        raise resource_not_found()
    collection = verb in ("create", "list", "deletecollection") or (verb == "watch" and not info.name)
    if verb not in kind.verbs or collection is bool(info.name):
        raise method_not_allowed()
    if kind.namespaced and not info.namespace and verb not in ("list", "watch") and kind.storable:
        raise method_not_allowed() if not info.name else resource_not_found()
    if not kind.storable:
        return _answer(call)
    return VERBS[verb]


def _answer(call: Call) -> Handler:
    """Kinds that are computed or only answered."""
    kind = call.kind
    if kind.group in ("authentication.k8s.io", "authorization.k8s.io"):
        return answers.review
    if kind.group == "metrics.k8s.io":
        return answers.metrics
    if kind.kind == "ComponentStatus":
        return answers.components
    if kind.kind == "Binding":
        return binding.create_binding
    return VERBS[call.info.verb]


def _subresource(call: Call) -> Handler:
    info = call.info
    declared = call.kind.subresource(info.subresource)
    verbs = SUBRESOURCES.get(info.subresource)
    if declared is None or verbs is None or (call.kind.namespaced and not info.namespace):
        raise resource_not_found()
    handler = verbs.get(info.verb)
    if handler is None or info.verb not in declared.verbs or (info.rest and info.subresource != "proxy"):
        raise method_not_allowed() if not info.rest else resource_not_found()
    return handler
