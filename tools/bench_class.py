"""How long a class of 100 takes to grade, with the box: model answers, wrong answers and empty ones, as they come.

    python tools/bench_class.py [과제 …]     (none: 01-first-manifest and 06-service, half of the class each)
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "labs"))
from minik8s.grading import batch, sandbox  # noqa: E402
from minik8s.grading.assignment import find  # noqa: E402
from minik8s.grading.course import Course, create, write  # noqa: E402

STUDENTS = 100


def main() -> int:
    names = sys.argv[1:] or ["01-first-manifest", "06-service"]
    if why := sandbox.refusal():
        print(why)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        course = create(Path(folder) / "course", "속도", "")
        ids = [f"2026{number:03d}" for number in range(STUDENTS)]
        write(course.root / "roster.csv", "id,name\n" + "".join(f"{one},\n" for one in ids))
        course, begun, took = Course(course.root), time.monotonic(), []
        for part, name in enumerate(names):
            assignment = find(name)
            mine = ids[part :: len(names)]
            wrong = assignment.wrong()
            for number, student in enumerate(mine):
                values = assignment.variant(course.secret, student)
                kind = number % 10
                answers = assignment.model(values) if kind < 6 else {} if kind == 9 else \
                    assignment.wrong_answers(wrong[number % len(wrong)], values)
                write(course.root / "submitted" / name / student / "submission.json", json.dumps({"answers": answers}))
            last = time.monotonic()

            def done(finished: int, total: int) -> None:
                nonlocal last
                took.append((time.monotonic() - last) * min(os.cpu_count() or 1, total))
                last = time.monotonic()

            batch.grade(course, assignment, progress=done)
        seconds = time.monotonic() - begun
    each = statistics.median(took)
    print(f"{STUDENTS}개 제출({', '.join(names)}), CPU {os.cpu_count()}개: {seconds:.0f}초, 가운데값 {each:.2f}초")
    return 0


if __name__ == "__main__":
    sys.exit(main())
