"""Nodes that fall silent, and what happens to their pods."""

from __future__ import annotations

import pytest

from conformance.stories.world import World
from minik8s.objects import Object
from minik8s.objects.meta import rfc3339

UNREACHABLE = "node.kubernetes.io/unreachable"


def deployment(replicas: int = 3) -> Object:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": "web"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    meta = {"name": "web", "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


@pytest.fixture
def world() -> World:
    world = World()
    world.client.create("deployments.apps", deployment())
    world.advance(5)
    return world


def ready(world: World, node: str) -> Object:
    conditions = world.client.get("nodes", "", node)["status"]["conditions"]
    found: Object = next(c for c in conditions if c["type"] == "Ready")
    return found


def taints(world: World, node: str) -> set[tuple[str, str]]:
    return {(t["key"], t["effect"]) for t in world.client.get("nodes", "", node)["spec"].get("taints") or ()}


def pods_on(world: World, node: str) -> list[Object]:
    return [p for p in world.client.list("pods", "default") if p["spec"].get("nodeName") == node]


def test_a_silent_node_becomes_unknown_after_its_grace_period_and_loses_its_pods_after_their_toleration(
    world: World,
) -> None:
    (victim,) = pods_on(world, "node-3")
    world.kubelet.down.add("node-3")
    world.advance(40)
    assert ready(world, "node-3")["status"] == "True"
    world.advance(20)
    state = ready(world, "node-3")
    assert (state["status"], state["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert state["message"] == "Kubelet stopped posting node status."
    world.advance(10)
    assert taints(world, "node-3") == {(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")}
    marked = world.client.get("pods", "default", victim["metadata"]["name"])
    assert next(c for c in marked["status"]["conditions"] if c["type"] == "Ready")["status"] == "False"
    world.advance(280)
    assert "deletionTimestamp" not in world.client.get("pods", "default", victim["metadata"]["name"])["metadata"]
    world.advance(30)  # tolerationSeconds of the default toleration: 300
    evicted = world.client.get("pods", "default", victim["metadata"]["name"])
    assert "deletionTimestamp" in evicted["metadata"]  # nobody on the node confirms its end
    assert world.client.get("deployments.apps", "default", "web")["status"]["availableReplicas"] == 3


def test_a_node_that_comes_back_in_time_keeps_its_pods(world: World) -> None:
    (victim,) = pods_on(world, "node-3")
    world.kubelet.down.add("node-3")
    world.advance(120)
    assert taints(world, "node-3")
    world.kubelet.node_ready("node-3", True)
    world.advance(400)
    assert taints(world, "node-3") == set()
    assert [p["metadata"]["uid"] for p in pods_on(world, "node-3")] == [victim["metadata"]["uid"]]
    reasons = {(e["reason"], e["message"]) for e in world.client.list("events", "default")}
    assert ("TaintManagerEviction", f"Cancelling deletion of Pod default/{victim['metadata']['name']}") in reasons


def test_when_all_nodes_are_silent_nobody_is_evicted(world: World) -> None:
    before = {p["metadata"]["uid"] for p in world.client.list("pods", "default")}
    world.kubelet.down.update(world.kubelet.nodes)
    world.advance(900)
    pods = world.client.list("pods", "default")
    assert {p["metadata"]["uid"] for p in pods} == before
    assert not any("deletionTimestamp" in p["metadata"] for p in pods)


def test_pods_of_a_node_that_was_deleted_are_collected(world: World) -> None:
    (victim,) = pods_on(world, "node-3")
    world.kubelet.down.add("node-3")
    world.client.delete("nodes", "", "node-3")
    world.advance(90)
    assert world.client.find("pods", "default", victim["metadata"]["name"]) is None
    assert world.client.get("deployments.apps", "default", "web")["status"]["availableReplicas"] == 3


def test_a_pod_without_toleration_leaves_at_once_when_its_node_is_tainted(world: World) -> None:
    taint = {"key": "maintenance", "value": "now", "effect": "NoExecute"}
    world.client.patch("nodes", "", "node-3", {"spec": {"taints": [taint]}})
    world.advance(2)
    assert pods_on(world, "node-3") == []


def test_a_disruption_that_did_not_come_is_forgotten() -> None:
    """disruption.go stalePodDisruptionTimeout."""
    world = World()
    meta = {"name": "p", "namespace": "default"}
    spec = {"containers": [{"name": "app", "image": "web"}]}
    world.client.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    world.advance(2)
    mark = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
    mark["lastTransitionTime"] = rfc3339(world.clock.now())
    body = {"status": {"conditions": [mark]}}
    world.client.patch("pods", "default", "p", body, type="strategic", subresource="status")

    def target() -> str:
        rows = world.client.get("pods", "default", "p")["status"]["conditions"]
        return next(c["status"] for c in rows if c["type"] == "DisruptionTarget")

    world.advance(100)
    assert target() == "True"
    world.advance(30)
    assert target() == "False"
