"""Single rules of the plugins that the recordings do not pin down."""

from __future__ import annotations

import pytest
from builders import Lab, node, pod

from minik8s.objects import Object
from minik8s.scheduler.plugins.image_locality import normalized_name, priority
from minik8s.scheduler.plugins.node_ports import conflicts
from minik8s.scheduler.plugins.node_resources_fit import most_allocated, requested_to_capacity_ratio, scorer_of
from minik8s.scheduler.plugins.taint_toleration import tolerates
from minik8s.scheduler.plugins.volume_restrictions import volumes_conflict
from minik8s.scheduler.resources import pod_requests, rounded


def test_most_allocated_prefers_full_nodes() -> None:
    assert most_allocated([(50, 100, 1), (100, 100, 1)]) == 75
    assert most_allocated([(150, 100, 1)]) == 100
    assert most_allocated([]) == 0


@pytest.mark.parametrize(("used", "score"), [(0, 0), (25, 25), (50, 50), (75, 75), (100, 100), (130, 100)])
def test_requested_to_capacity_ratio_follows_its_shape(used: int, score: int) -> None:
    assert requested_to_capacity_ratio([(0, 0), (100, 100)])([(used, 100, 1)]) == score


def test_a_falling_shape_spreads() -> None:
    scorer, specs = scorer_of(
        {
            "type": "RequestedToCapacityRatio",
            "resources": [{"name": "cpu", "weight": 3}, {"name": "memory"}],
            "requestedToCapacityRatio": {"shape": [{"utilization": 0, "score": 10}, {"utilization": 100, "score": 0}]},
        }
    )
    assert specs == [("cpu", 3), ("memory", 1)]
    assert scorer([(30, 100, 3), (10, 100, 1)]) == 75


@pytest.mark.parametrize(
    ("toleration", "met"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "a", "operator": "Exists"}, True),
        ({"key": "a", "value": "1"}, True),
        ({"key": "a", "value": "2"}, False),
        ({"key": "a", "value": "1", "effect": "NoExecute"}, False),
        ({"key": "b", "operator": "Exists"}, False),
        ({"key": "a", "operator": "Gt", "value": "0"}, False),
    ],
)
def test_tolerations(toleration: Object, met: bool) -> None:
    assert tolerates(toleration, {"key": "a", "value": "1", "effect": "NoSchedule"}) is met


def test_the_wildcard_address_takes_a_port_on_all() -> None:
    assert conflicts(("0.0.0.0", "TCP", 80), [("10.0.0.1", "TCP", 80)])
    assert conflicts(("10.0.0.1", "TCP", 80), [("0.0.0.0", "TCP", 80)])
    assert not conflicts(("10.0.0.2", "TCP", 80), [("10.0.0.1", "TCP", 80)])
    assert not conflicts(("0.0.0.0", "UDP", 80), [("0.0.0.0", "TCP", 80)])


def test_image_names_and_sizes() -> None:
    assert normalized_name("nginx") == "nginx:latest"
    assert normalized_name("localhost:5000/nginx") == "localhost:5000/nginx:latest"
    assert normalized_name("nginx:1") == "nginx:1"
    assert priority(0, 1) == 0
    assert priority(10**12, 2) == 100


def test_disks_that_cannot_be_mounted_twice() -> None:
    disk = {"gcePersistentDisk": {"pdName": "d"}}
    reading = {"gcePersistentDisk": {"pdName": "d", "readOnly": True}}
    assert volumes_conflict(disk, disk) and volumes_conflict(disk, reading)
    assert not volumes_conflict(reading, reading)
    assert not volumes_conflict(disk, {"gcePersistentDisk": {"pdName": "e"}})
    rbd = {"rbd": {"monitors": ["a", "b"], "image": "i"}}
    assert volumes_conflict(rbd, {"rbd": {"monitors": ["b"], "image": "i", "pool": "rbd"}})
    assert not volumes_conflict(rbd, {"rbd": {"monitors": ["c"], "image": "i"}})


def test_sidecars_count_with_containers_and_with_later_init_containers() -> None:
    def container(cpu: str, **more: str) -> Object:
        return {"name": cpu, "resources": {"requests": {"cpu": cpu}}, **more}

    spec = {
        "containers": [container("1")],
        "initContainers": [container("2"), container("500m", restartPolicy="Always"), container("1800m")],
    }
    assert rounded(pod_requests({"metadata": {}, "spec": spec})) == {"cpu": 2300}


def test_a_resize_that_cannot_be_done_counts_what_the_node_gave() -> None:
    entry = pod("p", "4")
    entry["status"] = {
        "containerStatuses": [{"name": "c", "allocatedResources": {"cpu": "1"}}],
        "conditions": [{"type": "PodResizePending", "reason": "Infeasible"}],
    }
    assert rounded(pod_requests(entry)) == {"cpu": 1000}
    entry["status"]["conditions"][0]["reason"] = "Deferred"
    assert rounded(pod_requests(entry)) == {"cpu": 4000}


def test_affinity_that_the_configuration_adds_binds_every_pod() -> None:
    term = {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    config = {"profiles": [{"pluginConfig": [{"name": "NodeAffinity", "args": {"addedAffinity": required}}]}]}
    decision = Lab(node("n1"), config=config).decide(pod("p"))
    assert decision.diagnosis.nodes["n1"].reasons == ("node(s) didn't match scheduler-enforced node affinity",)


def test_pods_with_resource_claims_are_refused() -> None:
    decision = Lab(node("n1")).decide(pod("p", resourceClaims=[{"name": "gpu"}]))
    assert decision.diagnosis.nodes["n1"].plugin == "DynamicResources"
