"""실제 클러스터의 노드와 파드를 읽어 우리 스케줄러에게 물어본다: 너라면 이 파드를 어디에 두었겠는가?"""

from __future__ import annotations

from minik8s.client import Client
from minik8s.objects import Object, thaw
from minik8s.scheduler import cases
from minik8s.scheduler.record import Decision
from minik8s.wire import StatusError

KINDS = (
    ("namespaces", "v1", "Namespace"),
    ("priorityclasses.scheduling.k8s.io", "scheduling.k8s.io/v1", "PriorityClass"),
    ("services", "v1", "Service"),
    ("replicasets.apps", "apps/v1", "ReplicaSet"),
    ("statefulsets.apps", "apps/v1", "StatefulSet"),
    ("poddisruptionbudgets.policy", "policy/v1", "PodDisruptionBudget"),
    ("persistentvolumes", "v1", "PersistentVolume"),
    ("persistentvolumeclaims", "v1", "PersistentVolumeClaim"),
    ("storageclasses.storage.k8s.io", "storage.k8s.io/v1", "StorageClass"),
    ("csinodes.storage.k8s.io", "storage.k8s.io/v1", "CSINode"),
)
"""What the scheduler's plugins look at besides nodes and pods."""


def case(client: Client, namespace: str, name: str) -> Object:
    """The cluster as the scheduler would see it, with the pod still to be placed. StatusError(404) without the pod.

    Lists leave out apiVersion and kind of their items, so these are put back.
    """
    pod = client.get("pods", namespace, name)
    others = [p for p in client.list("pods") if p["metadata"]["uid"] != pod["metadata"]["uid"]]
    objects = []
    for resource, version, kind in KINDS:
        try:
            found = client.list(resource)
        except StatusError:
            continue  # not allowed to read it, or not served: decided without
        objects += [{**thaw(obj), "apiVersion": version, "kind": kind} for obj in found]
    return {
        "name": name,
        "nodes": [thaw(node) for node in client.list("nodes")],
        "pods": [thaw(p) for p in others],
        "objects": objects,
        "incoming": [unplaced(thaw(pod))],
    }


def unplaced(pod: Object) -> Object:
    """The pod as it was before any scheduler had seen it."""
    meta = {k: v for k, v in pod["metadata"].items() if k != "deletionTimestamp"}
    spec = {k: v for k, v in pod["spec"].items() if k != "nodeName"}
    return {**pod, "metadata": meta, "spec": spec, "status": {"phase": "Pending"}}


def decide(client: Client, namespace: str, name: str) -> Decision:
    """What our scheduler decides about the pod, with the nodes and pods as they are now."""
    return cases.decide(case(client, namespace, name))[0]


def compared(decision: Decision, node: str) -> str:
    """Our choice beside the cluster's own, in Korean."""
    if not node:
        return "이 클러스터의 스케줄러는 아직 이 파드를 두지 못했다. 우리 스케줄러의 생각은 아래와 같다."
    if decision.node == node or node in decision.best:
        return f"이 클러스터의 스케줄러는 {node}에 두었다. 우리 스케줄러에게도 지금 가장 점수가 높은 노드다."
    ours = decision.node or "아무 데도 두지 않는다"
    return (
        f"이 클러스터의 스케줄러는 {node}에 두었고, 우리 스케줄러가 지금 정한다면 {ours}. "
        "그 뒤로 다른 파드가 드나들었다면 다를 수 있다."
    )
