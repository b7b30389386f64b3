"""The scheduler in a cluster: what it writes, and what brings it back to a pod."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from minik8s.cluster import Cluster
from minik8s.objects import Object
from minik8s.scheduler import user_plugins
from minik8s.scheduler.explain import sentences
from minik8s.scheduler.user_plugins import filter_plugin, with_plugins


@pytest.fixture(autouse=True)
def nothing_declared() -> Iterator[None]:
    user_plugins.DECLARED.clear()
    yield
    user_plugins.DECLARED.clear()


def pod(name: str, cpu: str = "1", **spec: Any) -> Object:
    container = {"name": "c", "image": "nginx:1.27", "resources": {"requests": {"cpu": cpu}}}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container], **spec}}


def node_of(cluster: Cluster, name: str) -> str | None:
    found: str | None = cluster.client().get("pods", "default", name)["spec"].get("nodeName")
    return found


def events(cluster: Cluster, reason: str) -> list[Object]:
    return [e for e in cluster.client().list("events", "default") if e["reason"] == reason]


def scheduled_condition(cluster: Cluster, name: str) -> Object:
    status = cluster.client().get("pods", "default", name)["status"]
    return next(c for c in status["conditions"] if c["type"] == "PodScheduled")


def test_a_pod_is_bound_and_told_so() -> None:
    cluster = Cluster(nodes=2)
    cluster.client().create("pods", pod("p"))
    cluster.advance(1)
    assert node_of(cluster, "p") in ("node-1", "node-2")
    (event,) = events(cluster, "Scheduled")
    assert event["message"] == f"Successfully assigned default/p to {node_of(cluster, 'p')}"
    assert (event["type"], event["action"], event["reportingComponent"]) == ("Normal", "Binding", "default-scheduler")
    (record,) = cluster.trace.select(actor="kube-scheduler", verb="schedule", object="pods/default/p")
    assert record.detail["node"] == node_of(cluster, "p")
    assert sentences(record.detail)[0].startswith("파드 default/p: 노드 2개 가운데 2개가")


def test_a_pod_that_fits_nowhere_has_a_condition_and_waits_for_room() -> None:
    cluster = Cluster(nodes=1)
    client = cluster.client()
    client.create("pods", pod("first", "3"))
    client.create("pods", pod("second", "3"))
    cluster.advance(5)
    condition = scheduled_condition(cluster, "second")
    assert (condition["status"], condition["reason"]) == ("False", "Unschedulable")
    assert condition["message"].startswith("0/1 nodes are available: 1 Insufficient cpu.")
    assert events(cluster, "FailedScheduling")[0]["message"] == condition["message"]
    client.delete("pods", "default", "first", grace=0)
    cluster.advance(5)
    assert node_of(cluster, "second") == "node-1"
    assert scheduled_condition(cluster, "second")["status"] == "True"


def test_an_uncordoned_node_brings_pods_back_at_once() -> None:
    cluster = Cluster(nodes=1)
    client = cluster.client()
    client.patch("nodes", "", "node-1", {"spec": {"unschedulable": True}})
    cluster.advance(1)
    client.create("pods", pod("p"))
    cluster.advance(20)
    assert node_of(cluster, "p") is None
    client.patch("nodes", "", "node-1", {"spec": {"unschedulable": False}})
    cluster.advance(1)
    assert node_of(cluster, "p") == "node-1"


def test_gates_hold_a_pod_until_the_last_is_gone() -> None:
    cluster = Cluster(nodes=1)
    client = cluster.client()
    client.create("pods", pod("g", schedulingGates=[{"name": "example.com/a"}]))
    cluster.advance(30)
    assert node_of(cluster, "g") is None
    client.patch("pods", "default", "g", {"spec": {"schedulingGates": None}})
    cluster.advance(1)
    assert node_of(cluster, "g") == "node-1"


def test_preemption_evicts_nominates_and_then_places() -> None:
    cluster = Cluster(nodes=1)
    client = cluster.client()
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000}
    client.create("priorityclasses.scheduling.k8s.io", kind)
    client.create("pods", pod("low", "3"))
    cluster.advance(5)
    client.create("pods", pod("vip", "3", priorityClassName="high"))
    cluster.advance(120)
    assert node_of(cluster, "vip") == "node-1"
    assert client.find("pods", "default", "low") is None
    uid = client.get("pods", "default", "vip")["metadata"]["uid"]
    (event,) = events(cluster, "Preempted")
    assert event["message"] == f"Preempted by pod {uid} on node node-1"
    assert event["involvedObject"]["name"] == "low" and event["related"]["name"] == "vip"
    assert [r.detail["victims"] for r in cluster.trace.select(verb="preempt")] == [["default/low"]]


def test_a_victim_says_for_which_generation_it_is_disturbed() -> None:
    """``pkg/scheduler/framework/preemption/executor.go``."""
    cluster = Cluster(nodes=1)
    client = cluster.client()
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000}
    client.create("priorityclasses.scheduling.k8s.io", kind)
    low = pod("low", "3")
    client.create("pods", {**low, "metadata": {**low["metadata"], "finalizers": ["example.com/hold"]}})
    cluster.advance(5)
    client.create("pods", pod("vip", "3", priorityClassName="high"))
    cluster.advance(2)
    conditions = client.get("pods", "default", "low")["status"]["conditions"]
    (mark,) = [c for c in conditions if c["type"] == "DisruptionTarget"]
    assert (mark["reason"], mark["observedGeneration"]) == ("PreemptionByScheduler", 1)


def test_several_schedulers_by_name_and_none_for_strangers() -> None:
    packer = {
        "schedulerName": "packer",
        "pluginConfig": [{"name": "NodeResourcesFit", "args": {"scoringStrategy": {"type": "MostAllocated"}}}],
    }
    cluster = Cluster(nodes=3, scheduler={"profiles": [{}, packer]})
    client = cluster.client()
    client.create("pods", pod("seed", "500m"))
    cluster.advance(1)
    for index in range(3):
        client.create("pods", pod(f"packed-{index}", "500m", schedulerName="packer"))
    client.create("pods", pod("stranger", schedulerName="somebody-else"))
    cluster.advance(2)
    assert {node_of(cluster, f"packed-{i}") for i in range(3)} == {node_of(cluster, "seed")}
    assert node_of(cluster, "stranger") is None
    assert {e["reportingComponent"] for e in events(cluster, "Scheduled")} == {"default-scheduler", "packer"}


def test_a_broken_plugin_fails_its_pod_and_leaves_the_queue_alive() -> None:
    @filter_plugin("Picky")
    def picky(pod: Any, node: Any) -> bool:
        if pod.name == "bad":
            raise RuntimeError("no idea")
        return True

    cluster = Cluster(nodes=1, scheduler=with_plugins(None))
    client = cluster.client()
    client.create("pods", pod("bad"))
    client.create("pods", pod("good"))
    cluster.advance(2)
    assert node_of(cluster, "good") == "node-1"
    condition = scheduled_condition(cluster, "bad")
    assert condition["reason"] == "SchedulerError"
    assert '"Picky"' in condition["message"] and "default/bad" in condition["message"]


def test_the_same_seed_gives_the_same_decisions() -> None:
    def history() -> list[str | None]:
        cluster = Cluster(nodes=3, seed=7)
        for index in range(6):
            cluster.client().create("pods", pod(f"p{index}"))
        cluster.advance(5)
        return [node_of(cluster, f"p{index}") for index in range(6)]

    assert history() == history()


def test_a_stopped_scheduler_decides_nothing_and_catches_up() -> None:
    cluster = Cluster(nodes=1)
    cluster.controlplane.stop("scheduler")
    cluster.client().create("pods", pod("p"))
    cluster.advance(30)
    assert node_of(cluster, "p") is None
    cluster.controlplane.start("scheduler")
    cluster.advance(1)
    assert node_of(cluster, "p") == "node-1"


def test_a_local_volume_decides_the_node_and_is_bound() -> None:
    cluster = Cluster(nodes=2)
    client = cluster.client()
    client.create(
        "storageclasses.storage.k8s.io",
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "local"},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "WaitForFirstConsumer",
        },
    )
    on_two = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-2"]}
    client.create(
        "persistentvolumes",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": "disk"},
            "spec": {
                "capacity": {"storage": "10Gi"},
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "local",
                "local": {"path": "/disk"},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [on_two]}]}},
            },
        },
    )
    client.create(
        "persistentvolumeclaims",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": "default"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "local",
                "resources": {"requests": {"storage": "5Gi"}},
            },
        },
    )
    cluster.advance(5)
    client.create("pods", pod("p", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]))
    cluster.advance(30)
    assert node_of(cluster, "p") == "node-2"
    assert client.get("persistentvolumeclaims", "default", "data")["status"]["phase"] == "Bound"


def test_a_claim_that_waits_for_its_consumer_is_provisioned_where_the_pod_goes() -> None:
    cluster = Cluster(nodes=2)
    client = cluster.client()
    client.create(
        "persistentvolumeclaims",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": "default"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "standard",
                "resources": {"requests": {"storage": "1Gi"}},
            },
        },
    )
    client.create("pods", pod("p", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]))
    cluster.advance(30)
    claim = client.get("persistentvolumeclaims", "default", "data")
    assert claim["status"]["phase"] == "Bound"
    assert claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == node_of(cluster, "p")
