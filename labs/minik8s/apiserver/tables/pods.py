"""The row of a pod: its STATUS column is what kubectl users read first.

Source: printPod in pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minik8s.apiserver.tables.format import NONE, age, condition_true, containers, labels_text, since
from minik8s.objects import Object
from minik8s.objects.meta import parse_time

_CONDITIONS = {
    "Succeeded": ("Succeeded", "The pod has completed successfully."),
    "Failed": ("Failed", "The pod failed."),
}


def row_conditions(pod: Object) -> list[Object]:
    """A Completed row condition for pods that ended; kubectl may hide such rows."""
    found = _CONDITIONS.get((pod.get("status") or {}).get("phase", ""))
    if found is None:
        return []
    return [{"type": "Completed", "status": "True", "reason": found[0], "message": found[1]}]


def pod(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    reason, ready, restarts, last = _summary(obj, spec, status)
    total = len(spec.get("containers") or ()) + sum(_sidecar(c) for c in spec.get("initContainers") or ())
    restarted = f"{restarts} ({since(last, now)} ago)" if restarts and last else str(restarts)
    ips = status.get("podIPs") or ()
    return [
        obj["metadata"]["name"],
        f"{ready}/{total}",
        reason,
        restarted,
        age(obj, now),
        (ips[0].get("ip") if ips else "") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _gates(spec, obj),
    ]


def _gates(spec: Mapping[str, Any], obj: Object) -> str:
    gates = spec.get("readinessGates") or ()
    if not gates:
        return NONE
    return f"{sum(condition_true(obj, gate['conditionType']) for gate in gates)}/{len(gates)}"


def _sidecar(container: Mapping[str, Any] | None) -> bool:
    return container is not None and container.get("restartPolicy") == "Always"


def _later(left: str | None, right: str | None) -> str | None:
    if not left or not right:
        return left or right
    return right if parse_time(right) > parse_time(left) else left


def _summary(obj: Object, spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, int, int, str | None]:
    """(STATUS, ready containers, restarts, time of the last restart)."""
    reason = status.get("reason") or status.get("phase") or ""
    if any(
        c.get("type") == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in status.get("conditions") or ()
    ):
        reason = "SchedulingGated"
    init = _Init(spec, status)
    ready, restarts, last = init.ready, init.restarts, init.last
    if init.reason is not None:
        reason = init.reason
    if init.reason is None or condition_true(obj, "Initialized"):
        restarts, last = init.sidecar_restarts, init.sidecar_last
        running = False
        for state in reversed(status.get("containerStatuses") or ()):
            restarts += state.get("restartCount", 0)
            last = _later(last, _finished(state))
            reason = _container_reason(state.get("state") or {}) or reason
            if not _container_reason(state.get("state") or {}) and state.get("ready") and _running(state):
                running = True
                ready += 1
        if reason == "Completed" and running:
            reason = "Running" if condition_true(obj, "Ready") else "NotReady"
    if obj["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif status.get("phase") not in ("Succeeded", "Failed"):
            reason = "Terminating"
    return reason, ready, restarts, last


def _running(state: Mapping[str, Any]) -> bool:
    return (state.get("state") or {}).get("running") is not None


def _finished(state: Mapping[str, Any]) -> str | None:
    found: str | None = ((state.get("lastState") or {}).get("terminated") or {}).get("finishedAt")
    return found


def _container_reason(state: Mapping[str, Any]) -> str:
    """Why a container is not running: the reason of its waiting or terminated state."""
    if (state.get("waiting") or {}).get("reason"):
        return str(state["waiting"]["reason"])
    if state.get("terminated") is None:
        return ""
    return _terminated(state["terminated"])


def _terminated(state: Mapping[str, Any]) -> str:
    if state.get("reason"):
        return str(state["reason"])
    return f"Signal:{state['signal']}" if state.get("signal") else f"ExitCode:{state.get('exitCode', 0)}"


class _Init:
    """What the init containers say; `reason` is set while they hold the pod up."""

    def __init__(self, spec: Mapping[str, Any], status: Mapping[str, Any]):
        self.reason: str | None = None
        self.ready = self.restarts = self.sidecar_restarts = 0
        self.last: str | None = None
        self.sidecar_last: str | None = None
        specs = {c["name"]: c for c in spec.get("initContainers") or ()}
        for index, entry in enumerate(status.get("initContainerStatuses") or ()):
            self.restarts += entry.get("restartCount", 0)
            self.last = _later(self.last, _finished(entry))
            sidecar = _sidecar(specs.get(entry.get("name")))
            if sidecar:
                self.sidecar_restarts += entry.get("restartCount", 0)
                self.sidecar_last = _later(self.sidecar_last, _finished(entry))
            if not self._done(entry, sidecar):
                self.reason = _init_reason(entry.get("state") or {}, index, len(specs))
                break

    def _done(self, entry: Mapping[str, Any], sidecar: bool) -> bool:
        ended = (entry.get("state") or {}).get("terminated")
        if ended is not None and ended.get("exitCode", 0) == 0:
            return True
        if sidecar and entry.get("started"):
            self.ready += bool(entry.get("ready"))
            return True
        return False


def _init_reason(state: Mapping[str, Any], index: int, count: int) -> str:
    if state.get("terminated") is not None:
        return "Init:" + _terminated(state["terminated"])
    waiting = (state.get("waiting") or {}).get("reason") or ""
    if waiting and waiting != "PodInitializing":
        return f"Init:{waiting}"
    return f"Init:{index}/{count}"


def pod_template(obj: Object, now: float) -> list[Any]:
    template = obj.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    return [obj["metadata"]["name"], *containers(template.get("spec")), labels_text(labels)]
