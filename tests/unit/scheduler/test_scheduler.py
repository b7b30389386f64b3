"""The scan, the choice among equals, and what becomes of pods that fit nowhere."""

from __future__ import annotations

import pytest
from builders import Lab, node, pod

from minik8s.scheduler.scheduler import best_of, heap_top, nodes_to_find


def test_without_nodes_the_message_says_so() -> None:
    decision = Lab().decide(pod("p"))
    assert (decision.outcome, decision.message) == ("unschedulable", "no nodes available to schedule pods")


@pytest.mark.parametrize(
    ("nodes", "percentage", "enough"),
    [(99, 0, 99), (100, 0, 100), (1000, 0, 420), (5000, 0, 500), (6000, 0, 300), (5000, 100, 5000), (1000, 5, 100)],
)
def test_how_many_feasible_nodes_are_enough(nodes: int, percentage: int, enough: int) -> None:
    assert nodes_to_find(nodes, percentage) == enough


def test_the_scan_stops_at_the_first_node_too_many_and_goes_on_there() -> None:
    lab = Lab(*[node(f"n{i:03}") for i in range(250)])
    first = lab.decide(pod("a"))
    assert len(first.feasible) == 120  # 48 % of 250
    assert lab.scheduler.next_start == 120
    second = lab.decide(pod("b"))
    assert second.feasible[0] == "n120"
    lab.decide(pod("c"))
    assert lab.scheduler.next_start == (3 * 120) % 250


def test_nodes_that_are_refused_do_not_count_towards_enough() -> None:
    lab = Lab(*[node(f"n{i:03}", unschedulable=i < 50) for i in range(250)])
    decision = lab.decide(pod("a"))
    assert len(decision.feasible) == 120
    assert len(decision.diagnosis.nodes) == 50
    assert lab.scheduler.next_start == 170


def test_nodes_are_visited_round_robin_over_zones() -> None:
    lab = Lab(
        node("a1", zone="a"), node("a2", zone="a"), node("a3", zone="a"), node("b1", zone="b"), node("c1", zone="c")
    )
    assert [entry.name for entry in lab.snapshot.nodes] == ["a1", "b1", "c1", "a2", "a3"]


def test_of_equals_the_root_of_a_heap_wins() -> None:
    names = list("abcdefg")
    assert heap_top(names, {"c", "d"}) == "d"  # d is below b, to the left of c
    assert heap_top(names, {"c", "f", "g"}) == "c"
    assert heap_top(names, {"a", "g"}) == "a"
    assert heap_top(names, {"e", "f"}) == "e"


def test_best_are_all_nodes_with_the_highest_total() -> None:
    assert best_of({"b": 7, "a": 7, "c": 3}) == ["a", "b"]
    assert best_of({}) == []


def test_a_single_feasible_node_is_not_scored() -> None:
    decision = Lab(node("n1"), node("n2", unschedulable=True)).decide(pod("p"))
    assert (decision.node, decision.scores, decision.totals) == ("n1", {}, {})


def test_a_pod_is_placed_by_least_allocation() -> None:
    lab = Lab(node("n1"), node("n2"))
    lab.place(pod("other", "2"), "n1")
    decision = lab.decide(pod("p"))
    assert decision.node == "n2"
    assert decision.scores["NodeResourcesFit"].normalized["n2"] > decision.scores["NodeResourcesFit"].normalized["n1"]


def test_why_no_node_would_do_is_counted_by_reason() -> None:
    lab = Lab(node("n1", cpu="1"), node("n2", cpu="1"), node("n3", unschedulable=True))
    decision = lab.decide(pod("p", "2"))
    assert decision.message == (
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: "
        "3 Preemption is not helpful for scheduling."
    )


def test_a_more_important_pod_takes_the_place_of_others() -> None:
    lab = Lab(node("n1"))
    lab.place(pod("low", "3", priority=1), "n1")
    lab.place(pod("mid", "1", priority=5), "n1")
    decision = lab.decide(pod("high", "3", priority=10))
    assert (decision.nominated, decision.victims) == ("n1", ["default/low"])


def test_a_nominated_pod_keeps_its_place_from_less_important_ones() -> None:
    lab = Lab(node("n1"))
    promised = pod("high", "3", priority=10)
    from minik8s.scheduler.snapshot import PodInfo

    lab.handle.nominator.add(PodInfo(promised), "n1")
    assert lab.decide(pod("low", "2")).outcome == "unschedulable"
    assert lab.decide(pod("small", "1")).node == "n1"
    assert lab.decide(pod("higher", "4", priority=11)).node == "n1"
