"""One self-contained Korean page per student: what was checked, what happened, what to read again. Nothing hidden."""

from __future__ import annotations

from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--line:#8886;--good:#1a7f37;--bad:#b42318}
body{font:16px/1.7 "Pretendard","Apple SD Gothic Neo","Malgun Gothic",sans-serif;
max-width:48rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid var(--line);padding:.4rem;
text-align:left;vertical-align:top}.good{color:var(--good)}.bad{color:var(--bad)}details{margin:.3rem 0}
ol.story{list-style:none;padding:0;font-size:.9rem}ol.story li{display:flex;gap:.8rem}ol.story time{min-width:5rem;
text-align:right;font-variant-numeric:tabular-nums}li.fault{font-weight:600;color:var(--bad)}li.warning{opacity:.8}
"""


def page(result: dict[str, Any], name: str, title: str, book: str = "") -> str:
    """The page of one result. `book`: the book's address; without one, chapters are named without links."""
    visible = [c for c in result["checks"] if not c["hidden"]]
    hidden = [c for c in result["checks"] if c["hidden"]]
    who = escape(f"{name} ({result['student']})" if name else result["student"])
    rows = "".join(_row(check, book) for check in visible)
    problem = f'<p class="bad">{escape(result["problem"])}</p>' if result["problem"] else ""
    return f"""<!doctype html>
<html lang="ko"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}: {who}</title><style>{_STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>{who} · <strong>{number(result["score"])} / {number(result["points"])}점</strong></p>{problem}
<table><thead><tr><th>확인한 것</th><th>점수</th><th>무슨 일이 있었나</th></tr></thead><tbody>{rows}</tbody></table>
{_hidden(hidden, book)}
<p><small>채점은 제출한 답만으로 새 클러스터에서 다시 한다. 시간은 클러스터의 가상 시간이다.</small></p>
</body></html>
"""


def _row(check: dict[str, Any], book: str) -> str:
    waiting = check["got"] is None
    good = not waiting and check["got"] >= check["points"]
    mark = "사람이 채점한다" if waiting else "통과" if good else "아직"
    told = escape(check["message"]) or ("" if waiting else "바라던 대로 움직였다." if good else "")
    again = "" if good or not check["read"] else f"<p>다시 읽을 곳: {link(check['read'], book)}</p>"
    got = "?" if waiting else number(check["got"])
    return (
        f'<tr><td>{escape(check["title"])}<br><span class="{"good" if good else "bad"}">{mark}</span></td>'
        f"<td>{got} / {number(check['points'])}</td><td>{told}{again}{_story(check['story'])}</td></tr>"
    )


def _story(lines: list[list[Any]]) -> str:
    if not lines:
        return ""
    items = "".join(
        f'<li class="{escape(str(kind))}"><time>{time:.1f}초</time><span>{escape(str(text))}</span></li>'
        for time, kind, text in lines
    )
    return f'<details><summary>시간표</summary><ol class="story">{items}</ol></details>'


def _hidden(checks: list[dict[str, Any]], book: str) -> str:
    if not checks:
        return ""
    got, points = sum(c["got"] or 0 for c in checks), sum(c["points"] for c in checks)
    chapters = sorted({c["read"] for c in checks if c["read"] and (c["got"] or 0) < c["points"]})
    again = f" 다시 읽을 곳: {', '.join(link(c, book) for c in chapters)}" if chapters else ""
    return f"<p>숨은 검사: {number(got)} / {number(points)}점.{again}</p>"


def link(chapter: str, book: str) -> str:
    """A link into the book, or the chapter's name when it is not known where the book is."""
    text = escape(chapter)
    return f'<a href="{escape(book)}/book/{text}.html">{text}</a>' if book else text


def number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
