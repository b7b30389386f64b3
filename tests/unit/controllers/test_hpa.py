"""How an autoscaler counts, and how far it may go."""

from __future__ import annotations

import pytest

from conformance.stories.world import World
from minik8s.cluster import Cluster
from minik8s.controllers.hpa_limits import Memory, limit, limit_with, stabilize, stabilize_with
from minik8s.controllers.hpa_replicas import (
    NoMetrics,
    Sample,
    Tolerance,
    group,
    replicas_for,
    requests_of,
    utilization_ratio,
)
from minik8s.objects import Object

NOW = 1767225600.0 + 3600
LONG_AGO = "2026-01-01T00:00:00Z"


def pod(name: str, *, phase: str = "Running", ready: bool = True, cpu: str | None = "100m") -> Object:
    container = {"name": "app"} | ({"resources": {"requests": {"cpu": cpu}}} if cpu else {})
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": LONG_AGO}
    status = {"phase": phase, "startTime": LONG_AGO, "conditions": [condition]}
    return {"metadata": {"name": name}, "spec": {"containers": [container]}, "status": status}


def count(
    pods: list[Object], uses: dict[str, int], target: int, current: int, behavior: Object | None = None
) -> int:
    metrics = {name: Sample(use, NOW, 30) for name, use in uses.items()}
    groups = group(pods, metrics, "cpu", NOW)
    requests = requests_of(pods, "cpu")
    usable = {n: m for n, m in metrics.items() if n not in (*groups.ignored, *groups.unready)}
    ratio = utilization_ratio(usable, requests, target)[0]
    full = {n: requests[n] for n in groups.missing}
    again = lambda m: utilization_ratio(m, requests, target)[0]  # noqa: E731
    return replicas_for(current, groups, usable, ratio, again, (full, {}), Tolerance.of(behavior))


def test_twice_the_target_wants_twice_the_pods() -> None:
    assert count([pod("a"), pod("b")], {"a": 100, "b": 100}, 50, 2) == 4


def test_within_a_tenth_nothing_moves() -> None:
    assert count([pod("a"), pod("b")], {"a": 52, "b": 54}, 50, 2) == 2


def test_a_tenth_itself_is_within() -> None:
    pods = [pod(name) for name in "abcd"]
    assert count(pods, dict.fromkeys("abcd", 55), 50, 4) == 4
    assert count(pods, dict.fromkeys("abcd", 45), 50, 4) == 4
    assert count(pods, dict.fromkeys("abcd", 56), 50, 4) == 5


def test_each_direction_may_have_its_own_tolerance() -> None:
    pods = [pod(name) for name in "abcd"]
    finer_up = {"scaleUp": {"tolerance": "50m"}}
    assert count(pods, dict.fromkeys("abcd", 53), 50, 4, finer_up) == 5
    assert count(pods, dict.fromkeys("abcd", 46), 50, 4, finer_up) == 4
    assert count(pods, dict.fromkeys("abcd", 30), 50, 4, {"scaleDown": {"tolerance": "0.5"}}) == 4


def test_pods_that_are_not_measured_dampen_but_never_turn_the_direction() -> None:
    pods = [pod("a"), pod("b"), pod("c")]
    assert count(pods, {"a": 100, "b": 100}, 50, 3) == 4  # up: the missing one is taken to use nothing
    assert count(pods, {"a": 10, "b": 10}, 50, 3) == 3  # down: it is taken to use all it asks for


def test_a_pending_pod_holds_a_scale_up_back() -> None:
    assert count([pod("a"), pod("b", phase="Pending")], {"a": 100}, 50, 2) == 2


def test_a_percentage_needs_requests() -> None:
    with pytest.raises(NoMetrics, match="missing request for cpu in container app of Pod a"):
        requests_of([pod("a", cpu=None)], "cpu")


def test_without_behavior_the_highest_recommendation_of_five_minutes_holds() -> None:
    memory = Memory([(NOW - 200, 8), (NOW - 400, 20)])
    assert stabilize(memory, 3, NOW)[:2] == (8, "ScaleDownStabilized")
    assert stabilize(memory, 9, NOW)[:2] == (9, "ReadyForNewScale")
    assert stabilize(memory, 3, NOW + 600)[:2] == (3, "ReadyForNewScale")


def test_without_behavior_one_step_is_at_most_a_doubling() -> None:
    assert limit(3, 20, 1, 100)[:2] == (6, "ScaleUpLimit")
    assert limit(1, 20, 1, 100)[:2] == (4, "ScaleUpLimit")
    assert limit(10, 30, 1, 15)[:2] == (15, "TooManyReplicas")
    assert limit(10, 0, 2, 15)[:2] == (2, "TooFewReplicas")


def test_policies_count_what_changed_in_their_period() -> None:
    rules = {"scaleDown": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}]}}
    memory = Memory()
    assert limit_with(memory, rules, 10, 1, 1, 20, NOW)[:2] == (8, "ScaleDownLimit")
    memory.downs.append((NOW, 2))
    assert limit_with(memory, rules, 8, 1, 1, 20, NOW + 30)[:2] == (8, "ScaleDownLimit")
    assert limit_with(memory, rules, 8, 1, 1, 20, NOW + 61)[:2] == (6, "ScaleDownLimit")


def test_a_disabled_direction_does_not_move() -> None:
    assert limit_with(Memory(), {"scaleUp": {"selectPolicy": "Disabled"}}, 3, 9, 1, 20, NOW)[0] == 3


def test_a_scale_up_window_waits_for_the_lowest_recommendation() -> None:
    memory = Memory([(NOW - 30, 4)])
    behavior = {"scaleUp": {"stabilizationWindowSeconds": 60}}
    assert stabilize_with(memory, behavior, 3, 10, NOW)[:2] == (4, "ScaleUpStabilized")


def test_load_makes_replicas_and_rest_takes_them_away_after_the_window() -> None:
    cluster = Cluster(nodes=3)
    client = cluster.client()
    container = {"name": "app", "image": "nginx:1.27", "resources": {"requests": {"cpu": "100m"}}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    spec: Object = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    meta = {"name": "web", "namespace": "default"}
    client.create("deployments.apps", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec})
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaling = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 4, "metrics": [metric]}
    api = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta}
    client.create("horizontalpodautoscalers.autoscaling", {**api, "spec": scaling})

    def use(pods: list[Object], cpu: float) -> None:
        for each in pods:
            for one in cluster.fleet[each["spec"]["nodeName"]].pods[each["metadata"]["uid"]].containers():
                assert one.running is not None
                one.running.use(cpu=cpu)  # type: ignore[attr-defined]

    def size() -> int:
        return int(client.get("deployments.apps", "default", "web")["spec"]["replicas"])

    cluster.advance(30)
    busy = client.list("pods", "default")
    use(busy, 0.1)
    cluster.advance(30)
    assert size() == 4
    use(busy, -0.1)
    cluster.advance(120)
    assert size() == 4
    cluster.advance(400)
    assert size() == 1


def test_without_metrics_the_reasons_are_upstreams_word_for_word() -> None:
    """horizontal.go computeReplicasForMetrics; the client of custom metrics finds no such API."""
    world = World()
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}}}
    spec["template"]["spec"] = {"containers": [{"name": "app", "image": "web"}]}
    meta = {"name": "web", "namespace": "default"}
    kind = {"apiVersion": "apps/v1", "kind": "Deployment"}
    world.client.create("deployments.apps", {**kind, "metadata": meta, "spec": spec})
    target = {**kind, "name": "web"}
    pods = {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "3"}}
    metrics = [{"type": "Pods", "pods": pods}]
    for name in ("web", "twin"):
        body = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {**meta, "name": name}}
        body["spec"] = {"scaleTargetRef": target, "maxReplicas": 3, "metrics": metrics}
        world.client.create("horizontalpodautoscalers.autoscaling", body)
        world.advance(16)
    events = {(e["involvedObject"]["name"], e["reason"]): e["message"] for e in world.client.list("events", "default")}
    why = "unable to get metric rps: unable to fetch metrics from custom metrics API: "
    why += "no custom metrics API (custom.metrics.k8s.io) registered"
    assert events["web", "FailedGetPodsMetric"] == why
    both = "pods by selector app=web are controlled by multiple HPAs: [{twin default} {web default}]"
    assert events["twin", "AmbiguousSelector"] == both
    (status,) = (h["status"] for h in world.client.list("horizontalpodautoscalers.autoscaling", "default")
                 if h["metadata"]["name"] == "web")
    assert status["currentMetrics"] == [{"type": ""}]
