"""스케줄러 플러그인: 사용권을 세고, 모아 쓰고, 남을 방해하지 않는가."""

from typing import Any

from minik8s.grading import Case, Stage
from minik8s.scheduler import user_plugins

FILTER, SCORE = "LicenseFilter", "LicenseScore"


def _view(thing: Any) -> dict[str, Any]:
    """What crosses into the box of a pod or a node."""
    out: dict[str, Any] = {"name": thing.name, "labels": dict(thing.labels)}
    if hasattr(thing, "pods"):
        out["pods"] = [_view(pod) for pod in thing.pods]
    return {"$view": out}


def _named(case: Case, node: str) -> str:
    """The node's name in the cluster: a plugin must go by labels, not by names that it has seen."""
    return f"node-{case.fresh(node)}"


def _stage(case: Case, licences: dict[str, int | None]) -> Stage:
    """A cluster whose scheduler asks the student's functions about every pod and node."""
    plugin = case.code("plugin")
    user_plugins.filter_plugin(FILTER)(lambda pod, node: plugin("filter", _view(pod), _view(node)))
    user_plugins.score_plugin(SCORE, weight=20)(lambda pod, node: plugin("score", _view(pod), _view(node)))
    label = f"license/{case.v.tool}"
    nodes = [{"name": _named(case, node), "labels": {} if count is None else {label: str(count)}}
             for node, count in licences.items()]
    return case.stage(nodes=nodes, scheduler=user_plugins.with_plugins(None, [FILTER, SCORE]))


def _pod(name: str, uses: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"uses": uses} if uses else {}},
        "spec": {"containers": [{"name": "work", "image": "registry.k8s.io/pause:3.10"}]},
    }


def _place(stage: Stage, count: int, uses: str = "", prefix: str = "job") -> list[str]:
    """Put pods one after the other; where they went ("" for nowhere)."""
    out = []
    short = {_named(stage.case, node): node for node in "abc"}
    for number in range(count):
        name = f"{prefix}-{number}"
        stage.put([_pod(name, uses)], settle=0)
        stage.advance(3)
        out.append(short.get(stage.client.get("pods", "default", name)["spec"].get("nodeName", ""), ""))
    return out


def counts(case: Case) -> None:
    stage = _stage(case, {"a": case.v.few, "b": None, "c": 1})
    went = _place(stage, case.v.few + 3, case.v.tool)
    want = {"a": case.v.few, "b": 0, "c": 1, "": 2}
    got = {node: went.count(node) for node in want}
    told = f"{case.v.few}개인 노드에 {got['a']}개, 하나인 노드에 {got['c']}개, 없는 노드에 {got['b']}개"
    case.need(got == want, f"놓인 파드의 수가 사용권의 수와 다르다: 사용권이 {told}, 놓이지 못한 것 {got['']}개.")


def others(case: Case) -> None:
    stage = _stage(case, {"a": 0, "b": None})
    went = [*_place(stage, 3), *_place(stage, 2, "another-tool", "other")]
    case.need(all(went), "도구를 쓰지 않는 파드가 놓이지 못했다.")


def packs(case: Case) -> None:
    stage = _stage(case, {"a": case.v.many, "b": case.v.few, "c": case.v.many + 1})
    went = _place(stage, case.v.few + case.v.many, case.v.tool)
    want = ["b"] * case.v.few + ["a"] * case.v.many
    case.need(went == want, "사용권이 적게 남은 노드부터 채우지 않았다.")


def spares(case: Case) -> None:
    stage = _stage(case, {"a": case.v.few, "b": None, "c": case.v.many})
    went = _place(stage, 6)
    case.need(set(went) == {"b"}, "도구를 쓰지 않는 파드가 사용권이 있는 노드로 갔다.")


def returns(case: Case) -> None:
    stage = _stage(case, {"a": 1})
    first, second = _place(stage, 2, case.v.tool)
    case.need((first, second) == ("a", ""), "사용권 하나에 파드 하나여야 한다.")
    stage.client.delete("pods", "default", "job-0", grace=0)
    stage.advance(400)
    second = stage.client.get("pods", "default", "job-1")["spec"].get("nodeName")
    case.need(second == _named(case, "a"), "돌아온 사용권을 쓰지 않았다.")
