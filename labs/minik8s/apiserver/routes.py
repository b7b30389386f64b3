"""Which function answers which verb on which resource."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.apiserver import negotiation, strategies
from minik8s.apiserver.call import Call
from minik8s.apiserver.errors import method_not_allowed, resource_not_found
from minik8s.apiserver.verbs import create, delete, patch, read, update, watch
from minik8s.wire import Response

Handler = Callable[[Call], Response]

VERBS: dict[str, Handler] = {
    "create": create.create,
    "get": read.get,
    "list": read.list_,
    "watch": watch.watch,
    "update": update.update,
    "patch": patch.patch,
    "delete": delete.delete,
    "deletecollection": delete.delete_collection,
}


def dispatch(call: Call) -> Response:
    """Find the handler of the call, check its representation, and run it. StatusError 404, 405, 406."""
    info, kind = call.info, call.kind
    if info.namespace and not kind.namespaced and kind.resource_name != "namespaces":
        raise resource_not_found()
    if info.subresource:
        raise resource_not_found()
    verb = info.verb
    if verb not in kind.verbs or (info.name and verb == "create") or (not info.name and verb in ("update", "patch")):
        raise method_not_allowed()
    if verb == "create" and kind.namespaced and not info.namespace:
        raise method_not_allowed()
    call.output = negotiation.negotiate(call.request.headers.get("accept", ""))
    if warning := strategies.deprecation(kind):
        call.warnings.append(warning)
    return VERBS[verb](call)
