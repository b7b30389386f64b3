"""The fast path decides as the plain scheduler: same node, same message, same start of the next scan."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scheduler_streams import compare

from minik8s.scheduler import bits


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    nodes=st.sampled_from([1, 2, 5, 17, 40]),
    percentage=st.sampled_from([0, 30, 100]),
    kinds=st.sampled_from([1, 4, 30]),
)
def test_equal_on_random_streams_of_events(seed: int, nodes: int, percentage: int, kinds: int) -> None:
    compare(seed, nodes, 60, percentage, kinds)


@pytest.mark.parametrize("seed", [1, 2])
def test_equal_where_the_scan_stops_early(seed: int) -> None:
    fast, plain = compare(seed, 150, 120, 0, 6)
    assert fast > plain


@given(st.sets(st.integers(0, 300), min_size=1))
def test_bits_hold_sets(places: set[int]) -> None:
    found = bits.of(places)
    assert bits.places(found) == sorted(places)
    assert bits.first(found) == min(places)
    for count in range(1, len(places) + 1):
        assert bits.reach(found, count) == sorted(places)[count - 1] + 1


@given(st.sets(st.integers(0, 60), min_size=1), st.data())
def test_the_top_of_the_heap_is_the_first_in_preorder(everyone: set[int], data: st.DataObject) -> None:
    members = data.draw(st.sets(st.sampled_from(sorted(everyone)), min_size=1))
    ranks = dict(enumerate(sorted(everyone)))
    expected = next(ranks[r] for r in bits.preorder(len(everyone)) if ranks[r] in members)
    assert bits.heap_top(bits.of(members), bits.of(everyone)) == expected


@given(st.sets(st.integers(0, 39)), st.integers(0, 39))
def test_rotation_moves_the_start_to_zero(places: set[int], start: int) -> None:
    turned = bits.rotated(bits.of(places), start, 40)
    assert bits.places(turned) == sorted((place - start) % 40 for place in places)
