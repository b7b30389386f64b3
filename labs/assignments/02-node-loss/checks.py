"""노드 하나를 잃어도: 고르게 퍼지고, 제때 다시 채우고, 서두르지 않는가."""

from collections import Counter

from minik8s.grading import Case, Stage

JUDGED_DEAD = 60
"""A node that stops reporting counts as unreachable after the monitor's grace period (50 s) and one look (5 s)."""
STARTING = 20


def _up(case: Case, stage: Stage) -> None:
    stage.apply("web")
    ready = len(stage.ready(app=case.v.name))
    case.need(ready == case.v.replicas, f"준비된 파드가 {ready}개다. {case.v.replicas}개여야 한다.")


def _per_node(case: Case, stage: Stage) -> Counter[str]:
    return Counter(p["spec"]["nodeName"] for p in stage.ready(app=case.v.name))


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{node}에 {counts[node]}개" for node in sorted(counts)) or "파드가 없다"


def runs(case: Case) -> None:
    _up(case, case.stage())


def spread(case: Case) -> None:
    stage = case.stage()
    _up(case, stage)
    counts = _per_node(case, stage)
    even = len(counts) == 3 and max(counts.values()) - min(counts.values()) <= 1
    case.need(even, f"고르게 퍼지지 않았다: {_told(counts)}.")


def recovers(case: Case) -> None:
    stage = case.stage()
    _up(case, stage)
    stage.faults.kill_node(case.v.lost)
    stage.advance(JUDGED_DEAD + case.v.patience + STARTING)
    alive = sum(count for node, count in _per_node(case, stage).items() if node != case.v.lost)
    case.need(alive == case.v.replicas, f"{case.v.lost}을(를) 잃고 기다린 뒤 살아 있는 파드는 {alive}개다.")


def strict(case: Case) -> None:
    """A node with room for two pods only: a firm constraint leaves the rest waiting rather than crowd the other."""
    stage = case.stage(nodes=[{"name": "wide"}, {"name": "narrow", "pods": "2"}])
    stage.apply("web")
    counts = _per_node(case, stage)
    case.need((counts["narrow"], counts["wide"]) == (2, 3), f"한쪽에 몰렸거나 모자란다: {_told(counts)}.")


def patient(case: Case) -> None:
    stage = case.stage()
    _up(case, stage)
    before = {p["metadata"]["uid"] for p in stage.pods(app=case.v.name)}
    stage.faults.partition_node(case.v.lost, seconds=JUDGED_DEAD + case.v.patience - 15)
    stage.advance(JUDGED_DEAD + case.v.patience + STARTING)
    after = {p["metadata"]["uid"] for p in stage.pods(app=case.v.name)}
    case.need(before == after, "노드가 곧 돌아왔는데도 파드를 새로 만들었다.")
