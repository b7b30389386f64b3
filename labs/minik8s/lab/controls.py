"""실습의 손잡이: 노드를 멈추고 살리기, 컨트롤 플레인의 부품을 끄고 켜기."""

from __future__ import annotations

from minik8s.client import Client
from minik8s.cluster import Cluster
from minik8s.kubelet.kubelet import Kubelet
from minik8s.lab.place import Embedded, Place


class NotHere(RuntimeError):
    """지금 이어진 곳에서는 할 수 없는 일. 글이 그 까닭과 가장 가까운 방법을 말한다."""


def embedded(place: Place, what: str, nearest: str) -> Embedded:
    """The embedded cluster, or NotHere with what to do instead."""
    if isinstance(place, Embedded):
        return place
    raise NotHere(f"내장 클러스터에서만 할 수 있다: {what}. 지금 이어진 {place.name}에서는 {nearest}")


class Nodes:
    """`k.nodes`: 노드의 이름과 상태, 그리고 고장."""

    def __init__(self, place: Place, client: Client):
        self._place, self._client = place, client

    def names(self) -> list[str]:
        return [node["metadata"]["name"] for node in self._client.list("nodes")]

    def crash(self, name: str) -> None:
        """노드의 전원을 뽑는다. 아무도 작별 인사를 하지 않는다."""
        self._fleet(name).power_off()
        self._record("crash", name)

    def recover(self, name: str) -> None:
        """멈춘 노드를 다시 켠다."""
        self._fleet(name).power_on()
        self._record("recover", name)

    def cordon(self, name: str) -> None:
        """새 파드를 받지 않게 한다(`kubectl cordon`)."""
        self._client.patch("nodes", "", name, {"spec": {"unschedulable": True}})

    def uncordon(self, name: str) -> None:
        self._client.patch("nodes", "", name, {"spec": {"unschedulable": None}})

    def _fleet(self, name: str) -> Kubelet:
        place = embedded(self._place, "노드를 멈추는 일", "`k.nodes.cordon(이름)` 뒤에 그 노드의 파드를 지우자.")
        if name not in place.cluster.fleet:
            raise ValueError(f"{name!r}라는 노드는 없다. 있는 것: {', '.join(place.cluster.fleet.names())}")
        return place.cluster.fleet[name]

    def _record(self, verb: str, name: str) -> None:
        place = embedded(self._place, "", "")
        place.cluster.trace.record("fault", verb, f"nodes/{name}")


class ControlPlane:
    """`k.controlplane`: 부품을 끄면 무엇이 멈추는지 볼 수 있다."""

    def __init__(self, place: Place):
        self._place = place

    def parts(self) -> dict[str, bool]:
        """부품의 이름과, 지금 돌고 있는지."""
        return self._cluster().controlplane.parts()

    def stop(self, name: str) -> None:
        self._cluster().controlplane.stop(name)
        self._cluster().trace.record("fault", "stop", name)

    def start(self, name: str) -> None:
        self._cluster().controlplane.start(name)
        self._cluster().trace.record("fault", "start", name)

    def _cluster(self) -> Cluster:
        return embedded(
            self._place, "컨트롤 플레인의 부품을 끄는 일", "관리자에게 부탁하거나 kind에서 해 보자."
        ).cluster
