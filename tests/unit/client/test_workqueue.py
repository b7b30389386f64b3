from minik8s.client import WorkQueue
from minik8s.clock import EPOCH, Clock


def test_a_key_that_waits_is_handled_once():
    clock, seen = Clock(), []
    queue = WorkQueue(clock, seen.append)
    for key in "abab":
        queue.add(key)
    clock.run_ready()
    assert seen == ["a", "b"]


def test_a_key_added_while_handled_is_handled_again():
    clock, seen = Clock(), []

    def handle(key):
        seen.append(key)
        if len(seen) == 1:
            queue.add(key)

    queue = WorkQueue(clock, handle)
    queue.add("a")
    clock.run_ready()
    assert seen == ["a", "a"]


def test_of_several_delays_the_earliest_counts():
    clock, seen = Clock(), []
    queue = WorkQueue(clock, lambda key: seen.append(clock.now() - EPOCH))
    queue.add_after("a", 5)
    queue.add_after("a", 2)
    queue.add_after("a", 9)
    clock.run_until(EPOCH + 20)
    assert seen == [2]


def test_failures_wait_twice_as_long_each_time_until_forgotten():
    clock, seen = Clock(), []
    queue = WorkQueue(clock, lambda key: seen.append(round(clock.now() - EPOCH, 3)))
    for _ in range(3):
        queue.add_rate_limited("a")
        clock.run_until(clock.now() + 1)
    assert seen == [0.005, 1.01, 2.02]
    queue.forget("a")
    queue.add_rate_limited("a")
    clock.run_until(clock.now() + 1)
    assert seen[-1] == 3.005


def test_a_stopped_queue_keeps_its_keys_for_the_next_start():
    clock, seen = Clock(), []
    queue = WorkQueue(clock, seen.append)
    queue.stop()
    queue.add("a")
    clock.run_ready()
    assert seen == []
    queue.start()
    clock.run_ready()
    assert seen == ["a"]
