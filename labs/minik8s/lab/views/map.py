"""클러스터 지도: 노드는 상자, 파드는 상자 속의 칸. 색은 파드의 상태다."""

from __future__ import annotations

from minik8s.lab.amounts import pod_requests
from minik8s.lab.views import svg
from minik8s.objects import Object
from minik8s.objects.quantity import milli

PER_ROW, CELL_W, CELL_H, PAD = 2, 98, 26, 10
NODE_W = PER_ROW * (CELL_W + 6) + 2 * PAD - 6


def state(pod: Object) -> tuple[str, str]:
    """(word, fill) for a pod, as a person would say it."""
    status = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating", svg.GONE
    phase = status.get("phase", "Pending")
    reason, ended = _reason(status, "waiting"), _reason(status, "terminated")
    if phase == "Running":
        if any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ()):
            return "Running", svg.OK
        if reason.endswith("BackOff") or (ended and not reason):
            return reason or ended, svg.BAD  # between restarts a container mostly stands as it ended
        return reason or "Running, 준비 안 됨", svg.WAIT
    if phase == "Pending":
        return (reason, svg.BAD) if "BackOff" in reason or "Err" in reason else (reason or "Pending", svg.WAIT)
    return (phase, svg.DONE) if phase == "Succeeded" else (status.get("reason") or phase, svg.BAD)


def _reason(status: Object, kind: str) -> str:
    """The first reason that a container gives for being `kind` (waiting or terminated)."""
    found = ((c.get("state") or {}).get(kind) or {} for c in status.get("containerStatuses") or ())
    return next((str(state["reason"]) for state in found if state.get("reason")), "")


def node_state(node: Object) -> tuple[str, str]:
    ready = next((c["status"] for c in node["status"].get("conditions") or () if c["type"] == "Ready"), "Unknown")
    word = {"True": "Ready", "False": "NotReady"}.get(ready, "NotReady")
    if node["spec"].get("unschedulable"):
        word += ", SchedulingDisabled"
    return word, svg.OK if ready == "True" else svg.BAD


def render(nodes: list[Object], pods: list[Object], title: str = "클러스터 지도") -> svg.View:
    """The map of `nodes` with `pods` on them; pods without a node stand below."""
    boxes = [(node["metadata"]["name"], node) for node in nodes]
    by_node: dict[str, list[Object]] = {name: [] for name, _ in boxes}
    waiting = [pod for pod in pods if pod["spec"].get("nodeName") not in by_node]
    for pod in pods:
        if pod["spec"].get("nodeName") in by_node:
            by_node[pod["spec"]["nodeName"]].append(pod)
    columns = min(3, max(1, len(boxes)))
    parts: list[str] = []
    words: list[str] = []
    top = 0.0
    for start in range(0, len(boxes), columns):
        row = boxes[start : start + columns]
        height = max(_height(len(by_node[name])) for name, _ in row)
        for i, (name, node) in enumerate(row):
            parts += _node(i * (NODE_W + 14), top, height, node, by_node[name])
            words += _say(name, node, by_node[name])
        top += height + 14
    width = columns * (NODE_W + 14) - 14
    if waiting:
        parts.append(svg.text(0, top + 14, "노드를 기다리는 파드", bold=True))
        per_row = max(1, int(width // (CELL_W + 6)))
        for i, pod in enumerate(waiting):
            parts += _pod((i % per_row) * (CELL_W + 6), top + 24 + i // per_row * (CELL_H + 6), pod)
        words.append("노드를 기다리는 파드: " + ", ".join(f"{p['metadata']['name']}({state(p)[0]})" for p in waiting))
        top += 30 + -(-len(waiting) // per_row) * (CELL_H + 6)
    return svg.View(svg.document(width, max(top, 20), parts, title), "\n".join(words), title)


def _height(pods: int) -> float:
    return 62 + max(1, -(-pods // PER_ROW)) * (CELL_H + 6)


def _requested(node: Object, pods: list[Object]) -> tuple[float, str]:
    have = milli((node["status"].get("allocatable") or {}).get("cpu", "0"))
    asked = sum(
        pod_requests(pod).get("cpu", 0)
        for pod in pods
        if (pod.get("status") or {}).get("phase") not in {"Succeeded", "Failed"}
    )
    return (min(1.0, asked / have) if have else 0.0), f"CPU 요청 {asked / 1000:g}/{have / 1000:g}"


def _node(x: float, y: float, height: float, node: Object, pods: list[Object]) -> list[str]:
    word, fill = node_state(node)
    share, said = _requested(node, pods)
    inner = NODE_W - 2 * PAD
    parts = [
        svg.rect(x + 0.5, y + 0.5, NODE_W - 1, height - 1, stroke="currentColor", r=8, opacity=0.55),
        svg.circle(x + PAD + 5, y + 17, 5, fill=fill),
        svg.text(x + PAD + 16, y + 21, node["metadata"]["name"], bold=True),
        svg.text(x + NODE_W - PAD, y + 21, word, anchor="end", size=12),
        svg.rect(x + PAD, y + 31, inner, 6, stroke="currentColor", r=3, opacity=0.35),
        svg.rect(x + PAD, y + 31, max(inner * share, 0.1), 6, fill=svg.DONE, r=3, tip=said),
        svg.text(x + PAD, y + 51, said, size=11, opacity=0.85),
    ]
    for i, pod in enumerate(pods):
        parts += _pod(x + PAD + i % PER_ROW * (CELL_W + 6), y + 58 + i // PER_ROW * (CELL_H + 6), pod)
    return parts


def _pod(x: float, y: float, pod: Object) -> list[str]:
    word, fill = state(pod)
    name = pod["metadata"]["name"]
    dash = "3 3" if word == "Terminating" else ""
    return [
        svg.rect(
            x, y, CELL_W, CELL_H, fill=fill, stroke="currentColor" if dash else "", dash=dash, tip=f"{name}: {word}"
        ),
        svg.text(x + CELL_W / 2, y + 17, svg.shorten(name, CELL_W - 10, 12), size=12, anchor="middle", fill="#fff"),
    ]


def _say(name: str, node: Object, pods: list[Object]) -> list[str]:
    word, (_, said) = node_state(node)[0], _requested(node, pods)
    return [f"{name} ({word}, {said})", *(f"  {pod['metadata']['name']}: {state(pod)[0]}" for pod in pods)]
