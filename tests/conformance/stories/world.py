"""A control plane in virtual time with the pretend kubelet of the stories instead of nodes."""

from __future__ import annotations

from conformance.stories.pretend import PretendKubelet
from minik8s.client.api import Client
from minik8s.cluster import ADMIN, Cluster

SETTLING = 8.0
"""Virtual seconds until the pretend nodes have lost their first taints."""


class World:
    """A cluster without nodes of its own, three pretend ones, and a client for the story."""

    def __init__(self, seed: int = 0, nodes: int = 3):
        self.cluster = Cluster(nodes=0, seed=seed)
        self.clock, self.trace = self.cluster.clock, self.cluster.trace
        self.client = self.connect("story")
        self.kubelet = PretendKubelet(self.connect("kubelet"), self.clock, nodes)
        self.kubelet.start()
        self.advance(SETTLING)

    def connect(self, actor: str) -> Client:
        return Client(self.cluster.handle, actor=actor, user=ADMIN)

    def advance(self, seconds: float) -> None:
        self.cluster.advance(seconds)
