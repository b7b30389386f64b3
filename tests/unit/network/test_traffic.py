"""Load during a rolling update: what is lost, and why."""

from typing import Any

import pytest
from network_bench import Net

from minik8s.network import Load


def update_under_load(seed: int, *, traffic: dict[str, Any] | None = None, **web: Any) -> Load:
    net = Net(seed=seed)
    net.web(ready_after=2, **web)
    net.settle(30)
    load = net.cluster.traffic.start("web", rate=50, duration=60, **(traffic or {}))
    net.settle(5)
    image = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "nginx:1.28"}]}}}}
    net.client.patch("deployments.apps", "default", "web", image, type="strategic")
    net.settle(80)
    assert load.done and len(load.results) == 3000
    return load


@pytest.mark.parametrize("seed", range(3))
def test_probes_and_a_pre_stop_delay_lose_nothing(seed: int) -> None:
    assert update_under_load(seed, pre_stop=5).lost == 0
    assert update_under_load(seed, pre_stop=5, traffic={"keep_alive": True}).lost == 0


def test_probes_alone_lose_a_few_to_the_race_of_endpoints_and_termination() -> None:
    lost = [update_under_load(seed) for seed in range(4)]
    assert min(load.lost for load in lost) >= 1 and max(load.lost for load in lost) <= 20
    assert {kind for load in lost for kind in load.summary()["errors"]} <= {"refused", "reset", "unreachable"}


def test_without_probes_many_are_lost_to_pods_that_do_not_listen_yet() -> None:
    assert update_under_load(0, probe=False).lost > 40


def test_clients_that_do_not_drain_lose_what_they_send_on_closed_connections() -> None:
    load = update_under_load(0, pre_stop=5, traffic={"keep_alive": True, "drain": False})
    assert set(load.summary()["errors"]) == {"reset"}


def test_the_same_seed_gives_the_same_results() -> None:
    assert update_under_load(1).results == update_under_load(1).results


def test_results_are_ready_to_plot() -> None:
    net = Net()
    net.web()
    net.settle()
    load = net.cluster.traffic.run("web/index.html", rate=10, duration=3)
    assert load.summary()["ok"] == 30 and len(load.summary()["pods"]) == 3
    assert set(load.rows()[0]) == {"number", "time", "client", "pod", "status", "latency", "error", "ok"}
    assert [row["number"] for row in load.rows()] == list(range(30))


def test_a_wrong_name_is_said_in_korean_and_sends_nothing() -> None:
    net = Net(nodes=1)
    with pytest.raises(ValueError, match="서비스 'nope'가 없다"):
        net.cluster.traffic.start("nope")
