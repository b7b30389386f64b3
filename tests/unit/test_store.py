import pytest

from minik8s.store import Compacted, Conflict, Exists, Key, Missing, Store

A = Key("pods", "default", "a")


def pod(name="a", namespace="default", **more):
    return {"metadata": {"name": name, "namespace": namespace}, **more}


def test_every_write_gets_the_next_revision_as_its_resource_version():
    store = Store()
    first = store.create(A, pod())
    second = store.update(A, {**first, "spec": {}})
    assert int(second["metadata"]["resourceVersion"]) == int(first["metadata"]["resourceVersion"]) + 1 == store.revision


def test_values_are_frozen_and_untouched_parts_are_shared():
    store = Store()
    first = store.create(A, pod(spec={"containers": [{"name": "c"}]}))
    with pytest.raises(TypeError):
        first["spec"]["containers"].append({})
    second = store.update(A, {**first, "status": {"phase": "Running"}})
    assert second["spec"] is first["spec"]


def test_a_writer_s_object_can_change_afterwards_without_changing_the_store():
    store, mine = Store(), pod(spec={"n": 1})
    store.create(A, mine)
    mine["spec"]["n"] = 2
    assert store.get(A)["spec"]["n"] == 1


def test_a_write_on_an_old_version_is_refused_and_changes_nothing():
    store = Store()
    old = store.create(A, pod())
    new = store.update(A, {**old, "spec": {"n": 1}}, expected=old["metadata"]["resourceVersion"])
    with pytest.raises(Conflict):
        store.update(A, {**old, "spec": {"n": 2}}, expected=old["metadata"]["resourceVersion"])
    with pytest.raises(Conflict):
        store.delete(A, expected=old["metadata"]["resourceVersion"])
    assert store.get(A) == new


def test_creating_twice_and_touching_what_is_not_there_are_errors():
    store = Store()
    store.create(A, pod())
    with pytest.raises(Exists):
        store.create(A, pod())
    with pytest.raises(Missing):
        store.update(A._replace(name="b"), pod("b"))
    with pytest.raises(Missing):
        store.delete(A._replace(name="b"))


def test_lists_are_ordered_by_namespace_and_name():
    store = Store()
    for space, name in (("b", "x"), ("a", "z"), ("a", "y")):
        store.create(Key("pods", space, name), pod(name, space))
    assert [(o["metadata"]["namespace"], o["metadata"]["name"]) for o in store.list("pods")] == [
        ("a", "y"),
        ("a", "z"),
        ("b", "x"),
    ]
    assert [o["metadata"]["name"] for o in store.list("pods", "a")] == ["y", "z"]
    assert store.count("pods") == 3 and store.count("pods", "b") == 1 and store.count("nodes") == 0


def test_a_watch_from_a_revision_sees_every_later_write_once_in_order():
    store = Store()
    first = store.create(A, pod())
    start = store.revision
    store.update(A, {**first, "spec": {"n": 1}})
    watcher = store.watch("pods", since=start)
    store.delete(A)
    assert [e.type for e in watcher.drain()] == ["MODIFIED", "DELETED"]
    assert watcher.drain() == []


def test_a_watch_of_a_namespace_sees_only_that_namespace_and_other_resources_never():
    store = Store()
    watcher = store.watch("pods", "a")
    store.create(Key("pods", "b", "x"), pod("x", "b"))
    store.create(Key("nodes", "", "n"), {"metadata": {"name": "n"}})
    store.create(Key("pods", "a", "y"), pod("y", "a"))
    assert [e.key.name for e in watcher.drain()] == ["y"]


def test_a_watcher_is_rung_once_when_its_queue_stops_being_empty():
    store, rings = Store(), []
    watcher = store.watch("pods")
    watcher.wake = lambda: rings.append(1)
    store.create(A, pod())
    store.create(A._replace(name="b"), pod("b"))
    assert rings == [1]
    watcher.drain()
    store.delete(A)
    assert rings == [1, 1]


def test_after_compaction_old_watches_are_refused():
    store = Store()
    first = store.create(A, pod())
    start = store.revision
    for n in range(5):
        first = store.update(A, {**first, "spec": {"n": n}})
    store.compact(store.revision)
    with pytest.raises(Compacted):
        store.watch("pods", since=start)
    assert store.watch("pods", since=store.revision).drain() == []


def test_the_past_can_be_read_at_any_remembered_revision():
    store = Store()
    first = store.create(A, pod(spec={"n": 0}))
    then = store.revision
    store.update(A, {**first, "spec": {"n": 1}})
    store.create(A._replace(name="b"), pod("b"))
    store.delete(A)
    assert {k.name: o.get("spec") for k, o in store.at(then).items()} == {"a": {"n": 0}}
    assert {k.name for k in store.at(store.revision)} == {"b"}


def test_a_journal_played_back_gives_the_same_store():
    class Journal(list):
        pass

    journal = Journal()
    store = Store(journal)
    first = store.create(A, pod())
    store.update(A, {**first, "spec": {"n": 1}})
    store.create(A._replace(name="b"), pod("b"))
    store.delete(A._replace(name="b"))
    again = Store()
    again.restore(journal)
    assert again.list("pods") == store.list("pods") and again.revision == store.revision
