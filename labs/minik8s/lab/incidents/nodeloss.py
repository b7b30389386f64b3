"""노드를 잃기: 내장 클러스터에서는 전원을 뽑고, kind에서는 허락이 있으면 컨테이너를 멈추고, 그 밖에서는 비운다."""

from __future__ import annotations

import os
import shutil

from minik8s.lab.place import Embedded
from minik8s.lab.remains import CORDONED, PAUSED, engine
from minik8s.lab.session import Lab

PERMISSION = "MINIK8S_ALLOW_NODE_FAULTS"


def lose(lab: Lab, node: str, selector: str) -> list[str]:
    """Take the node away from the lab, as truly as this place allows. What was not true, in Korean."""
    place = lab.place
    if isinstance(place, Embedded):
        lab.nodes.crash(node)
        return []
    if _pausable(place.name):
        _owe(lab, PAUSED, node)
        engine("pause", node)
        return [f"`docker pause {node}`로 노드를 멈췄다. 치울 때 다시 깨운다."]
    _owe(lab, CORDONED, node)
    lab.nodes.cordon(node)
    for pod in lab.pods(selector):
        lab.delete(f"pod/{pod['metadata']['name']}", grace=0, wait=False)
    return [
        f"여기({place.name})서는 노드의 전원을 뽑을 수 없다. "
        f"가장 가까운 일로 {node}를 cordon하고 그 위의 실습 파드를 지웠다. "
        f"kind라면 환경 변수 {PERMISSION}=1로 노드 컨테이너를 정말 멈추게 허락할 수 있다."
    ]


def find(lab: Lab, node: str) -> None:
    """Give the node back."""
    place = lab.place
    if isinstance(place, Embedded):
        lab.nodes.recover(node)
    elif _pausable(place.name):
        engine("unpause", node)
        _owe(lab, PAUSED, None)
    else:
        lab.nodes.uncordon(node)
        _owe(lab, CORDONED, None)


def _owe(lab: Lab, what: str, node: str | None) -> None:
    """Note in the lab's namespace what has to be given back; None when it has been."""
    lab.client.patch("namespaces", "", lab.namespace, {"metadata": {"annotations": {what: node}}})


def _pausable(context: str) -> bool:
    return context.startswith("kind-") and os.environ.get(PERMISSION) == "1" and shutil.which("docker") is not None
