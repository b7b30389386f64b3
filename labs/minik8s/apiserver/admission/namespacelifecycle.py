"""NamespaceLifecycle: nothing is created in a namespace that is absent or going (admission/plugin/namespace)."""

from __future__ import annotations

from minik8s import wire
from minik8s.apiserver.admission.attributes import CREATE, DELETE, Attributes, Server, forbidden
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.store import Key

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


class NamespaceLifecycle(Plugin):
    name = "NamespaceLifecycle"
    operations = frozenset({"CREATE", "DELETE"})

    def mutate(self, a: Attributes, server: Server) -> None:
        if a.resource == "namespaces":
            if a.operation == DELETE and not a.subresource and a.name in IMMORTAL:
                raise wire.forbidden("namespaces", a.name, "this namespace may not be deleted")
            return
        if a.operation != CREATE or not a.namespace or a.resource == "localsubjectaccessreviews.authorization.k8s.io":
            return
        namespace = server.store.get(Key("namespaces", "", a.namespace))
        if namespace is None:
            raise wire.not_found("namespaces", a.namespace)
        if (namespace.get("status") or {}).get("phase") == "Terminating":
            raise _terminating(a)


def _terminating(a: Attributes) -> wire.StatusError:
    why = f"unable to create new content in namespace {a.namespace} because it is being terminated"
    error = forbidden(a, why)
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {a.namespace} is being terminated",
        "field": "metadata.namespace",
    }
    error.details = {**(error.details or {}), "causes": [cause]}
    return error
