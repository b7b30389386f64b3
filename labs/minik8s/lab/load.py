"""보낸 요청들의 결과: 얼마나 성공했고, 누가 대답했고, 얼마나 걸렸나."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Any

from minik8s.lab.views import chart, svg
from minik8s.network.traffic import Load, Result


class Traffic:
    """`k.traffic(...)`이 돌려주는 것. 노트북에서는 초마다의 성공과 실패를 그린다."""

    def __init__(self, load: Load):
        self._load = load

    @property
    def results(self) -> list[Result]:
        """요청 하나하나: number, time(초), client, pod, status, latency(초), error."""
        return sorted(self._load.results)

    @property
    def lost(self) -> int:
        """제대로 된 대답을 받지 못한 요청의 수."""
        return self._load.lost

    @property
    def done(self) -> bool:
        return self._load.done

    def summary(self) -> dict[str, Any]:
        """요청 수, 성공, 실패(종류마다), 파드마다의 몫, 지연 시간의 백분위(초)."""
        return self._load.summary()

    def share(self) -> dict[str, float]:
        """파드마다 성공한 요청의 비율."""
        pods = self.summary()["pods"]
        total = sum(pods.values()) or 1
        return {name: count / total for name, count in pods.items()}

    def chart(self, title: str = "초마다의 요청") -> svg.View:
        """성공과 실패를 초마다 세어 그린다."""
        good: Counter[int] = Counter()
        bad: Counter[int] = Counter()
        for one in self.results:
            (good if one.ok else bad)[int(one.time)] += 1
        seconds = range(int(max((r.time for r in self.results), default=0)) + 1)
        return chart.lines(
            [
                chart.Series("성공", [(float(s), float(good[s])) for s in seconds], svg.OK),
                chart.Series("실패", [(float(s), float(bad[s])) for s in seconds], svg.BAD),
            ],
            title=title,
        )

    def __repr__(self) -> str:
        s = self.summary()
        errors = ", ".join(f"{kind} {count}" for kind, count in s["errors"].items()) or "없음"
        share = ", ".join(f"{name} {count}" for name, count in s["pods"].items())
        return (
            f"요청 {s['requests']}개 가운데 성공 {s['ok']}, 실패 {s['lost']} (실패: {errors})\n"
            f"지연 시간: 가운데값 {s['p50'] * 1000:.1f}ms, 99번째 백분위 {s['p99'] * 1000:.1f}ms\n"
            f"대답한 파드: {share}"
        )

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>{self.chart()._repr_html_()}"
