"""The garbage collector and namespace deletion: who goes, who stays, in which order."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.stories.world import World
from minik8s.objects import Object


@pytest.fixture
def world() -> World:
    return World()


def config_map(name: str, *owners: Object, block: bool = False, finalizers: list[str] | None = None) -> Object:
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": o["metadata"]["name"],
            "uid": o["metadata"]["uid"],
            "blockOwnerDeletion": block,
        }
        for o in owners
    ]
    meta: Object = {"name": name, "namespace": "default"}
    if references:
        meta["ownerReferences"] = references
    if finalizers:
        meta["finalizers"] = finalizers
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


def make(world: World, *args: Any, **kwargs: Any) -> Object:
    return world.client.create("configmaps", config_map(*args, **kwargs))


def names(world: World) -> set[str]:
    found = {o["metadata"]["name"] for o in world.client.list("configmaps", "default")}
    return found - {"kube-root-ca.crt"}


def delete(world: World, name: str, propagation: str) -> None:
    world.client.delete("configmaps", "default", name, propagation=propagation)
    world.advance(2)


def test_background_takes_the_owner_first_and_the_rest_after(world: World) -> None:
    owner = make(world, "owner")
    child = make(world, "child", owner)
    make(world, "grandchild", child)
    world.client.delete("configmaps", "default", "owner", propagation="Background")
    assert "owner" not in names(world)
    world.advance(2)
    assert names(world) == set()


def test_orphan_sets_the_dependents_free(world: World) -> None:
    make(world, "child", make(world, "owner"))
    delete(world, "owner", "Orphan")
    assert names(world) == {"child"}
    assert "ownerReferences" not in world.client.get("configmaps", "default", "child")["metadata"]


def test_foreground_waits_for_dependents_that_block(world: World) -> None:
    owner = make(world, "owner")
    make(world, "child", owner, block=True, finalizers=["example.com/hold"])
    delete(world, "owner", "Foreground")
    assert names(world) == {"owner", "child"}
    assert "foregroundDeletion" in world.client.get("configmaps", "default", "owner")["metadata"]["finalizers"]
    world.client.patch("configmaps", "default", "child", {"metadata": {"finalizers": None}})
    world.advance(2)
    assert names(world) == set()


def test_foreground_does_not_wait_for_dependents_that_do_not_block(world: World) -> None:
    owner = make(world, "owner")
    make(world, "child", owner, block=False, finalizers=["example.com/hold"])
    delete(world, "owner", "Foreground")
    assert names(world) == {"child"}


def test_one_living_owner_is_enough_to_stay(world: World) -> None:
    first, second = make(world, "first"), make(world, "second")
    make(world, "child", first, second)
    delete(world, "first", "Background")
    child = world.client.get("configmaps", "default", "child")
    assert [r["name"] for r in child["metadata"]["ownerReferences"]] == ["second"]


def test_an_owner_that_never_was_is_no_owner(world: World) -> None:
    ghost = {"metadata": {"name": "ghost", "uid": "00000000-0000-4000-8000-000000000000"}}
    make(world, "child", ghost)
    world.advance(2)
    assert names(world) == set()


def test_an_owner_of_an_unknown_kind_is_left_alone(world: World) -> None:
    reference = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "w", "uid": "u"}
    obj = config_map("child")
    obj["metadata"]["ownerReferences"] = [reference]
    world.client.create("configmaps", obj)
    world.advance(5)
    assert names(world) == {"child"}


def test_a_namespace_goes_when_its_content_has_gone(world: World) -> None:
    world.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    held = config_map("held", finalizers=["example.com/hold"])
    world.client.create("configmaps", {**held, "metadata": {**held["metadata"], "namespace": "team"}})
    world.client.delete("namespaces", "", "team")
    world.advance(10)
    status = world.client.get("namespaces", "", "team")["status"]
    conditions = {c["type"]: c for c in status["conditions"]}
    assert status["phase"] == "Terminating"
    remaining = conditions["NamespaceContentRemaining"]
    assert (remaining["status"], remaining["reason"]) == ("True", "SomeResourcesRemain")
    assert remaining["message"] == "Some resources are remaining: configmaps. has 1 resource instances"
    finalizers = conditions["NamespaceFinalizersRemaining"]["message"]
    assert finalizers.endswith("example.com/hold in 1 resource instances")
    world.client.patch("configmaps", "team", "held", {"metadata": {"finalizers": None}})
    world.advance(20)
    assert world.client.find("namespaces", "", "team") is None


def test_an_owner_in_another_namespace_is_no_owner_and_an_event_says_so(world: World) -> None:
    """graph_builder.go reportInvalidNamespaceOwnerRef."""
    world.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    config = {"apiVersion": "v1", "kind": "ConfigMap"}
    owner = world.client.create("configmaps", {**config, "metadata": {"name": "o", "namespace": "other"}})
    uid = owner["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": uid}
    meta = {"name": "d", "namespace": "default", "ownerReferences": [reference]}
    world.client.create("configmaps", {**config, "metadata": meta})
    world.advance(2)
    assert world.client.find("configmaps", "default", "d") is None
    (event,) = (e for e in world.client.list("events", "default") if e["reason"] == "OwnerRefInvalidNamespace")
    what = f"[v1/ConfigMap, namespace: default, name: o, uid: {uid}]"
    assert event["message"] == f'ownerRef {what} does not exist in namespace "default"'


def test_while_pods_are_left_a_namespace_says_nothing_of_its_other_content(world: World) -> None:
    """namespaced_resources_deleter.go: pods go first, and the totals are told only after them."""
    world.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    world.advance(1)
    meta = {"name": "p", "namespace": "other", "finalizers": ["example.com/wait"]}
    spec = {"containers": [{"name": "app", "image": "web"}]}
    world.client.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    meta = {"name": "c", "namespace": "other", "finalizers": ["example.com/wait"]}
    world.client.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    world.client.delete("namespaces", "", "other")
    world.advance(10)

    def remaining() -> tuple[str, str]:
        status = world.client.get("namespaces", "", "other")["status"]
        found = next(c for c in status["conditions"] if c["type"] == "NamespaceContentRemaining")
        return found["status"], found["message"]

    assert remaining() == ("False", "All content successfully removed")
    world.client.patch("pods", "other", "p", {"metadata": {"finalizers": None}})
    world.advance(40)
    assert remaining() == ("True", "Some resources are remaining: configmaps. has 1 resource instances")
