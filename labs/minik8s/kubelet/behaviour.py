"""How a simulated container behaves, as data: the image's own, changed by annotations of the pod.

Annotations are `sim.minik8s.io/KEY` for every container or `sim.minik8s.io/CONTAINER.KEY` for one. Keys:

ready-after   seconds until a server listens
exit-after    seconds until the program ends by itself; exit-code with which (default 1)
cpu, memory   a quantity, or a line through points: "0:50Mi,60:200Mi" (seconds after the start)
cpu-per-request  core-seconds that one request costs
latency       seconds until a request is answered
http          answers by path: "/healthz=503,/slow=200@2" (status, and latency after @)
body          text of the answers, with ${HOSTNAME}, ${POD_IP}, ${IMAGE_TAG} and the container's environment
port          where a server listens
term          what SIGTERM does: drain (finish what is under way), exit, exit:CODE, or ignore
logs          lines to print after the start, separated by newlines; log-every seconds between them
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

from minik8s.objects.quantity import milli, value

PREFIX = "sim.minik8s.io/"


class Course:
    """A quantity over time: constant, or linear between points and constant after the last."""

    def __init__(self, points: tuple[tuple[float, float], ...]):
        self.points = points

    def at(self, t: float) -> float:
        points = self.points
        i = bisect_right(points, (t, float("inf")))
        if i == 0:
            return points[0][1]
        if i == len(points):
            return points[-1][1]
        (t0, v0), (t1, v1) = points[i - 1], points[i]
        return v0 + (v1 - v0) * (t - t0) / (t1 - t0)

    def crosses(self, limit: float) -> float | None:
        """The first time at which the value is above `limit`, or None."""
        if self.points[0][1] > limit:
            return 0.0
        for (t0, v0), (t1, v1) in zip(self.points, self.points[1:], strict=False):
            if v1 > limit:
                return t0 + (t1 - t0) * max(0.0, limit - v0) / (v1 - v0)
        return None


IDLE, SMALL = Course(((0.0, 0.0),)), Course(((0.0, 1_048_576.0),))


@dataclass(frozen=True, slots=True)
class Behaviour:
    """See the module's text; times in seconds, cpu in cores, memory in bytes."""

    ready_after: float = 0.0
    exit_after: float | None = None
    exit_code: int = 1
    cpu: Course = IDLE
    memory: Course = SMALL
    cpu_per_request: float = 0.001
    latency: float = 0.004
    http: Mapping[str, tuple[int, float | None]] = field(default_factory=dict)
    body: str = ""
    port: int = 0
    root: str = ""
    protocol: str = "http"
    term: str = ""
    logs: tuple[str, ...] = ()
    log_every: float = 0.0
    needs_env: tuple[str, ...] = ()
    missing: str = ""


PLAIN = Behaviour()


def behaviour_of(container: str, image: Mapping[str, Any], annotations: Mapping[str, str]) -> Behaviour:
    """The behaviour of a container. A value that cannot be read is ignored (the image's own stays)."""
    out = _of_image(_Identity(image))
    wanted: dict[str, str] = {}
    for key in annotations:
        if key.startswith(PREFIX):
            first, dot, rest = key[len(PREFIX) :].partition(".")
            if not dot:
                wanted.setdefault(first, annotations[key])
            elif first == container:
                wanted[rest] = annotations[key]
    return _changed(out, wanted) if wanted else out


class _Identity:
    """Lets a cache be keyed by the image's data object itself, which lives as long as the registry."""

    __slots__ = ("data",)

    def __init__(self, data: Mapping[str, Any]):
        self.data = data

    def __hash__(self) -> int:
        return id(self.data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.data is self.data


@lru_cache(maxsize=512)
def _of_image(image: _Identity) -> Behaviour:
    return _changed(PLAIN, {str(k).replace("_", "-"): v for k, v in image.data.items()})


def _changed(base: Behaviour, wanted: Mapping[str, Any]) -> Behaviour:
    changes: dict[str, Any] = {}
    for key in sorted(wanted):
        name = key.replace("-", "_")
        if name in _READERS:
            try:
                changes[name] = _READERS[name](wanted[key])
            except (ValueError, TypeError):
                continue
    return replace(base, **changes) if changes else base


def _course(text: Any, unit: Callable[[str], float]) -> Course:
    parts = [p.partition(":") for p in str(text).split(",")]
    if len(parts) == 1 and not parts[0][1]:
        return Course(((0.0, unit(parts[0][0])),))
    points = tuple((float(t), unit(v)) for t, _, v in parts)
    if list(points) != sorted(points, key=lambda p: p[0]):
        raise ValueError("times must ascend")
    return Course(points)


def _answers(text: Any) -> dict[str, tuple[int, float | None]]:
    out: dict[str, tuple[int, float | None]] = {}
    for part in str(text).split(","):
        path, _, rest = part.strip().partition("=")
        status, at, latency = rest.partition("@")
        out[path] = (int(status), float(latency) if at else None)
    return out


def _lines(value_: Any) -> tuple[str, ...]:
    return tuple(value_) if isinstance(value_, list) else tuple(str(value_).split("\n"))


_READERS: dict[str, Callable[[Any], Any]] = {
    "ready_after": float,
    "exit_after": float,
    "exit_code": int,
    "cpu": lambda v: _course(v, lambda q: milli(q) / 1000),
    "memory": lambda v: _course(v, lambda q: float(value(q))),
    "cpu_per_request": float,
    "latency": float,
    "http": _answers,
    "body": str,
    "port": int,
    "root": str,
    "protocol": str,
    "term": str,
    "logs": _lines,
    "log_every": float,
    "needs_env": _lines,
    "missing": str,
}
assert set(_READERS) == {f.name for f in fields(Behaviour)}
