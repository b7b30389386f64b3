"""팀의 울타리: 그 사람이 되어 진짜 요청을 보내 본다."""

from typing import Any

from minik8s.client import Client
from minik8s.grading import Case, Stage
from minik8s.wire import StatusError, UserInfo

MAX = 400
"""The largest CPU limit of a container, in millicores."""


def _up(case: Case) -> Stage:
    stage = case.stage()
    stage.apply("fence", settle=10)
    case.need(stage.find("namespaces", case.v.team, ""), f"네임스페이스 {case.v.team}이(가) 없다.")
    stage.advance(5)
    return stage


def _as(stage: Stage, name: str) -> Client:
    return stage.client.as_actor(name, UserInfo(name, f"uid-{name}", ("system:authenticated",)))


def _pod(name: str, cpu: int = 0, limit: int = 0) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    if cpu:
        resources["requests"] = {"cpu": f"{cpu}m"}
    if limit:
        resources["limits"] = {"cpu": f"{limit}m"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "work", "image": "registry.k8s.io/pause:3.10", "resources": resources}]},
    }


def _refused(call: Any, *args: Any, **options: Any) -> str:
    """The API server's message when it forbids the request, else ""."""
    try:
        call(*args, **options)
    except StatusError as error:
        if error.code == 403:
            return error.message
        raise
    return ""


def _fits(case: Case, stage: Stage, pod: dict[str, Any]) -> bool:
    return not _refused(_as(stage, case.v.dev).create, "pods", pod, namespace=case.v.team)


def works(case: Case) -> None:
    stage = _up(case)
    dev = _as(stage, case.v.dev)
    labels = {"app": "web"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
            },
        },
    }
    dev.create("deployments.apps", deployment, namespace=case.v.team)
    stage.advance(30)
    ready = len(stage.ready(case.v.team, app="web"))
    case.need(ready == 2, f"{case.v.dev}이(가) 만든 디플로이먼트의 준비된 파드가 {ready}개다.")
    dev.patch("deployments.apps", case.v.team, "web", {"spec": {"replicas": 3}})
    stage.advance(30)
    case.need(len(dev.list("pods", case.v.team)) == 3, "고친 뒤 파드가 셋이 아니다.")
    dev.delete("deployments.apps", case.v.team, "web")
    dev.create("pods", _pod("alone"), namespace=case.v.team)
    dev.delete("pods", case.v.team, "alone")


def looks(case: Case) -> None:
    stage = _up(case)
    stage.client.create("pods", _pod("here"), namespace=case.v.team)
    guest = _as(stage, case.v.guest)
    case.need(len(guest.list("pods", case.v.team)) == 1, f"{case.v.guest}이(가) 파드를 보지 못한다.")
    case.need(_refused(guest.delete, "pods", case.v.team, "here"), f"{case.v.guest}이(가) 파드를 지웠다.")
    refused = _refused(guest.create, "pods", _pod("mine"), namespace=case.v.team)
    case.need(refused, f"{case.v.guest}이(가) 파드를 만들었다.")


def stays_out(case: Case) -> None:
    stage = _up(case)
    dev, guest = _as(stage, case.v.dev), _as(stage, case.v.guest)
    case.need(not _refused(dev.list, "pods", case.v.team), f"{case.v.dev}이(가) 제 팀의 파드도 보지 못한다.")
    case.need(not _refused(guest.list, "pods", case.v.team), f"{case.v.guest}이(가) 제 팀의 파드도 보지 못한다.")
    for who, client in ((case.v.dev, dev), (case.v.guest, guest)):
        case.need(_refused(client.list, "secrets", case.v.team), f"{who}이(가) 시크릿을 읽었다.")
        case.need(_refused(client.list, "pods", "default"), f"{who}이(가) 다른 네임스페이스의 파드를 보았다.")
        case.need(_refused(client.list, "nodes", None), f"{who}이(가) 노드를 보았다.")
    away = _refused(dev.create, "pods", _pod("away"), namespace="default")
    case.need(away, f"{case.v.dev}이(가) 다른 네임스페이스에 파드를 만들었다.")
    quota = _refused(dev.create, "resourcequotas", _quota(), namespace=case.v.team)
    case.need(quota, f"{case.v.dev}이(가) 쿼터를 만들었다.")


def _quota() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "mine"}, "spec": {"hard": {"pods": "99"}}}


def crowd(case: Case) -> None:
    stage = _up(case)
    fit = [_fits(case, stage, _pod(f"pod-{n}")) for n in range(case.v.pods + 1)]
    case.need(fit == [True] * case.v.pods + [False], f"파드 {sum(fit)}개가 들어갔다. {case.v.pods}개여야 한다.")


def weight(case: Case) -> None:
    stage = _up(case)
    room = case.v.cpu // MAX
    fit = [_fits(case, stage, _pod(f"pod-{n}", cpu=MAX, limit=MAX)) for n in range(room + 1)]
    case.need(fit == [True] * room + [False], f"CPU {MAX}m씩 요청하는 파드가 {sum(fit)}개 들어갔다. {room}개여야 한다.")


def fills(case: Case) -> None:
    stage = _up(case)
    case.need(_fits(case, stage, _pod("plain")), "CPU를 적지 않은 파드를 받지 않았다.")
    plain = stage.client.get("pods", case.v.team, "plain")["spec"]["containers"][0]["resources"]
    asked = (plain.get("requests") or {}).get("cpu")
    case.need(asked == f"{case.v.each}m", f"CPU를 적지 않은 컨테이너의 요청: {asked or '없음'}.")
    case.need(_fits(case, stage, _pod("fair", limit=MAX)), f"한도 {MAX}m인 파드를 받지 않았다.")
    case.need(not _fits(case, stage, _pod("greedy", cpu=50, limit=MAX + 50)), f"한도가 {MAX}m을 넘는 파드를 받았다.")
