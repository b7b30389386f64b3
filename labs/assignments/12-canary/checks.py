"""카나리: 몫은 재어 본다."""

from typing import Any

from minik8s.apiserver.crd import gateway_api
from minik8s.grading import Case, Stage, told
from minik8s.network.traffic import Load

NEAR = 4
"""How many percent points a measured share may differ: four standard deviations of 2,000 requests."""
GATEWAY: list[dict[str, Any]] = [
    {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": {"name": "minik8s"},
        "spec": {"controllerName": "minik8s.io/gateway-controller"},
    },
    {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "front"},
        "spec": {"gatewayClassName": "minik8s", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
    },
]


def _up(case: Case) -> Stage:
    """A cluster with a gateway, and the answer at work."""
    stage = case.stage()
    stage.put([*gateway_api(), *GATEWAY], settle=10)
    stage.apply("canary")
    for track, count in (("stable", 3), ("canary", 1)):
        ready = len(_of(case, stage, track))
        case.need(ready == count, f"{case.v.app}-{track}의 준비된 파드가 {ready}개다. {count}개여야 한다.")
    return stage


def _of(case: Case, stage: Stage, track: str) -> list[str]:
    """Ready pods of one of the deployments, by name."""
    names = [pod["metadata"]["name"] for pod in stage.ready()]
    return [name for name in names if name.startswith(f"{case.v.app}-{track}-")]


def _ask(case: Case, stage: Stage, duration: float, **headers: str) -> Load:
    load = stage.load(f"http://{case.v.app}.example.com/", rate=100, duration=duration, headers=headers)
    case.need(load.lost == 0, f"요청 {load.sent}개 가운데 {load.lost}개가 실패했다: {told(load)}.")
    return load


def _share(case: Case, load: Load) -> float:
    """Percent of the answers that came from the canary."""
    pods = load.summary()["pods"]
    new = sum(count for name, count in pods.items() if name.startswith(f"{case.v.app}-canary-"))
    return 100 * new / max(1, sum(pods.values()))


def serves(case: Case) -> None:
    _ask(case, _up(case), 3)


def share(case: Case) -> None:
    measured = _share(case, _ask(case, _up(case), 20))
    case.need(abs(measured - case.v.percent) <= NEAR, f"새 판의 몫이 {measured:.1f} %다. {case.v.percent} %여야 한다.")


def staff(case: Case) -> None:
    stage = _up(case)
    measured = _share(case, _ask(case, stage, 3, **{case.v.header: "yes"}))
    case.need(measured == 100, f"직원의 요청 가운데 {measured:.0f} %만 새 판이 대답했다.")
    others = _share(case, _ask(case, stage, 3, **{case.v.header: "no"}))
    case.need(others < 60, "직원이 아닌 사람의 요청까지 새 판으로 보냈다.")


def steady(case: Case) -> None:
    stage = _up(case)
    stage.client.patch("deployments.apps", "default", f"{case.v.app}-canary", {"spec": {"replicas": 3}})
    stage.advance(30)
    case.need(len(_of(case, stage, "canary")) == 3, "새 판의 파드를 늘리지 못했다.")
    load = _ask(case, stage, 20)
    measured, pods = _share(case, load), load.summary()["pods"]
    case.need(abs(measured - case.v.percent) <= NEAR, f"파드를 늘리자 새 판의 몫이 {measured:.1f} %가 되었다.")
    used = sum(name.startswith(f"{case.v.app}-canary-") for name in pods)
    case.need(used == 3, f"새 판의 파드 셋 가운데 {used}개만 대답했다.")
