"""The packing lab: how much of a GPU cluster a placement policy can fill before tasks stop fitting.

Tasks ask for cpu, memory and GPUs: a share of one GPU (`gpus == 1`, `milli < 1000`), or whole ones. A policy scores the
machines a task fits on; the best one takes it, the first of equals unless told otherwise. Tasks that fit nowhere are
passed over, as in the published experiments on the openb trace (FGD, USENIX ATC 2023), which this reproduces.
Files are read by the caller: `read_machines` and `read_tasks` take lines of the trace's CSV.
"""

from __future__ import annotations

import csv
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

GPU = 1000
"""One whole GPU, in thousandths."""
MAX_CPU, MAX_GPU = 128_000, 8 * GPU
"""The largest machine of the trace: scores are relative to it."""
POPULAR = 0.95
"""Typical tasks: the most frequent kinds that together make up this share."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a task asks for. `models`: GPU models it accepts; empty means any."""

    cpu: int
    memory: int
    gpus: int = 0
    milli: int = 0
    models: frozenset[str] = frozenset()

    @property
    def total(self) -> int:
        """GPU thousandths altogether."""
        return self.gpus * self.milli


@dataclass(frozen=True, slots=True)
class Task:
    name: str
    kind: Kind


@dataclass(slots=True)
class Machine:
    """A machine and what is left of it; `left` has the thousandths free on each GPU."""

    name: str
    cpu: int
    memory: int
    left: tuple[int, ...] = ()
    model: str = ""

    def fits(self, kind: Kind) -> bool:
        """Whether the task can run here now."""
        if kind.cpu > self.cpu or kind.memory > self.memory:
            return False
        if not kind.gpus:
            return True
        if kind.models and self.model not in kind.models:
            return False
        return sum(free >= kind.milli for free in self.left) >= kind.gpus

    def take(self, kind: Kind, gpus: Sequence[int]) -> None:
        """Place a task on these GPUs."""
        self.cpu -= kind.cpu
        self.memory -= kind.memory
        self.left = _without(self.left, gpus, kind.milli)


def _without(left: tuple[int, ...], gpus: Sequence[int], milli: int) -> tuple[int, ...]:
    return tuple(free - milli if i in gpus else free for i, free in enumerate(left)) if gpus else left


# Which GPUs of a machine


def tightest_gpus(machine: Machine, kind: Kind) -> tuple[int, ...]:
    """A shared GPU with the least room that suffices; whole GPUs from the first."""
    usable = [i for i, free in enumerate(machine.left) if free >= kind.milli]
    if kind.milli < GPU:
        usable.sort(key=lambda i: machine.left[i])
    return tuple(usable[: kind.gpus])


# Policies: a score for a machine on which the task fits; higher is better

Score = Callable[[Machine, Kind], float]


def first_fit(machine: Machine, kind: Kind) -> float:
    """All machines are equal: the first takes it."""
    return 0.0


def best_fit(machine: Machine, kind: Kind) -> float:
    """As little as possible left over (cpu and GPU, relative to the largest machine), in whole points."""
    spare = (machine.cpu - kind.cpu) / MAX_CPU * 0.5 + (sum(machine.left) - kind.total) / MAX_GPU * 0.5
    return int((1.0 - spare) * 100)


def worst_fit(machine: Machine, kind: Kind) -> float:
    """As much as possible left over."""
    return -best_fit(machine, kind)


def dot_product(machine: Machine, kind: Kind) -> float:
    """What is left of the machine should not point where the task points (cpu, GPU)."""
    product = machine.cpu / MAX_CPU * kind.cpu / MAX_CPU + sum(machine.left) / MAX_GPU * kind.total / MAX_GPU
    return int((1.0 - product / 2) * 100)


class MostAllocated:
    """kube-scheduler's MostAllocated over cpu, memory and GPU of each machine."""

    def __init__(self, machines: Iterable[Machine]) -> None:
        self.sizes = {m.name: (m.cpu, m.memory, len(m.left) * GPU) for m in machines}

    def __call__(self, machine: Machine, kind: Kind) -> float:
        sizes = self.sizes[machine.name]
        left = (machine.cpu - kind.cpu, machine.memory - kind.memory, sum(machine.left) - kind.total)
        shares = [(size - free) * 100 // size for size, free in zip(sizes, left, strict=True) if size]
        return sum(shares) // len(shares)


class Fragmentation:
    """FGD: place where the GPU room that typical tasks cannot use grows least (fragmentation gradient descent)."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.typical = typical(tasks)
        self._amount = lru_cache(maxsize=None)(self._measure)
        self._best = lru_cache(maxsize=None)(self._choose)

    def amount(self, machine: Machine) -> float:
        """GPU thousandths of a machine that a typical task, on average, cannot use."""
        return self._amount(machine.cpu, tuple(sorted(machine.left)), machine.model)

    def __call__(self, machine: Machine, kind: Kind) -> float:
        return self._best(machine.cpu, machine.left, machine.model, kind.cpu, kind.gpus, kind.milli)[0]

    def gpus(self, machine: Machine, kind: Kind) -> tuple[int, ...]:
        """The GPUs on which the score was found."""
        return self._best(machine.cpu, machine.left, machine.model, kind.cpu, kind.gpus, kind.milli)[1]

    def _measure(self, cpu: int, left: tuple[int, ...], model: str) -> float:
        whole = sum(left)
        return sum(share * (whole - _usable(kind, cpu, left, model)) for kind, share in self.typical)

    def _choose(
        self, cpu: int, left: tuple[int, ...], model: str, need: int, gpus: int, milli: int
    ) -> tuple[int, tuple[int, ...]]:
        before = self._amount(cpu, tuple(sorted(left)), model)
        usable = [i for i, free in enumerate(left) if free >= milli]
        options = [(i,) for i in usable] if gpus == 1 and milli < GPU else [tuple(usable[:gpus])]
        best, chosen = -1, options[0]
        for option in options:
            after = self._amount(cpu - need, tuple(sorted(_without(left, option, milli))), model)
            score = int(100 / (1 + math.exp((after - before) / 1000)))
            if score > best:
                best, chosen = score, option
        return best, chosen


def _usable(kind: Kind, cpu: int, left: tuple[int, ...], model: str) -> int:
    """GPU thousandths that a task of this kind could use: none if it does not fit, or asks for no GPU."""
    if not kind.milli or cpu < kind.cpu or (kind.models and model not in kind.models):
        return 0
    rooms = [free for free in left if free >= kind.milli]
    return sum(rooms) if len(rooms) >= kind.gpus else 0


def typical(tasks: Sequence[Task], popular: float = POPULAR) -> list[tuple[Kind, float]]:
    """The most frequent kinds of tasks and their shares (memory does not make a kind)."""
    counts = Counter(Kind(t.kind.cpu, 0, t.kind.gpus, t.kind.milli, t.kind.models) for t in tasks)
    ordered = sorted(counts.items(), key=lambda e: (e[1], e[0].cpu, e[0].milli, e[0].gpus, sorted(e[0].models)))
    found: list[tuple[Kind, int]] = []
    covered = 0
    while ordered and covered < popular * len(tasks):
        found.append(ordered.pop())
        covered += found[-1][1]
    return [(kind, count / covered) for kind, count in found]


POLICIES = ("random", "first-fit", "worst-fit", "most-allocated", "dot-product", "best-fit", "fgd")


@dataclass
class Result:
    """What came of a run: GPU per cent placed after each task, against the per cent that had arrived."""

    policy: str
    arrived: list[float] = field(default_factory=list)
    allocated: list[float] = field(default_factory=list)
    placed: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def at(self, per_cent: float) -> float:
        """GPU allocation (in per cent) when so much had arrived; full load is 100."""
        for arrived, allocated in zip(self.arrived, self.allocated, strict=True):
            if arrived >= per_cent:
                return allocated
        return self.allocated[-1] if self.allocated else 0.0


class Packer:
    """Places tasks one by one. `ties`: "first" of equals, or a "random" one."""

    def __init__(
        self, machines: Iterable[Machine], tasks: Sequence[Task], policy: str, *, ties: str = "first", seed: int = 0
    ) -> None:
        if policy not in POLICIES:
            raise ValueError(f"{policy!r}라는 정책은 없다. 있는 것: {', '.join(POLICIES)}")
        if ties not in ("first", "random"):
            raise ValueError(f"동점 처리는 first나 random이어야 한다: {ties!r}")
        self.machines = [Machine(m.name, m.cpu, m.memory, m.left, m.model) for m in machines]
        self.policy, self.ties, self.rng = policy, ties, random.Random(seed)
        self.fgd = Fragmentation(tasks) if policy == "fgd" else None
        self.score = self._scorer()
        self._scores: dict[Kind, list[float | None]] = {}
        self._changed: list[int] = []
        self._seen: dict[Kind, int] = {}

    def _scorer(self) -> Score:
        if self.fgd is not None:
            return self.fgd
        if self.policy == "most-allocated":
            return MostAllocated(self.machines)
        simple = {"worst-fit": worst_fit, "dot-product": dot_product, "best-fit": best_fit}
        return simple.get(self.policy, first_fit)

    def place(self, kind: Kind) -> Machine | None:
        """The machine that takes the task, or None. Machines that did not change are not scored again."""
        scores = self._up_to_date(kind)
        fitting = [i for i, score in enumerate(scores) if score is not None]
        if not fitting:
            return None
        place = self._pick(fitting, scores)
        machine = self.machines[place]
        machine.take(kind, self._gpus(machine, kind))
        self._changed.append(place)
        return machine

    def _pick(self, fitting: list[int], scores: list[float | None]) -> int:
        if self.policy == "random":
            return self.rng.choice(fitting)
        top = max(score for score in scores if score is not None)
        if self.ties == "first":
            return scores.index(top)
        return self.rng.choice([i for i in fitting if scores[i] == top])

    def _gpus(self, machine: Machine, kind: Kind) -> tuple[int, ...]:
        if not kind.gpus:
            return ()
        if self.fgd is not None:
            return self.fgd.gpus(machine, kind)
        if self.policy == "random" and kind.milli < GPU:
            return (self.rng.choice([i for i, free in enumerate(machine.left) if free >= kind.milli]),)
        return tightest_gpus(machine, kind)

    def _up_to_date(self, kind: Kind) -> list[float | None]:
        scores = self._scores.get(kind)
        if scores is None:
            scores = self._scores[kind] = [self._ask(machine, kind) for machine in self.machines]
        else:
            for place in set(self._changed[self._seen[kind] :]):
                scores[place] = self._ask(self.machines[place], kind)
        self._seen[kind] = len(self._changed)
        return scores

    def _ask(self, machine: Machine, kind: Kind) -> float | None:
        return self.score(machine, kind) if machine.fits(kind) else None


def pack(
    machines: Sequence[Machine],
    tasks: Sequence[Task],
    policy: str,
    *,
    ties: str = "first",
    seed: int = 0,
    until: float = 100.0,
    known: Sequence[Task] | None = None,
) -> Result:
    """Let tasks arrive until their GPU demand is `until` per cent of the cluster. `known`: what FGD learns from."""
    packer = Packer(machines, known if known is not None else tasks, policy, ties=ties, seed=seed)
    capacity = sum(len(m.left) for m in machines) * GPU
    result = Result(policy)
    arrived = placed = 0
    for task in tasks:
        arrived += task.kind.total
        machine = packer.place(task.kind)
        if machine is None:
            result.failed.append(task.name)
        else:
            placed += task.kind.total
            result.placed[task.name] = machine.name
        result.arrived.append(100 * arrived / capacity)
        result.allocated.append(100 * placed / capacity)
        if result.arrived[-1] >= until:
            break
    return result


def inflate(tasks: Sequence[Task], machines: Sequence[Machine], ratio: float, seed: int) -> list[Task]:
    """Tasks in random order, drawn again from the trace until their GPU demand is `ratio` times the cluster."""
    rng = random.Random(seed)
    found = list(tasks)
    demand = sum(task.kind.total for task in found)
    target = ratio * GPU * sum(len(machine.left) for machine in machines)
    while demand < target:
        task = rng.choice(tasks)
        found.append(Task(f"{task.name}-tuned-{len(found)}", task.kind))
        demand += task.kind.total
    rng.shuffle(found)
    return found


# Traces


def read_machines(lines: Iterable[str]) -> list[Machine]:
    """openb_node_list_*.csv: sn, cpu_milli, memory_mib, gpu, model."""
    return [
        Machine(r["sn"], int(r["cpu_milli"]), int(r["memory_mib"]), (GPU,) * int(r["gpu"]), r["model"] or "")
        for r in csv.DictReader(lines)
    ]


def read_tasks(lines: Iterable[str]) -> list[Task]:
    """openb_pod_list_*.csv: name, cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec, ..."""
    found = []
    for row in csv.DictReader(lines):
        models = frozenset(filter(None, (row["gpu_spec"] or "").split("|")))
        gpus, milli = int(row["num_gpu"]), int(row["gpu_milli"] or 0)
        kind = Kind(int(row["cpu_milli"]), int(row["memory_mib"]), gpus, milli if gpus else 0, models)
        found.append(Task(row["name"], kind))
    return found


_SIZES = (
    # how many of a hundred, cpu, memory, GPUs, model
    (45, 96_000, 384, 8, "G2"),
    (32, 104_000, 512, 2, "T4"),
    (9, 16_000, 120, 2, "P100"),
    (6, 128_000, 768, 8, "G3"),
    (5, 32_000, 128, 4, "V100"),
    (3, 8_000, 32, 1, "V100"),
)
_KINDS = (
    # how many of a thousand, cpu, memory, GPUs, thousandths of each
    (45, 12_500, 56, 0, 0),
    (35, 32_000, 48, 0, 0),
    (30, 8_000, 28, 0, 0),
    (20, 16_000, 50, 0, 0),
    (130, 3_000, 5, 1, 800),
    (50, 12_000, 46, 1, 450),
    (45, 8_000, 28, 1, 450),
    (30, 12_000, 46, 1, 650),
    (55, 4_000, 20, 1, 300),
    (30, 4_000, 20, 1, 200),
    (20, 3_000, 5, 1, 600),
    (20, 4_000, 10, 1, 550),
    (220, 11_000, 48, 1, GPU),
    (70, 3_000, 5, 1, GPU),
    (50, 18_000, 63, 1, GPU),
    (50, 10_000, 40, 1, GPU),
    (50, 12_000, 24, 1, GPU),
    (40, 8_000, 16, 1, GPU),
    (2, 16_000, 64, 2, GPU),
    (2, 32_000, 128, 4, GPU),
    (6, 64_000, 256, 8, GPU),
)


def synthetic(machines: int = 120, seed: int = 0, load: float = 1.3) -> tuple[list[Machine], list[Task]]:
    """A made-up cluster and tasks in rough proportion to openb's: many shares and single GPUs, few eights.

    Tasks arrive until their GPU demand is `load` times the cluster.
    """
    rng = random.Random(seed)
    nodes = []
    for index in range(machines):
        _, cpu, memory, gpus, model = rng.choices(_SIZES, [size[0] for size in _SIZES])[0]
        nodes.append(Machine(f"machine-{index:03}", cpu, memory * 1024, (GPU,) * gpus, model))
    weights = [kind[0] for kind in _KINDS]
    demand, target = 0, load * GPU * sum(len(node.left) for node in nodes)
    tasks: list[Task] = []
    while demand < target:
        _, cpu, memory, gpus, milli = rng.choices(_KINDS, weights)[0]
        tasks.append(Task(f"task-{len(tasks):05}", Kind(cpu, memory * 1024, gpus, milli)))
        demand += tasks[-1].kind.total
    return nodes, tasks
