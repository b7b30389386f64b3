"""고장 난 가게: 고친 것을 고장 난 것 위에 놓고, 다시 열렸는지 본다."""

from typing import Any

from minik8s.grading import Case, Stage, told


def _broken(case: Case) -> list[dict[str, Any]]:
    """The shop as the student finds it."""
    v = case.v
    labels = {"app": v.app}
    greet = {"name": "greet", "image": "busybox:1.36", "command": ["sh", "-c", "echo $GREETING"],
             "envFrom": [{"configMapRef": {"name": f"{v.app}{v.settings}"}}]}
    echo = {"name": "echo", "image": f"hashicorp/http-echo:{v.tag}", "args": [f"-text={v.app}", "-listen=:5678"],
            "ports": [{"containerPort": 5678}], "resources": {"requests": {"cpu": v.cpu}},
            "readinessProbe": {"httpGet": {"path": "/", "port": v.probe}, "periodSeconds": 5}}
    template = {"metadata": {"labels": labels}, "spec": {"initContainers": [greet], "containers": [echo]}}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{v.app}-settings"},
         "data": {"GREETING": v.greeting}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": v.app},
         "spec": {"replicas": v.replicas, "selector": {"matchLabels": labels}, "template": template}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": v.app},
         "spec": {"selector": {v.key: f"{v.app}{v.suffix}"}, "ports": [{"port": 80, "targetPort": v.target}]}},
    ]


def _fixed(case: Case) -> Stage:
    stage = case.stage()
    stage.put(_broken(case), settle=40)
    stage.apply("fix", settle=90)
    return stage


def _ready(case: Case, stage: Stage) -> None:
    found = len(stage.ready(app=case.v.app))
    case.need(found == case.v.replicas, f"준비된 파드가 {found}개다. {case.v.replicas}개여야 한다.")
    own = len(stage.of(case.v.app))
    case.need(own == found, f"준비된 파드 {found}개 가운데 디플로이먼트 {case.v.app}의 것은 {own}개다.")


def ready(case: Case) -> None:
    _ready(case, _fixed(case))


def reached(case: Case) -> None:
    stage = _fixed(case)
    load = stage.load(f"{case.v.app}:80", duration=4)
    case.need(load.lost == 0, f"요청 {load.sent}개 가운데 {load.lost}개가 실패했다: {told(load)}.")
    strangers = set(load.summary()["pods"]) - {pod["metadata"]["name"] for pod in stage.of(case.v.app)}
    case.need(not strangers, f"가게의 것이 아닌 파드가 대답했다: {', '.join(sorted(strangers))}.")


def keeps(case: Case) -> None:
    stage = _fixed(case)
    _ready(case, stage)
    stage.faults.freeze_container(f"default/{stage.ready(app=case.v.app)[0]['metadata']['name']}", "echo")
    stage.advance(45)
    load = stage.load(f"{case.v.app}:80", duration=5, timeout=2)
    case.need(load.lost == 0, f"파드 하나가 멈추자 요청 {load.sent}개 가운데 {load.lost}개를 잃었다.")


def settings(case: Case) -> None:
    stage = _fixed(case)
    _ready(case, stage)
    body = {"data": {"GREETING": "another-greeting"}}
    stage.client.patch("configmaps", "default", f"{case.v.app}-settings", body)
    for pod in stage.pods(app=case.v.app):
        stage.client.delete("pods", "default", pod["metadata"]["name"])
    stage.advance(60)
    _ready(case, stage)
    name = stage.ready(app=case.v.app)[0]["metadata"]["name"]
    init = stage.client.get("pods", "default", name)["spec"].get("initContainers") or [{"name": "greet"}]
    log = stage.log(name, init[0]["name"])
    case.need("another-greeting" in log, f"인사말을 바꾸고 다시 띄운 파드의 로그: {log[:80] or '비어 있다'}.")
