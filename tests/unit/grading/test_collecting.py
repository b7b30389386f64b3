"""Submissions as they come: names of every kind of machine, and archives that mean harm."""

import io
import stat
import unicodedata
import zipfile
from pathlib import Path

import pytest

from minik8s.grading.collect import collect, owner
from minik8s.grading.course import Course, Student, create

NAME = "01-first-manifest"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = create(tmp_path / "강의", "시험", "")
    (made.root / "roster.csv").write_bytes("id,name\n2026001,김철수\n2026002,이 영희\n202600,박민\n".encode("cp949"))
    return Course(made.root)


def taken(course: Course) -> dict[str, bytes]:
    base = course.root / "submitted" / NAME
    return {p.parent.name: p.read_bytes() for p in sorted(base.rglob("*")) if p.is_file()}


def archive(tmp_path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(tmp_path / "up.zip", "w", zipfile.ZIP_DEFLATED)


def test_owners_are_found_by_id_and_by_name_in_either_form() -> None:
    roster = [Student("2026001", "김철수"), Student("202600", "박민"), Student("2026002", "이 영희")]
    nfd = unicodedata.normalize("NFD", "과제 (이영희) 최종.ipynb")
    names = ("2026001.ipynb", "제출_202600 .ipynb", nfd, "x.ipynb")
    found = [s.id if (s := owner(name, roster)) else "" for name in names]
    assert found == ["2026001", "202600", "2026002", ""]


def test_a_folder_of_files_is_taken_byte_by_byte(course: Course, tmp_path: Path) -> None:
    up = tmp_path / "올린 것"
    (up / "2026001 김철수").mkdir(parents=True)
    (up / "2026001 김철수" / "답.ipynb").write_bytes(b"{}\r\n")
    (up / unicodedata.normalize("NFD", "이영희.ipynb")).write_bytes(b"[]")
    (up / "2026009.ipynb").write_bytes(b"who")
    (up / "202600.ipynb").symlink_to("/etc/passwd")
    report = collect(course, NAME, up)
    assert taken(course) == {"2026001": b"{}\r\n", "2026002": b"[]"}
    assert len(report.left) == 2


def test_zips_of_macos_and_korean_windows(course: Course, tmp_path: Path) -> None:
    with archive(tmp_path) as up:
        up.writestr(unicodedata.normalize("NFD", "과제/김철수.ipynb"), b"mac")
        up.writestr("__MACOSX/과제/._김철수.ipynb", b"junk")
    data = (tmp_path / "up.zip").read_bytes()
    assert collect(course, NAME, tmp_path / "up.zip").taken.keys() == {"2026001"}

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as up:
        up.writestr("AAAAAA.ipynb", b"windows")
    data = made.getvalue().replace(b"AAAAAA", "이영희".encode("cp949"))
    (tmp_path / "win.zip").write_bytes(data)
    collect(course, NAME, tmp_path / "win.zip")
    assert taken(course) == {"2026001": b"mac", "2026002": b"windows"}


def raw_zip(*members: tuple[bytes, bytes, int]) -> bytes:
    """A zip whose names are these very bytes: (name, data, flag bits), as other programs write it."""
    made = io.BytesIO()
    places = [f"{number:0{len(name)}d}" for number, (name, _, _) in enumerate(members, 1)]
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as up:
        for place, (_, data, _) in zip(places, members, strict=True):
            up.writestr(place, data)
    raw = bytearray(made.getvalue())
    for place, (name, _, flags) in zip(places, members, strict=True):
        for signature, flag_at, name_at in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
            at = raw.find(signature)
            while raw[at + name_at : at + name_at + len(name)] != place.encode():
                at = raw.find(signature, at + 1)
            raw[at + name_at : at + name_at + len(name)] = name
            raw[at + flag_at : at + flag_at + 2] = flags.to_bytes(2, "little")
    return bytes(raw)


UTF8 = 0x800


@pytest.mark.parametrize(("who", "name", "flags"), [
    ("Windows Explorer, Korean code page", "3주 과제/이 영희 최종 (2).ipynb".encode("cp949"), 0),
    ("Windows Explorer, a name outside of the code page", "3주 과제/이 영희 ✓.ipynb".encode(), UTF8),
    ("macOS Archive Utility: NFD, and no flag", unicodedata.normalize("NFD", "3주 과제/이 영희.ipynb").encode(), 0),
    ("macOS ditto: NFD with the flag", unicodedata.normalize("NFD", "3주 과제/이영희.ipynb").encode(), UTF8),
    ("7-Zip and Bandizip: NFC with the flag", "이 영희/제출.ipynb".encode(), UTF8),
    ("backslashes of old Windows programs", "3주 과제\\이영희.ipynb".encode("cp949"), 0),
    ("a syllable that cp949 adds to euc-kr", "이영희_뷁.ipynb".encode("cp949"), 0),
])
def test_zips_as_each_program_writes_them(course: Course, tmp_path: Path, who: str, name: bytes, flags: int) -> None:
    junk = unicodedata.normalize("NFD", "__MACOSX/3주 과제/._이 영희.ipynb").encode()
    (tmp_path / "올림.zip").write_bytes(raw_zip((name, b"answer", flags), (junk, b"resource fork", 0)))
    report = collect(course, NAME, tmp_path / "올림.zip")
    assert report.left == [], who
    assert taken(course) == {"2026002": b"answer"}, who


def test_a_zip_of_a_learning_platform_holds_a_folder_per_student(course: Course, tmp_path: Path) -> None:
    """Moodle: `NAME_NUMBER_assignsubmission_file_/file`; Canvas: `name_NUMBER_NUMBER_file`."""
    with archive(tmp_path) as up:
        up.writestr("김철수_431287_assignsubmission_file_/01-first-manifest.ipynb", b"moodle")
        up.writestr("이영희_9921_77123_01-first-manifest-1.ipynb", b"canvas")
    collect(course, NAME, tmp_path / "up.zip")
    assert taken(course) == {"2026001": b"moodle", "2026002": b"canvas"}


def test_archives_that_mean_harm_leave_nothing(course: Course, tmp_path: Path) -> None:
    with archive(tmp_path) as up:
        up.writestr("../../2026001.ipynb", b"slip")
        up.writestr("/2026001.ipynb", b"absolute")
        up.writestr("C:\\2026001.ipynb", b"drive")
        link = zipfile.ZipInfo("2026002.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        up.writestr(link, "/etc/passwd")
        up.writestr("202600.ipynb", b"0" * 4_900_000)
    before = sorted(p for p in tmp_path.rglob("*") if "강의" not in p.parts)
    report = collect(course, NAME, tmp_path / "up.zip")
    assert taken(course) == {} and len(report.left) == 5
    assert sorted(p for p in tmp_path.rglob("*") if "강의" not in p.parts) == before


def test_what_is_no_zip_is_told(course: Course, tmp_path: Path) -> None:
    (tmp_path / "up.zip").write_bytes(b"PK\x03\x04nonsense")
    assert collect(course, NAME, tmp_path / "up.zip").left
