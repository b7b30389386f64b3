"""`k.dashboard()`: four pictures that follow the cluster, moved by buttons on virtual time."""

import sys

import pytest

from minik8s import lab

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


@pytest.fixture
def k():
    k = lab.connect(nodes=2)
    k.apply(WEB)
    return k


def shown(board, name):
    return board._panel._outputs[name].outputs[0]["data"]["text/plain"]


def press(board, word):
    buttons = [*board._panel._hands, board._panel._close]
    next(b for b in buttons if getattr(b, "description", "") == word).click()


def test_the_four_pictures_in_words(k):
    k.wait("deployment/web")
    k.traffic("web", rate=10, duration=2)
    views = k.dashboard().views()
    assert list(views) == ["지도", "롤아웃", "이벤트", "트래픽"]
    assert "node-1 (Ready" in views["지도"].text
    assert "합계" in views["롤아웃"].text
    assert "Pod/web-" in views["이벤트"].text
    assert "성공" in views["트래픽"].text


def test_a_button_lets_virtual_time_pass_and_draws_anew(k):
    board = k.dashboard()
    assert board.widget is not None
    assert "web-" not in shown(board, "지도")
    press(board, "+10초")
    assert k.elapsed == pytest.approx(10)
    assert shown(board, "지도").count("Running") == 2
    press(board, "+1분")
    assert k.elapsed == pytest.approx(70)


def test_only_pictures_that_changed_are_sent_again(k):
    board = k.dashboard()
    assert board.widget is not None
    k.sleep(30)
    board.refresh()
    before = board._panel._outputs["지도"].outputs
    board.refresh()
    assert board._panel._outputs["지도"].outputs is before


def test_it_can_be_read_as_words(k):
    board = k.dashboard()
    assert board.widget is not None
    board._panel._words.value = True
    html = board._panel._outputs["지도"].outputs[0]["data"]["text/html"]
    assert "<pre>" in html and "<svg" not in html


def test_the_deployment_to_follow_may_be_named_or_missing(k):
    assert "web: " in k.dashboard().views()["롤아웃"].title
    assert "없다" in k.dashboard("deployment/shop").views()["롤아웃"].text


def test_closing_ends_it_and_the_next_one_closes_the_one_before(k):
    first = k.dashboard()
    assert first.widget is not None
    second = k.dashboard()
    assert first.closed and not second.closed
    still = first._panel._outputs["지도"].outputs
    k.sleep(10)
    first.refresh()
    assert first._panel._outputs["지도"].outputs == still
    assert all(hand.disabled for hand in first._panel._hands)


def test_playing_lets_time_flow_until_it_is_paused(k, monkeypatch):
    import asyncio

    from minik8s.lab import dashboard

    monkeypatch.setattr(dashboard, "TICK", 0.0)
    board = k.dashboard()

    async def play():
        board.play(10.0)
        for _ in range(5):
            await asyncio.sleep(0)
        board.pause()
        return k.place.now()

    monkeypatch.setattr(k.place, "sleep", lambda seconds: k.place.cluster.advance(1.0))
    at = asyncio.run(play())
    assert at > k.started
    assert k.place.now() == at and not board.playing


def test_without_anything_it_says_what_is_not_there():
    views = lab.connect(nodes=1).dashboard().views()
    assert "디플로이먼트가 아직 없다" in views["롤아웃"].text
    assert "k.traffic" in views["트래픽"].text


def test_beside_the_notebook_in_jupyterlab(k):
    pytest.importorskip("sidecar")
    board = k.dashboard(beside=True)
    assert "옆 칸" in board._repr_mimebundle_()["text/plain"]
    assert board._side.title == "대시보드" and shown(board, "지도")
    board.close()
    assert board._side.comm is None


def test_below_the_cell_where_there_is_no_such_column(k, monkeypatch):
    monkeypatch.setitem(sys.modules, "sidecar", None)
    bundle = k.dashboard(beside=True)._repr_mimebundle_()
    assert "text/html" in bundle and "옆 칸" not in bundle["text/plain"]
