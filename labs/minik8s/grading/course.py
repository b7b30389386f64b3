"""A course on disk: its secret, its roster, and one folder for each step.

    course.yaml   name, book (address of the book), assignments
    secret.key    the key of all variants; never handed out
    roster.csv    id,name
    release/ID/NAME.ipynb     submitted/NAME/ID/...     graded/NAME/ID.json
    feedback/NAME/ID.html     manual/NAME.csv           export/
"""

from __future__ import annotations

import csv
import io
import os
import re
import secrets
import threading
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from minik8s.grading.assignment import Assignment, find, shipped
from minik8s.grading.variants import plain

_UNSAFE = re.compile(r"""[\x00-\x1f/\\:*?"<>|]|^\.|\.$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)""", re.IGNORECASE)
"""What is no file's name on some machine."""


class CourseError(ValueError):
    """What a person got wrong, in Korean."""


@dataclass(frozen=True)
class Student:
    """`id` is unique and names files."""

    id: str
    name: str = ""


@dataclass
class Course:
    """A course folder."""

    root: Path

    @cached_property
    def settings(self) -> dict[str, Any]:
        try:
            found = yaml.safe_load((self.root / "course.yaml").read_text(encoding="utf-8"))
        except OSError:
            raise CourseError(f"{self.root}는 강의 폴더가 아니다. `minik8s class init`으로 먼저 만들자.") from None
        return dict(found or {})

    @cached_property
    def secret(self) -> bytes:
        try:
            return bytes.fromhex((self.root / "secret.key").read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            raise CourseError("secret.key를 읽을 수 없다. 이 파일이 없으면 변형을 다시 셈할 수 없다.") from None

    @cached_property
    def roster(self) -> list[Student]:
        """Students by id. CourseError for a list that cannot be used."""
        try:
            rows = csv.DictReader(io.StringIO(decode((self.root / "roster.csv").read_bytes())))
            found = [Student(plain(row.get("id") or ""), plain(row.get("name") or "")) for row in rows]
        except OSError:
            raise CourseError("roster.csv가 없다. `id,name` 두 열로 수강생을 적자.") from None
        for student in found:
            if not student.id or _UNSAFE.search(student.id) or len(student.id.encode()) > 100:
                raise CourseError(f"roster.csv의 학번 {student.id!r}을 쓸 수 없다(비었거나 파일 이름에 못 쓸 글자).")
        if len({s.id.casefold() for s in found}) != len(found):
            raise CourseError("roster.csv에 같은 학번이 두 번 나온다(대문자와 소문자는 같은 것으로 본다).")
        return sorted(found, key=lambda s: s.id)

    @property
    def book(self) -> str:
        return str(self.settings.get("book") or "").rstrip("/")

    def assignment(self, name: str) -> Assignment:
        """One assignment of the course; its own folder `assignments/` goes first. CourseError."""
        own = self.root / "assignments"
        try:
            return find(name, own) if (own / name / "rubric.yaml").exists() else find(name)
        except FileNotFoundError as error:
            raise CourseError(str(error)) from None

    def assignments(self, names: list[str]) -> list[Assignment]:
        """The named ones, or all that the course lists."""
        wanted = names or list(self.settings.get("assignments") or ())
        return [self.assignment(name) for name in wanted]


def create(root: Path, name: str, book: str) -> Course:
    """A new course folder. CourseError when there is one already."""
    if (root / "course.yaml").exists():
        raise CourseError(f"{root}에는 이미 강의가 있다.")
    root.mkdir(parents=True, exist_ok=True)
    key = os.open(root / "secret.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(key, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
    settings = {"name": name, "book": book, "assignments": [a.name for a in shipped()]}
    write(root / "course.yaml", yaml.safe_dump(settings, allow_unicode=True, sort_keys=False))
    if not (root / "roster.csv").exists():
        write(root / "roster.csv", "id,name\n")
    write(root / ".gitignore", "secret.key\nsubmitted/\ngraded/\nfeedback/\nexport/\nmanual/\nrelease/\n")
    return Course(root)


def write(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write a whole file or nothing: a killed run leaves no half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")  # two graders may write the same
    try:
        half.write_bytes(text.encode(encoding, "replace"))
        os.replace(half, path)
    except OSError:
        half.unlink(missing_ok=True)
        raise


def decode(data: bytes) -> str:
    """Text of a file that Windows may have written: UTF-8 with or without a mark, UTF-16, or the Korean code page."""
    if data[:2] in (BOM_UTF16_LE, BOM_UTF16_BE):
        return data.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace")
