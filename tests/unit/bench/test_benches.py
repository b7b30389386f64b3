"""The benches answer with one JSON object, and the optimum is one."""

from __future__ import annotations

import json

import pytest

from minik8s.bench import engine, packing, scheduler
from minik8s.scheduler.packing import POLICIES, pack, synthetic


def last_line(text: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(text.splitlines()[-1])
    return found


@pytest.mark.parametrize("more", [[], ["--signatures", "3"], ["--spread"], ["--affinity"], ["--percentage", "100"]])
def test_plain_and_fast_agree_and_fast_looks_at_fewer_nodes(
    more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert scheduler.main(["--nodes", "120", "--pods", "60", "--json", *more]) == 0
    figures = last_line(capsys.readouterr().out)
    plain, fast = figures["plain"], figures["fast"]
    assert isinstance(plain, dict) and isinstance(fast, dict)
    assert figures["equal"] is True
    assert plain["decisions_per_second"] > 0 and fast["decisions_per_second"] > 0
    assert fast["node_evaluations_per_pod"] < plain["node_evaluations_per_pod"] / 5


def test_the_packing_bench_reports_every_policy(capsys: pytest.CaptureFixture[str]) -> None:
    packing.main(["--machines", "6"])
    figures = last_line(capsys.readouterr().out)["gpu_per_cent"]
    assert isinstance(figures, dict) and set(POLICIES) <= set(figures)


def test_no_policy_beats_the_optimum() -> None:
    pytest.importorskip("ortools")
    machines, tasks = synthetic(3, 1)
    runs = [pack(machines, tasks, policy) for policy in POLICIES]
    plan, bound = packing.optimum(machines, tasks[: len(runs[0].arrived)], seconds=20)
    assert max(run.allocated[-1] for run in runs) <= bound + 1e-6
    assert plan <= bound + 1e-6


def test_the_engine_bench_tells_cost_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    engine.main(["failure", "--here"])
    figures = last_line(capsys.readouterr().out)["failure"]
    assert isinstance(figures, dict)
    assert figures["cpu_ms"] > 0 and figures["times_real"] == pytest.approx(350_000 / figures["cpu_ms"], rel=0.01)


def test_many_pods_become_ready_however_they_are_divided() -> None:
    many, one = engine.scale(4, nodes=6, pods=24), engine.scale(1, nodes=6, pods=24)
    assert many["revisions"] > one["revisions"] > 24 * 8
