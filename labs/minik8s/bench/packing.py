"""`run.py bench packing`: every policy of the packing lab on one trace, and how far the best is from the optimum.

The optimum is for a planner who knows all tasks beforehand: no scheduler that places them as they come can beat it.
It needs OR-tools (`pip install ortools`) and is worked out for small clusters only. The last line printed is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minik8s.scheduler.packing import (
    GPU,
    POLICIES,
    Machine,
    Task,
    inflate,
    pack,
    read_machines,
    read_tasks,
    synthetic,
)


def optimum(machines: Sequence[Machine], tasks: Sequence[Task], seconds: float = 30.0) -> tuple[float, float]:
    """(GPU per cent of the best plan found, the bound that no plan can pass). ImportError without OR-tools."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    demand = Counter(task.kind for task in tasks)
    placed: dict[Any, list[Any]] = {kind: [] for kind in demand}
    for machine in machines:
        here = {}
        whole = [model.new_bool_var("") for _ in machine.left]
        shared: list[list[Any]] = [[] for _ in machine.left]
        for kind, count in demand.items():
            if not machine.fits(kind):
                continue
            number = here[kind] = model.new_int_var(0, count, "")
            placed[kind].append(number)
            if kind.gpus == 1 and kind.milli < GPU:
                parts = [model.new_int_var(0, GPU // kind.milli, "") for _ in machine.left]
                model.add(sum(parts) == number)
                for uses, part in zip(shared, parts, strict=True):
                    uses.append(part * kind.milli)
        for uses, taken in zip(shared, whole, strict=True):
            model.add(sum(uses) + GPU * taken <= GPU)
        model.add(sum(k.gpus * n for k, n in here.items() if k.milli == GPU) == sum(whole))
        model.add(sum(kind.cpu * number for kind, number in here.items()) <= machine.cpu)
        model.add(sum(kind.memory * number for kind, number in here.items()) <= machine.memory)
    for kind, count in demand.items():
        model.add(sum(placed[kind]) <= count)
    model.maximize(sum(kind.total * number for kind, numbers in placed.items() for number in numbers))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.random_seed = 0
    solver.solve(model)
    capacity = GPU * sum(len(machine.left) for machine in machines)
    return 100 * solver.objective_value / capacity, 100 * solver.best_objective_bound / capacity


def trace(args: argparse.Namespace) -> tuple[list[Machine], list[Task], list[Task]]:
    """(machines, tasks in order of arrival, what FGD learns from)."""
    if args.openb is None:
        machines, tasks = synthetic(args.machines, args.seed)
        return machines, tasks, tasks
    folder = Path(args.openb)
    machines = read_machines((folder / "openb_node_list_gpu_node.csv").read_text().splitlines())
    tasks = read_tasks((folder / "openb_pod_list_default.csv").read_text().splitlines())
    return machines, inflate(tasks, machines, 1.3, args.seed), tasks


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line per policy, then everything as one JSON object."""
    parser = argparse.ArgumentParser(prog="run.py bench packing", description=__doc__)
    parser.add_argument("--openb", help="folder with the openb trace; without it, the synthetic one")
    parser.add_argument("--machines", type=int, default=120)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--optimum", type=float, default=0.0, metavar="SECONDS", help="work out the optimum as well")
    args = parser.parse_args(argv)
    machines, tasks, known = trace(args)
    found: dict[str, Any] = {}
    for policy in POLICIES:
        for ties in ("first", "random") if policy == "fgd" else ("first",):
            start = time.perf_counter()
            allocated = pack(machines, tasks, policy, ties=ties, seed=args.seed, known=known).at(100)
            name = policy if ties == "first" else f"{policy} (random ties)"
            found[name] = round(allocated, 2)
            print(f"{name:>20}: {allocated:6.2f} % of the GPUs, {time.perf_counter() - start:.1f} s")
    if args.optimum:
        arrived = tasks[: len(pack(machines, tasks, "first-fit", known=known).arrived)]
        plan, bound = optimum(machines, arrived, args.optimum)
        found["optimum"], found["bound"] = round(plan, 2), round(bound, 2)
    print(json.dumps({"bench": "packing", "machines": len(machines), "tasks": len(tasks), "gpu_per_cent": found}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
