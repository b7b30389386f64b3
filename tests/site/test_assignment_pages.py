"""Assignments as pages: what a student does there is what the class takes in, and nothing there gives the task away."""

from __future__ import annotations

import ast
import json
import lzma
import re
import tarfile
from functools import cache
from pathlib import Path

import pytest
from site_pages import SITE, live_pages

from minik8s.grading import batch, notebook, release
from minik8s.grading.assignment import Assignment, shipped
from minik8s.grading.collect import collect
from minik8s.grading.course import Course, create

ALL = shipped()
SECRET = bytes(range(32))
NAME, PAGE = "01-first-manifest", "book/assignment-01-first-manifest.html"
LONGEST = 120_000
SHORT = 12


@cache
def readable(site: Path) -> dict[str, str]:
    """All that a reader of the site can read, by where it stands; the page's Python as it is unpacked."""
    suffixes = {".html", ".js", ".mjs", ".json", ".md", ".ipynb", ".txt", ".css", ".py", ".inv", ".xml"}
    found = {p.relative_to(site).as_posix(): p.read_text(encoding="utf-8", errors="replace")
             for p in site.rglob("*") if p.suffix in suffixes and "pyodide" not in p.parts}
    with tarfile.open(fileobj=lzma.open(site / "_static" / "live" / "python.tar.xz")) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member)
            if file is not None:
                found[f"python.tar.xz/{member.name}"] = file.read().decode("utf-8", "replace")
    return found


def secrets(assignment: Assignment) -> set[str]:
    """Titles of hidden checks, their functions, and what they say; solutions, line by line."""
    hidden = [check for check in assignment.checks if check.hidden]
    tree = ast.parse((assignment.folder / "checks.py").read_text(encoding="utf-8"))
    open_source = release.kit(assignment, assignment.variant(), "")["source"]
    out = {word for check in hidden for word in (check.title, f"def {check.id}(case")}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in {check.id for check in hidden}:
            texts = [str(each.value).strip() for each in ast.walk(node) if isinstance(each, ast.Constant)]
            told = {text for text in texts if len(text) >= 2 * SHORT and re.search("[가-힣]", text)}
            out |= {text for text in told if text not in open_source}
    return out


@pytest.mark.parametrize("assignment", ALL, ids=lambda a: a.name)
def test_no_built_file_gives_a_task_away(site: Path, assignment: Assignment) -> None:
    if not (site / f"book/assignment-{assignment.name}.html").exists():
        pytest.skip("이 쪽을 짓지 않았다")
    page = f"assignment-{assignment.name}"
    files = readable(site)
    hidden = secrets(assignment)
    told = [(where, word) for where, text in files.items() for word in hidden if word in text]
    assert told == []
    model = "\n".join(assignment.model(assignment.variant()).values())
    given = "\n".join(cell.source for cell in assignment.handout(assignment.variant()))
    lines = {line.strip() for line in model.splitlines()} - {line.strip() for line in given.splitlines()}
    long = [line for line in lines if len(line) >= 2 * SHORT]
    own = {where: text for where, text in files.items() if page in where or assignment.name in where}
    assert len(own) >= 3  # the page, its notebook, its kit
    assert [(w, line) for w, text in own.items() for line in [*long, notebook.BEGIN] if line in text] == []


def test_the_pages_python_knows_no_courses(site: Path) -> None:
    names = [where for where in readable(site) if where.startswith("python.tar.xz/")]
    kits = [name for name in names if name.endswith(".assignment.json")]
    assert len(kits) == len(ALL)
    assert not [n for n in names if (n.rsplit("/", 1)[-1].partition(".")[0] in ("checks", "batch", "course", "judge")
                and "grading" in n) or "wrong.yaml" in n or "rubric.yaml" in n]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = create(tmp_path / "강의", "시험", "")
    (made.root / "secret.key").write_text(SECRET.hex())
    (made.root / "roster.csv").write_text("id,name\n2026001,김철수\n", encoding="utf-8")
    return Course(made.root)


@pytest.mark.skipif(PAGE not in (live_pages() if SITE.is_dir() else []), reason="이 쪽을 짓지 않았다")
def test_a_student_solves_checks_and_exports_in_the_page(visit, course: Course, tmp_path: Path) -> None:
    assignment, student = next(a for a in ALL if a.name == NAME), course.roster[0]
    release.release(course, assignment, student)
    values = assignment.variant(SECRET, student.id)
    watched = visit(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = watched.open(PAGE)
    page.set_default_timeout(LONGEST)
    folder = course.root / "release" / student.id
    page.set_input_files("#assignment-kit", folder / f"{NAME}.assignment.json")
    page.wait_for_function("document.querySelector('.assignment-kit [role=status]').textContent.startsWith('2026001')")
    assert page.locator(".variant-name").first.text_content() == values["name"]

    cells = page.locator(".cell:has(.live-run)")
    cells.nth(1).locator(".live-edit").click()
    editor = cells.nth(1).locator(".cm-content")
    editor.wait_for()
    editor.press("Control+a")
    page.keyboard.insert_text("%%answer pod yaml\n" + assignment.model(values)["pod"])
    page.evaluate("minik8sLive.runAll()")
    assert "[통과]" in cells.nth(2).locator(".cell_output").inner_text()
    assert "[통과]" in cells.nth(3).locator(".cell_output").inner_text()
    with page.expect_download() as download:
        cells.nth(4).locator("a[download]").click()
    sent = tmp_path / download.value.suggested_filename
    download.value.save_as(sent)

    assert sent.name == f"{NAME}-2026001.json"
    assert json.loads(sent.read_text(encoding="utf-8"))["student"] == "2026001"
    assert collect(course, NAME, sent).taken == {"2026001": sent.name}
    data = batch.submission(course.root / "submitted" / NAME / student.id)
    assert batch.judge(assignment, SECRET, student.id, data, safe=False)["score"] == assignment.points
    assert watched.problems == []
    assert watched.foreign == []

