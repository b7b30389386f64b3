"""A rolling update keeps its promises at every revision, whatever the numbers and however often it is changed.

Never more replicas wanted than desired + maxSurge; never fewer pods ready than desired - maxUnavailable.
"""

from __future__ import annotations

import random

import pytest

from conformance.stories.world import World
from minik8s.controllers.deployment_math import max_surge, max_unavailable
from minik8s.objects import Object

DEPLOYMENTS, SETS = "deployments.apps", "replicasets.apps"


def deployment(replicas: int, surge: int | str, unavailable: int | str) -> Object:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": "web:0"}]}}
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template,
        "strategy": strategy,
    }
    meta = {"name": "web", "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


class Watcher:
    """Checks the promises after every single event of the clock."""

    def __init__(self, world: World):
        self.world = world
        self.store = world.cluster.store

    def run(self, seconds: float, most: int, least: int) -> None:
        clock, end = self.world.clock, self.world.clock.now() + seconds
        while (due := clock.next_time()) is not None and due <= end:
            clock.step()
            wanted = sum(rs["spec"]["replicas"] for rs in self.store.list(SETS, "default"))
            ready = sum(1 for pod in self.store.list("pods", "default") if serves(pod))
            assert wanted <= most, f"{wanted} wanted, {most} allowed"
            assert ready >= least, f"{ready} ready, {least} promised"


def serves(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


@pytest.mark.parametrize("seed", range(8))
def test_bounds_hold_and_the_rollout_converges(seed: int) -> None:
    rng = random.Random(seed)
    world = World(seed=seed)
    replicas = rng.randint(1, 8)
    surge = rng.choice([0, 1, 2, "25%", "50%", "100%"])
    unavailable = rng.choice([0, 1, 2, "25%", "50%"] if surge else [1, 2])
    world.client.create(DEPLOYMENTS, deployment(replicas, surge, unavailable))
    world.advance(10)
    current = world.client.get(DEPLOYMENTS, "default", "web")
    most = replicas + max_surge(current)
    least = replicas - max_unavailable(current)
    watcher = Watcher(world)
    for version in range(1, 4):
        image = rng.choice(["web", "web:slow", "web:nosuch"]) if version < 3 else "web"
        patch = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": f"{image}-{version}"}]}}}}
        world.client.patch(DEPLOYMENTS, "default", "web", patch, type="strategic")
        watcher.run(rng.uniform(0.1, 3.0), most, least)
    watcher.run(60, most, least)
    status = world.client.get(DEPLOYMENTS, "default", "web")["status"]
    assert status["updatedReplicas"] == status["replicas"] == status["availableReplicas"] == replicas
    assert len(world.client.list("pods", "default")) == replicas
