"""What happened on a stage, as lines of time and text: what a student sees in the feedback."""

from __future__ import annotations

from typing import NamedTuple

from minik8s.cluster import Cluster
from minik8s.objects import Object

MAX_LINES = 40


class Line(NamedTuple):
    """`time`: seconds after the stage began. `kind`: pod, fault, warning, or gap."""

    time: float
    kind: str
    text: str


FAULTS = {
    "crash_container": "컨테이너가 죽는다", "freeze_container": "컨테이너가 얼어붙는다", "kill_node": "노드가 꺼진다",
    "freeze_node": "노드가 얼어붙는다", "partition_node": "노드의 연락이 끊긴다", "stop_kubelet": "kubelet이 멈춘다",
    "skew_clock": "노드의 시계가 틀어진다", "fill_disk": "디스크가 가득 찬다", "exhaust_memory": "메모리가 바닥난다",
    "slow_store": "저장소가 느려진다", "fail_store": "저장소가 실패한다", "drop_watch_events": "watch의 소식이 빠진다",
    "stop_part": "부품이 멈춘다", "break_dns": "DNS가 멈춘다", "cut_registry": "레지스트리에 닿지 않는다",
}


def tell(cluster: Cluster, started: float) -> list[Line]:
    """Pods that came, became ready, failed and went; faults; warnings. In order of time, at most MAX_LINES.

    Pods to which the same happens at the same time share a line.
    """
    lines = [Line(round(r.time - started, 1), "fault", _fault(r.verb, r.object, dict(r.detail)))
             for r in cluster.trace.records if r.actor == "fault" and r.time >= started]
    state: dict[str, str] = {}
    together: dict[tuple[float, str], list[str]] = {}
    for event in cluster.store.events:
        if event.time < started:
            continue
        time = round(event.time - started, 1)
        if event.key.resource == "pods":
            name = event.key.name
            now = "사라졌다" if event.type == "DELETED" else _state(event.object)
            if state.get(name) != now:
                state[name] = now
                together.setdefault((time, now), []).append(name)
        elif event.key.resource == "events" and event.type == "ADDED" and event.object.get("type") == "Warning":
            what = event.object.get("involvedObject") or {}
            text = f"{what.get('kind', '')} {what.get('name', '')}: {event.object.get('reason')}"
            text = f"{text}: {event.object.get('message')}"[:300]
            lines.append(Line(time, "warning", text))
    lines += [Line(time, "pod", f"{_names(names)}: {now}") for (time, now), names in together.items()]
    lines.sort(key=lambda line: line.time)
    return _shortened(lines)


def _names(pods: list[str]) -> str:
    return f"파드 {', '.join(pods)}" if len(pods) <= 2 else f"파드 {len(pods)}개({pods[0]} 등)"


def _shortened(lines: list[Line]) -> list[Line]:
    """The beginning and the end, and every fault between them."""
    half = MAX_LINES // 2
    if len(lines) <= MAX_LINES:
        return lines
    middle = lines[half:-half]
    kept = [line for line in middle if line.kind == "fault"]
    gap = Line(middle[0].time, "gap", f"… {len(middle) - len(kept)}줄을 줄였다 …")
    return [*lines[:half], gap, *kept, *lines[-half:]]


def _fault(verb: str, kind: str, detail: dict[str, object]) -> str:
    where = ", ".join(str(value) for key, value in detail.items() if key != "number")
    told = FAULTS.get(kind, kind)
    return f"고장{' 되돌림' if verb == 'undo' else ''}: {told}{f' ({where})' if where else ''}"


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
