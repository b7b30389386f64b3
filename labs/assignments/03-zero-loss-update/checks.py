"""요청을 하나도 잃지 않는 업데이트: 손님이 드나드는 동안 이미지를 바꾼다."""

from minik8s.grading import Case, Stage, told
from minik8s.network.traffic import Load

NEW = "nginx:1.28"


def _up(case: Case) -> Stage:
    stage = case.stage()
    stage.apply("web", settle=120)
    found = stage.find("deployments.apps", case.v.name)
    case.need(found, f"디플로이먼트 {case.v.name}이(가) 없다.")
    pods = stage.pods(app=case.v.name)
    templates = [found["spec"]["template"], *pods] if found else []
    slow = {str((each["metadata"].get("annotations") or {}).get("sim.minik8s.io/ready-after")) for each in templates}
    case.need(slow == {str(case.v.warmup)}, "느리게 뜨는 사정(애너테이션)을 지우거나 바꾸었다.")
    ready = len(stage.ready(app=case.v.name))
    case.need(ready == case.v.replicas, f"준비된 파드가 {ready}개다. {case.v.replicas}개여야 한다.")
    own = len(stage.of(case.v.name))
    case.need(own == ready, f"준비된 파드 {ready}개 가운데 디플로이먼트 {case.v.name}의 것은 {own}개다.")
    return stage


def _change_image(case: Case, stage: Stage) -> None:
    body = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": NEW}]}}}}
    stage.client.patch("deployments.apps", "default", case.v.name, body, type="strategic")


def _during(case: Case, stage: Stage, rate: float, clients: int) -> Load:
    load = stage.cluster.traffic.start(case.v.name, rate=rate, clients=clients, duration=150)
    stage.advance(3)
    _change_image(case, stage)
    stage.advance(160)
    return load


def serves(case: Case) -> None:
    load = _up(case).load(case.v.name, duration=3)
    case.need(load.lost == 0, f"요청 {load.sent}개 가운데 {load.lost}개가 실패했다: {told(load)}.")


def updates(case: Case) -> None:
    stage = _up(case)
    _change_image(case, stage)
    stage.advance(160)
    images = {p["spec"]["containers"][0]["image"] for p in stage.ready(app=case.v.name)}
    case.need(images == {NEW}, f"지금 도는 이미지: {', '.join(sorted(images)) or '없음'}.")


def no_loss(case: Case) -> None:
    load = _during(case, _up(case), rate=25, clients=10)
    case.need(load.lost == 0, f"요청 {load.sent}개 가운데 {load.lost}개를 잃었다: {told(load)}.")


def full_house(case: Case) -> None:
    stage = _up(case)
    _change_image(case, stage)
    fewest = case.v.replicas
    for _ in range(160):
        stage.advance(1)
        fewest = min(fewest, len(stage.ready(app=case.v.name)))
    images = {p["spec"]["containers"][0]["image"] for p in stage.ready(app=case.v.name)}
    case.need(images == {NEW}, "업데이트가 끝나지 않았다.")
    case.need(fewest == case.v.replicas, f"준비된 파드가 {fewest}개까지 줄었다.")


def graceful(case: Case) -> None:
    load = _during(case, _up(case), rate=60, clients=30)
    case.need(load.lost == 0, f"손님이 많을 때 요청 {load.lost}개를 잃었다.")
