"""롤아웃 그림: 레플리카셋마다 준비된 파드의 수가 시간에 따라 어떻게 바뀌었나."""

from __future__ import annotations

from collections.abc import Iterable

from minik8s.lab.chronicle import Change
from minik8s.lab.views import chart, svg


def render(changes: Iterable[Change], uid: str, start: float, since: float, until: float, title: str) -> svg.View:
    """Ready pods of every ReplicaSet that the Deployment with `uid` owns, and their sum, from `since` to `until`."""
    points: dict[str, list[tuple[float, float]]] = {}
    ready: dict[str, int] = {}
    total: list[tuple[float, float]] = []
    for change in changes:
        meta = change.object["metadata"]
        if change.resource != "replicasets.apps" or not any(o["uid"] == uid for o in meta.get("ownerReferences") or ()):
            continue
        name, t = meta["name"], change.time - start
        now = (change.object.get("status") or {}).get("readyReplicas", 0) if change.type != "DELETED" else 0
        if ready.get(name) == now:
            continue
        ready[name] = now
        points.setdefault(name, []).append((max(t, since), float(now)))
        total.append((max(t, since), float(sum(ready.values()))))
    if total:
        total.append((max(until, since), total[-1][1]))
    series = [chart.Series(name, _last_at(found), step=True) for name, found in sorted(points.items(), key=_born)]
    series.append(chart.Series("합계", _last_at(total), "currentColor", step=True, dash="5 4"))
    return chart.lines(series, title=title)


def _born(entry: tuple[str, list[tuple[float, float]]]) -> tuple[float, str]:
    return entry[1][0][0], entry[0]


def _last_at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of several values at the same moment only the last."""
    return list(dict(points).items())
