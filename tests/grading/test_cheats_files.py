# ruff: noqa: E501
"""Files and archives that mean harm while they are taken in, read and compared: each costs only its own author."""

import json
import os
import random
import stat
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest

from grading.conftest import hand_in
from minik8s.grading import batch, collect, export, feedback, notebook, report, similar
from minik8s.grading.assignment import find
from minik8s.grading.course import Course, CourseError, Student
from minik8s.grading.variants import plain, shown

NAME = "01-first-manifest"
GOOD = b'{"answers": {"pod": "a: 1"}}'
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX의 특별한 파일")


def taken(course: Course) -> dict[str, bytes]:
    base = course.root / "submitted" / NAME
    return {p.parent.name: p.read_bytes() for p in sorted(base.rglob("*")) if p.is_file()}


def pack(path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as up:
        for name, data in members.items():
            up.writestr(name, data)
    return path


def damage(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


# ---- archives -------------------------------------------------------------------------------------

def _broken_stream(path: Path) -> None:
    words = random.Random(1).randbytes(2000).hex().encode()
    pack(path, {"2026001.ipynb": words})
    stream = zlib.compress(words)[2:-4]
    damage(path, stream[50:80], b"\xff" * 30)


def _encrypted(path: Path) -> None:
    pack(path, {"2026001.ipynb": b"{}"})
    raw = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.find(signature) + at] |= 1
    path.write_bytes(raw)


def _unknown_method(path: Path) -> None:
    pack(path, {"2026001.ipynb": b"{}"})
    raw = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        raw[raw.find(signature) + at] = 97
    path.write_bytes(raw)


def _wrong_size(path: Path) -> None:
    pack(path, {"2026001.ipynb": b"x" * 1000})
    raw = bytearray(path.read_bytes())
    at = raw.find(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<I", 10)
    path.write_bytes(raw)


def _special(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as up:
        for number, kind in enumerate((stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK)):
            member = zipfile.ZipInfo(f"{number}/2026001.ipynb")
            member.external_attr = (kind | 0o777) << 16
            up.writestr(member, "/etc/passwd")


ARCHIVES = {
    "a stream that is none": _broken_stream,
    "a password": _encrypted,
    "a method that nobody knows": _unknown_method,
    "a decoder that asks for memory": lambda path: pack(path, {"2026001.ipynb": b"{}"}, zipfile.ZIP_LZMA),
    "a size that is a lie": _wrong_size,
    "links, pipes and devices": _special,
    "a zip in a zip": lambda path: pack(path, {"2026001.zip": pack(path.with_name("in.zip"), {"2026001.ipynb": b"{}"}).read_bytes()}),
    "a path that is too long": lambda path: pack(path, {"2026001/" + "a/" * 1000 + "x.ipynb": b"{}"}),
    "nothing but a directory": lambda path: path.write_bytes(b"PK\x05\x06" + b"\xff" * 18),
    "half of it": lambda path: path.write_bytes(pack(path, {"2026001.ipynb": b"x" * 999}).read_bytes()[:-30]),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_an_archive_that_means_harm_costs_only_itself(course: Course, tmp_path: Path, what: str) -> None:
    up = tmp_path / "up"
    up.mkdir()
    ARCHIVES[what](up / "2026001.zip")
    (up / "in.zip").unlink(missing_ok=True)
    (up / "2026002.ipynb").write_bytes(GOOD)
    report = collect.collect(course, NAME, up)
    assert taken(course) == {"2026002": GOOD} and report.left


def test_one_bad_file_of_a_class_archive_does_not_stop_the_others(course: Course, tmp_path: Path) -> None:
    path = tmp_path / "class.zip"
    _broken_stream(path)
    with zipfile.ZipFile(path, "a") as up:
        up.writestr("2026002.ipynb", GOOD)
    found = collect.collect(course, NAME, path)
    assert taken(course) == {"2026002": GOOD} and found.left == ["class.zip/2026001.ipynb: 압축이 깨져 있다."]


def test_a_directory_of_too_many_entries_is_not_even_read(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "many.zip", {f"{n}/2026001.ipynb": b"" for n in range(200)})
    monkeypatch.setattr(collect, "MAX_FILES", 10)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("read"))
    assert collect.collect(course, NAME, path).left == ["many.zip: 압축을 풀면 너무 크다."]
    for size in (22, 98):  # the directory's size in the last record, and in that of large archives
        with path.open("rb") as file:
            assert collect._directory(file) == 200 * 46 + sum(len(f"{n}/2026001.ipynb") for n in range(200)), size


def test_large_archives_say_their_directorys_size_elsewhere(tmp_path: Path) -> None:
    large = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1 << 40, 1 << 40, 7_777_777, 0)
    there = b"PK\x06\x07" + struct.pack("<IQI", 0, 0, 1)
    (tmp_path / "x.zip").write_bytes(large + there + b"PK\x05\x06" + b"\xff" * 16 + b"\0\0")
    with (tmp_path / "x.zip").open("rb") as file:
        assert collect._directory(file) == 7_777_777


def test_what_is_said_of_an_archive_is_short_and_moves_no_cursor(course: Course, tmp_path: Path) -> None:
    path = pack(tmp_path / "up.zip", {f"{n}\x1b[2J\n\u202e.exe": b"" for n in range(100)})
    left = collect.collect(course, NAME, path).left
    assert len(left) == collect.MAX_LINES + 1 and left[-1] == "up.zip: 그 밖에 80개도 받지 않았다."
    assert not any(ch in line for line in left for ch in "\x1b\n\u202e")


def test_a_class_is_taken_in_one_file_at_a_time(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "up.zip", {f"{n}/2026001.ipynb": b"{}" for n in range(20)})
    order = []
    put = collect._put
    monkeypatch.setattr(collect, "_put", lambda *words: (order.append("put"), put(*words)))
    read = zipfile.ZipFile.open
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *words: (order.append("read"), read(*words))[1])
    collect.collect(course, NAME, path)
    assert order == ["read", "put"] * 20


NAMES = ["C:\\2026001.ipynb", "\\\\host\\2026001.ipynb", "..\\2026001.ipynb", "a/../../2026001.ipynb", "/2026001.ipynb"]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_leads_out_of_the_folder(course: Course, tmp_path: Path, name: str) -> None:
    collect.collect(course, NAME, pack(tmp_path / "up.zip", {name: b"{}"}))
    assert taken(course) == {}


@pytest.mark.parametrize("name", ["2026001/CON.ipynb", "2026001/NUL.ipynb", "2026001/x.ipynb. ", "2026001/" + "a" * 300 + ".ipynb",
                                  "2026001/a\nb\x07\u202e.ipynb", "2026001/aux.md", "2026001/%2e%2e.json", "2026001/-rf.ipynb"])
def test_a_files_own_name_never_reaches_the_disk(course: Course, tmp_path: Path, name: str) -> None:
    collect.collect(course, NAME, pack(tmp_path / "up.zip", {name: b"{}"}))
    made = [p.name for p in (course.root / "submitted").rglob("*") if p.is_file()]
    assert set(made) <= {"submission.ipynb", "submission.md", "submission.json"}


# ---- special files --------------------------------------------------------------------------------

@posix
def test_special_files_are_left_and_the_others_taken(course: Course, tmp_path: Path) -> None:
    up = tmp_path / "up"
    up.mkdir()
    (course.root / "submitted" / NAME / "2026002").mkdir(parents=True)
    os.mkfifo(up / "2026001.ipynb")
    (up / "2026001.json").symlink_to(course.root / "secret.key")
    os.link(course.root / "secret.key", up / "2026001.md")
    (up / "2026001.zip").symlink_to("/dev/zero")
    (up / "loop").symlink_to(up)
    (up / "2026003").mkdir()
    (up / "2026003" / "x.ipynb").mkdir()
    (up / "2026002.ipynb").write_bytes(GOOD)
    found = collect.collect(course, NAME, up)
    assert taken(course) == {"2026002": GOOD} and len(found.left) == 5


@posix
def test_what_cannot_be_read_or_has_gone_is_told(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    up = tmp_path / "up"
    up.mkdir()
    for who in ("2026001", "2026002", "2026003"):
        (up / f"{who}.ipynb").write_bytes(GOOD)
    real = os.open

    def refuse(path: Path, *rest: int) -> int:
        if "2026001" in str(path):
            raise PermissionError(13, "Permission denied")
        if "2026003" in str(path):
            raise FileNotFoundError(2, "gone")
        return real(path, *rest)

    monkeypatch.setattr(os, "open", refuse)
    found = collect.collect(course, NAME, up)
    assert found.left == ["2026001.ipynb: 읽을 수 없다.", "2026003.ipynb: 읽을 수 없다."] and set(found.taken) == {"2026002"}


@posix
@pytest.mark.parametrize("what", ["link", "file", "tree", "link inside"])
def test_nothing_outside_is_emptied_by_what_stands_in_a_submissions_place(course: Course, tmp_path: Path, what: str) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years")
    place = course.root / "submitted" / NAME / "2026001"
    place.parent.mkdir(parents=True)
    if what == "link":
        place.symlink_to(precious)
    elif what == "file":
        place.write_text("x")
    else:
        (place / "deep" / "er").mkdir(parents=True)
        if what == "link inside":
            (place / "deep" / "out").symlink_to(precious)
            (place / "submission.ipynb").symlink_to(precious / "thesis.txt")
    (tmp_path / "2026001.ipynb").write_bytes(GOOD)
    collect.collect(course, NAME, tmp_path / "2026001.ipynb")
    assert taken(course) == {"2026001": GOOD} and (precious / "thesis.txt").read_text() == "years"
    assert [p.name for p in place.iterdir()] == ["submission.ipynb"] and not place.is_symlink()


# ---- whose it is --------------------------------------------------------------------------------------

ROSTER = [Student("2026001", "김철수"), Student("2026002", "이영희"), Student("2026002-A", "박민"), Student("7", "이수")]


@pytest.mark.parametrize(("name", "whose"), [
    ("김철수_431_assignsubmission_file_/2026002.ipynb", None),
    ("김철수_431_file/2026002_이영희.ipynb", None),
    ("2026001.zip/2026002.ipynb", None),
    ("2026001_2026002-A.ipynb", None),
    ("이영희_2026002.ipynb", "2026002"),
    ("2026002-A/답.ipynb", "2026002-A"),
    ("2026001/이수정본.ipynb", "2026001"),
    ("2026001 김 철수.ipynb", "2026001"),
    (unicodedata.normalize("NFD", "김철수/2026001.ipynb"), "2026001"),
])
def test_nobody_hands_in_for_another(name: str, whose: str | None) -> None:
    found = collect.owner(name, ROSTER)
    assert (found.id if found else None) == whose


def test_a_file_of_two_names_replaces_neithers(course: Course, tmp_path: Path) -> None:
    path = pack(tmp_path / "class.zip", {"이영희_9_file_/2026002.ipynb": GOOD, "김철수_8_file_/2026002.ipynb": b"{}"})
    found = collect.collect(course, NAME, path)
    assert taken(course) == {"2026002": GOOD} and "2026001, 2026002" in found.left[0]


@pytest.mark.parametrize("rows", ["abc,a\nABC,b\n", "CON,a\n", "nul.1,a\n", "x.,a\n", "../x,a\n", ".x,a\n", "a" * 101 + ",a\n", "a\x07,b\n",
                                  f"가,a\n{unicodedata.normalize('NFD', '가')},b\n"])
def test_an_id_that_is_no_files_name_everywhere_is_refused(course: Course, rows: str) -> None:
    (course.root / "roster.csv").write_text("id,name\n" + rows, encoding="utf-8")
    with pytest.raises(CourseError):
        assert Course(course.root).roster


# ---- what is in a file --------------------------------------------------------------------------------

def _cell(**more: object) -> dict[str, object]:
    return {"cell_type": "code", "metadata": {}, "source": "%%answer pod yaml\na: 1", **more}


READ = {
    "UTF-16": (json.dumps({"cells": [_cell()]}).encode("utf-16"), {"pod": "a: 1"}),
    "a mark at the beginning": (b"\xef\xbb\xbf" + GOOD, {"pod": "a: 1"}),
    "source as a list": (json.dumps({"cells": [_cell(source=["%%answer pod yaml\n", "a: 1"])]}).encode(), {"pod": "a: 1"}),
    "no source": (json.dumps({"cells": [{"cell_type": "code"}, _cell()]}).encode(), {"pod": "a: 1"}),
    "another format": (json.dumps({"nbformat": 3, "worksheets": [{"cells": [_cell()]}]}).encode(), None),
    "a format to come": (json.dumps({"nbformat": 99, "cells": [_cell()]}).encode(), {"pod": "a: 1"}),
    "keys twice": (b'{"answers": {"pod": "b: 2"}, "answers": {"pod": "a: 1"}}', {"pod": "a: 1"}),
    "numbers that are none": (b'{"answers": {"pod": "a: 1"}, "x": [NaN, Infinity, 1e999]}', {"pod": "a: 1"}),
    "a number without end": (b'{"answers": {"pod": "a: 1"}, "x": ' + b"9" * 100_000 + b"}", None),
    "metadata of another kind": (json.dumps({"cells": [_cell(metadata=[1])]}).encode(), None),
    "metadata within, of another kind": (json.dumps({"cells": [_cell(metadata={"nbgrader": "x"})]}).encode(), None),
    "a source of another kind": (json.dumps({"cells": [_cell(source=7)]}).encode(), None),
    "many cells": (json.dumps({"cells": [{"source": ""}] * 100_000 + [_cell()]}).encode(), {"pod": "a: 1"}),
    "bytes that are no text": (b"\xff\xfe\xff\xff\xd8", {}),
    "half a letter": (b'{"answers": {"pod": "\\ud800"}}', {"pod": "\ud800"}),
    "MyST": (b"# x\n```{code-cell} python3\n---\nnbgrader: {grade_id: pod, solution: true}\n---\n%%answer pod yaml\na: 1\n```\n", {"pod": "a: 1"}),
    "MyST of openings": (b"```{code-cell}\n" * 300_000, {}),
    "MyST of every length": (b"\n".join(b"`" * n + b"{code-cell}" for n in range(3, 2000)), {}),
    "MyST with a bomb": (b"```{code-cell}\n---\na: &a {x: 1}\n" + b"".join(
        b"b%d: &b%d {<<: [*%s, *%s]}\n" % (n, n, *([b"a" if n == 0 else b"b%d" % (n - 1)] * 2)) for n in range(40)) + b"---\n```\n", None),
    "MyST with a long header": (b"```{code-cell}\n---\n" + b"a: [" + b"1, " * 1_000_000 + b"]\n---\n```\n", None),
    "MyST with many headers": (b"```{code-cell}\n---\na: [1, 2, 3]\n---\n```\n" * 10_000, None),
}


@pytest.mark.parametrize("what", READ)
def test_a_file_is_read_or_refused_and_keeps_nobody_waiting(what: str) -> None:
    data, want = READ[what]
    if want is None:
        with pytest.raises(notebook.BadNotebook):
            batch.read(data, ["pod"])
    else:
        assert batch.read(data, ["pod"]) == want


def test_myst_is_read_as_it_stands() -> None:
    text = "---\na: b\n---\n# T\n\n````{code-cell} python3\n---\ntags: [x]\n---\n```\nx\n````\n\ntext\n```{code-cell}\nopen"
    cells = notebook.from_myst(text)
    assert [(c.kind, c.source) for c in cells] == [("markdown", "# T"), ("code", "```\nx"), ("markdown", "text\n```{code-cell}\nopen")]


@posix
def test_a_file_that_is_gone_or_twice_there_is_graded_once(course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (course.root / "roster.csv").write_text("id,name\n가나,x\n2026001,y\n", encoding="utf-8")
    course = Course(course.root)
    monkeypatch.setattr(batch, "_in_processes", lambda *_: {})
    for who in ("가나", unicodedata.normalize("NFD", "가나"), "2026001", "2026009", "..x"):
        hand_in(course, NAME, who, {"pod": f"a: {len(who)}"})
    read, seen = batch.submission, []

    def gone(folder: Path) -> bytes:
        seen.append(folder.name)
        if folder.name == "2026001":
            raise FileNotFoundError(2, "gone\x1b[2J")
        return read(folder)

    monkeypatch.setattr(batch, "submission", gone)
    assert batch.grade(course, find(NAME)) == {"graded": 1, "kept": 0, "failed": 1}
    assert sorted(seen) == ["2026001", "가나"] and set(batch.results(course, find(NAME))) == {plain("가나")}
    said = capsys.readouterr().err
    assert "2026001의 답" in said and "\x1b" not in said


# ---- what is shown ------------------------------------------------------------------------------------

def test_what_a_stranger_wrote_is_shown_on_one_line() -> None:
    assert shown("a\x1b[31m\n\tb\u202eexe.\u2066\ud800c\x00") == "a\ufffd[31m b\ufffdexe.\ufffd\ufffdc\ufffd"


def test_a_huge_text_is_cut_in_results_and_pages(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_in_processes", lambda *_: {})
    task = find("13-diagnose")
    data = json.dumps({"answers": {"why": "<script>" * 200_000, "fix": "a: 1"}}).encode()
    result = batch.judge(task, course.secret, "2026001", data)
    page = feedback.page(result, "", "제목")
    assert len(page) < 200_000 and "<script" not in page and "줄였다" in page
    assert report.text(task, {"2026001": result}, 1)


@pytest.mark.parametrize("points", ["nan", "x", "1,5"])
def test_a_persons_points_that_are_no_number_are_told_with_their_line(course: Course, points: str) -> None:
    (course.root / "graded" / "13-diagnose").mkdir(parents=True)
    result = {"checks": [{"id": "why", "manual": True, "points": 2, "got": None, "message": ""}], "score": 0}
    (course.root / "graded" / "13-diagnose" / "2026001.json").write_text(json.dumps(result))
    (course.root / "manual").mkdir()
    (course.root / "manual" / "13-diagnose.csv").write_text(f'student,check,points\n2026001,why,"{points}"\n')
    with pytest.raises(CourseError, match="2번째 줄"):
        batch.results(course, find("13-diagnose"))


# ---- comparing ----------------------------------------------------------------------------------------

COMPARED = {
    "a bomb": "a: &a {x: 1}\n" + "".join(f"b{n}: &b{n} {{<<: [*{'a' if n == 0 else f'b{n - 1}'}, *{'a' if n == 0 else f'b{n - 1}'}]}}\n" for n in range(60)),
    "laughs": "a: &a [x, x]\n" + "".join(f"c{n}: &c{n} [*{'a' if n == 0 else f'c{n - 1}'}, *{'a' if n == 0 else f'c{n - 1}'}]\n" for n in range(60)),
    "no boolean": "!!bool ''", "no number": "!!int ''", "itself": "&a [*a]", "a date": "2026-99-99", "depth": "[" * 60_000,
    "a tag": "!!python/object/apply:os.system ['id']", "many": "a: 1\n" * 100_000, "half a letter": "a: \ud800 b c d e f g h",
    "colons": "a:" * 200_000, "brackets": "(" * 200_000,
}


@pytest.mark.parametrize("what", COMPARED)
def test_answers_that_mean_harm_are_compared_all_the_same(what: str) -> None:
    answers = {who: {"pod": COMPARED[what], "code": COMPARED[what]} for who in ("1", "2")}
    found = similar.pairs(answers, {}, kinds={"pod": "yaml", "code": "python"})
    assert [pair.same for pair in found] == [True]


def test_some_references_are_read_as_what_they_stand_for() -> None:
    assert similar.yaml_shapes("a: &a {x: 1}\nb: *a", {}) == similar.yaml_shapes("a: {x: 1}\nb: {x: 1}", {})


@pytest.mark.parametrize("cell", ["=1+1", " =1", "+a", "-a", "@a", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a"])
def test_a_cell_is_never_a_formula(cell: str) -> None:
    assert export.text([[cell]]).lstrip('"').startswith("'")
