"""Decisions in the reader's words."""

from __future__ import annotations

import json

import pytest
from builders import Lab, node, pod

from minik8s.scheduler.explain import meaning, rows, sentences, table, text


def test_a_choice_is_told_with_its_runner_up() -> None:
    lab = Lab(node("n1"), node("n2"), node("n3", unschedulable=True))
    lab.place(pod("other", "2"), "n1")
    told = sentences(lab.decide(pod("p")))
    assert told[0] == "파드 default/p: 노드 3개 가운데 2개가 모든 필터를 통과했다."
    assert told[1].startswith("NodeUnschedulable 필터가 노드 n3을 걸렀다: cordon된 노드라서")
    assert told[2].startswith("합계가 가장 높은 n2(")
    assert "그다음은 n1(" in told[3] and "NodeResourcesFit +" in told[3]


def test_a_tie_is_told_as_one() -> None:
    told = sentences(Lab(node("n1"), node("n2")).decide(pod("p")))
    assert any("같다" in sentence and "n1에 배치" in sentence for sentence in told)


def test_a_pod_that_fits_nowhere_is_told_why_and_what_preemption_does() -> None:
    lab = Lab(node("n1"))
    assert any("소용이 없어서" in s for s in sentences(lab.decide(pod("huge", "64"))))
    lab.place(pod("low", "4", priority=0), "n1")
    told = sentences(lab.decide(pod("vip", "4", priority=9)))
    assert "선점: n1에서 default/low를 내보내면 자리가 난다." in told
    assert told[-1].startswith("이벤트 FailedScheduling: 0/1 nodes are available")


def test_the_record_in_the_trace_tells_the_same_story() -> None:
    decision = Lab(node("n1"), node("n2")).decide(pod("p"))
    record = json.loads(json.dumps(decision.to_json()))
    assert text(record) == text(decision)


def test_the_table_has_a_row_per_node_and_adds_up() -> None:
    lab = Lab(node("n1"), node("n2"), node("n3", unschedulable=True))
    decision = lab.decide(pod("p"))
    found = rows(decision)
    assert [row["node"] for row in found] == ["n1", "n2", "n3"]
    assert [row["result"] for row in found] == ["선택", "동점", "거름"]
    assert sum(cell[3] for cell in found[0]["scores"].values()) == found[0]["total"]
    lines = table(decision).splitlines()
    assert len(lines) == 4 and lines[0].startswith("노드")


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Insufficient example.com/gpu", "남은 example.com/gpu 자원이 요청량보다 적다"),
        ("node(s) had untolerated taint(s)", "노드의 테인트를 견디는 톨러레이션이 파드에 없다"),
        ("some reason of my own", "some reason of my own"),
    ],
)
def test_reasons_have_meanings(reason: str, told: str) -> None:
    assert meaning(reason) == told
