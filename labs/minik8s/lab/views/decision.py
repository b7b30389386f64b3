"""스케줄러의 결정표: 노드마다 어느 필터가 막았는지, 살아남은 노드가 플러그인마다 몇 점인지."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from re import sub

from minik8s.lab.views.svg import View
from minik8s.scheduler import explain

CELL = "padding:0.15em 0.6em;text-align:left;vertical-align:top;overflow-wrap:normal;word-break:keep-all"
WIDE = f"{CELL};min-width:14em"
SHORT = 16
"""Longer cells are sentences, which may wrap."""


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], sentences: Sequence[str], chosen: str, title: str
) -> View:
    """An HTML table with the chosen node's row marked, and sentences below; the text form holds the same."""
    head = "".join(f'<th scope="col" style="{CELL}">{_breakable(cell)}</th>' for cell in header)
    body = ""
    for row in rows:
        mark = ' class="m8-chosen" style="font-weight:600"' if row and row[0] == chosen else ""
        first, *rest = row
        cells = "".join(f'<td style="{CELL if len(cell) < SHORT else WIDE}">{escape(cell)}</td>' for cell in rest)
        body += f'<tr{mark}><th scope="row" style="{CELL};white-space:nowrap">{escape(first)}</th>{cells}</tr>'
    said = "".join(f"<li>{escape(one)}</li>" for one in sentences)
    frame = f'tabindex="0" role="group" aria-label="{escape(title, quote=True)}"'
    html = (
        f'<div class="m8-table" style="overflow-x:auto" {frame}>'
        f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        f"<ul>{said}</ul>"
    )
    widths = [max(len(str(row[i])) for row in [header, *rows] if i < len(row)) for i in range(len(header))]
    lines = ["  ".join(str(c).ljust(widths[i]) for i, c in enumerate(row)).rstrip() for row in [header, *rows]]
    return _Table(html, "\n".join([title, *lines, *(f"- {one}" for one in sentences)]), title)


def of_record(record: explain.Record) -> View:
    """The decision table of a scheduler's record (see scheduler/record.py)."""
    plugins = sorted(record["scores"])
    header = ["노드", "결과", *plugins, "합계", "이유"]
    rows = []
    for row in explain.rows(record):
        cells = [f"{cell[3]}" if cell else "-" for cell in (row["scores"].get(name) for name in plugins)]
        reasons = ", ".join(explain.meaning(reason) for reason in row["reasons"])
        total = "-" if row["total"] is None else str(row["total"])
        rows.append([row["node"], row["result"], *cells, total, reasons])
    title = f"{record['pod']}의 스케줄링 결정"
    return table(header, rows, explain.sentences(record), record.get("node") or "", title)


def _breakable(words: str) -> str:
    """A plugin's name may break before its capitals and nowhere else."""
    return sub(r"(?<=[a-z])(?=[A-Z])", "<wbr/>", escape(words))


class _Table(View):
    def _repr_html_(self) -> str:
        return f'<figure class="m8-view">{self.svg}</figure>'
