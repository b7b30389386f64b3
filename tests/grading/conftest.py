from pathlib import Path

import pytest

from minik8s.grading import notebook, sandbox
from minik8s.grading.course import Course, create

SECRET = bytes(range(32))
STUDENTS = ("2026001", "2026002", "2026003")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = create(tmp_path / "수업 폴더", "시험", "https://book.example")
    (made.root / "secret.key").write_text(SECRET.hex())
    rows = "id,name\r\n2026001,김철수\r\n2026002,이영희\r\n2026003,박 민\r\n"
    (made.root / "roster.csv").write_bytes(rows.encode("utf-8-sig"))
    return Course(made.root)


def hand_in(course: Course, name: str, student: str, answers: dict[str, str]) -> None:
    """A submission with these answers, as a notebook."""
    folder = course.root / "submitted" / name / student
    folder.mkdir(parents=True, exist_ok=True)
    cells = [notebook.Cell("code", f"%%answer {key}\n{text}", {"grade_id": key, "solution": True})
             for key, text in answers.items()]
    (folder / "submission.ipynb").write_bytes(notebook.to_ipynb(cells).encode("utf-8", "surrogatepass"))


needs_box = pytest.mark.skipif(not sandbox.available(), reason="bubblewrap이 없거나 네임스페이스가 막혀 있다")
