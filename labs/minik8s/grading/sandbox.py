"""The box for the student's code: bubblewrap, no network, nothing to write to, nobody's uid, hard limits.

What crosses is JSON, a line at a time, and every line is suspect: its size and shape are checked here, and
what it says is only ever the *value* of the student's answer, never a verdict.

Inside are /usr, the Python that runs us, PyYAML and minik8s without its grading part, all read-only. There are no
assignments, no checks, no secret, no other submissions, no home, no /etc, no writable file system.
As root, the file systems are laid out first, then the uid is given up, then a second bubblewrap makes the
namespaces: a user namespace of an unprivileged uid, as an unprivileged caller gets at once.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from minik8s.wire import Request, UserInfo

CPU_SECONDS = 5
WALL_SECONDS = 60.0
MEMORY = 512 * 1024 * 1024
MAX_LINE = 1_000_000
MAX_REQUESTS = 5_000
NOBODY = 65534
STUDENT = UserInfo("student", "student-uid", ("system:masters", "system:authenticated"))
PYTHON_AT = "/python"
PACKAGE = Path(__file__).parents[1]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class BoxError(Exception):
    """The student's code failed: the message is for its author."""


class BoxDied(BoxError):
    """The box was ended by a limit, or ended itself. Nothing more can be asked of this code."""


class NoSandbox(RuntimeError):
    """There is no bubblewrap here."""


def available() -> bool:
    """Whether a box can really be made on this machine: bubblewrap may be there, but namespaces forbidden."""
    if shutil.which("bwrap") is None:
        return False
    try:
        with Box() as box:
            return bool(box.yaml("a: 1") == [{"a": 1}])
    except BoxError:
        return False


class Box:
    """One process of student code. `handle` serves the API requests that the code makes."""

    def __init__(self, handle: Any = None, *, safe: bool = True, cpu: int = CPU_SECONDS, wall: float = WALL_SECONDS):
        self._handle, self._end, self._requests = handle, time.monotonic() + wall, 0
        self._buffer, self.writes = b"", 0
        limits = [str(cpu), str(MEMORY)]
        runner = ["-I", "-S", "-B"]
        if safe:
            command = [*_bwrap(), _python(), *runner, "/box/runner.py", *limits]
        else:
            command = [sys.executable, "-B", str(Path(__file__).with_name("runner.py")), *(limits if _posix() else ())]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(safe),
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout

    def __enter__(self) -> Box:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End everything in the box: with its first process the whole pid namespace goes."""
        self._process.kill()
        for pipe in (self._in, self._out):
            try:
                pipe.close()
            except OSError:
                pass
        self._process.wait()

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
            if not select.select([], [fd], [], max(0.0, self._end - time.monotonic()))[1]:
                raise self._died("답하지 않는다: 실제 시간이 너무 오래 걸렸다.")
            try:
                data = data[os.write(fd, data) :]
            except OSError:
                raise self._died("") from None

    def _line(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            if len(self._buffer) > MAX_LINE:
                raise self._died("대답이 너무 크다.")
            left = self._end - time.monotonic()
            if left <= 0 or not select.select([self._out], [], [], left)[0]:
                raise self._died("답하지 않는다: 실제 시간이 너무 오래 걸렸다.")
            data = os.read(self._out.fileno(), 65536)
            if not data:
                raise self._died("")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        if len(line) > MAX_LINE:
            raise self._died("대답이 너무 크다.")
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise self._died("코드가 정해지지 않은 말을 했다.")
        return found

    def _died(self, why: str) -> BoxDied:
        self.close()
        return BoxDied(why or "코드가 끝나 버렸다: CPU 시간이나 메모리의 한도를 넘었거나 스스로 끝났다.")


def _words(query: Any) -> bool:
    return isinstance(query, dict) and all(
        isinstance(k, str) and isinstance(v, list) and all(isinstance(one, str) for one in v) for k, v in query.items()
    )


def _posix() -> bool:
    return os.name == "posix"


def _of_system() -> bool:
    """Whether our Python is the system's: it is then at the same place inside."""
    return os.path.realpath(sys.base_prefix).startswith("/usr")


def _python() -> str:
    """Our Python, as the box sees it. Elsewhere than under /usr its own path may lead through somebody's home."""
    program, prefix = os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix)
    return program if _of_system() else os.path.join(PYTHON_AT, os.path.relpath(program, prefix))


def _environment(safe: bool) -> dict[str, str]:
    keep = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "PATH": "/usr/bin:/bin"}
    if safe:
        return keep
    return {**keep, "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), str(Path(yaml.__file__).parents[1])])}


def _bwrap() -> list[str]:
    """The command up to the program that runs in the box. NoSandbox."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise NoSandbox("bubblewrap이 없다. 데비안·우분투라면 `apt install bubblewrap`을 먼저 실행하자.")
    apart = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv",
             "--setenv", "PYTHONHASHSEED", "0", "--setenv", "PYTHONUTF8", "1",
             "--setenv", "LD_LIBRARY_PATH", f"{PYTHON_AT}/lib", "--hostname", "box"]
    devices = ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--chdir", "/"]
    if os.geteuid() != 0:
        return [bwrap, *apart, *_mounts(), *devices, "--remount-ro", "/", "--"]
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
    outer = [bwrap, "--die-with-parent", *_mounts(), "--dir", "/tmp", "--bind", "/proc", "/proc",
             "--dev-bind", "/dev", "/dev", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--"]
    return [*outer, *nobody, bwrap, *apart, "--ro-bind", "/", "/", *devices, "--"]


def _mounts() -> list[str]:
    """All that the box can see, read-only."""
    out = []
    for path in ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache"):
        out += ["--ro-bind-try", path, path]
    out += ["--perms", "0755", "--dir", "/box", "--perms", "0755", "--dir", "/box/minik8s"]
    if not _of_system():
        out += ["--ro-bind", os.path.realpath(sys.base_prefix), PYTHON_AT]
    parts = [p for p in sorted(PACKAGE.iterdir()) if p.name not in ("grading", "assignments", "__pycache__")]
    for part in parts:
        out += ["--ro-bind", str(part), f"/box/minik8s/{part.name}"]
    out += ["--ro-bind", str(Path(yaml.__file__).parent), "/box/yaml"]
    return [*out, "--ro-bind", str(Path(__file__).with_name("runner.py")), "/box/runner.py"]
