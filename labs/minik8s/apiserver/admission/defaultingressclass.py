"""DefaultIngressClass: an Ingress that names no class gets the default one."""

from __future__ import annotations

from minik8s.apiserver.admission.attributes import Attributes, Server
from minik8s.apiserver.admission.defaultstorageclass import default_class
from minik8s.apiserver.admission.plugin import Plugin

ANNOTATION = "ingressclass.kubernetes.io/is-default-class"


class DefaultIngressClass(Plugin):
    name = "DefaultIngressClass"
    resources = frozenset({"ingresses.networking.k8s.io"})

    def mutate(self, a: Attributes, server: Server) -> None:
        if a.subresource or a.object is None:
            return
        spec = a.object.setdefault("spec", {})
        if spec.get("ingressClassName") is not None:
            return
        if "kubernetes.io/ingress.class" in (a.meta().get("annotations") or {}):
            return
        found = default_class(server.store.list("ingressclasses.networking.k8s.io"), (ANNOTATION,))
        if found is not None:
            spec["ingressClassName"] = found["metadata"]["name"]
