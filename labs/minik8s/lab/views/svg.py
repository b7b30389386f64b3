"""그림의 바탕: SVG 조각을 글자로 만드는 작은 함수들과, 그림 하나(View).

Pure text, so that the same figure comes out in Jupyter, in the built book and in the page.
Text takes the page's colour, fills are mid-tones that carry white text: readable in light and dark.
"""

from __future__ import annotations

from html import escape

OK, WAIT, BAD, DONE, IDLE, GONE = "#2e7d32", "#9a5b00", "#c62828", "#1565c0", "#5b6770", "#6f6a75"
"""Fills: ready, on its way, failed, finished, neutral, leaving. White text on each has contrast of at least 4.5."""


LEAST = 580.0
"""Pixels below which a wide picture scrolls instead of shrinking: letters of 11 stay about 9 high."""


class View:
    """그림 하나. 노트북에서는 SVG로, 글자만 되는 곳에서는 같은 내용의 글로 보인다."""

    def __init__(self, svg: str, text: str, title: str):
        self.svg, self.text, self.title = svg, text, title

    def _repr_html_(self) -> str:
        words = f"<details><summary>글로 보기: {escape(self.title)}</summary><pre>{escape(self.text)}</pre></details>"
        return f'<figure class="m8-view">{scrolling(self.svg, self.title)}{words}</figure>'

    def __repr__(self) -> str:
        return self.text


def scrolling(svg: str, title: str) -> str:
    """A picture in a frame that scrolls sideways, by finger or arrow keys, where the screen is narrower than its text
    can bear."""
    label = escape(title, quote=True)
    return f'<div style="overflow-x:auto" tabindex="0" role="group" aria-label="{label}">{svg}</div>'


class Text(str):
    """노트북에 따옴표 없이 그대로 보이는 글."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def document(width: float, height: float, parts: list[str], title: str) -> str:
    """A whole SVG that shrinks to the width of its column, but not until its letters are too small to read."""
    inner = "".join(parts)
    size = f"width:100%;min-width:{_n(min(width, LEAST))}px;max-width:{_n(width)}px;height:auto"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" role="img" '
        f'aria-label="{escape(title, quote=True)}" style="{size}" '
        f'font-family="inherit" font-size="13" fill="currentColor">{inner}</svg>'
    )


def rect(
    x: float,
    y: float,
    w: float,
    h: float,
    *,
    fill: str = "none",
    stroke: str = "",
    r: float = 4,
    dash: str = "",
    opacity: float = 1,
    tip: str = "",
) -> str:
    """A rounded box; `tip` is shown when pointed at."""
    extra = f' stroke="{stroke}"' if stroke else ""
    extra += f' stroke-dasharray="{dash}"' if dash else ""
    extra += f' opacity="{_n(opacity)}"' if opacity != 1 else ""
    head = f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(w)}" height="{_n(h)}" rx="{_n(r)}" fill="{fill}"{extra}'
    return f"{head}><title>{escape(tip)}</title></rect>" if tip else f"{head}/>"


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: float = 13,
    anchor: str = "start",
    fill: str = "",
    bold: bool = False,
    opacity: float = 1,
) -> str:
    extra = f' fill="{fill}"' if fill else ""
    extra += ' font-weight="600"' if bold else ""
    extra += f' opacity="{_n(opacity)}"' if opacity != 1 else ""
    at = f'x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" text-anchor="{anchor}"'
    return f"<text {at}{extra}>{escape(words)}</text>"


def line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    *,
    stroke: str = "currentColor",
    width: float = 1,
    dash: str = "",
    opacity: float = 1,
    arrow: bool = False,
) -> str:
    extra = f' stroke-dasharray="{dash}"' if dash else ""
    extra += f' opacity="{_n(opacity)}"' if opacity != 1 else ""
    body = (
        f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" stroke="{stroke}" '
        f'stroke-width="{_n(width)}"{extra}/>'
    )
    return body + (_head(x1, y1, x2, y2, stroke, opacity) if arrow else "")


def _head(x1: float, y1: float, x2: float, y2: float, fill: str, opacity: float) -> str:
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 or 1.0
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    base = (x2 - 8 * ux, y2 - 8 * uy)
    points = [(x2, y2), (base[0] - 4 * uy, base[1] + 4 * ux), (base[0] + 4 * uy, base[1] - 4 * ux)]
    return polygon(points, fill=fill, opacity=opacity)


def polygon(points: list[tuple[float, float]], *, fill: str, opacity: float = 1) -> str:
    at = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    extra = f' opacity="{_n(opacity)}"' if opacity != 1 else ""
    return f'<polygon points="{at}" fill="{fill}"{extra}/>'


def path(points: list[tuple[float, float]], *, stroke: str = "currentColor", width: float = 2, dash: str = "") -> str:
    """A line through points."""
    at = " ".join(f"{'L' if i else 'M'}{_n(x)} {_n(y)}" for i, (x, y) in enumerate(points))
    extra = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{at}" fill="none" stroke="{stroke}" stroke-width="{_n(width)}"{extra}/>'


def circle(x: float, y: float, r: float, *, fill: str, tip: str = "") -> str:
    head = f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(r)}" fill="{fill}"'
    return f"{head}><title>{escape(tip)}</title></circle>" if tip else f"{head}/>"


def width_of(words: str, size: float = 13) -> float:
    """About how wide a text is: Hangul counts as one em, Latin as 0.56."""
    return sum(size if ord(c) > 0x2E80 else size * 0.56 for c in words)


def shorten(words: str, width: float, size: float = 13) -> str:
    """`words`, cut in the middle so that it fits into `width`."""
    if width_of(words, size) <= width:
        return words
    keep = max(2, int(width / (size * 0.56)) - 1)
    tail = max(1, keep * 3 // 5)
    return f"{words[: keep - tail]}…{words[-tail:]}"


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
