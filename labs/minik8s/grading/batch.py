"""Grades a folder of submissions: in parallel, each apart, the same bytes every time, resumable after a kill.

A result is one JSON file, written whole. It names the digest of everything it depends on; a run skips what is done.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from minik8s.grading import notebook
from minik8s.grading.assignment import Assignment, Check
from minik8s.grading.collect import ENDINGS, opened
from minik8s.grading.course import Course, CourseError, decode, write
from minik8s.grading.variants import plain, shown
from minik8s.grading.walls import PACKAGE

VERSION = 1
WALL_SECONDS = 240.0
"""For one submission, on a loaded machine; CPU limits end what runs away long before."""
MAX_FENCES = 2
MAX_TEXT = 20_000
"""Characters of a free-text answer that a person is shown."""
FENCED = "채점이 한도(시간이나 메모리)를 넘어 멈추었다."


def grade(
    course: Course,
    assignment: Assignment,
    *,
    jobs: int = 0,
    safe: bool = True,
    again: bool = False,
    part: tuple[int, int] = (0, 1),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, int]:
    """Grade everything in submitted/NAME. Says {"graded", "kept", "failed"}; failed ones are graded at the next run."""
    base = course.root / "submitted" / assignment.name
    known = {s.id for s in course.roster}
    folders = base.iterdir() if base.is_dir() else ()
    # On some file systems two folders may have what is one name (NFC and NFD): one of them counts, always the same.
    mine = {plain(path.name): path for path in sorted(folders, key=lambda path: (path.name in known, path.name))
            if plain(path.name) in known and not path.is_symlink()}
    todo = [mine[who] for who in sorted(mine) if _share(who, part[1]) == part[0]]
    stamp = digest(assignment)
    counts = {"graded": 0, "kept": 0, "failed": 0}

    def one(folder: Path) -> str:
        student = plain(folder.name)
        target = course.root / "graded" / assignment.name / f"{student}.json"
        data = submission(folder)
        mark = hashlib.sha256(b"\0".join([stamp.encode(), course.secret, student.encode(), data])).hexdigest()
        if not again and _mark(target) == mark:
            return "kept"
        result = judge(assignment, course.secret, student, data, safe=safe) | {"digest": mark}
        write(target, json.dumps(result, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        return "graded"

    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        begun = {pool.submit(one, folder): plain(folder.name) for folder in todo}
        for number, future in enumerate(as_completed(begun), 1):
            try:
                counts[future.result()] += 1
            except Exception as problem:  # one submission must never stop the others
                counts["failed"] += 1
                print(f"minik8s: {begun[future]}의 답을 채점하지 못했다: {shown(str(problem))[:300]}", file=sys.stderr)
            progress(number, len(todo))
    return counts


def shard(text: str) -> tuple[int, int]:
    """`3/16` as (3, 16). CourseError."""
    number, _, many = text.partition("/")
    if not (number.isdigit() and many.isdigit() and int(number) < int(many)):
        raise CourseError(f"--shard {text}: `0/4`처럼 몇째/몇몫으로 적자(0부터 센다).")
    return int(number), int(many)


def _share(student: str, many: int) -> int:
    return int.from_bytes(hashlib.sha256(student.encode()).digest()[:8], "big") % many


def judge(assignment: Assignment, secret: bytes, student: str, data: bytes, *, safe: bool = True) -> dict[str, Any]:
    """The result of one submission, in a process of its own. Never raises for anything in `data`."""
    values, problem = assignment.variant(secret, student), ""
    try:
        answers = read(data, list(assignment.answers))
    except notebook.BadNotebook as error:
        answers, problem = {}, str(error)
    salt = hmac.new(secret, f"salt\0{assignment.name}\0{student}".encode(), hashlib.sha256).hexdigest()
    outcomes = _in_processes(assignment, answers, values, safe, salt) if any(answers.values()) else {}
    rows = [_row(check, outcomes.get(check.id), problem) for check in assignment.checks]
    texts = {name: _cut(answers.get(name, "")) for name, kind in assignment.answers.items() if kind == "text"}
    return {
        "version": VERSION,
        "assignment": assignment.name,
        "student": student,
        "values": values,
        "problem": problem,
        "checks": rows,
        "texts": texts,
        "answers": {
            name: hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() for name, text in sorted(answers.items())
        },
        "score": sum(row["got"] or 0 for row in rows),
        "points": assignment.points,
    }


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}\n… (뒤의 {len(text) - MAX_TEXT:,}글자를 줄였다)"


def _row(check: Check, outcome: Mapping[str, Any] | None, problem: str) -> dict[str, Any]:
    passed = bool(outcome and outcome["passed"])
    return {
        "id": check.id,
        "title": check.title,
        "points": check.points,
        "hidden": check.hidden,
        "manual": check.manual,
        "read": check.read,
        "got": None if check.manual else (check.points if passed else 0),
        "message": outcome["message"] if outcome else ("" if check.manual else problem or "답이 없다."),
        "story": outcome["story"] if outcome else [],
    }


def _in_processes(
    assignment: Assignment, answers: dict[str, str], values: dict[str, Any], safe: bool, salt: str
) -> dict[str, Any]:
    """Outcomes by check id; a check that takes its process along fails, the rest goes on in another."""
    left = [check.id for check in assignment.checks if not check.manual]
    out: dict[str, Any] = {}
    fences = 0
    while left:
        task = {"folder": str(assignment.folder), "answers": answers, "values": values, "salt": salt, "safe": safe,
                "checks": left}
        begun = ""
        for line in _run(task):
            if "begin" in line:
                begun = line["begin"]
            else:
                out[line["id"]] = line
        stuck = begun if begun and begun not in out else (left[0] if not any(c in out for c in left) else "")
        if stuck:
            fences += 1
            # One check may be unlucky; an answer that takes every process along must not hold the class up.
            for name in left if fences >= MAX_FENCES else [stuck]:
                out.setdefault(name, {"id": name, "passed": False, "message": FENCED, "story": []})
        left = [name for name in left if name not in out]
    return out


def _run(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of one judging process, complete ones only."""
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "PYTHONPATH": str(PACKAGE.parent)}
    process = subprocess.Popen(
        [sys.executable, "-B", "-m", "minik8s.grading.judge"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
    )
    try:
        out, _ = process.communicate(json.dumps(task).encode(), timeout=WALL_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
    return [json.loads(line) for line in out.decode("utf-8", "replace").split("\n")[:-1]]


def read(data: bytes, names: list[str]) -> dict[str, str]:
    """The answers in a submitted file: a notebook, a MyST text, or what the page exported. BadNotebook."""
    if len(data) > notebook.MAX_BYTES:
        raise notebook.BadNotebook("파일이 너무 크다. 출력을 지우고 다시 내자.")
    text = decode(data)
    if not text.lstrip().startswith("{"):
        try:
            return notebook.answers(notebook.from_myst(text), names)
        except Exception:
            raise notebook.BadNotebook("노트북 파일을 읽을 수 없다.") from None
    try:
        exported = json.loads(text)
    except (ValueError, RecursionError):
        raise notebook.BadNotebook("노트북 파일이 깨졌다. 주피터에서 열리는지 확인하고 다시 내자.") from None
    found = exported.get("answers")
    if "cells" not in exported and isinstance(found, dict):
        return {name: found[name] for name in names if isinstance(found.get(name), str)}
    return notebook.answers(notebook.from_ipynb(text), names)


def submission(folder: Path) -> bytes:
    """The submitted file's bytes; empty when there is none that may be read."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix.lower() in ENDINGS:
            try:
                with opened(path) as file:
                    return file.read(notebook.MAX_BYTES + 1)
            except OSError:
                continue
    return b""


def digest(assignment: Assignment) -> str:
    """Changes when anything that decides about points changes."""
    total = hashlib.sha256(f"{VERSION}\0{assignment.name}".encode())
    for name in ("assignment.md", "rubric.yaml", "variant.yaml", "checks.py"):
        total.update((assignment.folder / name).read_bytes())
    return total.hexdigest()


def results(course: Course, assignment: Assignment) -> dict[str, dict[str, Any]]:
    """All results by student id, with a person's points (manual/NAME.csv: student,check,points,comment) merged in."""
    folder = course.root / "graded" / assignment.name
    out = {}
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        out[plain(path.stem)] = json.loads(path.read_text(encoding="utf-8"))
    by_hand = course.root / "manual" / f"{assignment.name}.csv"
    if by_hand.exists():
        for number, row in enumerate(csv.DictReader(io.StringIO(decode(by_hand.read_bytes()))), 2):
            try:
                _merge(out.get(plain(row.get("student") or "")), row)
            except ValueError:
                raise CourseError(f"manual/{by_hand.name}의 {number}번째 줄: 점수를 읽을 수 없다.") from None
    return out


def _merge(result: dict[str, Any] | None, row: Mapping[str, str]) -> None:
    for check in result["checks"] if result else ():
        if check["id"] == row.get("check") and check["manual"] and (row.get("points") or "").strip():
            points = float(row["points"])
            if points != points:
                raise ValueError("nan")
            check["got"] = max(0.0, min(float(check["points"]), points))
            check["message"] = row.get("comment") or ""
    if result:
        result["score"] = sum(check["got"] or 0 for check in result["checks"])


def _mark(target: Path) -> str:
    try:
        return str(json.loads(target.read_text(encoding="utf-8")).get("digest", ""))
    except (OSError, ValueError):
        return ""
