"""요청의 여정: 요청 하나가 어디를 지나 누구에게 닿았는지, 위에서 아래로 한 칸이 지나간 곳 하나."""

from __future__ import annotations

from minik8s.lab.hops import Hops
from minik8s.lab.views import svg

WIDTH, BOX, LINE, GAP = 640.0, 210.0, 17.0, 22.0


def render(hops: Hops, title: str = "요청의 여정") -> svg.View:
    """Boxes from top to bottom; what was decided beside each, red where the request ended badly."""
    parts, words, y = [], [], 2.0
    for i, hop in enumerate(hops):
        height = max(34.0, 18 + LINE * len(hop.why) + 8)
        last = i == len(hops) - 1
        fill = svg.BAD if not hop.ok else svg.OK if last else svg.DONE if i else svg.IDLE
        parts.append(svg.rect(1, y, BOX, height, fill=fill, tip=hop.place))
        parts.append(svg.text(BOX / 2, y + height / 2 + 4, svg.shorten(hop.place, BOX - 14), anchor="middle",
                              fill="#fff"))
        room = WIDTH - BOX - 16
        parts.append(svg.text(BOX + 14, y + 14, svg.shorten(hop.did, room, 13), bold=True))
        for n, line in enumerate(hop.why):
            parts.append(svg.text(BOX + 14, y + 14 + LINE * (n + 1), svg.shorten(line, room, 12), size=12))
        mark = "✗" if not hop.ok else "●" if last else "↓"
        why = "; ".join(w for w in hop.why if w)
        words.append(f"{mark} {hop.place}: {hop.did}" + (f" ({why})" if why else ""))
        if not last:
            parts.append(svg.line(BOX / 2, y + height, BOX / 2, y + height + GAP - 1, width=1.5, arrow=True))
        y += height + GAP
    return svg.View(svg.document(WIDTH, y - GAP + 2, parts, title), "\n".join(words), title)
