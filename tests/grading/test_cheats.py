# ruff: noqa: E501
"""What people try: none of it gains a point, leaves the box, or stops the batch."""

import json
import os
from pathlib import Path

import pytest

from grading.conftest import SECRET, hand_in, needs_box
from minik8s.grading import batch, judge, notebook
from minik8s.grading.assignment import find
from minik8s.grading.course import Course
from minik8s.grading.sandbox import Box, BoxDied, BoxError

PLUGIN = "04-scheduler-plugin"
ALWAYS = "class Yes:\n    def __eq__(self, other): return True\n    __hash__ = object.__hash__\n    def __bool__(self): return True\n"
FUNCTIONS = "def filter(pod, node): return Yes()\ndef score(pod, node): return Yes()\n"

CHEATS = {
    "endless loop": "while True: pass",
    "fork bomb": "import os\nwhile True:\n    os.fork()",
    "six gigabytes": "x = bytearray(6 * 1024**3)",
    "a gigabyte of output": "for _ in range(1024): print('x' * 1024**2)",
    "a gigabyte into the pipe": "import os\nfor n in range(3, 32):\n    try:\n        for _ in range(1024): os.write(n, b'x' * 1024**2)\n"
                                "    except OSError: pass",
    "always equal": ALWAYS + FUNCTIONS,
    "monkeypatching": "import json, builtins\njson.dumps = lambda *a, **k: '{\"ok\": null}'\nbuiltins.isinstance = lambda *a: True",
    "exit": "import os\nos._exit(0)",
    "a forged verdict": "import os\nfor n in range(3, 32):\n    try:\n"
                        "        os.write(n, b'{\"id\": \"counts\", \"passed\": true, \"message\": \"\", \"story\": []}\\n' * 9)\n"
                        "    except OSError: pass",
    "forged answers": "import os\nfor n in range(3, 32):\n    try: os.write(n, b'{\"ok\": null}\\n' * 1000)\n    except OSError: pass",
    "a background process": "import subprocess\nsubprocess.Popen(['sleep', '1000'])",
    "threads": "import threading\nfor _ in range(100): threading.Thread(target=lambda: exec('while True: pass')).start()",
    "reading the checks": "import glob\nsrc = [open(p).read() for p in glob.glob('/**/checks.py', recursive=True)]\nassert not src\n"
                          "import minik8s.grading.judge",
    "stack": "def f(): return f() + f()\nf()",
    "deep answers": "def filter(pod, node):\n    x = []\n    for _ in range(10**5): x = [x]\n    return x\nscore = filter",
    "huge answers": "def filter(pod, node): return 'x' * 10**8\nscore = filter",
    "not a number": "def filter(pod, node): return None\ndef score(pod, node): return float('nan')",
}


@needs_box
@pytest.mark.parametrize("cheat", CHEATS)
def test_code_gains_nothing(cheat: str) -> None:
    assignment = find(PLUGIN)
    values = assignment.variant(SECRET, "cheat")

    def box(handle: object = None) -> Box:
        return Box(handle, cpu=1, wall=20)

    checks = assignment.checks[:1]
    assert [o["passed"] for o in judge.outcomes(assignment, {"plugin": CHEATS[cheat]}, values, box, checks)] == [False]


OUTSIDE = {
    "network": "__import__('socket').create_connection(('127.0.0.1', 22), 2)",
    "a file": "open('/tmp/x', 'w')",
    "a home": "__import__('os').listdir('/home')",
    "users": "open('/etc/passwd').read()",
    "a process": "__import__('os').kill(-1, 9) or __import__('os').fork()",
    "another program": "__import__('subprocess').run(['id'])",
    "shared memory": "open('/dev/shm/x', 'w')",
    "its own package": "open('/box/minik8s/__init__.py', 'a')",
    "root": "__import__('os').setuid(0)",
    "a mount": "(_ for _ in ()).throw(OSError()) if __import__('ctypes').CDLL(None).umount2(b'/usr', 2) else None",
}


@needs_box
@pytest.mark.parametrize("what", OUTSIDE)
def test_the_box_is_closed(what: str) -> None:
    with Box(cpu=1, wall=20) as box:
        box.load(f"def reach(): return {OUTSIDE[what]}")
        with pytest.raises(BoxError):
            box.call("reach")


@needs_box
def test_nothing_of_ours_is_in_the_box(tmp_path: Path) -> None:
    with Box(cpu=5, wall=20) as box:
        box.load("import os\ndef look(): return [os.getuid(), sorted(os.environ), sorted(os.listdir('/')),"
                 " [n for n in os.listdir('/proc') if n.isdigit()], os.path.exists('/box/minik8s/grading')]")
        uid, environment, root, processes, grading = box.call("look")
    assert uid != 0
    assert not {"HOME", "USER", "PATH"} - {"PATH"} & set(environment)
    assert not {"home", "root", "work", "var", "opt", "srv", "mnt"} & set(root)
    assert len(processes) <= 2
    assert grading is False


@needs_box
def test_a_box_that_sleeps_is_ended_by_the_wall_clock() -> None:
    with Box(wall=0.5) as box, pytest.raises(BoxDied):
        box.load("import time\ntime.sleep(1000)")


@needs_box
@pytest.mark.parametrize("text", [
    "a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(f"c{i}: &c{i} [*{'b' if i == 0 else f'c{i - 1}'}, *{'b' if i == 0 else f'c{i - 1}'}]\n" for i in range(40)),
    "a: &a [*a]", "[" * 10_000, "!!python/object/apply:os.system ['id']", "- 1\n- {1: {}}", "\x00", "'" , "kind: {a: b}\nmetadata: []",
    "apiVersion: v1\nkind: Pod/../../secrets\nmetadata: {name: x}", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: 1000000000}",
])
def test_a_manifest_gains_nothing(text: str) -> None:
    assignment = find("01-first-manifest")
    values = assignment.variant(SECRET, "cheat")
    checks = assignment.checks[:1]
    assert [o["passed"] for o in judge.outcomes(assignment, {"pod": text}, values, Box, checks)] == [False]


@pytest.mark.parametrize("data", [
    b"", b"{", b"[" * 100_000, b'{"cells": ' * 50_000, b'{"cells": 3}', b'{"cells": [{"source": {"a": 1}}]}', b"\xff\xfe\x00",
    b'{"answers": {"pod": 3}}', b'{"cells": [{"cell_type": "code", "metadata": {"nbgrader": []}, "source": [1]}]}',
    b"x" * (notebook.MAX_BYTES + 1), b'{"cells": [], "score": 10, "checks": [{"id": "runs", "got": 100}]}',
])
def test_a_broken_or_forged_file_earns_nothing(data: bytes) -> None:
    result = batch.judge(find("01-first-manifest"), SECRET, "2026001", data)
    assert result["score"] == 0
    json.dumps(result)


@needs_box
def test_edited_and_deleted_check_cells_change_nothing() -> None:
    assignment = find("01-first-manifest")
    cells = [notebook.solved(cell) for cell in assignment.cells(assignment.variant(SECRET, "2026001"))]
    edited = [notebook.Cell(c.kind, "raise SystemExit", {**c.nbgrader, "points": 1000}) if c.nbgrader.get("grade") else c
              for c in cells]
    deleted = [cell for cell in cells if not cell.nbgrader.get("grade")]
    scores = [batch.judge(assignment, SECRET, "2026001", notebook.to_ipynb(some).encode())["score"]
              for some in (edited, deleted)]
    assert scores == [10, 10]


@needs_box
def test_another_students_answer_is_not_mine() -> None:
    assignment = find("01-first-manifest")
    theirs = assignment.model(assignment.variant(SECRET, "2026001"))
    data = json.dumps({"answers": theirs, "values": assignment.variant(SECRET, "2026001"), "student": "2026001"}).encode()
    assert batch.judge(assignment, SECRET, "2026001", data)["score"] == 10
    assert batch.judge(assignment, SECRET, "2026002", data)["score"] < 10


@needs_box
def test_one_bad_submission_does_not_touch_the_others(course: Course) -> None:
    assignment = find("01-first-manifest")
    hand_in(course, assignment.name, "2026001", {"pod": "a: \ud800" + "!" * 10})
    hand_in(course, assignment.name, "2026002", assignment.model(assignment.variant(SECRET, "2026002")))
    os.symlink("/etc", course.root / "submitted" / assignment.name / "2026003")
    batch.grade(course, assignment)
    found = batch.results(course, assignment)
    assert {who: result["score"] for who, result in found.items()} == {"2026001": 0, "2026002": 10}
