"""실습이 도는 곳: 이 프로세스 안의 클러스터이거나, 접속 정보(kubeconfig)로 닿는 실제 API 서버다.

노트북은 어느 곳인지 몰라도 된다. 두 곳은 같은 다섯 가지 일을 한다.
"""

from __future__ import annotations

from typing import Protocol

from minik8s.cluster import Cluster
from minik8s.lab.chronicle import Change
from minik8s.trace import Record
from minik8s.wire import Request, Response

NAMESPACE_SECONDS = 0.05
"""A new namespace is usable after about this long: its controllers have to see it first."""


class Place(Protocol):
    """A cluster as a lab sees it."""

    name: str
    virtual: bool

    def handle(self, request: Request) -> Response:
        """One API call."""
        ...

    def now(self) -> float:
        """Seconds since the Unix epoch, by this place's clock."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let the cluster live for a while."""
        ...

    def step(self) -> bool:
        """Let the next thing happen. False when nothing is going to happen on its own."""
        ...

    def changes(self) -> list[Change]:
        """Every write that this place remembers, in order."""
        ...

    def records(self) -> list[Record]:
        """What the parts did and decided, as far as it is known here."""
        ...


class Embedded:
    """The cluster in this process, on virtual time: sleeping an hour takes milliseconds."""

    name = "embedded"
    virtual = True

    def __init__(self, cluster: Cluster):
        self.cluster = cluster

    def handle(self, request: Request) -> Response:
        response = self.cluster.handle(request)
        if request.method == "POST" and request.path == "/api/v1/namespaces" and response.status == 201:
            # Nobody's next command comes before the namespace has its default service account.
            self.cluster.advance(NAMESPACE_SECONDS)
        return response

    def now(self) -> float:
        return self.cluster.clock.now()

    def sleep(self, seconds: float) -> None:
        self.cluster.advance(seconds)

    def step(self) -> bool:
        return self.cluster.clock.step()

    def changes(self) -> list[Change]:
        return [Change(e.time, e.type, e.key.resource, e.object) for e in self.cluster.store.events]

    def records(self) -> list[Record]:
        return self.cluster.trace.records
