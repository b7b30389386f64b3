from minik8s.clock import EPOCH, Clock


def test_events_run_by_time_then_priority_then_order_of_planning():
    clock, seen = Clock(), []
    clock.call_later(2, seen.append, "later")
    clock.call_later(1, seen.append, "b", priority=1)
    clock.call_later(1, seen.append, "a")
    clock.call_later(1, seen.append, "c", priority=1)
    clock.run_until(EPOCH + 1)
    assert seen == ["a", "b", "c"]
    assert clock.now() == EPOCH + 1


def test_an_event_may_plan_another_for_now():
    clock, seen = Clock(), []
    clock.call_soon(lambda: clock.call_soon(seen.append, clock.now()))
    clock.run_ready()
    assert seen == [EPOCH]


def test_time_never_runs_backwards():
    clock = Clock()
    clock.run_until(EPOCH + 10)
    clock.call_at(EPOCH + 3, lambda: None)
    assert clock.next_time() == EPOCH + 10
    clock.run_until(EPOCH + 5)
    assert clock.now() == EPOCH + 10


def test_a_cancelled_timer_does_nothing():
    clock, seen = Clock(), []
    clock.call_later(1, seen.append, 1).cancel()
    assert clock.next_time() is None
    assert not clock.step()
    assert seen == []


def test_streams_of_random_numbers_do_not_disturb_each_other():
    one, two = Clock(seed=7), Clock(seed=7)
    two.rng("other").random()
    assert one.rng("kubelet").random() == two.rng("kubelet").random()
    assert Clock(seed=8).rng("kubelet").random() != Clock(seed=7).rng("kubelet").random()


def test_identifiers_are_shaped_as_kubernetes_makes_them():
    clock = Clock(seed=1)
    uids = {clock.uid() for _ in range(200)}
    assert len(uids) == 200
    assert all(u[14] == "4" and u[19] in "89ab" and len(u) == 36 for u in uids)
    assert set(clock.suffix(500)) <= set("bcdfghjklmnpqrstvwxz2456789")
