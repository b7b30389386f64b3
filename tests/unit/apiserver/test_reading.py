"""Lists in pieces, resource versions, selectors, and representations."""

from __future__ import annotations

import pytest

from unit.apiserver.serving import Api, names

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def filled(api: Api) -> Api:
    for index in range(7):
        api.config_map(f"m{index}", labels={"even": "yes" if index % 2 == 0 else "no"})
    return api


def test_a_list_in_pieces_shows_one_moment(filled: Api) -> None:
    first = filled.get(MAPS, limit=3)
    assert names(first) == ["m0", "m1", "m2"]
    assert first.body["metadata"]["remainingItemCount"] == 4
    filled.delete(f"{MAPS}/m4")
    filled.config_map("m3x")
    token = first.body["metadata"]["continue"]
    second = filled.get(MAPS, **{"limit": 100, "continue": token})
    assert names(second) == ["m3", "m4", "m5", "m6"]
    assert second.body["metadata"]["resourceVersion"] == first.body["metadata"]["resourceVersion"]
    assert "continue" not in second.body["metadata"]


def test_an_expired_piece_offers_to_go_on_with_the_present(filled: Api) -> None:
    token = filled.get(MAPS, limit=3).body["metadata"]["continue"]
    filled.config_map("m3x")
    filled.config_map("m9")
    filled.store.compact(filled.store.revision)
    gone = filled.get(MAPS, **{"limit": 3, "continue": token})
    assert (gone.status, gone.body["reason"]) == (410, "Expired")
    rest = filled.get(MAPS, **{"limit": 3, "continue": gone.body["metadata"]["continue"]})
    assert names(rest) == ["m3", "m3x", "m4"]


def test_an_exact_list_shows_the_past(filled: Api) -> None:
    then = filled.get(MAPS).body["metadata"]["resourceVersion"]
    filled.delete(f"{MAPS}/m0")
    past = filled.get(MAPS, resourceVersion=then, resourceVersionMatch="Exact")
    assert "m0" in names(past)
    assert "m0" not in names(filled.get(MAPS, resourceVersion=then, resourceVersionMatch="NotOlderThan"))


def test_the_future_is_refused(filled: Api) -> None:
    answer = filled.get(MAPS, resourceVersion=99999, resourceVersionMatch="NotOlderThan")
    assert answer.status == 504
    assert answer.body["details"]["causes"] == [
        {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    ]


def test_items_are_the_stored_objects_themselves(filled: Api) -> None:
    first, second = filled.get(MAPS).body["items"], filled.get(MAPS).body["items"]
    assert all(left is right for left, right in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("even=yes", ["m0", "m2", "m4", "m6"]),
        ("even notin (yes)", ["m1", "m3", "m5"]),
        ("!even", []),
        ("even in (yes,no)", ["m0", "m1", "m2", "m3", "m4", "m5", "m6"]),
    ],
)
def test_label_selectors(filled: Api, selector: str, expected: list[str]) -> None:
    assert names(filled.get(MAPS, labelSelector=selector)) == expected


def test_field_selectors(filled: Api) -> None:
    assert names(filled.get(MAPS, fieldSelector="metadata.name=m3")) == ["m3"]
    assert names(filled.get(MAPS, fieldSelector="metadata.name!=m3,metadata.namespace=default"))[3] == "m4"
    bad = filled.get(MAPS, fieldSelector="data.k=v")
    assert bad.body["message"] == '"data.k" is not a known field selector: only "metadata.name", "metadata.namespace"'
    assert filled.get("/api/v1/pods", fieldSelector="spec.x=1").body["message"] == "field label not supported: spec.x"
    assert filled.get("/apis/batch/v1/jobs", fieldSelector="x=1").body["message"] == (
        'field label "x" not supported for Job'
    )


def test_events_are_one_collection_in_two_groups(api: Api) -> None:
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"},
        "reason": "R",
        "message": "hello",
        "type": "Normal",
    }
    assert api.post("/api/v1/namespaces/default/events", event).status == 201
    other = api.get("/apis/events.k8s.io/v1/namespaces/default/events/e").body
    assert (other["note"], other["regarding"]["name"]) == ("hello", "p")
    found = api.get("/apis/events.k8s.io/v1/events", fieldSelector="regarding.name=p")
    assert names(found) == ["e"]


def test_events_are_forgotten_after_an_hour(api: Api) -> None:
    event = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"}}
    api.post("/api/v1/namespaces/default/events", event)
    api.clock.run_until(api.clock.now() + 3599)
    assert api.get("/api/v1/namespaces/default/events/e").status == 200
    api.clock.run_until(api.clock.now() + 2)
    assert api.get("/api/v1/namespaces/default/events/e").status == 404


def test_every_request_is_in_the_trace_without_its_body(api: Api) -> None:
    secret = {"metadata": {"name": "s"}, "stringData": {"password": "hunter2"}}
    api.post("/api/v1/namespaces/default/secrets", secret)
    api.get("/api/v1/namespaces/default/secrets/s")
    entries = [(e.actor, e.verb, e.object, e.detail["code"]) for e in api.trace.records[-2:]]
    assert entries == [("admin", "create", "secrets/default/s", 201), ("admin", "get", "secrets/default/s", 200)]
    assert "hunter2" not in str(api.trace.records)
