"""Who is tried next, who backs off, and which events bring back whom."""

from __future__ import annotations

from builders import Lab, node, pod

from minik8s.objects import Object
from minik8s.scheduler.queue import SchedulingQueue
from minik8s.scheduler.snapshot import PodInfo


def make() -> SchedulingQueue:
    lab = Lab(node("n1"))
    return SchedulingQueue(lambda pod: lab.profiles["default-scheduler"])


def info(name: str, **spec: object) -> PodInfo:
    return PodInfo(pod(name, **spec))


def names(queue: SchedulingQueue, now: float) -> list[str]:
    found = []
    while (queued := queue.pop(now)) is not None:
        found.append(queued.pod.name)
    return found


def fail(queue: SchedulingQueue, now: float, *plugins: str, failed: bool = False) -> None:
    queued = queue.pop(now)
    assert queued is not None
    queue.requeue(queued, set(plugins), now, failed=failed)


def test_higher_priority_first_then_arrival() -> None:
    queue = make()
    queue.add(info("late", priority=5), 2.0)
    queue.add(info("low"), 0.0)
    queue.add(info("early", priority=5), 1.0)
    assert names(queue, 3.0) == ["early", "late", "low"]


def test_gated_pods_wait_until_their_gates_are_gone() -> None:
    queue = make()
    gated = pod("g", schedulingGates=[{"name": "example.com/wait"}])
    queue.add(PodInfo(gated), 0.0)
    assert queue.where("default/g") == "gated"
    assert names(queue, 1000.0) == []
    assert queue.move("node/add", None, node("n2"), 1.0) == 0
    queue.update(info("g"), 2.0, ("pod/gates",))
    assert names(queue, 2.0) == ["g"]


def test_only_events_that_the_refusing_plugin_hopes_for_bring_a_pod_back() -> None:
    queue = make()
    queue.add(info("p"), 0.0)
    fail(queue, 0.0, "NodeResourcesFit")
    assert queue.move("node/taint", None, node("n2"), 100.0) == 0
    assert queue.move("node/allocatable", None, node("n1", cpu="500m"), 100.0) == 0, "still too small"
    assert queue.move("node/allocatable", None, node("n1", cpu="8"), 100.0) == 1
    assert names(queue, 100.0) == ["p"]


def test_a_taint_that_the_pod_does_not_tolerate_is_no_hope() -> None:
    queue = make()
    queue.add(info("p"), 0.0)
    fail(queue, 0.0, "TaintToleration")
    tainted: Object = node("n1", taints=[{"key": "x", "effect": "NoSchedule"}])
    assert queue.move("node/taint", None, tainted, 50.0) == 0
    assert queue.move("node/taint", tainted, node("n1"), 50.0) == 1


def test_back_off_doubles_up_to_ten_seconds_after_errors() -> None:
    queue = make()
    queue.add(info("p"), 0.0)
    now, waits = 0.0, []
    for _ in range(6):
        fail(queue, now, failed=True)
        due = queue.next_time()
        assert due is not None
        waits.append(due - now)
        assert queue.pop(due - 0.001) is None
        now = due
    assert waits == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_with_nobody_else_waiting_backing_off_is_cut_short() -> None:
    queue = make()
    queue.add(info("p"), 0.0)
    fail(queue, 0.0, "NodeResourcesFit")
    queue.move("pod/delete", None, None, 0.1)
    assert queue.where("default/p") == "backoff"
    assert names(queue, 0.1) == ["p"]


def test_five_minutes_without_an_event_are_enough() -> None:
    queue = make()
    queue.add(info("p"), 0.0)
    fail(queue, 0.0, "NodeResourcesFit")
    assert queue.next_time() == 300.0
    assert names(queue, 299.0) == []
    assert names(queue, 300.0) == ["p"]


def test_a_deleted_pod_is_forgotten_wherever_it_is() -> None:
    queue = make()
    queue.add(info("a"), 0.0)
    queue.add(info("b"), 0.0)
    queue.remove("default/a")
    assert names(queue, 0.0) == ["b"]
    assert len(queue) == 0


def test_a_change_of_priority_changes_the_order() -> None:
    queue = make()
    queue.add(info("a"), 0.0)
    queue.add(info("b"), 1.0)
    queue.update(info("b", priority=9), 2.0)
    assert names(queue, 2.0) == ["b", "a"]
