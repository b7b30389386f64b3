"""How many pods a rollout may add or take away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.controllers import deployment_math as sums
from minik8s.objects import Object


def deployment(replicas: int, surge: int | str = "25%", unavailable: int | str = "25%") -> Object:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}


def replica_set(name: str, replicas: int, *, most: int | None = None, available: int = 0, at: int = 0) -> Object:
    notes = {sums.MAX_REPLICAS: str(most)} if most is not None else {}
    meta = {"name": name, "annotations": notes, "creationTimestamp": f"2026-01-01T00:00:{at:02d}Z"}
    return {"metadata": meta, "spec": {"replicas": replicas}, "status": {"availableReplicas": available}}


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (4, "25%", "25%", (1, 1)),
        (3, "25%", "25%", (1, 0)),  # surge is rounded up, unavailability down
        (10, 3, 2, (3, 2)),
        (5, 0, 0, (0, 1)),  # both zero would never move
        (0, "25%", "25%", (0, 1)),
    ],
)
def test_fenceposts(replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]) -> None:
    assert sums.fenceposts(deployment(replicas, surge, unavailable)) == expected


def test_the_new_set_grows_into_the_room_that_surge_leaves() -> None:
    wanted = deployment(10, 3, 2)
    old, new = replica_set("old", 10), replica_set("new", 0)
    assert sums.new_size(wanted, [old, new], new) == 3
    assert sums.new_size(wanted, [replica_set("old", 8), replica_set("new", 3)], replica_set("new", 3)) == 5


def test_scaling_in_the_middle_of_a_rollout_is_shared_in_proportion() -> None:
    """The example of the Kubernetes documentation: 8 and 5 of 10+3 become 11 and 7 of 15+3."""
    sets = [replica_set("old", 8, most=13, at=1), replica_set("new", 5, most=13, at=2)]
    assert sums.proportions(deployment(15, 3, 2), sets) == {"old": 11, "new": 7}


@given(
    desired=st.integers(0, 40),
    before=st.integers(1, 40),
    sizes=st.lists(st.integers(1, 30), min_size=2, max_size=5),
    surge=st.integers(0, 10),
)
def test_proportions_fill_the_allowed_size_exactly(desired: int, before: int, sizes: list[int], surge: int) -> None:
    sets = [replica_set(f"rs{i}", n, most=max(before, sum(sizes)), at=i) for i, n in enumerate(sizes)]
    wanted = deployment(desired, surge, 1)
    out = sums.proportions(wanted, sets)
    assert all(size >= 0 for size in out.values())
    assert sum(out.values()) == (desired + surge if desired else 0)
