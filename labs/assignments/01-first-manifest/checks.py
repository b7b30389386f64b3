"""첫 매니페스트: 파드가 뜨고, 찾히고, 되살아나고, 제자리를 찾는가."""

from minik8s.grading import Case


def runs(case: Case) -> None:
    stage = case.stage()
    stage.apply("pod")
    names = [p["metadata"]["name"] for p in stage.ready()]
    case.need(case.v.name in names, f"파드 {case.v.name}이 준비되지 않았다.")
    load = stage.load(f"pod/{case.v.name}:80", duration=2)
    case.need(load.lost == 0, "파드가 80번 포트로 대답하지 않는다.")


def found(case: Case) -> None:
    stage = case.stage()
    stage.apply("pod")
    names = [p["metadata"]["name"] for p in stage.pods(app=case.v.name, tier=case.v.tier)]
    told = ", ".join(names) or "없음"
    case.need(names == [case.v.name], f"`app={case.v.name},tier={case.v.tier}`로 찾은 파드: {told}.")


def comes_back(case: Case) -> None:
    stage = case.stage()
    stage.apply("pod")
    case.need(len(stage.ready()) == 1, "파드가 준비되지 않았다.")
    stage.faults.crash_container(f"default/{case.v.name}")
    stage.advance(30)
    case.need(len(stage.ready()) == 1, "컨테이너가 죽은 뒤 파드가 준비 상태로 돌아오지 않았다.")


def has_room(case: Case) -> None:
    small = {"name": "small", "cpu": f"{case.v.cpu - 20}m", "memory": "64Gi"}
    big = {"name": "big", "cpu": f"{case.v.cpu + 20}m", "memory": "1Gi"}
    stage = case.stage(nodes=[small, big])
    stage.apply("pod")
    pod = case.one("pod", "Pod", case.v.name)
    placed = stage.client.get("pods", "default", pod["metadata"]["name"])["spec"].get("nodeName")
    case.need(placed == "big", f"CPU {case.v.cpu}m가 들어갈 노드로 가지 않았다(간 곳: {placed or '없음'}).")
