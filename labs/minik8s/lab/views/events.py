"""이벤트 표: 가장 새로운 것부터, 무엇에 무슨 일이 있었나."""

from __future__ import annotations

from minik8s.lab.views import decision, svg
from minik8s.objects import Object

MOST = 8


def render(events: list[Object], title: str = "이벤트", most: int = MOST) -> svg.View:
    """The `most` newest events (core/v1), newest first; warnings are marked."""
    newest = sorted(events, key=when, reverse=True)[:most]
    rows = []
    for event in newest:
        about = event.get("involvedObject") or {}
        count = event.get("count") or (event.get("series") or {}).get("count") or 1
        times = f" (×{count})" if count > 1 else ""
        kind = "⚠ 경고" if event.get("type") == "Warning" else "보통"
        subject = f"{about.get('kind', '')}/{about.get('name', '')}"
        rows.append(
            [when(event)[11:19], kind, str(event.get("reason", "")), subject, f"{event.get('message', '')}{times}"]
        )
    said = [] if rows else ["아직 이벤트가 없다."]
    return decision.table(["시각", "종류", "이유", "대상", "메시지"], rows, said, "", title)


def when(event: Object) -> str:
    """The last time it happened, as RFC 3339 text: of the three places the one that is set."""
    last = (event.get("series") or {}).get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return str(last or event["metadata"].get("creationTimestamp") or "")
