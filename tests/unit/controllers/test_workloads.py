"""Workload controllers in situations the recorded stories do not show."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.stories.world import World
from minik8s.objects import Object

JOBS, SETS, DAEMONS, REVISIONS = "jobs.batch", "statefulsets.apps", "daemonsets.apps", "controllerrevisions.apps"


@pytest.fixture
def world() -> World:
    return World()


def template(image: str, app: str = "web", **spec: Any) -> Object:
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "app", "image": image}], **spec}}


def workload(kind: str, image: str = "web:1", *, name: str = "web", **spec: Any) -> Object:
    full = {"selector": {"matchLabels": {"app": name}}, "template": template(image, name), **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "default"}, "spec": full}


def job(image: str, **spec: Any) -> Object:
    full = {"template": template(image, restartPolicy=spec.pop("restartPolicy", "Never")), **spec}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "pi", "namespace": "default"}, "spec": full}


def pods(world: World) -> list[Object]:
    return world.client.list("pods", "default")


def live(world: World) -> list[Object]:
    return [p for p in pods(world) if "deletionTimestamp" not in p["metadata"]]


def reasons(world: World, kind: str) -> dict[str, str]:
    events = world.client.list("events", "default")
    return {e["reason"]: e["message"] for e in events if e["involvedObject"]["kind"] == kind}


def conditions(obj: Object) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c["reason"]) for c in obj["status"].get("conditions") or ()}


# ---- Deployment ------------------------------------------------------------------------
def test_a_rollback_reuses_the_old_replica_set_and_renumbers_it(world: World) -> None:
    world.client.create("deployments.apps", workload("Deployment", replicas=1))
    world.advance(3)
    (first,) = world.client.list("replicasets.apps", "default")
    for image in ("web:2", "web:1"):
        body = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}
        world.client.patch("deployments.apps", "default", "web", body, type="strategic")
        world.advance(5)
    sets = {rs["metadata"]["name"]: rs for rs in world.client.list("replicasets.apps", "default")}
    again = sets[first["metadata"]["name"]]
    assert len(sets) == 2 and again["spec"]["replicas"] == 1
    notes = again["metadata"]["annotations"]
    assert notes["deployment.kubernetes.io/revision"] == "3"
    assert notes["deployment.kubernetes.io/revision-history"] == "1"


def test_a_name_that_another_template_took_counts_as_a_collision(world: World) -> None:
    world.client.create("deployments.apps", workload("Deployment", replicas=1))
    world.advance(2)
    (rs,) = world.client.list("replicasets.apps", "default")
    name = rs["metadata"]["name"]
    world.client.delete("deployments.apps", "default", "web", propagation="Background")
    world.advance(3)
    squatter = workload("ReplicaSet", "other:1", name="other", replicas=0)
    squatter["metadata"]["name"] = name
    world.client.create("replicasets.apps", squatter)
    world.client.create("deployments.apps", workload("Deployment", replicas=1))
    world.advance(5)
    status = world.client.get("deployments.apps", "default", "web")["status"]
    assert status["collisionCount"] == 1 and status["availableReplicas"] == 1


# ---- StatefulSet -------------------------------------------------------------------------
def claims(policy: Object) -> Object:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    templates = [{"metadata": {"name": "data"}, "spec": spec}]
    return {"serviceName": "db", "volumeClaimTemplates": templates, "persistentVolumeClaimRetentionPolicy": policy}


@pytest.mark.parametrize(("scaled", "left"), [("Retain", {"data-db-0", "data-db-1"}), ("Delete", {"data-db-0"})])
def test_claims_of_a_scaled_down_pod(world: World, scaled: str, left: set[str]) -> None:
    policy = {"whenScaled": scaled, "whenDeleted": "Retain"}
    spec = claims(policy) | {"podManagementPolicy": "Parallel"}
    for i in range(2):
        volume = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}
        meta = {"name": f"v{i}"}
        world.client.create(
            "persistentvolumes", {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": volume}
        )
    world.client.create(SETS, workload("StatefulSet", name="db", replicas=2, **spec))
    world.advance(10)
    assert world.client.get(SETS, "default", "db")["status"]["readyReplicas"] == 2
    world.client.patch(SETS, "default", "db", {"spec": {"replicas": 1}})
    world.advance(5)
    found = {c["metadata"]["name"] for c in world.client.list("persistentvolumeclaims", "default")}
    assert found == left


def test_ordered_pods_wait_for_the_one_before(world: World) -> None:
    world.client.create(SETS, workload("StatefulSet", "db:notready", name="db", replicas=3, serviceName="db"))
    world.advance(10)
    assert [p["metadata"]["name"] for p in pods(world)] == ["db-0"]


def test_stateful_pods_carry_their_index(world: World) -> None:
    spec = {"serviceName": "db", "ordinals": {"start": 5}}
    world.client.create(SETS, workload("StatefulSet", name="db", replicas=2, **spec))
    world.advance(5)
    labels = [p["metadata"]["labels"] for p in pods(world)]
    assert [found["apps.kubernetes.io/pod-index"] for found in labels] == ["5", "6"]
    assert [p["spec"]["subdomain"] for p in pods(world)] == ["db", "db"]


def test_history_is_truncated(world: World) -> None:
    spec = {"serviceName": "db", "revisionHistoryLimit": 1}
    world.client.create(SETS, workload("StatefulSet", name="db", replicas=1, **spec))
    for i in range(2, 6):
        body = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": f"db:{i}"}]}}}}
        world.client.patch(SETS, "default", "db", body, type="strategic")
        world.advance(5)
    assert len(world.client.list(REVISIONS, "default")) == 2


# ---- DaemonSet -----------------------------------------------------------------------------
def test_daemon_pods_go_where_the_node_selector_says(world: World) -> None:
    spec = {"template": template("agent:1", nodeSelector={"disk": "ssd"})}
    world.client.create(DAEMONS, workload("DaemonSet", **spec))
    world.advance(2)
    assert pods(world) == []
    world.client.patch("nodes", "", "node-2", {"metadata": {"labels": {"disk": "ssd"}}})
    world.advance(2)
    assert [p["spec"]["nodeName"] for p in pods(world)] == ["node-2"]
    world.client.patch("nodes", "", "node-2", {"metadata": {"labels": {"disk": None}}})
    world.advance(2)
    assert pods(world) == []


def test_daemon_pods_stay_on_cordoned_nodes(world: World) -> None:
    world.client.create(DAEMONS, workload("DaemonSet"))
    world.advance(2)
    world.client.patch("nodes", "", "node-1", {"spec": {"unschedulable": True}})
    world.client.delete("pods", "default", pods(world)[0]["metadata"]["name"])
    world.advance(3)
    assert len(live(world)) == 3


@pytest.mark.parametrize(
    ("rolling", "least", "most"), [({"maxUnavailable": 1}, 2, 3), ({"maxSurge": 1, "maxUnavailable": 0}, 3, 4)]
)
def test_a_daemon_set_update_keeps_its_bounds(world: World, rolling: Object, least: int, most: int) -> None:
    strategy = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}
    world.client.create(DAEMONS, workload("DaemonSet", **strategy))
    world.advance(3)
    body = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "web:2"}]}}}}
    world.client.patch(DAEMONS, "default", "web", body, type="strategic")
    end = world.clock.now() + 10
    while (due := world.clock.next_time()) is not None and due < end:
        world.clock.step()
        here = live(world)
        ready = [
            p
            for p in here
            if any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions") or ())
        ]
        assert least <= len(ready) <= most
    assert {p["spec"]["containers"][0]["image"] for p in live(world)} == {"web:2"}


# ---- Job -------------------------------------------------------------------------------------
def test_failed_pods_are_made_again_after_a_growing_wait(world: World) -> None:
    world.client.create(JOBS, job("x:exit1", backoffLimit=3))
    world.advance(5)
    assert len(pods(world)) == 1
    world.advance(10)
    assert len(pods(world)) == 2
    world.advance(20)
    assert len(pods(world)) == 3
    world.advance(120)
    done = world.client.get(JOBS, "default", "pi")
    assert done["status"]["failed"] == 4
    assert conditions(done)["Failed"] == ("True", "BackoffLimitExceeded")


def test_every_index_completes_once(world: World) -> None:
    world.client.create(JOBS, job("x:exit0", completions=7, parallelism=3, completionMode="Indexed"))
    most = 0
    end = world.clock.now() + 20
    while (due := world.clock.next_time()) is not None and due < end:
        world.clock.step()
        most = max(most, sum(1 for p in pods(world) if p["status"]["phase"] in ("Pending", "Running")))
    assert most == 3
    assert world.client.get(JOBS, "default", "pi")["status"]["completedIndexes"] == "0-6"
    names = sorted(p["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] for p in pods(world))
    assert names == [str(i) for i in range(7)]


def test_a_failure_policy_ends_the_job_or_ignores_the_failure(world: World) -> None:
    rule = {"onExitCodes": {"operator": "In", "values": [1]}}
    world.client.create(JOBS, job("x:exit1", podFailurePolicy={"rules": [{"action": "FailJob", **rule}]}))
    world.advance(5)
    done = world.client.get(JOBS, "default", "pi")
    assert conditions(done)["Failed"] == ("True", "PodFailurePolicy")
    world.client.delete(JOBS, "default", "pi", propagation="Background")
    world.advance(2)
    world.client.create(
        JOBS, job("x:exit1", backoffLimit=0, podFailurePolicy={"rules": [{"action": "Ignore", **rule}]})
    )
    world.advance(60)
    going = world.client.get(JOBS, "default", "pi")
    assert "failed" not in going["status"] and "Failed" not in conditions(going)


def test_suspending_removes_pods_without_counting_them(world: World) -> None:
    world.client.create(JOBS, job("run", completions=2, parallelism=2, backoffLimit=0))
    world.advance(3)
    world.client.patch(JOBS, "default", "pi", {"spec": {"suspend": True}})
    world.advance(3)
    status = world.client.get(JOBS, "default", "pi")["status"]
    assert pods(world) == [] and "failed" not in status and "active" not in status
    world.client.patch(JOBS, "default", "pi", {"spec": {"suspend": False}})
    world.advance(3)
    assert len(live(world)) == 2


def test_deleting_a_job_leaves_no_pod_held_by_a_finalizer(world: World) -> None:
    world.client.create(JOBS, job("run", parallelism=2))
    world.advance(3)
    world.client.delete(JOBS, "default", "pi", propagation="Background")
    world.advance(5)
    assert pods(world) == []


# ---- around Services -----------------------------------------------------------------------------
def service(**spec: Any) -> Object:
    full = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}, "spec": full}


def test_endpoints_and_slices_agree(world: World) -> None:
    containers = [{"name": "app", "image": "web", "ports": [{"name": "http", "containerPort": 8080}]}]
    spec = {"replicas": 3, "template": template("web") | {"spec": {"containers": containers}}}
    world.client.create("deployments.apps", workload("Deployment", **spec))
    world.client.create("services", service())
    world.advance(3)
    (subset,) = world.client.get("endpoints", "default", "web")["subsets"]
    slices = [
        s
        for s in world.client.list("endpointslices.discovery.k8s.io", "default")
        if s["metadata"]["labels"].get("kubernetes.io/service-name") == "web"
    ]
    assert len(slices) == 1 and slices[0]["ports"][0]["port"] == 8080 == subset["ports"][0]["port"]
    addresses = {e["addresses"][0] for e in slices[0]["endpoints"]}
    assert addresses == {a["ip"] for a in subset["addresses"]} and len(addresses) == 3


def test_a_load_balancer_stays_pending_without_a_cloud_and_gets_an_address_with_one(world: World) -> None:
    world.client.create("services", service(type="LoadBalancer"))
    world.advance(2)
    assert not world.client.get("services", "default", "web")["status"]["loadBalancer"]
    world.client.patch("nodes", "", "node-1", {"spec": {"providerID": "minik8s://node-1"}})
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "cloudy"},
        "spec": {"providerID": "minik8s://cloudy"},
    }
    world.client.create("nodes", node)
    world.advance(2)
    (entry,) = world.client.get("services", "default", "web")["status"]["loadBalancer"]["ingress"]
    assert entry["ip"].startswith("203.0.113.")
    world.client.delete("services", "default", "web")
    world.advance(2)
    assert world.client.find("services", "default", "web") is None


def test_aggregated_cluster_roles_follow_their_parts(world: World) -> None:
    roles = "clusterroles.rbac.authorization.k8s.io"
    api = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    selector = {"clusterRoleSelectors": [{"matchLabels": {"part": "yes"}}]}
    world.client.create(roles, {**api, "metadata": {"name": "sum"}, "aggregationRule": selector, "rules": []})
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    world.client.create(roles, {**api, "metadata": {"name": "one", "labels": {"part": "yes"}}, "rules": [rule]})
    world.advance(1)
    assert world.client.get(roles, "", "sum")["rules"] == [rule]
    world.client.delete(roles, "", "one")
    world.advance(1)
    assert not world.client.get(roles, "", "sum").get("rules")


def test_a_quota_is_freed_when_pods_end(world: World) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"}}
    world.client.create("resourcequotas", {**quota, "spec": {"hard": {"pods": "2", "requests.cpu": "1"}}})
    world.advance(1)
    meta = {"name": "a", "namespace": "default"}
    container = {"name": "app", "image": "web", "resources": {"requests": {"cpu": "600m"}}}
    world.client.create(
        "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
    )
    world.advance(1)
    assert world.client.get("resourcequotas", "default", "q")["status"]["used"] == {"pods": "1", "requests.cpu": "600m"}
    world.client.delete("pods", "default", "a")
    world.advance(2)
    assert world.client.get("resourcequotas", "default", "q")["status"]["used"] == {"pods": "0", "requests.cpu": "0"}


# ---- Details of pkg/controller that a careless reading misses ------------------------------
def test_the_next_ordered_pod_comes_when_the_one_before_has_been_ready_long_enough(world: World) -> None:
    world.client.create(SETS, workload("StatefulSet", serviceName="web", replicas=2, minReadySeconds=5))
    world.advance(4)
    assert [p["metadata"]["name"] for p in pods(world)] == ["web-0"]
    world.advance(12)
    status = world.client.get(SETS, "default", "web")["status"]
    assert (status["replicas"], status["availableReplicas"]) == (2, 2)


def test_a_rolling_update_is_over_only_when_all_wanted_pods_are_there(world: World) -> None:
    """completeRollingUpdate: the counts must be those of the spec, not of what happens to exist."""
    world.client.create(SETS, workload("StatefulSet", serviceName="web", replicas=1))
    world.advance(3)
    body = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "web:2"}]}}}}
    world.client.patch(SETS, "default", "web", body, type="strategic")
    world.advance(4)
    world.client.patch(SETS, "default", "web", {"spec": {"template": {"spec": {"nodeName": "nowhere"}}, "replicas": 2}})
    world.advance(4)
    status = world.client.get(SETS, "default", "web")["status"]
    assert status["currentRevision"] != status["updateRevision"]


def test_a_stateful_set_knows_no_max_unavailable(world: World) -> None:
    """The feature MaxUnavailableStatefulSet is off: the field is dropped."""
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    made = world.client.create(SETS, workload("StatefulSet", serviceName="web", updateStrategy=strategy))
    assert made["spec"]["updateStrategy"]["rollingUpdate"] == {"partition": 0}


def test_a_claim_that_cannot_be_made_keeps_the_pod_away_and_says_so(world: World) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"}}
    world.client.create("resourcequotas", {**quota, "spec": {"hard": {"persistentvolumeclaims": "0"}}})
    world.advance(1)
    template = {"metadata": {"name": "d"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    template["spec"] |= {"resources": {"requests": {"storage": "1Gi"}}}
    world.client.create(SETS, workload("StatefulSet", serviceName="web", volumeClaimTemplates=[template]))
    world.advance(2)
    messages = {e["message"] for e in world.client.list("events", "default") if e["reason"] == "FailedCreate"}
    refused = 'persistentvolumeclaims "d-web-0" is forbidden: exceeded quota: q, '
    refused += "requested: persistentvolumeclaims=1, used: persistentvolumeclaims=0, limited: persistentvolumeclaims=0"
    assert messages == {
        f"Create Claim d-web-0 for Pod web-0 in StatefulSet web failed error: {refused}",
        f"Create Pod web-0 in StatefulSet web failed error: failed to create PVC d-web-0: {refused}",
    }


def test_a_taint_that_only_keeps_new_pods_away_leaves_a_daemon_set_as_it_is(world: World) -> None:
    """syncNodeUpdate rings only where a pod is missing or must go: the status is not even counted anew."""
    world.client.create(DAEMONS, workload("DaemonSet"))
    world.advance(3)
    before = world.client.get(DAEMONS, "default", "web")["status"]
    world.client.patch("nodes", "", "node-2", {"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}})
    world.advance(3)
    assert world.client.get(DAEMONS, "default", "web")["status"] == before
    assert before["desiredNumberScheduled"] == 3


def test_a_daemon_pod_is_tied_to_its_node_by_name_alone(world: World) -> None:
    """ReplaceDaemonSetPodNodeNameNodeAffinity: the template's own terms have chosen the nodes already."""
    term = {"matchExpressions": [{"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}]}
    wish = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    owner = workload("DaemonSet")
    owner["spec"]["template"]["spec"]["affinity"] = {"nodeAffinity": wish}
    world.client.create(DAEMONS, owner)
    world.advance(1)
    got = pods(world)[0]["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert [list(t) for t in got["nodeSelectorTerms"]] == [["matchFields"]]


def test_a_suspended_job_has_not_started(world: World) -> None:
    """MutableSchedulingDirectivesForSuspendedJobs: its template may be changed, as before its start."""
    world.client.create(JOBS, job("run:1"))
    world.advance(2)
    assert "startTime" in world.client.get(JOBS, "default", "pi")["status"]
    world.client.patch(JOBS, "default", "pi", {"spec": {"suspend": True}})
    world.advance(2)
    assert "startTime" not in world.client.get(JOBS, "default", "pi")["status"]


def test_endpoints_tell_since_when_they_are_so(world: World) -> None:
    world.client.create("deployments.apps", workload("Deployment", replicas=1))
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    meta = {"name": "web", "namespace": "default", "annotations": {"mine": "alone"}}
    made = world.client.create("services", {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
    mark = "endpoints.kubernetes.io/last-change-trigger-time"

    def notes() -> list[dict[str, str]]:
        chosen = "kubernetes.io/service-name=web"
        (a_slice,) = world.client.list("endpointslices.discovery.k8s.io", "default", label_selector=chosen)
        both = (world.client.get("endpoints", "default", "web"), a_slice)
        return [one["metadata"]["annotations"] for one in both]

    world.advance(0.1)
    assert notes() == [{mark: made["metadata"]["creationTimestamp"]}] * 2
    world.advance(3)
    (pod,) = pods(world)
    (ready,) = (c for c in pod["status"]["conditions"] if c["type"] == "Ready")
    assert notes() == [{mark: ready["lastTransitionTime"]}] * 2


def test_a_budget_over_bare_pods_names_its_selector_as_go_prints_it(world: World) -> None:
    for name in ("a", "b"):
        meta = {"name": name, "namespace": "default", "labels": {"app": "web"}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template("web")["spec"]}
        world.client.create("pods", pod)
    meta = {"name": "p", "namespace": "default"}
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "maxUnavailable": 1}
    world.client.create("poddisruptionbudgets.policy", {**budget, "spec": spec})
    world.advance(2)
    selector = "&LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}"
    assert f"(selector: {selector})" in reasons(world, "PodDisruptionBudget")["UnmanagedPods"]


def test_a_daemon_set_counts_its_pods_also_when_another_was_refused(world: World) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}
    world.client.create("resourcequotas", quota, namespace="default")
    world.advance(1)
    world.client.create(DAEMONS, workload("DaemonSet"))
    world.advance(3)
    status = world.client.get(DAEMONS, "default", "web")["status"]
    assert (status["desiredNumberScheduled"], status["currentNumberScheduled"], status["numberReady"]) == (3, 1, 1)
    assert status["numberUnavailable"] == 2


def test_a_daemon_set_has_seen_a_generation_when_its_pods_have_come(world: World) -> None:
    world.client.create(DAEMONS, workload("DaemonSet"))
    stream = world.client.watch(DAEMONS, "default")
    world.advance(3)
    seen = [event.object.get("status") or {} for event in stream.drain()]
    assert all(s.get("currentNumberScheduled") for s in seen if s.get("observedGeneration"))
    assert seen[-1]["observedGeneration"] == 1
