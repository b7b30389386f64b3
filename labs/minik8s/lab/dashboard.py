"""대시보드: 지도, 롤아웃, 이벤트, 트래픽을 나란히 놓고 클러스터가 사는 대로 따라 그린다.

On the embedded cluster the reader moves the virtual clock with buttons. On a real one the watches do: a change
wakes a task of the notebook's own event loop, and what may block (opening a watch again) runs in one worker thread.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from minik8s.lab import magics
from minik8s.lab.feeds import Snapshot, feed_of
from minik8s.lab.views import events, rollout, svg
from minik8s.lab.views import map as cluster_map
from minik8s.wire import StatusError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from minik8s.lab.session import Lab

STEPS = ((1.0, "1초"), (10.0, "10초"), (60.0, "1분"))
SPEEDS = (("진짜 속도", 1.0), ("10배", 10.0), ("60배", 60.0))
TICK, BUNDLE, IDLE, LONGEST = 0.5, 0.2, 10.0, 30.0
"""Seconds of real time: between two pictures while it plays; for which news are collected; after which a quiet
picture is drawn anew; between two tries to reach a cluster that is gone."""
NAMES = ("지도", "롤아웃", "이벤트", "트래픽")


class Dashboard:
    """`k.dashboard()`가 돌려주는 것. `step(초)`, `play(배속)`, `pause()`, `close()`를 손으로 불러도 된다."""

    def __init__(self, lab: Lab, ref: str = "", title: str = "대시보드", *, beside: bool = False):
        self.title, self.playing, self.closed = title, False, False
        self._beside = beside
        self._side: Any = None
        self._lab, self._ref = lab, ref
        self._feed = feed_of(lab)
        self._task: asyncio.Task[None] | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._panel: Panel | None = None

    # ---- what is shown ----------------------------------------------------------
    def views(self, shot: Snapshot | None = None) -> dict[str, svg.View]:
        """지금의 네 그림. 이름은 지도, 롤아웃, 이벤트, 트래픽이다."""
        shot = shot or self._feed.read()
        name, load = self._deployment(shot), self._lab.last_traffic
        drawn = (
            cluster_map.render(shot.nodes, shot.pods),
            self._rollout(shot, name),
            events.render(shot.events),
            load.chart() if load else _none("트래픽", "보낸 요청이 없다. `k.traffic(서비스, wait=False)`로 시작하자."),
        )
        return dict(zip(NAMES, drawn, strict=True))

    def _deployment(self, shot: Snapshot) -> str:
        """The Deployment to follow: the one asked for, else the first by name."""
        if self._ref:
            return self._ref.rpartition("/")[2]
        return min((d["metadata"]["name"] for d in shot.deployments), default="")

    def _rollout(self, shot: Snapshot, name: str) -> svg.View:
        uid = next((d["metadata"]["uid"] for d in shot.deployments if d["metadata"]["name"] == name), "")
        if not uid:
            return _none("롤아웃", f"디플로이먼트 {name}이(가) 없다." if name else "디플로이먼트가 아직 없다.")
        title = f"{name}: 준비된 파드의 수"
        return rollout.render(shot.changes, uid, self._lab.started, 0.0, shot.now - self._lab.started, title)

    @cached_property
    def widget(self) -> Any:
        """단추와 네 그림(ipywidgets의 VBox). ipywidgets가 없으면 None."""
        try:
            import ipywidgets
        except ImportError:
            return None
        self._panel = Panel(self, ipywidgets, virtual=self._lab.place.virtual)
        self.refresh()
        self._attend()
        return self._panel.box

    def __repr__(self) -> str:
        return "\n\n".join(f"[{name}]\n{view.text}" for name, view in self.views().items())

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        views = self.views()
        words = "\n\n".join(f"[{name}]\n{view.text}" for name, view in views.items())
        plain = {"text/plain": words, "text/html": "".join(view._repr_html_() for view in views.values())}
        if self.widget is None:
            return plain
        if self._beside and self._open_beside():
            return {"text/plain": "노트북 옆 칸에 대시보드를 열었다. 셀을 돌릴 때마다 따라 그린다."}
        return {**self.widget._repr_mimebundle_(**kwargs), **plain}

    def _open_beside(self) -> bool:
        """In JupyterLab's own column to the right. False where there is no such column, as in the book's pages."""
        try:
            from sidecar import Sidecar
        except ImportError:
            return False
        from IPython.display import display

        if self._side is None:
            self._side = Sidecar(title=self.title, anchor="split-right")
        with self._side:
            display(self.widget)  # type: ignore[no-untyped-call]
        return True

    # ---- time ---------------------------------------------------------------------
    def step(self, seconds: float) -> None:
        """클러스터를 `seconds`초 살게 하고 다시 그린다."""
        self._lab.sleep(seconds)
        self.refresh()

    def play(self, speed: float = 1.0) -> None:
        """시간이 저절로 흐르게 한다. speed: 진짜 1초에 흐르는 가상의 초. 노트북과 책의 쪽에서만 된다."""
        if not self._lab.place.virtual:
            raise RuntimeError("실제 클러스터의 시간은 늘 흐른다. 대시보드가 저절로 따라간다.")
        self.pause()
        self.playing = True
        self._task = asyncio.get_running_loop().create_task(self._play(speed))

    def pause(self) -> None:
        """흐르던 시간을 멈춘다."""
        self.playing = False
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _play(self, speed: float) -> None:
        while self.playing:
            await asyncio.sleep(TICK)
            self._lab.sleep(speed * TICK)
            self.refresh()

    def refresh(self, *_: Any) -> None:
        """지금 모습으로 다시 그린다."""
        if self.closed or self._panel is None:
            return
        try:
            self.draw(self._feed.read())
        except StatusError as error:
            self._panel.alarm(error.message)

    def draw(self, shot: Snapshot) -> None:
        if self._panel is not None and not self.closed:
            self._panel.show(self.views(shot), shot.now - self._lab.started, self.playing)
            self._panel.alarm(shot.trouble)

    # ---- following ------------------------------------------------------------------
    def _attend(self) -> None:
        """Draw anew after every cell; on a real cluster, with every piece of news."""
        shell = magics.shell()
        if shell is not None:
            shell.events.register("post_run_cell", self.refresh)
        if not self._lab.place.virtual:
            from concurrent.futures import ThreadPoolExecutor  # the page has no threads, and no real cluster

            with suppress(RuntimeError):  # no running loop: a plain script, which calls refresh() itself
                loop = asyncio.get_running_loop()
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="minik8s-dashboard")
                self._task = loop.create_task(self._follow(loop, self._pool))

    async def _follow(self, loop: asyncio.AbstractEventLoop, pool: ThreadPoolExecutor) -> None:
        news = asyncio.Event()
        self._feed.listen(lambda: _tell(loop, news))
        pause = IDLE
        while not self.closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), pause)
            await asyncio.sleep(BUNDLE)
            news.clear()
            shot = await loop.run_in_executor(pool, self._feed.read)
            self.draw(shot)
            pause = self._patience(shot, pause)

    def _patience(self, shot: Snapshot, before: float) -> float:
        if shot.trouble:
            return min(2 * before if before < IDLE else 1.0, LONGEST) if before != LONGEST else LONGEST
        load = self._lab.last_traffic
        return 1.0 if load is not None and not load.done else IDLE

    def close(self) -> None:
        """그만 따라간다: watch와 시간의 흐름을 멈춘다. 마지막 그림은 남는다."""
        if self.closed:
            return
        self.pause()
        self.closed = True
        if self._side is not None:
            self._side.close()
        self._feed.close()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        shell = magics.shell()
        if shell is not None:
            with suppress(ValueError):  # it was never shown
                shell.events.unregister("post_run_cell", self.refresh)
        if self._panel is not None:
            self._panel.end()


def _tell(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop ended before the watch did
        loop.call_soon_threadsafe(news.set)


def _none(name: str, why: str) -> svg.View:
    return svg.View(svg.document(360, 24, [svg.text(0, 16, svg.shorten(why, 360))], name), why, name)


class Panel:
    """The widgets of a dashboard. Pictures are set as the state of Output widgets, as the scrubber does."""

    def __init__(self, board: Dashboard, widgets: Any, *, virtual: bool):
        self._board, self._shown = board, dict.fromkeys(NAMES, "")
        self._views: dict[str, svg.View] = {}
        self._clock = widgets.Label()
        self._words = widgets.Checkbox(description="글로 보기", indent=False)
        self._words.observe(lambda _: self._put(), "value")
        self._close = widgets.Button(description="닫기", tooltip="대시보드가 그만 따라간다")
        self._close.on_click(lambda _: board.close())
        self._alarm = widgets.Output()
        self._outputs = {name: widgets.Output() for name in NAMES}
        for output in self._outputs.values():
            output.add_class("m8-quiet")  # a screen reader is not told of every tick
        self._hands = self._clockwork(widgets) if virtual else []
        grid = widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(min(100%, 24rem), 1fr))", grid_gap="8px")
        bar = widgets.HBox(
            [*self._hands, self._words, self._close, self._clock], layout=widgets.Layout(flex_flow="wrap")
        )
        self.box = widgets.VBox([bar, self._alarm, widgets.GridBox(list(self._outputs.values()), layout=grid)])

    def _clockwork(self, widgets: Any) -> list[Any]:
        board, small = self._board, widgets.Layout(width="auto")
        hands = []
        for seconds, name in STEPS:
            hand = widgets.Button(description=f"+{name}", tooltip=f"가상 시간을 {name} 보낸다", layout=small)
            hand.on_click(lambda _, seconds=seconds: board.step(seconds))
            hands.append(hand)
        self._speed = widgets.Dropdown(
            options=SPEEDS, value=10.0, description="속도", layout=widgets.Layout(width="12rem")
        )
        self._speed.observe(lambda _: board.play(self._speed.value) if board.playing else None, "value")
        self._toggle = widgets.Button(layout=small)
        self._toggle.on_click(lambda _: self._turn())
        return [*hands, self._toggle, self._speed]

    def _turn(self) -> None:
        if self._board.playing:
            self._board.pause()
        else:
            self._board.play(self._speed.value)
        self._board.refresh()

    def show(self, views: dict[str, svg.View], elapsed: float, playing: bool) -> None:
        self._views = views
        self._clock.value = f"실습을 시작한 지 {elapsed:.0f}초"
        if self._hands:
            self._toggle.description = "멈춤" if playing else "흐르게"
        self._put()

    def _put(self) -> None:
        """Set what changed; an unchanged picture is not sent again."""
        for name, view in self._views.items():
            words = f"<h4>{name}</h4><pre>{escape(view.text)}</pre>"
            html = words if self._words.value else _figure(name, view)
            if html != self._shown[name]:
                self._shown[name] = html
                self._outputs[name].outputs = _output(html, view.text)

    def alarm(self, why: str) -> None:
        outputs = _output(f"<p><strong>{escape(why)}</strong></p>", why) if why else ()
        if self._alarm.outputs != outputs:
            self._alarm.outputs = outputs

    def end(self) -> None:
        for hand in (*self._hands, self._close):
            hand.disabled = True
        self._clock.value += ", 닫았다"


def _figure(name: str, view: svg.View) -> str:
    if not view.svg.startswith("<svg"):  # a table scrolls by itself and has its caption
        return f'<figure class="m8-view">{view.svg}</figure>'
    return f'<figure class="m8-view"><figcaption>{name}</figcaption>{svg.scrolling(view.svg, view.title)}</figure>'


def _output(html: str, words: str) -> tuple[dict[str, Any], ...]:
    return ({"output_type": "display_data", "data": {"text/html": html, "text/plain": words}, "metadata": {}},)
