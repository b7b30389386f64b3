"""The box for the student's code: bubblewrap, no network, nothing to write to, nobody's uid, hard limits.

What crosses is JSON, a line at a time, and every line is suspect: its size and shape are checked here, and
what it says is only ever the *value* of the student's answer, never a verdict.

Inside (walls.py) are libraries, the Python that runs us, PyYAML and minik8s without its grading part, all read-only.
There are no assignments, no checks, no secret, no other submissions, no home, no programs, no /proc, and nothing can
be written.
"""

from __future__ import annotations

import json
import math
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from minik8s.grading import cgroup, syscalls, walls
from minik8s.grading.walls import PACKAGE, NoSandbox
from minik8s.wire import Request, UserInfo

__all__ = ["Box", "BoxDied", "BoxError", "NoSandbox", "available", "refusal"]

CPU_SECONDS = 5
WALL_SECONDS = 20.0
"""How long a box may keep its grader waiting, all answers together; what the grader itself takes does not count."""
START_SECONDS = 60.0
"""Until the walls stand. Ended earlier, bubblewrap could stay behind: it is not yet bound to its parent's life."""
MEMORY = 512 * 1024 * 1024
MAX_LINE = 1_000_000
MAX_REQUESTS = 5_000
GROUP_SPARE = 128 * 1024 * 1024
"""What the walls themselves take, on top of the memory of the code."""
STUDENT = UserInfo("student", "student-uid", ("system:masters", "system:authenticated"))
READY = {"ready": True}
"""What the runner says first, before it has seen anything of the student's."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class BoxError(Exception):
    """The student's code failed: the message is for its author."""


class BoxDied(BoxError):
    """The box was ended by a limit, or ended itself. Nothing more can be asked of this code."""


refusal = walls.refusal


def available() -> bool:
    """Whether a box can really be made on this machine."""
    return not refusal()


class Box:
    """One process of student code. `handle` serves the API requests that the code makes.

    `waited`: seconds that its grader has waited for its answers.
    """

    def __init__(self, handle: Any = None, *, safe: bool = True, cpu: int = CPU_SECONDS, wall: float = WALL_SECONDS):
        self._handle, self._wall, self._left, self._requests = handle, wall, START_SECONDS, 0
        self._buffer, self.writes, self._stands, self._end = b"", 0, False, ""
        self.waited = 0.0
        self._group: cgroup.Group | None = None
        limits = [str(cpu), str(MEMORY)]
        if safe:
            self._process = self._behind_walls(limits)
        else:
            runner = Path(__file__).with_name("runner.py")
            self._process = self._start([sys.executable, "-B", str(runner), *(limits if _posix() else ())], _OUTSIDE)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout

    def _behind_walls(self, limits: list[str]) -> subprocess.Popen[bytes]:
        filter = syscalls.opened()
        try:
            command = [*walls.command(filter), f"{walls.BOX}/runner.py", *limits]
            self._group = cgroup.make(MEMORY + GROUP_SPARE)
            if self._group:
                # A shell enters the group and becomes the command: nothing of the box ever runs outside of it.
                enter = 'for door; do shift; [ "$door" = -- ] && break; echo 0 > "$door"; done; exec "$@"'
                command = ["/bin/sh", "-c", enter, "sh", *map(str, self._group.doors), "--", *command]
            return self._start(command, walls.ENVIRONMENT, (filter,) if filter is not None else ())
        finally:
            if filter is not None:
                os.close(filter)

    @staticmethod
    def _start(command: list[str], environment: dict[str, str], fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=environment, cwd="/", close_fds=True, pass_fds=fds, start_new_session=True,
        )

    def __enter__(self) -> Box:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End everything in the box: with its first process the whole pid namespace goes.

        One that does not stand yet ends by itself, where its first question should come from.
        """
        if self._stands:
            self._process.kill()
        for pipe in (self._in, self._out):
            try:
                pipe.close()
            except OSError:
                pass
        try:
            self._process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._group:
            self._group.close()

    # ---- questions ------------------------------------------------------------------
    def yaml(self, text: str) -> list[Any]:
        """The documents of a YAML text. BoxError."""
        found = self._ask({"op": "yaml", "text": text})
        if not isinstance(found, list):
            raise BoxError("YAML을 읽은 값의 꼴이 틀렸다.")
        return found

    def load(self, text: str) -> None:
        """Run the student's Python once. BoxError."""
        self._ask({"op": "exec", "text": text})

    def call(self, name: str, *args: Any) -> Any:
        """What the student's function says. BoxError."""
        return self._ask({"op": "call", "name": name, "args": list(args)})

    def _ask(self, question: dict[str, Any]) -> Any:
        if self._end:
            raise BoxDied(self._end)
        if not self._stands:
            if self._line() != READY:
                raise self._died("울타리가 서지 않았다.")
            self._stands, self._left = True, self._wall
        self._send(question)
        while True:
            answer = self._line()
            if "api" in answer and self._handle is not None:
                self._send({"response": self._serve(answer["api"])})
            elif "error" in answer:
                raise BoxError(str(answer["error"])[:1000])
            elif "ok" in answer:
                return answer["ok"]
            else:
                raise self._died("코드가 정해지지 않은 말을 했다.")

    def _serve(self, question: Any) -> dict[str, Any]:
        self._requests += 1
        if self._requests > MAX_REQUESTS:
            raise self._died(f"API 요청이 {MAX_REQUESTS}번을 넘었다.")
        if not isinstance(question, dict) or question.get("method") not in METHODS:
            raise self._died("API 요청의 꼴이 틀렸다.")
        path, query, headers = question.get("path"), question.get("query") or {}, question.get("headers") or {}
        if not isinstance(path, str) or not _words(query) or not isinstance(headers, dict) or "watch" in query:
            raise self._died("API 요청의 꼴이 틀렸다.")
        self.writes += question["method"] != "GET"
        headers = {str(k).lower(): str(v) for k, v in headers.items()}
        response = self._handle(Request(question["method"], path, query, headers, question.get("body"), STUDENT))
        return {"status": response.status, "body": response.body if isinstance(response.body, dict) else None}

    # ---- the pipe ------------------------------------------------------------------------
    def _send(self, message: dict[str, Any]) -> None:
        data = memoryview(json.dumps(message).encode() + b"\n")
        fd = self._in.fileno()
        os.set_blocking(fd, False)
        while data:
            self._wait([], [fd])
            try:
                data = data[os.write(fd, data) :]
            except OSError:
                raise self._died("") from None

    def _wait(self, read: list[Any], write: list[Any]) -> None:
        start = time.monotonic()
        there = any(select.select(read, write, [], max(0.0, self._left)))
        took = time.monotonic() - start
        self._left -= took
        self.waited += took if self._stands else 0.0
        if not there:
            raise self._died("답하지 않는다: 실제 시간이 너무 오래 걸렸다.")

    def _line(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            if len(self._buffer) > MAX_LINE:
                raise self._died("대답이 너무 크다.")
            self._wait([self._out], [])
            data = os.read(self._out.fileno(), 65536)
            if not data:
                raise self._died("")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        if len(line) > MAX_LINE:
            raise self._died("대답이 너무 크다.")
        try:
            found = json.loads(line, parse_constant=_no_number, parse_float=_number)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise self._died("코드가 정해지지 않은 말을 했다.")
        return found

    def _died(self, why: str) -> BoxDied:
        """Close, and be dead from now on: whoever asks again is told the same, at once."""
        self.close()
        self._end = why or "코드가 끝나 버렸다: CPU 시간이나 메모리의 한도를 넘었거나 스스로 끝났다."
        return BoxDied(self._end)


def _words(query: Any) -> bool:
    return isinstance(query, dict) and all(
        isinstance(k, str) and isinstance(v, list) and all(isinstance(one, str) for one in v) for k, v in query.items()
    )


def _no_number(word: str) -> float:
    raise ValueError(word)


def _number(word: str) -> float:
    """A JSON number; ValueError for one that no float holds."""
    value = float(word)
    return value if math.isfinite(value) else _no_number(word)


_OUTSIDE = {
    "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "PATH": "/usr/bin:/bin",
    "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), str(Path(yaml.__file__).parents[1])]),
}
"""The environment without walls."""


def _posix() -> bool:
    return os.name == "posix"
