"""The packing lab on its synthetic trace: the order of the policies, and what ties are worth."""

from __future__ import annotations

import pytest

from minik8s.scheduler.packing import (
    GPU,
    POLICIES,
    Fragmentation,
    Kind,
    Machine,
    Task,
    inflate,
    pack,
    read_machines,
    read_tasks,
    synthetic,
    typical,
)


def mean(policy: str, **more: str) -> float:
    runs = [pack(*synthetic(40, seed), policy, seed=seed, **more).at(100) for seed in range(4)]
    return sum(runs) / len(runs)


def test_the_same_seed_gives_the_same_trace_and_run() -> None:
    assert synthetic(5, 3) == synthetic(5, 3)
    machines, tasks = synthetic(5, 3)
    for policy in POLICIES:
        assert pack(machines, tasks, policy, seed=1).placed == pack(machines, tasks, policy, seed=1).placed


def test_machines_are_left_as_they_were() -> None:
    machines, tasks = synthetic(3, 0)
    pack(machines, tasks, "fgd")
    assert machines == synthetic(3, 0)[0]


def test_looking_at_fragments_beats_best_fit_beats_chance() -> None:
    fgd, best, chance = mean("fgd"), mean("best-fit"), mean("random")
    assert fgd > best > chance
    assert mean("worst-fit") < best


def test_choosing_among_equals_at_random_costs_points() -> None:
    assert mean("fgd") - mean("fgd", ties="random") > 1.0


def test_nothing_is_placed_twice_or_beyond_what_is_there() -> None:
    machines, tasks = synthetic(10, 1)
    kinds = {task.name: task.kind for task in tasks}
    for policy in POLICIES:
        result = pack(machines, tasks, policy)
        for machine in machines:
            here = [kinds[name] for name, where in result.placed.items() if where == machine.name]
            assert sum(kind.cpu for kind in here) <= machine.cpu
            assert sum(kind.memory for kind in here) <= machine.memory
            assert sum(kind.total for kind in here) <= GPU * len(machine.left)


def test_fragments_are_what_typical_tasks_cannot_use() -> None:
    half, whole = Task("half", Kind(1, 0, 1, 500)), Task("whole", Kind(1, 0, 1, GPU))
    measure = Fragmentation([half, whole])
    assert measure.amount(Machine("m", 10, 0, (GPU,))) == 0
    assert measure.amount(Machine("m", 10, 0, (600,))) == 300  # half of the tasks cannot use it
    assert measure.amount(Machine("m", 0, 0, (GPU,))) == GPU  # no cpu left for anybody
    assert measure.gpus(Machine("m", 10, 0, (GPU, 500)), half.kind) == (1,)


def test_typical_tasks_leave_out_rare_kinds() -> None:
    tasks = [Task("a", Kind(1, 0, 1, 500))] * 96 + [Task(f"r{i}", Kind(i, 0)) for i in range(2, 6)]
    assert typical(tasks) == [(Kind(1, 0, 1, 500), 1.0)]


def test_inflation_reaches_its_target() -> None:
    machines, tasks = synthetic(10, 1, load=0.5)
    inflated = inflate(tasks, machines, 1.3, seed=7)
    demand = sum(task.kind.total for task in inflated)
    capacity = GPU * sum(len(machine.left) for machine in machines)
    assert demand >= 1.3 * capacity
    assert inflated == inflate(tasks, machines, 1.3, seed=7)


def test_the_columns_of_the_public_trace_are_understood() -> None:
    machines = read_machines(["sn,cpu_milli,memory_mib,gpu,model", "n0,64000,262144,2,P100", "n1,1000,1,0,"])
    assert machines == [Machine("n0", 64000, 262144, (GPU, GPU), "P100"), Machine("n1", 1000, 1, (), "")]
    tasks = read_tasks(
        [
            "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos",
            "p0,6000,12288,1,460,V100M16|V100M32,LS",
            "p1,1,2,0,0,,",
        ]
    )
    assert tasks[0].kind == Kind(6000, 12288, 1, 460, frozenset({"V100M16", "V100M32"}))
    assert tasks[1].kind == Kind(1, 2)


def test_unknown_words_are_refused_in_korean() -> None:
    with pytest.raises(ValueError, match="없다"):
        pack(*synthetic(1), "luck")
    with pytest.raises(ValueError, match="동점"):
        pack(*synthetic(1), "fgd", ties="coin")
