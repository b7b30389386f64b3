"""Faults: injected, recorded, undone; wrong words change nothing."""

from typing import Any

import pytest

from minik8s.cluster import Cluster
from minik8s.faults import Faults


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster(nodes=3)
    cluster.client().create("deployments.apps", {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}}}})
    cluster.advance(20)
    return cluster


def ready(cluster: Cluster, node: str) -> str:
    conditions = cluster.client().get("nodes", "", node)["status"]["conditions"]
    return next(str(c["status"]) for c in conditions if c["type"] == "Ready")


def nodes_of_pods(cluster: Cluster) -> set[str]:
    return {p["spec"]["nodeName"] for p in cluster.client().list("pods", "default")
            if not p["metadata"].get("deletionTimestamp")}


def test_a_dead_node_is_noticed_and_its_pods_replaced(cluster: Cluster) -> None:
    fault = cluster.faults.kill_node("node-1")
    cluster.advance(45)
    assert ready(cluster, "node-1") == "True"
    cluster.advance(20)
    assert ready(cluster, "node-1") == "Unknown"
    cluster.advance(320)
    assert nodes_of_pods(cluster) == {"node-2", "node-3"}
    fault.undo()
    cluster.advance(30)
    assert ready(cluster, "node-1") == "True"
    assert cluster.client().get("nodes", "", "node-1")["spec"].get("taints") in (None, [])


def test_a_rebooted_node_starts_its_pods_again(cluster: Cluster) -> None:
    cluster.faults.kill_node("node-1", seconds=20)
    cluster.advance(60)
    pods = [p for p in cluster.client().list("pods", "default") if p["spec"]["nodeName"] == "node-1"]
    assert [p["status"]["containerStatuses"][0]["restartCount"] for p in pods] == [1]
    assert pods[0]["status"]["conditions"][2]["status"] == "True"


@pytest.mark.parametrize("kind", ["freeze_node", "partition_node", "stop_kubelet"])
def test_a_silent_node_comes_back(cluster: Cluster, kind: str) -> None:
    fault = cluster.faults.inject(kind, node="node-2", seconds=100)
    cluster.advance(70)
    assert fault.state == "active" and ready(cluster, "node-2") == "Unknown"
    cluster.advance(60)
    assert fault.state == "undone" and ready(cluster, "node-2") == "True"


def test_pods_behind_a_partition_go_on(cluster: Cluster) -> None:
    cluster.faults.partition_node("node-3", seconds=200)
    cluster.advance(150)
    running = [c.running for w in cluster.fleet["node-3"].pods.values() for c in w.apps]
    assert all(r is not None for r in running)


def test_a_crashed_container_restarts(cluster: Cluster) -> None:
    name = cluster.client().list("pods", "default")[0]["metadata"]["name"]
    cluster.faults.crash_container(f"default/{name}")
    cluster.advance(10)
    assert cluster.client().get("pods", "default", name)["status"]["containerStatuses"][0]["restartCount"] == 1


def test_a_slow_store_makes_everything_later(cluster: Cluster) -> None:
    def seconds_to_two() -> float:
        start = cluster.clock.now()
        cluster.client().patch("deployments.apps", "default", "web", {"spec": {"replicas": 2}})
        cluster.run_until(lambda: len(cluster.client().list("pods", "default")) == 2, 100)
        taken = cluster.clock.now() - start
        cluster.client().patch("deployments.apps", "default", "web", {"spec": {"replicas": 3}})
        cluster.advance(40)
        return taken

    usual = seconds_to_two()
    cluster.faults.slow_store(3.0)
    assert seconds_to_two() > usual + 6
    cluster.faults.undo_all()
    assert seconds_to_two() < usual + 1


def test_after_lost_watch_events_everybody_lists_again(cluster: Cluster) -> None:
    cluster.faults.drop_watch_events(1.0, seconds=30)
    cluster.client().patch("deployments.apps", "default", "web", {"spec": {"replicas": 5}})
    cluster.advance(25)
    assert len(cluster.client().list("pods", "default")) == 3
    cluster.advance(40)
    assert len(cluster.client().list("pods", "default")) == 5


def test_a_failing_store_delays_but_loses_nothing(cluster: Cluster) -> None:
    cluster.faults.fail_store(0.7, seconds=60)
    cluster.client().patch("deployments.apps", "default", "web", {"spec": {"replicas": 6}})
    cluster.advance(400)
    assert cluster.client().get("deployments.apps", "default", "web")["status"]["readyReplicas"] == 6


def test_a_skewed_clock_shows_in_what_the_node_writes(cluster: Cluster) -> None:
    cluster.faults.skew_clock("node-1", by=-3600)
    cluster.advance(20)
    lease = cluster.client().get("leases.coordination.k8s.io", "kube-node-lease", "node-1")
    assert lease["spec"]["renewTime"].startswith("2025-12-31T23:")
    assert ready(cluster, "node-1") == "True"


def test_a_stopped_scheduler_leaves_pods_pending(cluster: Cluster) -> None:
    cluster.faults.stop_part("scheduler", seconds=30)
    cluster.client().patch("deployments.apps", "default", "web", {"spec": {"replicas": 4}})
    cluster.advance(20)
    assert [p["status"]["phase"] for p in cluster.client().list("pods", "default")].count("Pending") == 1
    cluster.advance(30)
    assert {p["status"]["phase"] for p in cluster.client().list("pods", "default")} == {"Running"}


def test_dns_and_registry_can_be_cut(cluster: Cluster) -> None:
    cluster.client().create("services", {"apiVersion": "v1", "kind": "Service", "metadata": {
        "name": "web", "namespace": "default"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})
    cluster.advance(2)
    with_dns = cluster.traffic.run("web", rate=5, duration=1)
    cluster.faults.break_dns()
    without = cluster.traffic.run("web", rate=5, duration=1)
    assert (with_dns.lost, set(without.summary()["errors"])) == (0, {"dns"})


def test_plans_are_scheduled_recorded_and_undone_in_time(cluster: Cluster) -> None:
    start = cluster.clock.now()
    cluster.faults.schedule([
        {"at": 10, "do": "partition_node", "node": "node-1", "for": 20},
        {"at": 5, "do": "break_dns"},
    ])
    cluster.advance(12)
    assert [f.kind for f in cluster.faults.active()] == ["partition_node", "break_dns"]
    cluster.advance(20)
    assert [f.kind for f in cluster.faults.active()] == ["break_dns"]
    told = [(r.verb, r.object, round(r.time - start)) for r in cluster.trace.select(actor="fault")]
    assert told == [("inject", "break_dns", 5), ("inject", "partition_node", 10), ("undo", "partition_node", 30)]
    cluster.faults.undo_all()
    assert cluster.faults.active() == []


@pytest.mark.parametrize(("kind", "options", "said"), [
    ("boom", {}, "'boom'라는 고장은 없다"),
    ("kill_node", {}, "node이\\(가\\) 있어야 한다"),
    ("kill_node", {"node": "nope"}, "'nope'라는 노드는 없다. 있는 것: node-1, node-2, node-3"),
    ("kill_node", {"node": "node-1", "pod": "x"}, "'pod'라는 항목이 없다"),
    ("kill_node", {"node": "node-1", "seconds": -1}, "0초보다 커야 한다"),
    ("crash_container", {"pod": "nope"}, "파드가 노드에서 돌고 있지 않다"),
    ("stop_part", {"part": "kube-nothing"}, "'kube-nothing'라는 부품은 없다"),
    ("fail_store", {"rate": 7}, "0에서 1 사이"),
    ("skew_clock", {"node": "node-1", "by": "much"}, "수여야 한다"),
])  # fmt: skip
def test_wrong_words_are_said_in_korean_and_change_nothing(
    cluster: Cluster, kind: str, options: dict[str, Any], said: str
) -> None:
    records, revision = len(cluster.trace.records), cluster.store.revision
    with pytest.raises(ValueError, match=said):
        cluster.faults.inject(kind, **options)
    assert (len(cluster.trace.records), cluster.store.revision) == (records, revision)
    assert cluster.faults.injected == []


def test_a_plan_with_one_wrong_entry_does_nothing(cluster: Cluster) -> None:
    with pytest.raises(ValueError, match="없다"):
        cluster.faults.schedule([{"at": 0, "do": "break_dns"}, {"at": 1, "do": "kill_node", "node": "nope"}])
    assert cluster.faults.injected == []


def test_every_kind_can_be_called_by_name(cluster: Cluster) -> None:
    assert all(callable(getattr(cluster.faults, kind)) for kind in Faults.names())
    with pytest.raises(AttributeError, match="고장은 없다"):
        cluster.faults.unknown_kind()
