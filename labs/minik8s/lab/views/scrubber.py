"""시간 더듬기: 슬라이더를 움직이면 그 순간의 클러스터 지도가 보인다.

With ipywidgets (Jupyter and the page) a slider over the moments at which the map changed; its arrow keys go from one
moment to the next. Without, six of the moments side by side. The text form of both is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from html import escape
from typing import Any, NamedTuple

from minik8s.lab.chronicle import Change
from minik8s.lab.views import map as cluster_map
from minik8s.lab.views import svg
from minik8s.lab.views.timeline import clock
from minik8s.objects import Object

GAP, MOST, SMALL = 0.5, 60, 6
"""Seconds that one moment lasts at least; how many moments a slider has at most; how many small maps there are."""

Mark = tuple[float, str]


class Moment(NamedTuple):
    """The cluster right after something happened: `time` in seconds since the lab began, what happened in words."""

    time: float
    what: list[str]
    nodes: list[Object]
    pods: list[Object]

    @property
    def headline(self) -> str:
        return f"{clock(round(self.time, 1))}: {self.summary}"

    @property
    def summary(self) -> str:
        """What happened, with those to whom the same happened counted: `파드 3개 Running`."""
        by_word: dict[str, list[str]] = {}
        for words in self.what:
            name, _, word = words.partition(" ")
            by_word.setdefault("" if words.startswith("[") else word, []).append(words if words[0] == "[" else name)
        homes = {node["metadata"]["name"] for node in self.nodes}
        said = by_word.pop("", [])
        for word, names in by_word.items():
            kind = "노드" if homes.issuperset(names) else "파드"
            said.append(f"{names[0]} {word}" if len(names) == 1 else f"{kind} {len(names)}개 {word}")
        return " · ".join(said) or "시작"


def moments(
    changes: Iterable[Change],
    wanted: Sequence[str],
    start: float,
    since: float | None = None,
    marks: Iterable[Mark] = (),
    most: int = MOST,
) -> list[Moment]:
    """The moments at which a map of the nodes and of the pods with the uids `wanted` looked different from before.

    start: when the lab began (seconds since the Unix epoch); since, marks: seconds after that. What happened within
    half a second is one moment, or within longer when there would be more than `most` of them.
    """
    steps = _steps([c for c in changes if c.resource in {"nodes", "pods"}], frozenset(wanted), start, list(marks))
    first = since if since is not None else min((s.time for s in steps if s.pods), default=0.0)
    before = [s for s in steps if s.time < first]
    steps = [s for s in steps if s.time >= first]
    if before and (not steps or steps[0].time > first):
        steps.insert(0, Moment(first, [], before[-1].nodes, before[-1].pods))
    gap = GAP
    while True:
        out = _merged(steps, gap)
        if len(out) <= most:
            return out
        gap *= 2


def _steps(changes: list[Change], wanted: frozenset[str], start: float, marks: list[Mark]) -> list[Moment]:
    """A moment for every single change that a map shows, and for every mark."""
    nodes: dict[str, Object] = {}
    pods: dict[str, Object] = {}
    said: dict[str, str] = {}
    out: list[Moment] = []
    waiting = sorted(marks)

    def now(time: float, words: list[str]) -> None:
        out.append(Moment(time, words, [nodes[n] for n in sorted(nodes)], sorted(pods.values(), key=_place)))

    for change in changes:
        uid, time = change.object["metadata"]["uid"], change.time - start
        if change.resource == "pods" and uid not in wanted:
            continue
        while waiting and waiting[0][0] <= time:
            now(*_as_step(waiting.pop(0)))
        known: dict[str, Object] = nodes if change.resource == "nodes" else pods
        key = change.object["metadata"]["name"] if change.resource == "nodes" else uid
        if change.type == "DELETED":
            known.pop(key, None)
        else:
            known[key] = change.object
        word = "사라짐" if change.type == "DELETED" else _word(change)
        if said.get(uid) != word:
            said[uid] = word
            now(time, [f"{change.object['metadata']['name']} {word}"])
    for mark in waiting:
        now(*_as_step(mark))
    return out


def _as_step(mark: Mark) -> tuple[float, list[str]]:
    return mark[0], [f"[{mark[1]}]"]


def _place(pod: Object) -> tuple[str, str]:
    return pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]


def _word(change: Change) -> str:
    if change.resource == "nodes":
        return cluster_map.node_state(change.object)[0]
    word = cluster_map.state(change.object)[0]
    node = change.object["spec"].get("nodeName")
    return f"{word}({node})" if node and word == "Pending" else word


def _merged(steps: list[Moment], gap: float) -> list[Moment]:
    """Steps closer than `gap` to the first of them as one, with the cluster as the last of them left it."""
    out: list[Moment] = []
    for step in steps:
        if out and step.time - out[-1].time < gap:
            seen = {words.partition(" ")[0]: words for words in (*out[-1].what, *step.what)}
            out[-1] = Moment(out[-1].time, list(seen.values()), step.nodes, step.pods)
        else:
            out.append(step)
    return out


class Scrubber:
    """`k.scrub()`이 돌려주는 것. `moments`는 순간들, `at(i)`는 그 순간의 지도다."""

    def __init__(self, moments: list[Moment], title: str, *, small: bool = False):
        self.moments, self.title, self._small = moments, title, small

    def at(self, index: int) -> svg.View:
        """`index`번째 순간의 지도."""
        moment = self.moments[index]
        return cluster_map.render(moment.nodes, moment.pods, f"{self.title}, {moment.headline}")

    @property
    def chosen(self) -> list[int]:
        """작은 지도로 보일 순간들의 번호: 처음과 끝, 그리고 그 사이를 고르게."""
        last = len(self.moments) - 1
        return sorted({i * last // (SMALL - 1) for i in range(SMALL)}) if self.moments else []

    def small(self) -> svg.View:
        """순간 여섯을 작은 지도로 나란히 놓은 그림."""
        return _multiples([self.moments[i] for i in self.chosen], repr(self), self.title)

    @cached_property
    def widget(self) -> Any:
        """슬라이더와 지도(ipywidgets의 VBox). ipywidgets나 순간이 없으면 None."""
        try:
            import ipywidgets
        except ImportError:
            return None
        return _controls(self, ipywidgets) if self.moments else None

    def __repr__(self) -> str:
        lines = []
        for i in self.chosen:
            at = self.at(i)
            lines += [self.moments[i].headline, *(f"  {line}" for line in at.text.splitlines())]
        return "\n".join(lines) or "보일 순간이 없다."

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        plain = {"text/plain": repr(self), "text/html": self.small()._repr_html_()}
        if self._small or self.widget is None:
            return plain
        return {**self.widget._repr_mimebundle_(**kwargs), **plain}


def _controls(scrubber: Scrubber, widgets: Any) -> Any:
    """A slider, a button each way for fingers, and the map below. The picture is set as the Output's state, so that
    it is the same in a notebook, in the page, and where no kernel captures what is shown."""
    last = len(scrubber.moments) - 1
    slider = widgets.IntSlider(value=0, min=0, max=last, description="순간", continuous_update=True)
    back, on = widgets.Button(description="앞 순간"), widgets.Button(description="다음 순간")
    shown = widgets.Output()

    def draw(*_: Any) -> None:
        view = scrubber.at(slider.value)
        head = f"<p><strong>{escape(scrubber.moments[slider.value].headline)}</strong></p>"
        data = {"text/html": head + view._repr_html_(), "text/plain": repr(view)}
        shown.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
        back.disabled, on.disabled = slider.value == 0, slider.value == last

    def move(by: int) -> None:
        slider.value = min(max(slider.value + by, 0), last)

    slider.observe(draw, "value")
    back.on_click(lambda _: move(-1))
    on.on_click(lambda _: move(1))
    draw()
    return widgets.VBox([widgets.HBox([slider, back, on]), shown])


# ---- small multiples ---------------------------------------------------------------------
CELL_W, COLUMNS, NAME_W, BOX, LINE = 240.0, 3, 74.0, 15.0, 20.0


def _multiples(chosen: list[Moment], words: str, title: str) -> svg.View:
    """Every moment as a small map: a line per node, a square per pod, and what the colours mean below."""
    meaning: dict[str, str] = {}
    parts: list[str] = []
    top = 0.0
    for begin in range(0, len(chosen), COLUMNS):
        row = chosen[begin : begin + COLUMNS]
        depths = [_small(parts, i * (CELL_W + 8), top, moment, meaning) for i, moment in enumerate(row)]
        top = max(depths) + 14
    x = 0.0
    for word, fill in meaning.items():
        wide = BOX + 8 + svg.width_of(word, 12) + 14
        if x and x + wide > COLUMNS * (CELL_W + 8):
            x, top = 0.0, top + LINE
        parts += [svg.rect(x, top, BOX, BOX, fill=fill, r=3), svg.text(x + BOX + 6, top + 12, word, size=12)]
        x += wide
    return svg.View(svg.document(COLUMNS * (CELL_W + 8) - 8, top + LINE, parts, title), words, title)


def _small(parts: list[str], x: float, y: float, moment: Moment, meaning: dict[str, str]) -> float:
    """Draw one moment at (x, y); how far down it goes."""
    parts.append(svg.text(x, y + 14, clock(round(moment.time, 1)), bold=True))
    said = svg.shorten(moment.summary, CELL_W - 54, 11)
    parts.append(svg.text(x + 52, y + 14, said, size=11, opacity=0.85))
    y += 22
    homes = {node["metadata"]["name"]: cluster_map.node_state(node) for node in moment.nodes}
    rows: dict[str, list[Object]] = {name: [] for name in homes}
    for pod in moment.pods:
        node = pod["spec"].get("nodeName")
        rows.setdefault(node if node in homes else "(노드 없음)", []).append(pod)
    per_line = int((CELL_W - NAME_W) // (BOX + 3))
    for name, pods in rows.items():
        word, fill = homes.get(name, ("", svg.IDLE))
        parts.append(svg.circle(x + 5, y + 9, 4, fill=fill, tip=f"{name} {word}"))
        parts.append(svg.text(x + 14, y + 13, svg.shorten(name, NAME_W - 16, 11), size=11))
        for i, pod in enumerate(pods):
            state, colour = cluster_map.state(pod)
            meaning.setdefault(state, colour)
            at = x + NAME_W + i % per_line * (BOX + 3), y + 2 + i // per_line * (BOX + 3)
            parts.append(svg.rect(*at, BOX, BOX, fill=colour, r=3, tip=f"{pod['metadata']['name']}: {state}"))
        y += LINE + max(0, (len(pods) - 1) // per_line) * (BOX + 3)
    return y
