"""요청의 여정: 요청 하나가 어디를 지나 누구에게 닿았는지, 위에서 아래로 한 칸이 지나간 곳 하나."""

from __future__ import annotations

from minik8s.lab.hops import Hops
from minik8s.lab.views import svg

WIDTH, LABEL, LINE, GAP, INDENT = 460.0, 26.0, 18.0, 12.0, 26.0


def render(hops: Hops, title: str = "요청의 여정") -> svg.View:
    """A column of labels, narrow enough for a phone; under each what was decided, red where the request ended badly."""
    parts, words, y = [], [], 2.0
    for i, hop in enumerate(hops):
        last = i == len(hops) - 1
        fill = svg.BAD if not hop.ok else svg.OK if last else svg.DONE if i else svg.IDLE
        place = svg.shorten(hop.place, WIDTH - 24)
        parts.append(svg.rect(1, y, svg.width_of(place) + 24, LABEL, fill=fill, tip=hop.place))
        parts.append(svg.text(13, y + 18, place, fill="#fff", bold=True))
        below = y + LABEL
        y = below + 2
        for size, line in ((13, hop.did), *((12, why) for why in hop.why if why)):
            y += LINE
            parts.append(svg.text(INDENT, y - 3, svg.shorten(line, WIDTH - INDENT, size), size=size))
        y += GAP
        if not last:
            parts.append(svg.line(12, below + 1, 12, y - 1, width=1.5, arrow=True))
        mark = "✗" if not hop.ok else "●" if last else "↓"
        why = "; ".join(w for w in hop.why if w)
        words.append(f"{mark} {hop.place}: {hop.did}" + (f" ({why})" if why else ""))
    return svg.View(svg.document(WIDTH, y - GAP + 4, parts, title), "\n".join(words), title)
