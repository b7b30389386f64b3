"""Writes each assignment as a page of the book, book/assignment-NN-topic.md: the student version, never the solution.

The sources stay in labs/assignments. The pages are made anew at every build and are not in the repository.
"""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
sys.path[:0] = [str(ROOT / "labs"), str(ROOT / "book" / "_ext")]

from minik8s_book.marks import BEGIN, END, MIDDLE  # noqa: E402

from minik8s.grading import release  # noqa: E402
from minik8s.grading.assignment import Assignment, shipped  # noqa: E402

HEAD = """---
file_format: mystnb
kernelspec: {{name: python3, display_name: Python 3}}
description: {description}
---
"""
KIT = """```{{raw}} html
<form class="assignment-kit pst-js-only" data-assignment="{name}">
<label for="assignment-kit">수업에서 받은 과제 파일</label>
<input id="assignment-kit" type="file" accept=".json,application/json"/>
<button type="button" hidden="">연습용으로 되돌리기</button>
<p role="status">지금은 연습용 값이다. <code>{name}.assignment.json</code> 파일을 열면 글과 셀이 내 값으로 바뀐다.
파일은 이 컴퓨터를 떠나지 않는다.</p>
</form>
```
"""


def kits() -> dict[str, bytes]:
    """Practice kits by file name: what `lab.assignment` finds beside the page's Python."""
    return {
        f"{each.name}.assignment.json": json.dumps(
            release.kit(each, each.variant(), "practice"), ensure_ascii=False, sort_keys=True
        ).encode()
        for each in shipped()
    }


def page(assignment: Assignment) -> str:
    """The MyST of one page; every value of the variant is marked where it stands in the text."""
    values = assignment.variant()
    marked = {name: f"{BEGIN}{name}{MIDDLE}{value}{END}" for name, value in values.items()}
    parts: list[str] = []
    for plain, shown in zip(assignment.handout(values), assignment.handout(marked), strict=True):
        if plain.kind == "code":
            parts.append(f"```{{code-cell}} python3\n{plain.source}\n```\n")
        elif parts:
            parts.append(shown.source + "\n")
        else:  # the title, then what the task asks for and the way in
            title, _, rest = shown.source.partition("\n")
            parts += [title + "\n", about(assignment), KIT.format(name=escape(assignment.name)), rest.strip() + "\n"]
    return HEAD.format(description=description(assignment)) + "\n".join(parts)


def about(assignment: Assignment) -> str:
    chapters = dict.fromkeys(check.read for check in assignment.checks)
    links = ", ".join(f"[]({name}.md)" for name in chapters if (BOOK / f"{name}.md").exists())
    return f"약 {assignment.rubric['minutes']}분, {assignment.points:g}점. 막히면 읽을 곳: {links}\n"


def description(assignment: Assignment) -> str:
    visible = ". ".join(check.title for check in assignment.checks if not check.hidden)
    text = f"{assignment.title} 과제. {visible}. 답을 적고 이 쪽에서 바로 확인한 뒤 제출 파일을 만든다."
    return json.dumps(text, ensure_ascii=False)


def main() -> None:
    wanted = {f"assignment-{each.name}.md": page(each) for each in shipped()}
    for old in BOOK.glob("assignment-*.md"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        path = BOOK / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
