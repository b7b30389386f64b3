# ruff: noqa: E501
"""What people try: none of it gains a point, leaves the box, or stops the batch."""

import json
import os
from functools import partial

import pytest

from grading.conftest import SECRET, hand_in, needs_box
from minik8s.grading import batch, judge, notebook
from minik8s.grading.assignment import find
from minik8s.grading.course import Course
from minik8s.grading.sandbox import Box

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
    "a string that is everything": "class S(str):\n    def __eq__(self, o): return True\n    __hash__ = str.__hash__\n"
                                   "def filter(pod, node): return S('True')\nscore = filter",
    "a number that is everything": "class I(int):\n    def __eq__(self, o): return True\n    __lt__ = __gt__ = __eq__\n    __hash__ = int.__hash__\n"
                                   "def filter(pod, node): return I(1)\nscore = filter",
    "a lie about its class": "class L:\n    __class__ = bool\n    def __bool__(self): return True\ndef filter(pod, node): return L()\nscore = filter",
    "a dictionary with twins": "def filter(pod, node): return {1: 'a', '1': 'b', True: 'c', None: 'd'}\nscore = filter",
    "an endless generator": "import itertools\ndef filter(pod, node): return itertools.count()\nscore = filter",
    "an endless list": "class E(list):\n    def __iter__(self):\n        while True: yield 1\n    def __len__(self): return 1\n"
                       "def filter(pod, node): return E([1])\nscore = filter",
    "an endless repr": "class R:\n    def __str__(self):\n        while True: pass\ndef filter(pod, node): return R()\nscore = filter",
    "a huge number": "def filter(pod, node): return 10 ** 5000\nscore = filter",
    "infinity on the pipe": "import os\ndef filter(pod, node):\n    for n in range(3, 32):\n        try: os.write(n, b'{\"ok\": Infinity}\\n')\n"
                            "        except OSError: pass\nscore = filter",
    "half a letter": "def filter(pod, node): return '\\ud800'\ndef score(pod, node): return {'\\udfff': 1}",
    "a raised error that lies": "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E",
    "an error without end": "class E(Exception):\n    def __str__(self): return 'x' * 10**9\nraise E",
    "ending the parent": "import os, signal\nfor n in (1, 2, os.getppid(), -1, 0):\n    try: os.kill(n, signal.SIGKILL)\n    except OSError: pass",
    "deaf to signals": "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
                       "while True: pass",
    "more for myself": "import resource\nfor k in range(16):\n    try: resource.setrlimit(k, (resource.RLIM_INFINITY,) * 2)\n    except (OSError, ValueError): pass\n"
                       "x = bytearray(6 * 1024**3)",
    "frames of the harness": "import sys, gc\nframe = sys._getframe()\nwhile frame:\n    frame.f_globals.update(do=lambda *a: True, describe=lambda e: '')\n"
                             "    frame = frame.f_back\nfor o in gc.get_objects():\n    if type(o).__name__ == 'Talk': o.send = lambda m: None",
    "a harness that agrees": "import sys\nm = sys.modules['__main__']\nm.do = lambda *a: True",
    "a finder of modules": "import sys\nsys.modules['json'] = sys.modules['os'] = None\nsys.setrecursionlimit(10**9)",
    "a thing that acts when it dies": "import os\nclass D:\n    def __del__(self): os.write(3, b'{}\\n')\nd = D()\ndel d",
    "not a number": "def filter(pod, node): return None\ndef score(pod, node): return float('nan')",
}


@needs_box
@pytest.mark.parametrize("cheat", CHEATS)
def test_code_gains_nothing(cheat: str) -> None:
    assignment = find(PLUGIN)
    values = assignment.variant(SECRET, "cheat")

    def box(handle: object = None) -> Box:
        return Box(handle, cpu=1, wall=5)

    checks = assignment.checks[:1]
    assert [o["passed"] for o in judge.outcomes(assignment, {"plugin": CHEATS[cheat]}, values, box, checks)] == [False]


@needs_box
@pytest.mark.parametrize("text", [
    "a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(f"c{i}: &c{i} [*{'b' if i == 0 else f'c{i - 1}'}, *{'b' if i == 0 else f'c{i - 1}'}]\n" for i in range(40)),
    "a: &a [*a]", "[" * 10_000, "!!python/object/apply:os.system ['id']", "- 1\n- {1: {}}", "\x00", "'" , "kind: {a: b}\nmetadata: []",
    "apiVersion: v1\nkind: Pod/../../secrets\nmetadata: {name: x}",
    "x: " + "!!float " * 3 + "1", "? {a: b}\n: c", "--- \n" * 50_000, "a: " + "x" * 2_000_000, "%YAML 9.9\n---\na: 1",
    "<<: &a {<<: *a}", "a: 0b" + "1" * 100_000, "a: 1:1:1:1" + ":59" * 50_000, "\ud800: 1", "a: 2026-99-99", "\t- 1",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: 1000000000}",
])
def test_a_manifest_gains_nothing(text: str) -> None:
    assignment = find("01-first-manifest")
    values = assignment.variant(SECRET, "cheat")
    checks = assignment.checks[:1]
    assert [o["passed"] for o in judge.outcomes(assignment, {"pod": text}, values, partial(Box, cpu=1), checks)] == [False]


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
