"""DefaultTolerationSeconds: pods stay 300 s on a node that is not ready or unreachable."""

from __future__ import annotations

from minik8s.apiserver.admission.attributes import Attributes, Server
from minik8s.apiserver.admission.plugin import Plugin

KEYS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
SECONDS = 300


class DefaultTolerationSeconds(Plugin):
    name = "DefaultTolerationSeconds"
    operations = frozenset({"CREATE", "UPDATE"})
    resources = frozenset({"pods"})

    def mutate(self, a: Attributes, server: Server) -> None:
        if a.subresource or a.object is None:
            return
        spec = a.object["spec"]
        tolerations = spec.get("tolerations") or []
        missing = [key for key in KEYS if not any(_tolerates(t, key) for t in tolerations)]
        if missing:
            added = [
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS}
                for key in missing
            ]
            spec["tolerations"] = [*tolerations, *added]


def _tolerates(toleration: dict[str, object], key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")
