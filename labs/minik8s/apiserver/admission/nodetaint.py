"""TaintNodesByCondition: a new Node starts tainted not-ready until node lifecycle has seen it (KEP-202)."""

from __future__ import annotations

from minik8s.apiserver.admission.attributes import Attributes, Server
from minik8s.apiserver.admission.plugin import Plugin

NOT_READY = "node.kubernetes.io/not-ready"


class TaintNodesByCondition(Plugin):
    name = "TaintNodesByCondition"
    resources = frozenset({"nodes"})

    def mutate(self, a: Attributes, server: Server) -> None:
        if a.subresource or a.object is None:
            return
        spec = a.object.setdefault("spec", {})
        taints = spec.get("taints") or []
        if not any(taint.get("key") == NOT_READY and taint.get("effect") == "NoSchedule" for taint in taints):
            spec["taints"] = [*taints, {"key": NOT_READY, "effect": "NoSchedule"}]
