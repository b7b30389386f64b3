"""여정: 매니페스트 하나가 클러스터를 지나며 누구의 손을 거쳤는지, 세로줄은 부품, 가로줄은 한 걸음."""

from __future__ import annotations

from typing import NamedTuple

from minik8s.lab.views import svg
from minik8s.lab.views.timeline import clock


class Step(NamedTuple):
    """`time` seconds since the start, who acted, what it did in words, on which object."""

    time: float
    actor: str
    did: str
    object: str


LANE, ROW, LEFT, HEAD = 118.0, 30.0, 46.0, 44.0


def render(steps: list[Step], title: str = "매니페스트의 여정") -> svg.View:
    """A sequence diagram: every actor writes to the API server, none to another."""
    lane = {step.actor: _lane(step.actor) for step in steps}
    actors = list(dict.fromkeys(lane.values()))
    lanes = ["API 서버", *actors]
    x = {name: LEFT + LANE * i + LANE / 2 for i, name in enumerate(lanes)}
    width, height = LEFT + LANE * len(lanes), HEAD + ROW * len(steps) + 14
    parts = []
    for name in lanes:
        parts.append(
            svg.rect(x[name] - LANE / 2 + 5, 4, LANE - 10, 26, fill=svg.DONE if name == "API 서버" else svg.IDLE)
        )
        parts.append(svg.text(x[name], 21, svg.shorten(name, LANE - 16, 12), size=12, anchor="middle", fill="#fff"))
        parts.append(svg.line(x[name], 32, x[name], height - 6, opacity=0.25))
    words, last = [], ""
    for i, step in enumerate(steps):
        y = HEAD + ROW * i + 16
        stamp = clock(round(step.time, 2))
        if stamp != last:
            parts.append(svg.text(LEFT - 10, y + 4, stamp, size=11, anchor="end", opacity=0.8))
            last = stamp
        parts.append(svg.line(x[lane[step.actor]], y, x["API 서버"] + 2, y, width=1.5, arrow=True))
        middle = (x[lane[step.actor]] + x["API 서버"]) / 2
        room = abs(x[lane[step.actor]] - x["API 서버"]) - 12
        label = f"{step.did} {step.object}"
        if lane[step.actor] == "kubelet":
            label = f"({step.actor.partition('/')[2]}) {label}"
        parts.append(svg.text(middle, y - 5, svg.shorten(label, max(room, 120), 11), size=11, anchor="middle"))
        words.append(f"{step.time:7.2f}초  {step.actor} → API 서버: {label}")
    return svg.View(svg.document(width, height, parts, title), "\n".join(words), title)


def _lane(actor: str) -> str:
    """All kubelets share a lane; controllers go by what they control."""
    short = {"minik8s-lab": "나 (lab)", "kube-scheduler": "scheduler"}
    return short.get(actor, actor.partition("/")[0].removesuffix("-controller"))
