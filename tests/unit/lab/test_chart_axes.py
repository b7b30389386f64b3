"""축의 눈금은 언제나 둥근 수다."""

import pytest

from minik8s.lab.views import chart
from minik8s.lab.views.timeline import clock, ticks


@pytest.mark.parametrize(
    "start, span, said",
    [
        (0.0, 10.0, ["0s", "2s", "4s", "6s", "8s", "10s"]),
        (7.309, 12.5, ["8s", "10s", "12s", "14s", "16s", "18s"]),
        (0.0, 600.0, ["0s", "2m", "4m", "6m", "8m", "10m"]),
    ],
)
def test_moments_are_round_wherever_the_axis_begins(start, span, said):
    assert [clock(start + tick) for tick in ticks(span, start=start)] == said


def test_levels_are_round():
    points = [(0.0, 4.0), (10.0, 3.0)]
    view = chart.lines([chart.Series("준비된 파드", points)], title="수")
    assert all(f">{level}<" in view.svg for level in range(5))
