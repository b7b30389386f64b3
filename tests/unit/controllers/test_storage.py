"""Claims and volumes: binding, provisioning, protection, reclaiming."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.stories.world import World
from minik8s.client.api import Client
from minik8s.cluster import ADMIN, Cluster
from minik8s.controllers.provisioner import PROVISIONER
from minik8s.objects import Object

CLAIMS, VOLUMES, CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"


@pytest.fixture
def world() -> World:
    return World()


def volume(name: str, size: str, *, modes: tuple[str, ...] = ("ReadWriteOnce",), **spec: Any) -> Object:
    full = {"capacity": {"storage": size}, "accessModes": list(modes), "storageClassName": "manual"}
    full |= {"hostPath": {"path": "/mnt"}, **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": full}


def claim(size: str = "1Gi", kind: str = "manual", mode: str = "ReadWriteOnce") -> Object:
    spec = {"accessModes": [mode], "storageClassName": kind, "resources": {"requests": {"storage": size}}}
    meta = {"name": "data", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def storage_class(**more: Any) -> Object:
    meta = {"name": "fast"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": meta,
        "provisioner": PROVISIONER,
        **more,
    }


def pod() -> Object:
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
    spec = {"containers": [{"name": "app", "image": "web"}], "volumes": volumes}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "user", "namespace": "default"}, "spec": spec}


def phase(world: World, resource: str, name: str) -> str:
    namespace = "default" if resource == CLAIMS else ""
    return str(world.client.get(resource, namespace, name)["status"]["phase"])


def test_the_smallest_volume_that_suits_is_taken(world: World) -> None:
    for one in (volume("big", "10Gi"), volume("small", "500Mi"), volume("right", "2Gi")):
        world.client.create(VOLUMES, one)
    world.client.create(VOLUMES, volume("other-mode", "1Gi", modes=("ReadOnlyMany",)))
    world.advance(1)
    world.client.create(CLAIMS, claim("1Gi"))
    world.advance(1)
    bound = world.client.get(CLAIMS, "default", "data")
    assert bound["spec"]["volumeName"] == "right"
    assert bound["status"]["capacity"] == {"storage": "2Gi"}
    assert [phase(world, VOLUMES, n) for n in ("big", "small", "right")] == ["Available", "Available", "Bound"]


def test_a_claim_waits_for_a_volume_that_comes_later(world: World) -> None:
    world.client.create(CLAIMS, claim())
    world.advance(5)
    assert phase(world, CLAIMS, "data") == "Pending"
    world.client.create(VOLUMES, volume("late", "1Gi"))
    world.advance(1)
    assert phase(world, CLAIMS, "data") == "Bound"


def test_a_released_volume_is_retained_and_not_given_away(world: World) -> None:
    world.client.create(VOLUMES, volume("v", "1Gi"))
    world.client.create(CLAIMS, claim())
    world.advance(1)
    world.client.delete(CLAIMS, "default", "data")
    world.advance(1)
    assert phase(world, VOLUMES, "v") == "Released"
    world.client.create(CLAIMS, claim())
    world.advance(20)
    assert phase(world, CLAIMS, "data") == "Pending"


def test_a_claim_whose_volume_was_removed_by_force_is_lost(world: World) -> None:
    world.client.create(VOLUMES, volume("v", "1Gi"))
    world.client.create(CLAIMS, claim())
    world.advance(1)
    world.client.delete(VOLUMES, "", "v")
    world.advance(1)
    assert "deletionTimestamp" in world.client.get(VOLUMES, "", "v")["metadata"]  # pv-protection holds it
    world.client.patch(VOLUMES, "", "v", {"metadata": {"finalizers": None}})
    world.advance(1)
    assert phase(world, CLAIMS, "data") == "Lost"


def test_a_storage_class_makes_volumes_and_takes_them_back(world: World) -> None:
    world.client.create(CLASSES, storage_class())
    world.client.create(CLAIMS, claim(kind="fast"))
    world.advance(1)
    name = world.client.get(CLAIMS, "default", "data")["spec"]["volumeName"]
    assert name.startswith("pvc-")
    assert phase(world, VOLUMES, name) == "Bound"
    world.client.delete(CLAIMS, "default", "data")
    world.advance(2)
    assert world.client.find(VOLUMES, "", name) is None


def test_wait_for_first_consumer_binds_where_the_pod_goes(world: World) -> None:
    world.client.create(CLASSES, storage_class(volumeBindingMode="WaitForFirstConsumer"))
    world.client.create(CLAIMS, claim(kind="fast"))
    world.advance(30)
    assert phase(world, CLAIMS, "data") == "Pending"
    world.client.create("pods", pod())
    world.advance(5)
    bound = world.client.get(CLAIMS, "default", "data")
    node = world.client.get("pods", "default", "user")["spec"]["nodeName"]
    affinity = world.client.get(VOLUMES, "", bound["spec"]["volumeName"])["spec"]["nodeAffinity"]
    assert affinity["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]["values"] == [node]


def test_a_claim_in_use_is_not_deleted_before_its_pod(world: World) -> None:
    world.client.create(CLASSES, storage_class())
    world.client.create(CLAIMS, claim(kind="fast"))
    world.client.create("pods", pod())
    world.advance(5)
    world.client.delete(CLAIMS, "default", "data")
    world.advance(60)
    assert world.client.find(CLAIMS, "default", "data") is not None
    world.client.delete("pods", "default", "user")
    world.advance(5)
    assert world.client.find(CLAIMS, "default", "data") is None


def test_a_claim_that_asks_for_more_grows(world: World) -> None:
    world.client.create(CLASSES, storage_class(allowVolumeExpansion=True))
    world.client.create(CLAIMS, claim(kind="fast"))
    world.advance(1)
    more = {"spec": {"resources": {"requests": {"storage": "3Gi"}}}}
    world.client.patch(CLAIMS, "default", "data", more)
    world.advance(1)
    assert world.client.get(CLAIMS, "default", "data")["status"]["capacity"] == {"storage": "3Gi"}


@pytest.mark.parametrize(
    ("path", "left"),
    [("/tmp/data", None), ("/mnt", "host_path deleter only supports /tmp/.+ but received provided /mnt")],
)
def test_of_hand_made_volumes_only_paths_below_tmp_can_be_deleted(world: World, path: str, left: str | None) -> None:
    """pkg/volume/hostpath hostPathDeleter."""
    made = volume("a", "1Gi", persistentVolumeReclaimPolicy="Delete", hostPath={"path": path})
    world.client.create(VOLUMES, made)
    world.client.create(CLAIMS, claim())
    world.advance(2)
    world.client.delete(CLAIMS, "default", "data")
    world.advance(3)
    found = world.client.find(VOLUMES, "", "a")
    assert (found and (found["status"]["phase"], found["status"]["message"])) == (left and ("Failed", left))


def test_a_recycled_volume_is_emptied_by_a_pod_and_free_again() -> None:
    """plugins.go NewPersistentVolumeRecyclerPodTemplate."""
    cluster = Cluster(nodes=1)
    client = Client(cluster.handle, actor="test", user=ADMIN)
    client.create(VOLUMES, volume("a", "1Gi", persistentVolumeReclaimPolicy="Recycle"))
    client.create(CLAIMS, claim())
    user = pod()
    user["spec"]["restartPolicy"] = "Never"
    user["spec"]["containers"] = [
        {
            "name": "app",
            "image": "busybox",
            "command": ["sh", "-c", "mkdir /d/in && echo x > /d/in/file"],
            "volumeMounts": [{"name": "d", "mountPath": "/d"}],
        }
    ]
    client.create("pods", user)
    cluster.advance(15)
    client.delete("pods", "default", "user")
    client.delete(CLAIMS, "default", "data")
    cluster.advance(60)
    found = client.get(VOLUMES, "", "a")
    assert found["status"]["phase"] == "Available" and "claimRef" not in found["spec"]
    assert client.list("pods", "default") == []


def test_a_claim_does_not_get_a_named_volume_that_cannot_serve_it(world: World) -> None:
    """pv_controller.go checkVolumeSatisfyClaim."""
    world.client.create(VOLUMES, volume("a", "1Gi"))
    asking = claim(mode="ReadWriteMany")
    asking["spec"]["volumeName"] = "a"
    world.client.create(CLAIMS, asking)
    world.advance(2)
    assert phase(world, CLAIMS, "data") == "Pending" and phase(world, VOLUMES, "a") == "Available"
    messages = [e["message"] for e in world.client.list("events", "default") if e["reason"] == "VolumeMismatch"]
    assert messages[:1] == ['Cannot bind to requested volume "a": incompatible accessMode']


def test_a_default_class_that_comes_later_is_given_to_claims_without_one(world: World) -> None:
    """pv_controller.go assignDefaultStorageClass."""
    asking = claim()
    del asking["spec"]["storageClassName"]
    world.client.create(CLAIMS, asking)
    world.advance(1)
    mark = {"storageclass.kubernetes.io/is-default-class": "true"}
    late = storage_class()
    late["metadata"]["annotations"] = mark
    world.client.create(CLASSES, late)
    world.advance(3)
    assert world.client.get(CLAIMS, "default", "data")["spec"]["storageClassName"] == "fast"
    assert phase(world, CLAIMS, "data") == "Bound"
