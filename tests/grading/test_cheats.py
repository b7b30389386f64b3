# ruff: noqa: E501
"""What people try: none of it gains a point, leaves the box, or stops the batch."""

import ast
import json
import os
from functools import partial
from types import SimpleNamespace

import pytest

from grading.conftest import SECRET, hand_in, needs_box
from minik8s.cluster import Cluster
from minik8s.grading import batch, judge, notebook, sandbox, told
from minik8s.grading.assignment import Assignment, find, shipped
from minik8s.grading.course import Course
from minik8s.grading.inside import Here
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
    "a tracer": "import sys\ndef t(frame, event, arg):\n    if event == 'return': frame.f_locals['message'] = {'ok': None}\n    return t\n"
                "sys.settrace(t); sys.setprofile(t)\ndef filter(pod, node): return None\ndef score(pod, node): return 0",
    "a last word": "import atexit, os, weakref\natexit.register(lambda: [os.write(n, b'{\"ok\": null}\\n') for n in (3, 4)])\nraise SystemExit",
    "an alarm": "import signal, os\nsignal.signal(signal.SIGALRM, lambda *a: os.write(4, b'{\"ok\": null}\\n' * 99))\nsignal.setitimer(0, .001, .001)\n"
                "def filter(pod, node):\n    while True: pass\nscore = filter",
    "stopped": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "a million things": "def filter(pod, node): return [[]] * 10**6\nscore = filter",
    "a number without end": "print(10 ** 10 ** 9)",
    "frames that lie about lines": "e = ValueError('x'); e.__traceback__ = None\nclass E(type(e)):\n    __name__ = property(lambda s: 1 / 0)\n    def __str__(self): return '\\x1b[2J'\nraise E",
    "a class that will not be told": "class M(type):\n    def __getattribute__(c, n): raise KeyboardInterrupt\nclass E(Exception, metaclass=M): pass\nraise E",
    "no more of json": "import json, sys\nclass J:\n    def __getattr__(self, n): return lambda *a, **k: '{\"ok\": null}'\nfor m in list(sys.modules.values()):\n"
                       "    if hasattr(m, 'json'): m.json = J()",
    "arguments that are changed": "def filter(pod, node):\n    node.labels.clear(); node.pods.clear(); pod.labels.clear(); pod.name = node.name\n    return None\ndef score(pod, node): return 0",
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


LINES = {
    "a path that is none": {"api": {"method": "GET", "path": ["/api/v1/pods"]}},
    "a verb of one's own": {"api": {"method": "GRADE", "path": "/"}},
    "nothing": {"api": None},
    "a watch": {"api": {"method": "GET", "path": "/api/v1/pods", "query": {"watch": ["true"]}}},
    "a query of another kind": {"api": {"method": "GET", "path": "/api/v1/pods", "query": {"limit": 1}}},
    "headers of another kind": {"api": {"method": "GET", "path": "/api/v1/pods", "headers": [1]}},
    "a verdict": {"passed": True, "id": "builds"},
    "no object": [1, 2],
    "two answers": {"ok": None, "api": 3},
}


@needs_box
@pytest.mark.parametrize("what", LINES)
def test_a_line_of_another_shape_ends_the_box(what: str) -> None:
    line = json.dumps(LINES[what]).encode() + b"\n"
    code = f"import os\ndef f():\n    for n in range(3, 32):\n        try: os.write(n, {line!r})\n        except OSError: pass\n    while True: pass"
    with Box(Cluster(nodes=1).handle, cpu=1, wall=5) as box:
        box.load(code)
        with pytest.raises(BoxDied):
            box.call("f")


@needs_box
def test_requests_without_end_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MAX_REQUESTS", 20)
    asked: list[object] = []
    cluster = Cluster(nodes=1)
    with Box(lambda request: (asked.append(request), cluster.handle(request))[1], cpu=2, wall=20) as box:
        box.load("def f(client):\n    while True:\n        try: client.list('nodes')\n        except BaseException: pass")
        with pytest.raises(BoxDied, match="20번"):
            box.call("f", {"$client": "x"})
    assert len(asked) <= 20


YAML_TOLD = {"!!bool ''": "값", "a: 2026-99-99": "값", "\x00": "글자", "[" * 2000: "깊이", "a: [": "번째 줄", "!x 1": "번째 줄"}


@pytest.mark.parametrize("text", YAML_TOLD)
def test_why_a_manifest_cannot_be_read_is_told_in_korean(text: str) -> None:
    with Here() as box, pytest.raises(BoxError) as told:
        box.yaml(text)
    assert str(told.value).startswith("YAML을 읽을 수 없다") and YAML_TOLD[text] in str(told.value)


@pytest.mark.parametrize(("error", "words"), [(KeyError("spec"), "`spec`"), (TypeError("'int' object is not iterable"), "답의 꼴"),
                                              (ValueError("day is out of range"), "답의 꼴")])
def test_what_a_check_cannot_digest_is_told_in_korean(error: Exception, words: str) -> None:
    assignment = find("01-first-manifest")
    check = assignment.checks[0]

    def fails(case: object) -> None:
        raise error

    setattr(assignment.functions, check.id, fails)
    found, = judge.outcomes(assignment, {"pod": "a: 1"}, {}, Here, [check])  # type: ignore[arg-type]
    assert not found["passed"] and words in found["message"] and str(error).strip("'") not in found["message"].replace("`spec`", "")


def test_requests_that_were_lost_are_told_in_words() -> None:
    load = SimpleNamespace(summary=lambda: {"errors": {"refused": 2, "503": 5, "timeout": 2}})
    assert told(load) == "503 5번, 연결 거절 2번, 시간 초과 2번"  # type: ignore[arg-type]


@pytest.mark.parametrize("assignment", shipped(), ids=lambda a: a.name)
def test_no_check_shows_a_learner_what_only_python_writes(assignment: Assignment) -> None:
    """Messages are made of words and single values: never of a dict, a list, a tuple, a repr, or nothing but English."""
    tree = ast.parse((assignment.folder / "checks.py").read_text(encoding="utf-8"))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "need"):
        for part in ast.walk(call.args[1]):
            if isinstance(part, ast.FormattedValue):
                assert part.conversion == -1 and not isinstance(part.value, ast.Dict | ast.List | ast.Tuple | ast.Set), ast.unparse(call)
                assert getattr(part.value, "id", "") not in ("got", "want", "lines", "counts", "names", "errors"), ast.unparse(call)
                assert "dict(" not in ast.unparse(part) and "summary()" not in ast.unparse(part), ast.unparse(call)
        texts = [part.value for part in ast.walk(call.args[1]) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        assert not texts or any("가" <= letter <= "힣" for text in texts for letter in text), ast.unparse(call)
