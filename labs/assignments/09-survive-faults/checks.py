"""고장표를 견디기: 구역을 잃고, 점검을 받고, 얼어붙어도 서비스의 수준을 지키는가."""

from minik8s.grading import Case, Stage
from minik8s.wire import StatusError

REPLICAS, LEVEL = 6, 4
JUDGED_DEAD = 60
"""A node that stops reporting counts as unreachable after the monitor's grace period (50 s) and one look (5 s)."""
STARTING = 20
ZONE = "topology.kubernetes.io/zone"


def _up(case: Case) -> Stage:
    """Six nodes in three zones, and the answer at work."""
    stage = case.stage(nodes=[{"name": f"node-{zone}{i}", "labels": {ZONE: f"zone-{zone}"}}
                              for zone in "abc" for i in (1, 2)])
    stage.apply("web")
    ready = len(stage.ready(app=case.v.name))
    case.need(ready == REPLICAS, f"준비된 파드가 {ready}개다. {REPLICAS}개여야 한다.")
    return stage


def _lose_zone(case: Case, stage: Stage) -> None:
    for i in (1, 2):
        stage.faults.kill_node(f"node-{case.v.lost[-1]}{i}")


def _alive(case: Case, stage: Stage) -> int:
    """Ready pods outside of the lost zone: those of a dead node still look Ready for a while."""
    dead = f"node-{case.v.lost[-1]}"
    return sum(not pod["spec"]["nodeName"].startswith(dead) for pod in stage.ready(app=case.v.name))


def runs(case: Case) -> None:
    load = _up(case).load(case.v.name, duration=3)
    case.need(load.lost == 0, f"요청 {load.sent}개 가운데 {load.lost}개가 실패했다.")


def zone_loss(case: Case) -> None:
    stage = _up(case)
    _lose_zone(case, stage)
    fewest = _alive(case, stage)
    for _ in range(40):
        stage.advance(1)
        fewest = min(fewest, _alive(case, stage))
    case.need(fewest >= LEVEL, f"{case.v.lost}이(가) 꺼지자 살아 있는 파드가 {fewest}개까지 줄었다.")


def refills(case: Case) -> None:
    stage = _up(case)
    _lose_zone(case, stage)
    stage.advance(JUDGED_DEAD + case.v.patience + STARTING)
    alive = _alive(case, stage)
    case.need(alive == REPLICAS, f"{case.v.lost}이(가) 돌아오지 않는데 살아 있는 파드는 {alive}개다.")


def drains(case: Case) -> None:
    """Somebody asks for every pod that was there to be evicted, each second again, as `kubectl drain` does."""
    stage = _up(case)
    old = {p["metadata"]["name"] for p in stage.pods(app=case.v.name)}
    fewest = REPLICAS
    for _ in range(240):
        for name in sorted(old & {p["metadata"]["name"] for p in stage.pods(app=case.v.name)}):
            _evict(stage, name)
        stage.advance(1)
        fewest = min(fewest, len(stage.ready(app=case.v.name)))
    left = old & {p["metadata"]["name"] for p in stage.pods(app=case.v.name)}
    case.need(not left, f"4분이 지나도 축출되지 못한 파드가 {len(left)}개다. 점검을 끝낼 수 없다.")
    case.need(fewest >= LEVEL, f"축출하는 동안 준비된 파드가 {fewest}개까지 줄었다.")


def _evict(stage: Stage, name: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "default"}}
    try:
        stage.client.create_subresource("pods", "default", name, "eviction", body)
    except StatusError as error:
        if error.code not in (404, 429):
            raise


def thaws(case: Case) -> None:
    stage = _up(case)
    stage.faults.freeze_container(f"default/{stage.ready(app=case.v.name)[0]['metadata']['name']}")
    stage.advance(120)
    ready = len(stage.ready(app=case.v.name))
    restarts = sum(c["restartCount"] for p in stage.pods(app=case.v.name) for c in p["status"]["containerStatuses"])
    holds = ready == REPLICAS and restarts
    case.need(holds, f"얼어붙고 2분 뒤 준비된 파드는 {ready}개, 컨테이너가 다시 뜬 횟수는 {restarts}번이다.")
