"""ttl-controller: tells kubelets how long they may cache Secrets and ConfigMaps (pkg/controller/ttl)."""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of, name

ANNOTATION = "node.alpha.kubernetes.io/ttl"
STEPS = ((0, 100, 0), (90, 500, 15), (450, 1000, 30), (900, 2000, 60), (1800, 10000, 300), (9000, 2**31, 600))
"""(at least, at most nodes, seconds): the ranges overlap, so that the value does not flap at their ends."""


class TTLController(Controller):
    name = "ttl-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.nodes = ctx.informers("nodes")
        self._step = 0
        self.nodes.on_change(self._node_changed)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if old is None or new is None:
            self._resize()
        if new is not None:
            self.enqueue(name(new))

    def _resize(self) -> None:
        count, before = len(self.nodes), self._step
        while count > STEPS[self._step][1]:
            self._step += 1
        while count < STEPS[self._step][0]:
            self._step -= 1
        if self._step != before:
            for node in self.nodes.list():
                self.enqueue(name(node))

    def reconcile(self, key: str) -> float | None:
        node, wanted = self.nodes.get("", key), str(STEPS[self._step][2])
        if node is not None and annotations_of(node).get(ANNOTATION) != wanted:
            self.client.patch("nodes", "", key, {"metadata": {"annotations": {ANNOTATION: wanted}}})
        return None
