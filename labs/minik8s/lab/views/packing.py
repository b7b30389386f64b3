"""빈 패킹 판: 노드마다 무엇이 얼마나 찼고, 남은 자리가 어떤 모양인지.

`cluster` draws nodes as bars of what their pods request; `machines` draws the GPU machines of the packing lab.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minik8s.lab.amounts import pod_requests
from minik8s.lab.views import svg
from minik8s.objects import Object
from minik8s.objects.quantity import milli, value
from minik8s.scheduler.packing import GPU, Machine, Result

WIDTH, NAME, BAR, GAP = 720.0, 84.0, 20.0, 6.0
COLOURS = (svg.DONE, svg.OK, svg.WAIT, "#6a1b9a", "#00695c", "#ad1457", "#455a64", "#5d4037")
RESOURCES = (("cpu", "CPU"), ("memory", "메모리"))

Parts = list[tuple[str, int]]
"""[(pod, amount)]"""


def cluster(nodes: Sequence[Object], pods: Sequence[Object], title: str = "빈 패킹 판") -> svg.View:
    """A bar per node and resource, cut into what each pod requests; what stays blank is free."""
    held = {node["metadata"]["name"]: _requests(node["metadata"]["name"], pods) for node in nodes}
    colour = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(sorted(p["metadata"]["name"] for p in pods))}
    largest = {r: max((_size(node, r) for node in nodes), default=1) or 1 for r, _ in RESOURCES}
    parts: list[str] = []
    words: list[str] = []
    y = 4.0
    for node in nodes:
        name = node["metadata"]["name"]
        parts.append(svg.text(0, y + BAR - 5, svg.shorten(name, NAME - 6), bold=True))
        for resource, label in RESOURCES:
            size = _size(node, resource)
            inside = [(pod, amounts.get(resource, 0)) for pod, amounts in held[name].items()]
            said = f"{label} {_shown(sum(a for _, a in inside), resource)}/{_shown(size, resource)}"
            parts += _bar(y, size, size / largest[resource], inside, colour, said)
            listed = ", ".join(f"{pod} {_shown(amount, resource)}" for pod, amount in inside if amount) or "비어 있음"
            words.append(f"{name} {said}: {listed}")
            y += BAR + GAP
        y += 8
    return svg.View(svg.document(WIDTH, max(y, 10), parts, title), "\n".join(words), title)


def _requests(node: str, pods: Sequence[Object]) -> dict[str, dict[str, int]]:
    """What each living pod of a node requests, by name."""
    found = {}
    for pod in pods:
        if pod["spec"].get("nodeName") == node and (pod.get("status") or {}).get("phase") not in {
            "Succeeded",
            "Failed",
        }:
            found[pod["metadata"]["name"]] = pod_requests(pod)
    return found


def _size(node: Object, resource: str) -> int:
    stated = (node["status"].get("allocatable") or {}).get(resource, "0")
    return milli(stated) if resource == "cpu" else value(stated)


def _shown(amount: int, resource: str) -> str:
    return f"{amount / 1000:g}" if resource == "cpu" else f"{amount / 2**30:.3g}Gi"


def _bar(y: float, size: int, share: float, inside: Parts, colour: Mapping[str, str], said: str) -> list[str]:
    """One bar; its length tells how large the node is beside the others."""
    room = WIDTH - NAME - 150
    length = max(room * share, 1.0)
    x = NAME
    parts = [svg.rect(x, y, length, BAR, stroke="currentColor", opacity=0.45)]
    for pod, amount in inside:
        wide = length * amount / size if size else 0.0
        if wide <= 0:
            continue
        parts.append(svg.rect(x + 0.5, y + 1, max(wide - 1, 0.5), BAR - 2, fill=colour[pod], r=2, tip=f"{pod}: {said}"))
        if wide > svg.width_of(pod, 11) + 6:
            parts.append(svg.text(x + wide / 2, y + BAR - 6, pod, size=11, anchor="middle", fill="#fff"))
        x += wide
    parts.append(svg.text(NAME + length + 8, y + BAR - 5, said, size=12))
    return parts


# The packing lab's machines

CELL, LEAD, COLUMN = 13.0, 4.0, 178.0


def machines(
    found: Sequence[Machine], title: str = "빈 패킹 판: GPU", sizes: Mapping[str, int] | None = None
) -> svg.View:
    """A row of squares per machine, one square per GPU, filled by how much of it is taken; below, the CPU that is left.

    `sizes`: cpu of each machine when empty, for the thin bar of CPU; without it the bar is left out.
    """
    columns = int(WIDTH // COLUMN)
    height = CELL + 9
    parts: list[str] = []
    for i, machine in enumerate(found):
        parts += _machine(i % columns * COLUMN, 4 + i // columns * height, machine, (sizes or {}).get(machine.name))
    rows = -(-len(found) // columns)
    return svg.View(svg.document(WIDTH, 10 + rows * height, parts, title), summary(found), title)


def _machine(x: float, y: float, machine: Machine, cpu: int | None) -> list[str]:
    parts = [svg.text(x, y + CELL - 2, machine.name[-3:], size=10, opacity=0.8)]
    for i, left in enumerate(machine.left):
        at, taken = x + 26 + i * (CELL + LEAD), GPU - left
        tip = f"{machine.name} GPU {i}: {taken / 10:g} % 찼음"
        parts.append(svg.rect(at, y, CELL, CELL, stroke="currentColor", r=2, opacity=0.5))
        if taken:
            fill = svg.OK if not left else svg.WAIT
            tall = CELL * taken / GPU
            parts.append(svg.rect(at, y + CELL - tall, CELL, tall, fill=fill, r=2, tip=tip))
    if cpu:
        long = len(machine.left) * (CELL + LEAD) - LEAD
        parts.append(svg.rect(x + 26, y + CELL + 2, max(long * (1 - machine.cpu / cpu), 0.1), 2, fill=svg.DONE, r=1))
    return parts


def summary(found: Sequence[Machine]) -> str:
    """How many GPUs are full, begun and empty, in words."""
    lefts = [left for machine in found for left in machine.left]
    full = sum(left == 0 for left in lefts)
    empty = sum(left == GPU for left in lefts)
    taken = sum(GPU - left for left in lefts)
    share = 100 * taken / (GPU * len(lefts)) if lefts else 0.0
    return (
        f"기계 {len(found)}대, GPU {len(lefts)}개: 꽉 찬 것 {full}, 일부만 찬 것 {len(lefts) - full - empty}, "
        f"빈 것 {empty}. 할당 {share:.1f} %"
    )


# How far a policy gets

HIGH, LEFT_EDGE, FOOT = 300.0, 46.0, 40.0


def curves(results: Mapping[str, Result], title: str = "도착한 만큼과 놓은 만큼", low: float = 60.0) -> svg.View:
    """GPU per cent placed against per cent arrived, one line per result, from `low` per cent on."""
    top = max((max(r.arrived, default=100.0) for r in results.values()), default=100.0)
    scale = (WIDTH - LEFT_EDGE - 10) / (top - low)
    tall = (HIGH - FOOT - 40) / (100 - low)

    def at(arrived: float, allocated: float) -> tuple[float, float]:
        return LEFT_EDGE + (arrived - low) * scale, HIGH - FOOT - (allocated - low) * tall

    parts: list[str] = []
    for tick in range(int(low), int(top) + 1, 10):
        x, y = at(tick, low)
        parts += [svg.line(x, 30, x, y, opacity=0.12), svg.text(x, y + 16, f"{tick}", size=11, anchor="middle")]
        if tick <= 100:
            height = at(low, tick)[1]
            parts.append(svg.line(LEFT_EDGE, height, WIDTH - 10, height, opacity=0.12))
            parts.append(svg.text(LEFT_EDGE - 6, height + 4, f"{tick}", size=11, anchor="end"))
    parts.append(
        svg.text(WIDTH - 10, HIGH - 8, "도착한 GPU 요청(클러스터의 %). 세로: 놓은 것(%)", size=12, anchor="end")
    )
    key, words = LEFT_EDGE, []
    for i, (name, result) in enumerate(results.items()):
        line = [at(a, b) for a, b in zip(result.arrived, result.allocated, strict=True) if a >= low and b >= low]
        parts.append(svg.path(_sparse(line), stroke=COLOURS[i % len(COLOURS)]))
        parts += [svg.rect(key, 6, 14, 10, fill=COLOURS[i % len(COLOURS)], r=2), svg.text(key + 19, 15, name, size=12)]
        key += 30 + svg.width_of(name, 12)
        words.append(f"{name}: " + ", ".join(f"{x} % 도착에 {result.at(x):.1f} %" for x in (80, 90, 100)))
    return svg.View(svg.document(WIDTH, HIGH, parts, title), "\n".join(words), title)


def _sparse(points: list[tuple[float, float]], step: float = 3.0) -> list[tuple[float, float]]:
    """Points at least `step` apart: no eye sees more."""
    kept: list[tuple[float, float]] = []
    for point in points:
        if not kept or point[0] - kept[-1][0] >= step:
            kept.append(point)
    return kept
