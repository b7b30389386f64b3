"""PodTopologyLabels: a binding carries its node's zone and region over to the pod (KEP-4742)."""

from __future__ import annotations

from minik8s.apiserver.admission.attributes import Attributes, Server
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.store import Key

LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


class PodTopologyLabels(Plugin):
    name = "PodTopologyLabels"
    resources = frozenset({"pods", "bindings"})

    def mutate(self, a: Attributes, server: Server) -> None:
        if a.object is None or (a.resource == "pods" and a.subresource != "binding"):
            return
        target = a.object.get("target") or {}
        node = server.store.get(Key("nodes", "", str(target.get("name", ""))))
        if node is None or target.get("kind", "Node") not in ("", "Node"):
            return
        have = node["metadata"].get("labels") or {}
        found = {label: have[label] for label in LABELS if label in have}
        if found:
            meta = a.meta()
            meta["labels"] = {**found, **(meta.get("labels") or {})}
