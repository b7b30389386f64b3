"""From metrics to a replica count (pkg/controller/podautoscaler/replica_calculator.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from minik8s.controllers.podutil import condition, phase
from minik8s.objects import Object
from minik8s.objects.meta import name, parse_time
from minik8s.objects.quantity import milli

Recompute = Callable[[dict[str, "Sample"]], float]
CPU_INITIALIZATION = 300.0
INITIAL_READINESS_DELAY = 30.0


@dataclass(frozen=True)
class Tolerance:
    """How far use / target may be from 1 before anything moves, down and up. The default is the cluster's."""

    down: float = 0.1
    up: float = 0.1

    @classmethod
    def of(cls, behavior: Object | None) -> Tolerance:
        """What spec.behavior says of either direction, and the cluster's where it is silent (KEP-4951)."""
        rules = behavior or {}
        said = {way: (rules.get(f"scale{way.title()}") or {}).get("tolerance") for way in ("down", "up")}
        return cls(**{way: milli(value) / 1000 for way, value in said.items() if value is not None})

    def holds(self, ratio: float) -> bool:
        return 1 - self.down <= ratio <= 1 + self.up


class NoMetrics(Exception):
    """A metric that cannot be read now; the message is upstream's."""


@dataclass(frozen=True)
class Sample:
    """Use of one pod in thousandths, and the moment and length of the measurement."""

    value: int
    time: float
    window: float


@dataclass
class Groups:
    ready: int
    unready: list[str]
    missing: list[str]
    ignored: list[str]


def group(pods: Sequence[Object], metrics: Mapping[str, Sample], resource: str, now: float) -> Groups:
    """Which pods count: those going away never, those just starting only when they would not cause a scale-up."""
    out = Groups(0, [], [], [])
    for pod in pods:
        if "deletionTimestamp" in pod["metadata"] or phase(pod) == "Failed":
            out.ignored.append(name(pod))
        elif phase(pod) == "Pending":
            out.unready.append(name(pod))
        elif name(pod) not in metrics:
            out.missing.append(name(pod))
        elif resource == "cpu" and _warming_up(pod, metrics[name(pod)], now):
            out.unready.append(name(pod))
        else:
            out.ready += 1
    return out


def _warming_up(pod: Object, sample: Sample, now: float) -> bool:
    ready, started = condition(pod, "Ready"), (pod.get("status") or {}).get("startTime")
    if ready is None or not started:
        return True
    start, changed = parse_time(started), parse_time(ready["lastTransitionTime"])
    if start + CPU_INITIALIZATION > now:
        return bool(ready["status"] == "False" or sample.time < changed + sample.window)
    return bool(ready["status"] == "False" and start + INITIAL_READINESS_DELAY > changed)


def requests_of(pods: Sequence[Object], resource: str, container: str = "") -> dict[str, int]:
    """Requests by pod in thousandths. NoMetrics when a container has none: then there is no percentage."""
    out: dict[str, int] = {}
    for pod in pods:
        total = 0
        containers = [c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
        for one in [*pod["spec"]["containers"], *containers]:
            if container and one["name"] != container:
                continue
            asked = ((one.get("resources") or {}).get("requests") or {}).get(resource)
            if asked is None:
                raise NoMetrics(f"missing request for {resource} in container {one['name']} of Pod {name(pod)}")
            total += milli(asked)
        out[name(pod)] = total
    return out


def utilization_ratio(
    metrics: Mapping[str, Sample], requests: Mapping[str, int], target: int
) -> tuple[float, int, int]:
    """(use / target, percent of the requests in use, average use in thousandths)."""
    used = sum(m.value for pod, m in metrics.items() if pod in requests)
    asked = sum(requests[pod] for pod in metrics if pod in requests)
    count = sum(1 for pod in metrics if pod in requests)
    if not asked:
        raise NoMetrics("no metrics returned matched known pods")
    percent = used * 100 // asked
    return percent / target, percent, used // count


def average_ratio(metrics: Mapping[str, Sample], target: int) -> tuple[float, int]:
    """(average / target, average) in thousandths."""
    average = sum(m.value for m in metrics.values()) // len(metrics)
    return average / target, average


def replicas_for(
    current: int,
    groups: Groups,
    metrics: dict[str, Sample],
    ratio: float,
    recompute: Recompute,
    fill: tuple[Mapping[str, int], Mapping[str, int]],
    tolerance: Tolerance = Tolerance(),
) -> int:
    """The wanted count. `fill`: what a missing pod is taken to use on the way down, and on the way up (by pod).

    Unready and missing pods are guessed so that they can only dampen a change, never turn it round.
    """
    dampens = bool(groups.unready) and ratio > 1
    if not dampens and not groups.missing:
        return current if tolerance.holds(ratio) else ceil(ratio * groups.ready)
    down, up = fill
    guessed = dict(metrics)
    for pod in groups.missing:
        if ratio < 1:
            guessed[pod] = Sample(down.get(pod, 0), 0, 0)
        elif ratio > 1:
            guessed[pod] = Sample(up.get(pod, 0), 0, 0)
    for pod in groups.unready if dampens else ():
        guessed[pod] = Sample(0, 0, 0)
    again = recompute(guessed)
    if tolerance.holds(again) or (ratio < 1 < again) or (ratio > 1 > again):
        return current
    wanted = ceil(again * len(guessed))
    if (again < 1 and wanted > current) or (again > 1 and wanted < current):
        return current
    return wanted
