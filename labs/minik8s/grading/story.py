"""What happened on a stage, as lines of time and text: what a student sees in the feedback."""

from __future__ import annotations

from typing import NamedTuple

from minik8s.cluster import Cluster
from minik8s.objects import Object

MAX_LINES = 60


class Line(NamedTuple):
    """`time`: seconds after the stage began. `kind`: pod, fault, or warning."""

    time: float
    kind: str
    text: str


def tell(cluster: Cluster, started: float) -> list[Line]:
    """Pods that came, became ready, failed and went; faults; warnings. In order of time, at most MAX_LINES."""
    lines = [Line(round(r.time - started, 1), "fault", _fault(r.verb, r.object, dict(r.detail)))
             for r in cluster.trace.records if r.actor == "fault"]
    state: dict[str, str] = {}
    for event in cluster.store.events:
        if event.time < started:
            continue
        if event.key.resource == "pods":
            name = event.key.name
            now = "사라졌다" if event.type == "DELETED" else _state(event.object)
            if state.get(name) != now:
                state[name] = now
                lines.append(Line(round(event.time - started, 1), "pod", f"파드 {name}: {now}"))
        elif event.key.resource == "events" and event.type == "ADDED" and event.object.get("type") == "Warning":
            what = event.object.get("involvedObject") or {}
            text = f"{what.get('kind', '')} {what.get('name', '')}: {event.object.get('reason')}"
            text = f"{text}: {event.object.get('message')}"[:300]
            lines.append(Line(round(event.time - started, 1), "warning", text))
    lines.sort(key=lambda line: line.time)
    return lines[:MAX_LINES]


def _fault(verb: str, kind: str, detail: dict[str, object]) -> str:
    told = " ".join(f"{k}={v}" for k, v in detail.items() if k != "number")
    return f"고장 {kind} {'일어남' if verb == 'inject' else '되돌림' if verb == 'undo' else verb} {told}".strip()


def _state(pod: Object) -> str:
    meta, status = pod["metadata"], pod.get("status") or {}
    if meta.get("deletionTimestamp"):
        return "물러나는 중"
    if not pod["spec"].get("nodeName"):
        return "노드를 기다린다"
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ())
    if ready:
        return f"준비됨({pod['spec']['nodeName']})"
    for container in status.get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return str(waiting["reason"])
    phase = str(status.get("phase", "Pending"))
    return {"Pending": "시작하는 중", "Running": "돌지만 아직 준비되지 않음"}.get(phase, phase)
