"""One self-contained Korean page per student: what was checked, what happened, what to read again. Nothing hidden."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--line:#8886;--good:#1a7f37;--bad:#b42318;--wait:#6f42c1;--soft:#8881}
@media (prefers-color-scheme:dark){:root{--good:#56d364;--bad:#ff9a8d;--wait:#c4a7ff}}
body{font:16px/1.7 "Pretendard","Apple SD Gothic Neo","Malgun Gothic",sans-serif;word-break:keep-all;
overflow-wrap:anywhere;max-width:46rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.05rem;margin:0;flex:1 1 14rem}
.bar{height:.6rem;border-radius:.3rem;background:var(--soft);overflow:hidden;border:1px solid var(--line)}
.bar div{height:100%;background:var(--good)}
section{border:1px solid var(--line);border-left:.3rem solid;border-radius:.3rem;padding:.7rem .9rem;margin:.9rem 0}
section.good{border-left-color:var(--good)}section.bad{border-left-color:var(--bad)}
section.wait{border-left-color:var(--wait)}header{display:flex;flex-wrap:wrap;gap:.2rem .8rem;align-items:baseline}
.mark{font-weight:600}.good .mark{color:var(--good)}.bad .mark,p.bad{color:var(--bad)}.wait .mark{color:var(--wait)}
section p{margin:.4rem 0}details{margin:.4rem 0}summary{cursor:pointer}
ol.story{list-style:none;padding:0;font-size:.9rem}ol.story li{display:flex;gap:.8rem;padding:.1rem 0}
ol.story time{flex:0 0 4.5rem;text-align:right;font-variant-numeric:tabular-nums}
li.fault{font-weight:600;color:var(--bad)}li.warning,li.gap{opacity:.85;font-size:.95em}
blockquote,ol.story span{unicode-bidi:isolate}
blockquote{margin:.4rem 0;padding-left:.8rem;border-left:.2rem solid var(--line);white-space:pre-wrap}
@media print{details{display:none}}
"""


def page(
    result: Mapping[str, Any], name: str, title: str, book: str = "", chapters: Mapping[str, str] | None = None
) -> str:
    """The page of one result.

    book      the book's address; without one, chapters are named without links
    chapters  titles by name of the chapter; a chapter that is not there is called by its name
    """
    read = Reading(book, chapters or {})
    visible = [c for c in result["checks"] if not c["hidden"]]
    hidden = [c for c in result["checks"] if c["hidden"]]
    who = escape(f"{name} ({result['student']})" if name else result["student"])
    sections = "".join(_section(check, read, result.get("texts") or {}) for check in visible)
    problem = f'<p class="bad">{escape(result["problem"])}</p>' if result["problem"] else ""
    share = 100 * result["score"] / result["points"] if result["points"] else 0
    waiting = any(c["got"] is None for c in result["checks"])
    later = " 사람이 채점할 것이 남아 있다." if waiting else ""
    return f"""<!doctype html>
<html lang="ko"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}: {who}</title><style>{_STYLE}</style></head><body><main>
<h1>{escape(title)}</h1>
<p>{who} · <strong>{number(result["score"])} / {number(result["points"])}점</strong>{later}</p>
<div class="bar" role="img" aria-label="만점의 {share:.0f} %"><div style="width:{share:.0f}%"></div></div>{problem}
{sections}
{_hidden(hidden, read)}
<p><small>채점은 제출한 답만으로 새 클러스터에서 다시 한다. 시간은 클러스터의 가상 시간이다.</small></p>
</main></body></html>
"""


class Reading:
    """Where to read again."""

    def __init__(self, book: str, chapters: Mapping[str, str]):
        self._book, self._chapters = book, chapters

    def link(self, chapter: str) -> str:
        """A link into the book, or the chapter's title when it is not known where the book is."""
        title = escape(self._chapters.get(chapter, chapter))
        address = f"{self._book}/book/{chapter}.html"
        return f'<a href="{escape(address)}">{title}</a>' if self._book else title

    def again(self, chapters: list[str]) -> str:
        links = ", ".join(self.link(chapter) for chapter in chapters)
        return f"<p>다시 읽을 곳: {links}</p>" if links else ""


def _section(check: Mapping[str, Any], read: Reading, texts: Mapping[str, str]) -> str:
    waiting = check["got"] is None
    good = not waiting and check["got"] >= check["points"]
    kind, mark = ("wait", "사람이 채점한다") if waiting else ("good", "통과") if good else ("bad", "아직")
    told = escape(check["message"]) or ("바라던 대로 움직였다." if good and not check["manual"] else "")
    own = texts.get(check["id"], "").strip() if check["manual"] else ""
    got = "?" if waiting else number(check["got"])
    return (
        f'<section class="{kind}"><header><h2>{escape(check["title"])}</h2>'
        f'<span class="mark">{mark}</span><span>{got} / {number(check["points"])}점</span></header>'
        + (f"<blockquote>{escape(own)}</blockquote>" if own else "")
        + (f"<p>{told}</p>" if told else "")
        + ("" if good or waiting else read.again([check["read"]] if check["read"] else []))
        + _story(check["story"], opened=not good)
        + "</section>"
    )


def _story(lines: list[list[Any]], opened: bool) -> str:
    if not lines:
        return ""
    items = "".join(
        f'<li class="{escape(str(kind))}"><time>{time:.1f}초</time><span>{escape(str(text))}</span></li>'
        for time, kind, text in lines
    )
    return (
        f"<details{' open' if opened else ''}><summary>클러스터에서 일어난 일</summary>"
        f'<ol class="story">{items}</ol></details>'
    )


def _hidden(checks: list[Mapping[str, Any]], read: Reading) -> str:
    if not checks:
        return ""
    got, points = sum(c["got"] or 0 for c in checks), sum(c["points"] for c in checks)
    chapters = sorted({c["read"] for c in checks if c["read"] and (c["got"] or 0) < c["points"]})
    kind = "good" if got >= points else "bad"
    return (
        f'<section class="{kind}"><header><h2>숨은 검사</h2><span>{number(got)} / {number(points)}점</span></header>'
        f"{read.again(chapters)}</section>"
    )


def number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
