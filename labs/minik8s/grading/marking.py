"""`minik8s class mark`: a page on this machine where a person reads free-text answers and gives points.

Loopback only, behind a token in the address. Every mark goes to manual/NAME.csv at once, written whole.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
import secrets
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from minik8s.grading.assignment import Assignment
from minik8s.grading.batch import results
from minik8s.grading.course import Course, decode, write
from minik8s.grading.variants import plain

FIELDS = ("student", "check", "points", "comment")
MAX_BODY = 100_000


def waiting(course: Course, assignment: Assignment) -> list[dict[str, Any]]:
    """What there is to mark: {student, name, check, title, guide, points, got, comment, texts}, by student."""
    names = {student.id: student.name for student in course.roster}
    guides = {row["id"]: row.get("guide", "") for row in assignment.rubric["checks"]}
    return [
        {"student": student, "name": names.get(student, ""), "check": row["id"], "title": row["title"],
         "guide": guides.get(row["id"], ""), "points": row["points"], "got": row["got"],
         "comment": row["message"] if row["got"] is not None else "", "texts": result["texts"]}
        for student, result in results(course, assignment).items() for row in result["checks"] if row["manual"]
    ]


def save(course: Course, assignment: Assignment, student: str, check: str, points: float, comment: str) -> None:
    """Put one mark into manual/NAME.csv, in place of an earlier one. ValueError for one that cannot be."""
    known = {one.id: one.points for one in assignment.checks if one.manual}
    if check not in known or student not in {one.id for one in course.roster}:
        raise ValueError("그런 학생이나 문항이 없다.")
    if not 0 <= points <= known[check]:
        raise ValueError(f"점수는 0에서 {known[check]:g} 사이다.")
    path = course.root / "manual" / f"{assignment.name}.csv"
    rows = list(csv.DictReader(io.StringIO(decode(path.read_bytes())))) if path.exists() else []
    kept = [row for row in rows if (plain(row.get("student") or ""), row.get("check")) != (student, check)]
    kept.append({"student": student, "check": check, "points": f"{points:g}", "comment": comment})
    kept.sort(key=lambda row: (row.get("student") or "", row.get("check") or ""))
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(kept)
    write(path, out.getvalue(), "utf-8-sig")


def order(rows: list[dict[str, Any]], secret: bytes, anonymous: bool) -> Iterator[dict[str, Any]]:
    """Rows as the page shows them; `anonymous` in an order that tells nothing, without names."""
    if not anonymous:
        yield from rows
        return

    def place(row: dict[str, Any]) -> bytes:
        return hmac.new(secret, row["student"].encode(), hashlib.sha256).digest()

    for number, row in enumerate(sorted(rows, key=place), 1):
        yield {**row, "student": place(row).hex()[:16], "name": f"답 {number}"}


class Desk(ThreadingHTTPServer):
    """The server; `address` is what to open."""

    def __init__(self, course: Course, assignment: Assignment, port: int = 0, anonymous: bool = False):
        super().__init__(("127.0.0.1", port), _Handler)
        self.course, self.assignment, self.anonymous = course, assignment, anonymous
        self.token, self.lock = secrets.token_urlsafe(24), Lock()
        self.address = f"http://127.0.0.1:{self.server_port}/?token={self.token}"

    def rows(self) -> list[dict[str, Any]]:
        return list(order(waiting(self.course, self.assignment), self.course.secret, self.anonymous))

    def take(self, mark: dict[str, Any]) -> None:
        """Save one mark that the page sent. ValueError."""
        real, shown = waiting(self.course, self.assignment), self.rows()
        if self.anonymous:
            real.sort(key=lambda r: hmac.new(self.course.secret, r["student"].encode(), hashlib.sha256).digest())
        who = {row["student"]: other["student"] for row, other in zip(shown, real, strict=True)}
        try:
            student, points = who[str(mark["student"])], float(mark["points"])
            check, comment = str(mark["check"]), str(mark.get("comment") or "")[:5000]
        except (KeyError, TypeError, ValueError):
            raise ValueError("점수를 읽을 수 없다.") from None
        with self.lock:
            save(self.course, self.assignment, student, check, points, comment)


class _Handler(BaseHTTPRequestHandler):
    server: Desk

    def log_message(self, *words: Any) -> None:
        return

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        if not self._known(parse_qs(path.query).get("token", [""])[0]):
            self._say(403, "text/plain", "주소에 든 표(token)가 맞지 않는다.")
        elif path.path == "/rows":
            self._say(200, "application/json", json.dumps(self.server.rows()))
        elif path.path == "/":
            self._say(200, "text/html", _PAGE.replace("{{title}}", self.server.assignment.title.replace("<", "&lt;")))
        else:
            self._say(404, "text/plain", "없다.")

    def do_POST(self) -> None:
        size = self.headers.get("content-length", "")
        if not self._known(self.headers.get("x-token", "")):
            self._say(403, "text/plain", "표(token)가 맞지 않는다.")
        elif not size.isdigit() or int(size) > MAX_BODY:
            self._say(413, "text/plain", "너무 길다.")
        else:
            try:
                mark = json.loads(self.rfile.read(int(size)))
                self.server.take(mark if isinstance(mark, dict) else {})
                self._say(200, "application/json", "{}")
            except (ValueError, RecursionError) as why:
                self._say(400, "text/plain", str(why))

    def _known(self, token: str) -> bool:
        host = (self.headers.get("host") or "").rpartition(":")[0]
        return host in ("127.0.0.1", "localhost") and hmac.compare_digest(token.encode(), self.server.token.encode())

    def _say(self, status: int, kind: str, text: str) -> None:
        data = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("content-type", f"{kind}; charset=utf-8")
        self.send_header("content-length", str(len(data)))
        self.send_header("cache-control", "no-store")
        self.send_header("referrer-policy", "no-referrer")
        self.send_header("content-security-policy", "default-src 'none'; script-src 'unsafe-inline'; "
                         "style-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'")
        self.end_headers()
        self.wfile.write(data)


_PAGE = """<!doctype html><html lang="ko"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{{title}}: 사람이 채점</title><style>
:root{color-scheme:light dark}body{font:16px/1.7 "Pretendard","Apple SD Gothic Neo","Malgun Gothic",sans-serif;
max-width:46rem;margin:0 auto;padding:1rem}h1{font-size:1.3rem;margin:.2rem 0}pre{white-space:pre-wrap;overflow-wrap:
anywhere;border:1px solid #8888;border-radius:.4rem;padding:.8rem;font:inherit;min-height:6rem}label{display:block;
margin:.6rem 0}input,textarea,button{font:inherit;padding:.4rem .7rem}textarea{width:100%;box-sizing:border-box}
nav{display:flex;gap:.5rem;flex-wrap:wrap;align-items:center}small{opacity:.8}
</style></head><body><h1>{{title}}</h1><nav><button id="back">← 앞</button><button id="next">다음 →</button>
<span id="where" aria-live="polite"></span></nav><h2 id="who"></h2><p id="guide"></p><div id="texts"></div>
<form><label>점수 <input id="points" type="number" step="any" min="0" required> <span id="most"></span></label>
<label>학생에게 하는 말<textarea id="comment" rows="3"></textarea></label><button>저장하고 다음</button>
<span id="said" role="status"></span></form>
<p><small>Alt+← 앞, Alt+→ 다음, Ctrl+Enter 저장하고 다음</small></p><script>
const $=n=>document.getElementById(n),token=new URLSearchParams(location.search).get("token");let rows=[],at=0;
function show(){const r=rows[at];if(!r){$("where").textContent="채점할 글이 없다.";return}
$("where").textContent=`${at+1} / ${rows.length}, 남은 것 ${rows.filter(x=>x.got===null).length}`;
$("who").textContent=`${r.name} ${r.name.startsWith("답 ")?"":r.student} · ${r.title}`;$("guide").textContent=r.guide;
$("texts").replaceChildren(...Object.values(r.texts).map(t=>{const p=document.createElement("pre");p.textContent=t;
return p}));$("points").value=r.got??"";$("points").max=r.points;$("most").textContent=`/ ${r.points}`;
$("comment").value=r.comment;$("points").focus()}
function go(by){at=Math.max(0,Math.min(rows.length-1,at+by));$("said").textContent="";show()}
async function keep(){const r=rows[at];if(!r||!document.querySelector("form").reportValidity())return;
const mark={student:r.student,check:r.check,points:$("points").value,comment:$("comment").value};
const a=await fetch("/",{method:"POST",headers:{"x-token":token},body:JSON.stringify(mark)}).catch(()=>null);
if(!a||!a.ok){$("said").textContent="저장하지 못했다: "+(a?await a.text():"서버가 닫혔다.");return}
r.got=Number(mark.points);r.comment=mark.comment;go(1);$("said").textContent="저장했다."}
$("back").onclick=()=>go(-1);$("next").onclick=()=>go(1);
document.querySelector("form").onsubmit=e=>{e.preventDefault();keep()};
addEventListener("keydown",e=>{if(e.altKey&&e.key=="ArrowLeft"){e.preventDefault();go(-1)}
if(e.altKey&&e.key=="ArrowRight"){e.preventDefault();go(1)}if(e.ctrlKey&&e.key=="Enter"){e.preventDefault();keep()}});
fetch("/rows?token="+encodeURIComponent(token)).then(a=>a.json()).then(r=>{rows=r;
at=Math.max(0,r.findIndex(x=>x.got===null));show()});
</script></body></html>"""
