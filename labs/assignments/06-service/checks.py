"""서비스와 네트워크폴리시: 닿아야 할 곳에 닿고, 막아야 할 것을 막는가."""

from minik8s.grading import Case, Stage
from minik8s.network.traffic import Load


def _client(name: str, role: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"role": role}},
        "spec": {"containers": [{"name": "sh", "image": "busybox:1.36", "command": ["sleep", "infinity"]}]},
    }


def _up(case: Case) -> Stage:
    stage = case.stage()
    # The answer cannot know the visitors: it could change them, or shut out this one stranger alone.
    roles = {"friend": case.v.friend, "stranger": case.fresh()}
    stage.put([_client(_named(case, who), role) for who, role in roles.items()], settle=0)
    stage.apply("web")
    ready = len(stage.ready(app=case.v.api))
    case.need(ready == case.v.replicas, f"준비된 파드가 {ready}개다. {case.v.replicas}개여야 한다.")
    case.need(stage.find("services", case.v.api), f"서비스 {case.v.api}가 없다.")
    return stage


def _named(case: Case, who: str) -> str:
    return f"{who}-{case.fresh()}"


def _ask(case: Case, stage: Stage, who: str, duration: float = 5) -> Load:
    return stage.load(f"{case.v.api}:80", duration=duration, source=f"default/{_named(case, who)}", timeout=2)


def serves(case: Case) -> None:
    load = _ask(case, _up(case), "friend")
    case.need(load.lost == 0, f"허락된 파드의 요청 {load.sent}개 가운데 {load.lost}개가 실패했다.")


def shares(case: Case) -> None:
    pods = _ask(case, _up(case), "friend", 15).summary()["pods"]
    case.need(len(pods) == case.v.replicas, f"대답한 파드가 {len(pods)}개다. {case.v.replicas}개여야 한다.")


def refuses(case: Case) -> None:
    stage = _up(case)
    load = _ask(case, stage, "stranger")
    case.need(load.lost == load.sent, "허락되지 않은 파드가 대답을 들었다.")
    case.need(_ask(case, stage, "friend").lost == 0, "허락된 파드까지 막혔다.")


def skips(case: Case) -> None:
    stage = _up(case)
    victim = stage.ready(app=case.v.api)[0]
    stage.faults.freeze_container(f"default/{victim['metadata']['name']}")
    stage.advance(45)
    load = _ask(case, stage, "friend")
    case.need(load.lost == 0, "멈춘 파드로도 요청을 보냈다.")
