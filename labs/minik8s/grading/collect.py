"""Takes in what students sent: a folder or a zip of notebooks, whatever their machine called the files.

Everything is copied byte by byte into submitted/NAME/ID/; nothing is unpacked by path, no link is followed.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from minik8s.grading.course import Course, Student
from minik8s.grading.notebook import MAX_BYTES
from minik8s.grading.variants import plain, shown

ENDINGS = (".ipynb", ".json", ".md")
MAX_FILES = 20_000
MAX_TOTAL = 2_000_000_000
MAX_RATIO = 200
MAX_ENTRY = 400
"""Bytes of one entry in a zip's directory, on average: a directory of more than MAX_FILES is not even read."""
MAX_NAME = 1000
MAX_LINES = 20
"""Lines about what was left of one source; the rest is a number."""
_JUNK = re.compile(r"(^|/)(__MACOSX/|\.[^./]|\._|Thumbs\.db|desktop\.ini)")
_WORD = "0-9A-Za-z가-힣"
_PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_TAIL = 65_557
"""A zip's last record with its longest comment."""

Read = Callable[[], bytes]


@dataclass
class Report:
    """What came of it: taken {student id: file name}, and lines about what was left."""

    taken: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    _lines: Counter[str] = field(default_factory=Counter)

    def leave(self, name: str, why: str, source: str = "") -> None:
        """Say why `name` was left; after MAX_LINES about one source (an archive) only their number is kept."""
        self._lines[source] += 1
        if not source or self._lines[source] <= MAX_LINES:
            self.left.append(f"{shown(name)[:300]}: {why}")

    def end(self, source: str) -> None:
        if (more := self._lines[source] - MAX_LINES) > 0:
            self.left.append(f"{shown(source)[:300]}: 그 밖에 {more}개도 받지 않았다.")


class _Left(Exception):
    """Why a file is not taken."""


def collect(course: Course, assignment: str, source: Path) -> Report:
    """Take in all submissions for one assignment. A later file of the same student replaces an earlier one."""
    report = Report()
    key = course.root / "secret.key"
    for name, read in _files(source, report, key.stat() if key.exists() else None):
        if len(name) > MAX_NAME:
            report.leave(name, "이름이 너무 길다.")
            continue
        whose = owners(name, course.roster, assignment)
        if len(whose) != 1:
            why = (f"{', '.join(sorted(whose))} 가운데 누구의 것인지 알 수 없다." if whose else
                   "누구의 것인지 알 수 없다(파일이나 폴더 이름에 학번이 있어야 한다).")
            report.leave(name, why)
            continue
        (student,) = whose
        try:
            data = read()
        except _Left as why:
            report.leave(name, str(why))
            continue
        _put(course.root / "submitted" / assignment / student, f"submission{Path(name).suffix.lower()}", data)
        if student in report.taken:
            report.left.append(f"{shown(report.taken[student])}: {shown(name)}으로 바뀌었다.")
        report.taken[student] = name
    return report


def _put(folder: Path, name: str, data: bytes) -> None:
    """The only file of the folder from now on, whole. A link in the folder's place is removed, not followed."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    half = folder.parent / f".{folder.name}.part"
    half.unlink(missing_ok=True)
    with half.open("xb") as file:
        file.write(data)
    for old in folder.iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink()
    os.replace(half, folder / name)


def owner(name: str, roster: list[Student], assignment: str = "") -> Student | None:
    """Whose file this is, when only one student comes into question."""
    found = owners(name, roster, assignment)
    return next((s for s in roster if found == {s.id}), None)


def owners(name: str, roster: list[Student], assignment: str = "") -> set[str]:
    """Ids of all whose file this may be: by the id in its path, or by a name. Whoever's id it is, no other name may
    stand apart in the path: a platform writes the sender's before a file's own name, which the sender chose."""
    text = plain(name).replace(assignment, " ") if assignment else plain(name)
    ids = _longest({s.id: rf"(?<![{_WORD}]){re.escape(s.id)}(?![{_WORD}])" for s in roster if s.id in text}, text)
    compact = text.replace(" ", "")
    named = {s.id: s.name.replace(" ", "") for s in roster if s.name.strip()}
    named = {who: found for who, found in named.items() if found in compact}
    if not ids:
        return _longest({who: re.escape(found) for who, found in named.items()}, compact)
    apart = {who: rf"(?<![{_WORD}]){' ?'.join(map(re.escape, found))}(?![{_WORD}])" for who, found in named.items()}
    others = _longest(apart, text)
    return ids | {who for who in others if named[who] not in {named.get(one) for one in ids}}


def _longest(patterns: dict[str, str], text: str) -> set[str]:
    """Whose pattern is found in a place that is not part of a longer find."""
    spans = [(who, match.span()) for who, pattern in patterns.items() for match in re.finditer(pattern, text)]
    return {who for who, (a, b) in spans if not any(c <= a and b <= d and d - c > b - a for _, (c, d) in spans)}


def _files(source: Path, report: Report, secret: os.stat_result | None) -> Iterator[tuple[str, Read]]:
    """Names and readers of all files, by name; one is read at a time."""
    if source.is_symlink():
        report.leave(source.name, "링크는 받지 않는다.")
    elif source.is_dir():
        def closed(problem: OSError) -> None:
            report.leave(str(problem.filename), "폴더를 열 수 없다.")

        paths = []
        for folder, folders, names in os.walk(source, onerror=closed, followlinks=False):
            here = Path(folder)
            paths += [here / name for name in names] + [here / name for name in folders if (here / name).is_symlink()]
        for name, path in sorted((plain(path.relative_to(source).as_posix()), path) for path in paths):
            yield from _file(path, name, report, secret)
    elif source.exists():
        yield from _file(source, plain(source.name), report, secret)
    else:
        report.left.append(f"{source}: 없다.")


def _file(path: Path, name: str, report: Report, secret: os.stat_result | None) -> Iterator[tuple[str, Read]]:
    ending = path.suffix.lower()
    try:
        about = path.lstat()
    except OSError:
        report.leave(name, "읽을 수 없다.")
        return
    if not stat.S_ISREG(about.st_mode):
        report.leave(name, "링크나 특별한 파일은 받지 않는다.")
    elif secret and (about.st_dev, about.st_ino) == (secret.st_dev, secret.st_ino):
        report.leave(name, "강의의 비밀 키와 같은 파일이다.")
    elif _JUNK.search(name):
        return
    elif ending == ".zip":
        yield from _zip(path, name, report)
        report.end(name)
    elif ending not in ENDINGS:
        report.leave(name, "노트북이나 제출 파일이 아니다.")
    elif about.st_size > MAX_BYTES:
        report.leave(name, f"너무 크다({about.st_size:,}바이트).")
    else:
        yield name, lambda: _bytes(path)


def _bytes(path: Path) -> bytes:
    try:
        with opened(path) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        raise _Left("읽을 수 없다.") from None
    if len(data) > MAX_BYTES:
        raise _Left("너무 크다.")
    return data


def opened(path: Path) -> BinaryIO:
    """A regular file to read from. It may have become a link or a pipe since it was looked at: never followed, never
    waited for. OSError."""
    flags = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
    file = os.fdopen(os.open(path, os.O_RDONLY | flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(f"{path.name} is no regular file")
    return file


def _zip(path: Path, name: str, report: Report) -> Iterator[tuple[str, Read]]:
    try:
        with opened(path) as file:
            if _directory(file) > MAX_FILES * MAX_ENTRY:
                report.leave(name, "압축을 풀면 너무 크다.")
                return
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                if len(members) > MAX_FILES or sum(m.file_size for m in members) > MAX_TOTAL:
                    report.leave(name, "압축을 풀면 너무 크다.")
                    return
                for inner, member in sorted(((member_name(m), m) for m in members), key=lambda pair: pair[0]):
                    yield from _member(archive, member, name, inner, report)
    except _UNREADABLE:
        report.leave(name, "압축 파일을 읽을 수 없다.")


_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, ValueError, EOFError,
               struct.error, OverflowError, LookupError)
"""What zipfile raises for archives that are none."""


def _directory(file: BinaryIO) -> int:
    """Bytes that a zip says its directory takes, as zipfile would believe it; 0 where it says nothing."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL - 20))
    tail = file.read()
    at = len(tail) - 22 if tail[-22:-18] == b"PK\x05\x06" and tail[-2:] == b"\0\0" else tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        return 0
    told = int.from_bytes(tail[at + 12 : at + 16], "little")
    if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":
        file.seek(min(size, int.from_bytes(tail[at - 12 : at - 4], "little")))
        told = max(told % 0xFFFFFFFF, int.from_bytes(file.read(48)[40:], "little"))
    return told


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, outer: str, inner: str, report: Report
) -> Iterator[tuple[str, Read]]:
    parts = inner.replace("\\", "/").split("/")
    kind = stat.S_IFMT(member.external_attr >> 16)
    why = ""
    if member.is_dir() or _JUNK.search(inner):
        return
    if kind not in (0, stat.S_IFREG):
        why = "링크나 특별한 파일은 받지 않는다."
    elif ".." in parts or inner.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", inner):
        why = "폴더 밖을 가리키는 이름은 받지 않는다."
    elif inner.lower().endswith(".zip"):
        why = "압축 파일 안의 압축 파일은 풀지 않는다."
    elif not inner.lower().endswith(ENDINGS):
        why = "노트북이나 제출 파일이 아니다."
    elif member.flag_bits & 1:
        why = "암호가 걸렸다."
    elif member.compress_type not in _PACKED:
        why = "풀 줄 모르는 압축 방식이다. 보통의 zip으로 다시 묶자."
    elif member.file_size > MAX_BYTES or member.file_size > MAX_RATIO * max(1, member.compress_size) + 100_000:
        why = "압축을 풀면 너무 크다."

    def read() -> bytes:
        try:
            with archive.open(member) as file:
                data = file.read(MAX_BYTES + 1)
        except _UNREADABLE:
            raise _Left("압축이 깨져 있다.") from None
        if len(data) > MAX_BYTES:
            raise _Left("적힌 크기보다 크다.")
        return data

    if why:
        report.leave(f"{outer}/{inner}", why, source=outer)
    else:
        yield f"{outer}/{inner}", read


def member_name(member: zipfile.ZipInfo) -> str:
    """The name in NFC. Korean Windows writes its code page without saying so; Python then reads it as cp437."""
    name = member.filename
    if not member.flag_bits & 0x800:
        raw = name.encode("cp437", "replace")
        for encoding in ("utf-8", "cp949"):
            try:
                return plain(raw.decode(encoding))
            except UnicodeDecodeError:
                continue
    return plain(name)
