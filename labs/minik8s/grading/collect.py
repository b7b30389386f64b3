"""Takes in what students sent: a folder or a zip of notebooks, whatever their machine called the files.

Everything is copied byte by byte into submitted/NAME/ID/; nothing is unpacked by path, no link is followed.
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from minik8s.grading.course import Course, Student
from minik8s.grading.notebook import MAX_BYTES
from minik8s.grading.variants import plain

ENDINGS = (".ipynb", ".json", ".md")
MAX_FILES = 20_000
MAX_TOTAL = 2_000_000_000
MAX_RATIO = 200
_JUNK = re.compile(r"(^|/)(__MACOSX/|\.[^./]|\._|Thumbs\.db|desktop\.ini)")


@dataclass
class Report:
    """What came of it: taken {student id: file name}, and lines about what was left."""

    taken: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def collect(course: Course, assignment: str, source: Path) -> Report:
    """Take in all submissions for one assignment. A later file of the same student replaces an earlier one."""
    report = Report()
    for name, data in sorted(_files(source, report, depth=0), key=lambda pair: pair[0]):
        student = owner(name, course.roster, assignment)
        if student is None:
            report.left.append(f"{name}: 누구의 것인지 알 수 없다(파일이나 폴더 이름에 학번이 있어야 한다).")
            continue
        folder = course.root / "submitted" / assignment / student.id
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        (folder / f"submission{Path(name).suffix.lower()}").write_bytes(data)
        if student.id in report.taken:
            report.left.append(f"{report.taken[student.id]}: {name}으로 바뀌었다.")
        report.taken[student.id] = name
    return report


def owner(name: str, roster: list[Student], assignment: str = "") -> Student | None:
    """Whose file this is: by the id in its path, or by a name that only one student has. The longest match counts."""
    text = plain(name).replace(assignment, " ") if assignment else plain(name)
    by_id = [s for s in roster if re.search(rf"(?<![0-9A-Za-z가-힣]){re.escape(s.id)}(?![0-9A-Za-z가-힣])", text)]
    if by_id:
        longest = max(len(s.id) for s in by_id)
        found = [s for s in by_id if len(s.id) == longest]
        return found[0] if len(found) == 1 else None
    compact = text.replace(" ", "")
    by_name = [s for s in roster if s.name and s.name.replace(" ", "") in compact]
    longest = max((len(s.name) for s in by_name), default=0)
    found = [s for s in by_name if len(s.name) == longest]
    return found[0] if len(found) == 1 else None


def _files(source: Path, report: Report, depth: int) -> Iterator[tuple[str, bytes]]:
    if source.is_symlink():
        report.left.append(f"{source.name}: 링크는 받지 않는다.")
    elif source.is_dir():
        for folder, folders, names in os.walk(source, followlinks=False):
            folders.sort()
            for name in sorted([*names, *(f for f in folders if (Path(folder) / f).is_symlink())]):
                path = Path(folder) / name
                yield from _file(path, plain(path.relative_to(source).as_posix()), report)
    elif source.exists():
        yield from _file(source, plain(source.name), report)
    else:
        report.left.append(f"{source}: 없다.")


def _file(path: Path, name: str, report: Report) -> Iterator[tuple[str, bytes]]:
    if path.is_symlink() or not stat.S_ISREG(path.lstat().st_mode):
        report.left.append(f"{name}: 링크나 특별한 파일은 받지 않는다.")
    elif _JUNK.search(name):
        return
    elif path.suffix.lower() == ".zip":
        yield from _zip(path, name, report)
    elif path.suffix.lower() not in ENDINGS:
        report.left.append(f"{name}: 노트북이나 제출 파일이 아니다.")
    elif path.stat().st_size > MAX_BYTES:
        report.left.append(f"{name}: 너무 크다({path.stat().st_size:,}바이트).")
    else:
        yield name, path.read_bytes()


def _zip(path: Path, name: str, report: Report) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_FILES or sum(m.file_size for m in members) > MAX_TOTAL:
                report.left.append(f"{name}: 압축을 풀면 너무 크다.")
                return
            for member in members:
                yield from _member(archive, member, name, report)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, EOFError) as problem:
        report.left.append(f"{name}: 압축 파일을 읽을 수 없다({problem}).")


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, outer: str, report: Report
) -> Iterator[tuple[str, bytes]]:
    inner = member_name(member)
    full = f"{outer}/{inner}"
    parts = inner.replace("\\", "/").split("/")
    if member.is_dir() or _JUNK.search(inner):
        return
    if stat.S_ISLNK(member.external_attr >> 16):
        report.left.append(f"{full}: 링크는 받지 않는다.")
    elif ".." in parts or inner.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", inner):
        report.left.append(f"{full}: 폴더 밖을 가리키는 이름은 받지 않는다.")
    elif not inner.lower().endswith(ENDINGS):
        report.left.append(f"{full}: 노트북이나 제출 파일이 아니다.")
    elif member.file_size > MAX_BYTES or member.file_size > MAX_RATIO * max(1, member.compress_size) + 100_000:
        report.left.append(f"{full}: 압축을 풀면 너무 크다.")
    else:
        with archive.open(member) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            report.left.append(f"{full}: 적힌 크기보다 크다.")
        else:
            yield full, data


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
