"""컨피그맵과 시크릿: 설정이 이미지와 매니페스트 밖에서 오는가."""

import json

from minik8s.grading import Case, Stage


def _up(case: Case, greeting: str = "", token: str = "") -> Stage:
    """The answer's objects; with other values, as the next environment would have them."""
    stage, objects = case.stage(), case.documents("app")
    for obj in objects:
        if greeting and obj["kind"] == "ConfigMap":
            obj["data"] = {**(obj.get("data") or {}), "GREETING": greeting}
        if token and obj["kind"] == "Secret":
            obj.pop("data", None)
            obj["stringData"] = {"TOKEN": token}
    stage.put(objects)
    return stage


def greets(case: Case) -> None:
    log = _up(case).log(case.v.app)
    case.need(case.v.greeting in log, f"파드의 로그에 인사말이 없다: {log[:100] or '비어 있다'}.")
    other = _up(case, greeting=case.fresh()).log(case.v.app)
    case.need(case.fresh() in other, "컨피그맵에 다른 인사말을 넣어도 로그에 나오지 않는다.")


def reads(case: Case) -> None:
    log = _up(case).log(case.v.app)
    case.need(case.v.token in log, "파드의 로그에 시크릿의 값이 없다.")
    other = _up(case, token=case.fresh()).log(case.v.app)
    case.need(case.fresh() in other, "시크릿에 다른 값을 넣어도 로그에 나오지 않는다.")


def follows_config(case: Case) -> None:
    log = _up(case, "another-greeting", "another-token").log(case.v.app)
    case.need("another-greeting" in log and "another-token" in log, "설정을 바꾸어도 옛 값을 쓴다.")


def hides(case: Case) -> None:
    log = _up(case, token=case.fresh()).log(case.v.app)
    case.need(case.fresh() in log, "비밀이 파드에 닿지 않았다.")
    case.need(case.v.token not in log, "시크릿을 바꾸어도 옛 비밀이 나온다: 다른 곳에 적혀 있다.")
    pods = [obj for obj in case.documents("app") if obj["kind"] not in ("Secret",)]
    case.need(case.v.token not in json.dumps(pods), "시크릿이 아닌 오브젝트에 비밀이 적혀 있다.")
