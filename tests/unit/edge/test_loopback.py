"""Real bytes into simulated pods."""

import asyncio
import sys
from typing import Any

import aiohttp
import pytest

from minik8s.cluster import Cluster
from minik8s.edge.loopback import Loopback
from minik8s.edge.process.addresses import local_address
from minik8s.edge.realtime import RealTime

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="macOS has only 127.0.0.1")


def make() -> Cluster:
    cluster = Cluster(nodes=2)
    client = cluster.client()
    container = {"name": "c", "image": "registry.k8s.io/e2e-test-images/agnhost:2.40", "args": ["netexec"],
                 "ports": [{"containerPort": 8080}]}
    client.create("deployments.apps", {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}}})
    client.create("services", {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 18080, "targetPort": 8080}]}})
    cluster.advance(30)
    return cluster


async def opened(cluster: Cluster) -> Loopback:
    loop = asyncio.get_running_loop()
    loopback = Loopback(cluster, RealTime(cluster.clock, loop), loop)
    cluster.clock.run_ready()
    cluster.advance(0.1)
    assert loopback._task is not None
    await loopback._task
    return loopback


def test_addresses_stay_recognisable() -> None:
    assert local_address("10.96.7.1") == "127.96.7.1"
    assert local_address("172.18.0.2") == "127.18.0.2"


def test_a_service_answers_real_requests_from_all_its_pods() -> None:
    cluster = make()

    async def story() -> set[str]:
        loopback = await opened(cluster)
        address = cluster.client().get("services", "default", "web")["spec"]["clusterIP"]
        door = loopback.doors[(address, 18080)]
        seen: set[str] = set()
        for _ in range(12):
            url = f"http://{door.host}:{door.port}/hostname"
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                assert answer.status == 200
                seen.add(await answer.text())
        await loopback.stop()
        return seen

    names = {p["metadata"]["name"] for p in cluster.client().list("pods", "default")}
    assert asyncio.run(story()) == names


def test_doors_close_with_their_service() -> None:
    cluster = make()

    async def story() -> tuple[Any, ...]:
        loopback = await opened(cluster)
        address = cluster.client().get("services", "default", "web")["spec"]["clusterIP"]
        door = loopback.doors[(address, 18080)]
        cluster.client().delete("services", "default", "web")
        cluster.advance(1)
        assert loopback._task is not None
        await loopback._task
        with pytest.raises(OSError):
            await asyncio.open_connection(door.host, door.port)
        await loopback.stop()
        return tuple(loopback.doors)

    assert asyncio.run(story()) == ()
