"""The pure parts that several controllers stand on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.clock import Clock
from minik8s.controllers.endpoints_pack import repack
from minik8s.controllers.expectations import TIMEOUT, Expectations
from minik8s.controllers.hashing import ALPHABET, compute_hash, fnv1a_32, safe_encode
from minik8s.controllers.job_indexes import format_indexes, parse_indexes
from minik8s.controllers.ranking import DELETION_COST, deletion_order
from minik8s.controllers.slicing import MAX_ENDPOINTS, Group, endpoint_key, plan
from minik8s.objects import Object


# ---- hashes --------------------------------------------------------------------------
def test_fnv_1a_of_known_texts() -> None:
    assert fnv1a_32(b"") == 0x811C9DC5
    assert fnv1a_32(b"foobar") == 0xBF9CF968


def test_a_hash_has_letters_that_make_no_words() -> None:
    digest = compute_hash({"spec": {"containers": [{"image": "nginx"}]}})
    assert 1 <= len(digest) <= 10
    assert set(digest) <= set(ALPHABET)
    assert safe_encode("0") == ALPHABET[ord("0") % 27]


def test_a_collision_count_gives_another_name_and_key_order_does_not() -> None:
    assert compute_hash({"a": 1, "b": 2}) == compute_hash({"b": 2, "a": 1})
    assert compute_hash({"a": 1}, 1) != compute_hash({"a": 1}) != compute_hash({"a": 1}, 2)


# ---- expectations --------------------------------------------------------------------
def test_expectations_are_met_one_by_one_or_expire() -> None:
    clock = Clock()
    expected = Expectations(clock)
    assert expected.satisfied("ns/a")
    expected.expect("ns/a", 2, ["ns/x"])
    expected.creation_observed("ns/a", 2)
    assert not expected.satisfied("ns/a")
    expected.deletion_observed("ns/a", "ns/other")
    assert not expected.satisfied("ns/a")
    expected.deletion_observed("ns/a", "ns/x")
    assert expected.satisfied("ns/a")
    expected.expect_creations("ns/a", 1)
    clock.run_until(clock.now() + TIMEOUT + 1)
    assert expected.satisfied("ns/a")


# ---- completion indexes --------------------------------------------------------------
@pytest.mark.parametrize(
    ("indexes", "text"),
    [(set(), ""), ({0}, "0"), ({0, 1}, "0,1"), ({0, 1, 2}, "0-2"), ({1, 3, 4, 5, 7, 8}, "1,3-5,7,8")],
)
def test_indexes_are_written_as_runs(indexes: set[int], text: str) -> None:
    assert format_indexes(indexes) == text
    assert parse_indexes(text, 10) == indexes


@given(st.sets(st.integers(0, 99)))
def test_indexes_survive_the_round_trip(indexes: set[int]) -> None:
    assert parse_indexes(format_indexes(indexes), 100) == indexes


def test_indexes_beyond_the_completions_do_not_count() -> None:
    assert parse_indexes("0-9", 3) == {0, 1, 2}


# ---- which pods go first ---------------------------------------------------------------
def pod(
    name: str,
    *,
    node: str = "n1",
    ready: bool = True,
    phase: str = "Running",
    cost: str = "0",
    restarts: int = 0,
    age: float = 1000,
) -> Object:
    stamp = f"2026-01-01T00:{int((3600 - age) // 60):02d}:{int((3600 - age) % 60):02d}Z"
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": stamp}
    meta = {
        "name": name,
        "uid": name,
        "namespace": "ns",
        "creationTimestamp": stamp,
        "annotations": {DELETION_COST: cost},
    }
    status = {"phase": phase, "conditions": [condition], "containerStatuses": [{"restartCount": restarts}]}
    return {"metadata": meta, "spec": {"nodeName": node, "containers": []}, "status": status}


NOW = 1767225600.0 + 3600


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pod("a", node=""), pod("b")),
        (pod("a", phase="Pending"), pod("b")),
        (pod("a", ready=False), pod("b")),
        (pod("a", cost="-5"), pod("b")),
        (pod("a", node="crowded"), pod("b", node="n1")),
        (pod("a", age=10), pod("b", age=3000)),
        (pod("a", restarts=3), pod("b")),
    ],
    ids=["unscheduled", "pending", "unready", "cheap", "doubled up", "ready for less long", "restarted"],
)
def test_the_pod_that_serves_least_is_deleted_first(first: Object, second: Object) -> None:
    for given_order in ([first, second], [second, first]):
        ranked = deletion_order(given_order, {"crowded": 2, "n1": 1}, NOW)
        assert [p["metadata"]["name"] for p in ranked] == ["a", "b"]


# ---- slices --------------------------------------------------------------------------------
BASE = {"metadata": {"generateName": "web-", "labels": {"a": "b"}}, "addressType": "IPv4"}


def endpoint(i: int, ready: bool = True) -> Object:
    return {"addresses": [f"10.0.{i // 250}.{i % 250}"], "conditions": {"ready": ready}, "targetRef": {"uid": f"u{i}"}}


def group(*numbers: int) -> Group:
    found = [endpoint(i) for i in numbers]
    return Group([{"name": "", "port": 80, "protocol": "TCP"}], {endpoint_key(e): e for e in found})


def named(slices: list[Object]) -> list[Object]:
    return [
        {**s, "metadata": {**s["metadata"], "name": s["metadata"].get("name", f"s{i}")}} for i, s in enumerate(slices)
    ]


def test_without_endpoints_one_empty_slice_remains() -> None:
    (empty,) = plan([], [], BASE)
    assert empty["endpoints"] == [] == empty["ports"]
    kept = named([empty])
    assert plan(kept, [], BASE)[0] is kept[0]


def test_slices_hold_at_most_a_hundred_endpoints() -> None:
    assert [len(s["endpoints"]) for s in plan([], [group(*range(250))], BASE)] == [100, 100, 50]


def test_a_change_touches_only_the_slice_it_concerns() -> None:
    old = named(plan([], [group(*range(250))], BASE))
    new = plan(old, [group(*range(249))], BASE)
    assert new[0] is old[0] and new[1] is old[1]
    assert len(new[2]["endpoints"]) == 49 and new[2]["metadata"]["name"] == "s2"


@pytest.mark.parametrize(
    ("before", "gone", "newcomers", "sizes"),
    [
        ([97], 0, 5, [97, 5]),  # do not fit into a slice that would stay as it is
        ([97], 0, 3, [100]),
        ([97, 40, 60], 0, 30, [97, 40, 90]),  # into the fullest that has room for all
        ([97, 60], 1, 30, [100, 86]),  # what changes anyway is filled up first
        ([100, 60], 0, 130, [100, 90, 100]),
    ],
)
def test_newcomers_change_as_few_slices_as_possible(
    before: list[int], gone: int, newcomers: int, sizes: list[int]
) -> None:
    numbers = iter(range(1000))
    held = [[next(numbers) for _ in range(size)] for size in before]
    ports = group().ports
    old = named([{**BASE, "ports": ports, "endpoints": [endpoint(i) for i in part]} for part in held])
    wanted = [i for part in held for i in part][gone:] + [next(numbers) for _ in range(newcomers)]
    assert [len(s["endpoints"]) for s in plan(old, [group(*wanted)], BASE)] == sizes


@given(st.lists(st.sets(st.integers(0, 400)), min_size=1, max_size=5))
def test_slices_always_hold_exactly_the_endpoints(history: list[set[int]]) -> None:
    slices: list[Object] = []
    for numbers in history:
        slices = named(plan(slices, [group(*sorted(numbers))] if numbers else [], BASE))
        held = [e["targetRef"]["uid"] for s in slices for e in s["endpoints"]]
        assert sorted(held) == sorted(f"u{i}" for i in numbers)
        assert all(len(s["endpoints"]) <= MAX_ENDPOINTS for s in slices)


# ---- Endpoints -----------------------------------------------------------------------------
def address(ip: str) -> Object:
    return {"ip": ip, "targetRef": {"kind": "Pod", "name": ip, "uid": f"u-{ip}"}}


def test_ports_of_endpoints_are_ordered_as_a_cluster_shows_them() -> None:
    """The order that `kubectl describe endpoints kube-dns` has printed since 1.20."""
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
        {"name": "metrics", "port": 9153, "protocol": "TCP"},
    ]
    (subset,) = repack((address(ip), True, port) for ip in ("10.0.0.2", "10.0.0.1") for port in ports)
    assert [port["name"] for port in subset["ports"]] == ["dns-tcp", "dns", "metrics"]
    assert [a["ip"] for a in subset["addresses"]] == ["10.0.0.1", "10.0.0.2"]


def test_ports_that_the_same_addresses_offer_share_a_subset() -> None:
    common, one, two = ({"port": number, "protocol": "TCP"} for number in (9090, 8080, 8081))
    offers = [("10.0.0.1", common), ("10.0.0.1", one), ("10.0.0.2", common), ("10.0.0.2", two)]
    subsets = repack((address(ip), ip == "10.0.0.1", port) for ip, port in offers)
    found = {
        s["ports"][0]["port"]: [[a["ip"] for a in s.get(f, ())] for f in ("addresses", "notReadyAddresses")]
        for s in subsets
    }
    assert found == {9090: [["10.0.0.1"], ["10.0.0.2"]], 8080: [["10.0.0.1"], []], 8081: [[], ["10.0.0.2"]]}


def test_addresses_without_ports_are_kept() -> None:
    assert repack([(address("10.0.0.1"), True, None)]) == [{"addresses": [address("10.0.0.1")]}]
