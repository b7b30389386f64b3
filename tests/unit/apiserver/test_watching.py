"""Watches: where they start, what they show, how they end."""

from __future__ import annotations

from typing import Any

from minik8s.apiserver.server import Config
from minik8s.wire import Response
from unit.apiserver.serving import Api

MAPS = "/api/v1/namespaces/default/configmaps"


def watch(api: Api, path: str = MAPS, **query: Any) -> Any:
    answer: Response = api.get(path, watch="true", **query)
    assert answer.status == 200, answer.body
    assert answer.stream is not None
    return answer.stream


def seen(stream: Any) -> list[tuple[str, str]]:
    return [(e.type, e.object.get("metadata", {}).get("name", "")) for e in stream.drain()]


def test_from_a_version_on(api: Api) -> None:
    api.config_map("old")
    stream = watch(api, resourceVersion=api.get(MAPS).body["metadata"]["resourceVersion"])
    api.config_map("new")
    api.patch(f"{MAPS}/old", {"data": {"x": "1"}})
    api.delete(f"{MAPS}/new")
    assert seen(stream) == [("ADDED", "new"), ("MODIFIED", "old"), ("DELETED", "new")]


def test_without_a_version_the_present_comes_first(api: Api) -> None:
    api.config_map("a")
    stream = watch(api)
    api.config_map("b")
    assert seen(stream) == [("ADDED", "a"), ("ADDED", "b")]


def test_the_bell_rings_when_there_is_something(api: Api) -> None:
    rings: list[int] = []
    stream = watch(api, resourceVersion=api.store.revision)
    stream.wake = lambda: rings.append(1)
    api.config_map("a")
    api.config_map("b")
    assert len(rings) == 1
    stream.drain()
    api.config_map("c")
    assert len(rings) == 2


def test_objects_come_and_go_with_a_selector(api: Api) -> None:
    stream = watch(api, resourceVersion=api.store.revision, labelSelector="on=yes")
    api.config_map("a", labels={"on": "no"})
    api.patch(f"{MAPS}/a", {"metadata": {"labels": {"on": "yes"}}})
    api.patch(f"{MAPS}/a", {"data": {"x": "1"}})
    api.patch(f"{MAPS}/a", {"metadata": {"labels": {"on": "no"}}})
    api.delete(f"{MAPS}/a")
    assert seen(stream) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_initial_events_end_with_a_bookmark(api: Api) -> None:
    api.config_map("a")
    options = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    stream = watch(api, **options)
    added, bookmark = stream.drain()
    assert (added.type, bookmark.type) == ("ADDED", "BOOKMARK")
    assert bookmark.object["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_initial_events_need_their_match(api: Api) -> None:
    answer = api.get(MAPS, watch="true", sendInitialEvents="true")
    assert answer.status == 422
    assert "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan" in answer.body["message"]


def test_a_forgotten_version_is_told_in_the_stream(api: Api) -> None:
    api.config_map("a")
    api.store.compact(api.store.revision)
    stream = watch(api, resourceVersion=2)
    (event,) = stream.drain()
    assert (event.type, event.object["code"], event.object["reason"]) == ("ERROR", 410, "Expired")
    assert stream.closed


def test_it_ends_after_its_timeout(api: Api) -> None:
    stream = watch(api, timeoutSeconds=10)
    api.clock.run_until(api.clock.now() + 9)
    assert not stream.closed
    api.clock.run_until(api.clock.now() + 2)
    assert stream.closed


def test_bookmarks_tell_how_far_an_idle_watch_has_come() -> None:
    api = Api(Config(bookmark_period=60))
    stream = watch(api, resourceVersion=api.store.revision, allowWatchBookmarks="true")
    api.pod("elsewhere")
    api.clock.run_until(api.clock.now() + 61)
    (event,) = stream.drain()
    assert event.type == "BOOKMARK"
    assert event.object["metadata"] == {"resourceVersion": str(api.store.revision)}


def test_a_table_watch_names_its_columns_once(api: Api) -> None:
    accept = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    stream = watch(api, resourceVersion=api.store.revision, headers=accept)
    api.config_map("a")
    api.config_map("b")
    first, second = stream.drain()
    assert [column["name"] for column in first.object["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert not second.object.get("columnDefinitions")
    assert second.object["rows"][0]["cells"][0] == "b"
