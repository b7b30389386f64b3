"""파드가 요청하고 제한하는 양: CPU는 1/1000 코어, 나머지는 바이트."""

from __future__ import annotations

from minik8s.objects import Object
from minik8s.objects.quantity import milli, value
from minik8s.scheduler.resources import pod_requests as _nanos
from minik8s.scheduler.resources import rounded


def pod_requests(pod: Object) -> dict[str, int]:
    """What the scheduler counts the pod for."""
    return rounded(_nanos(pod))


def pod_limits(pod: Object) -> dict[str, int]:
    """The sum of its containers' limits; 0 where a container has none."""
    out: dict[str, int] = {}
    for container in pod["spec"]["containers"]:
        for name, amount in ((container.get("resources") or {}).get("limits") or {}).items():
            out[name] = out.get(name, 0) + (milli(amount) if name == "cpu" else value(amount))
    return out
