"""What runs inside the box: reads YAML, runs the student's Python, answers questions over a pipe.

Nothing here is trusted by the other side. One line of JSON each way:

    (at the start)              -> {"ready": true}
    {"op": "yaml", "text"}              -> {"ok": [documents]}
    {"op": "exec", "text"}              -> {"ok": null}
    {"op": "call", "name", "args"}      -> any number of {"api": request} (each answered by a response), then {"ok"}
    anything that goes wrong            -> {"error": text}

Runs as a script, alone: imports nothing of `minik8s` but what the student's code needs.
"""

from __future__ import annotations

import json
import os
import sys
from types import SimpleNamespace
from typing import Any, BinaryIO

MAX_LINE = 1_000_000


def limit(cpu: int, memory: int) -> None:
    """No more processes, no files written, so much CPU time and memory; nothing that a core dump could tell."""
    import resource

    wanted = {
        resource.RLIMIT_CPU: (cpu, cpu + 1),
        resource.RLIMIT_AS: (memory, memory),
        resource.RLIMIT_NPROC: (1, 1),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (32, 32),
    }
    for kind, values in wanted.items():
        resource.setrlimit(kind, values)


class Remote:
    """The API server outside, as a transport for `minik8s.client.Client`."""

    def __init__(self, talk: Talk):
        self.talk = talk

    def __call__(self, request: Any) -> Any:
        from minik8s.wire import Response

        question = {"method": request.method, "path": request.path, "query": request.query,
                    "headers": request.headers, "body": request.body}
        self.talk.send({"api": question})
        answer = self.talk.receive()["response"]
        return Response(answer["status"], answer["body"])


class Talk:
    """The two ends of the pipe."""

    def __init__(self, read: BinaryIO, write: BinaryIO):
        self._read, self._write = read, write

    def send(self, message: dict[str, Any]) -> None:
        try:
            data = json.dumps(message, default=str, allow_nan=False).encode()
        except (ValueError, TypeError, RecursionError):
            why = "값을 JSON으로 나타낼 수 없다: 너무 크거나 깊거나, 제 안에 저를 담았거나, 수가 아니다(NaN, 무한대)."
            data = json.dumps({"error": why}).encode()
        if len(data) > MAX_LINE:
            data = json.dumps({"error": "값이 너무 크다."}).encode()
        self._write.write(data + b"\n")
        self._write.flush()

    def receive(self) -> dict[str, Any]:
        line = self._read.readline()
        if not line:
            raise SystemExit(0)
        found: dict[str, Any] = json.loads(line)
        return found


class Told(Exception):
    """What is wrong, in words for the author of the answer."""


def read_yaml(text: str) -> list[Any]:
    import yaml

    try:
        return [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{mark.line + 1}번째 줄 {mark.column + 1}번째 글자" if mark else "어딘가"
        raise Told(f"YAML을 읽을 수 없다: {where}에서 {error.problem}.") from None
    except RecursionError:
        raise Told("YAML을 읽을 수 없다: 너무 깊이 들어간다.") from None
    except MemoryError:
        raise
    except Exception:  # letters that YAML knows not; dates, numbers and booleans that are none
        raise Told("YAML을 읽을 수 없다: 쓸 수 없는 글자나 값이 있다.") from None


def hydrate(value: Any, talk: Talk) -> Any:
    """Arguments as the student's function sees them."""
    if not isinstance(value, dict) or len(value) != 1:
        return value
    kind, content = next(iter(value.items()))
    if kind == "$client":
        from minik8s.client.api import Client

        return Client(Remote(talk), actor=content)
    if kind == "$view":
        return SimpleNamespace(**{key: _deeply(item, talk) for key, item in content.items()})
    return value


def _deeply(value: Any, talk: Talk) -> Any:
    return [hydrate(item, talk) for item in value] if isinstance(value, list) else value


def serve(talk: Talk) -> None:
    space: dict[str, Any] = {"__name__": "answer"}
    talk.send({"ready": True})
    while True:
        message = talk.receive()
        try:
            talk.send({"ok": do(message, space, talk)})
        except SystemExit:
            talk.send({"error": "코드가 프로그램을 끝내려 했다(exit)."})
        except BaseException as error:
            talk.send({"error": describe(error)})


def do(message: dict[str, Any], space: dict[str, Any], talk: Talk) -> Any:
    if message["op"] == "yaml":
        return read_yaml(message["text"])
    if message["op"] == "exec":
        exec(compile(message["text"], "<답>", "exec"), space)
        return None
    function = space.get(message["name"])
    if not callable(function):
        raise Told(f"{message['name']}라는 함수가 없다.")
    return function(*[hydrate(arg, talk) for arg in message["args"]])


def describe(error: BaseException) -> str:
    """The error's kind and text, and the line of the answer it came from."""
    if isinstance(error, Told):
        return str(error)[:1000]
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<답>":
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.lineno:
        line = error.lineno
    where = f" (답의 {line}번째 줄)" if line else ""
    try:
        return f"{type(error).__name__}: {error}{where}"[:1000]
    except BaseException:
        return f"{type(error).__name__}{where}"[:1000]


def main() -> None:
    talk = Talk(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    if len(sys.argv) > 2:
        limit(int(sys.argv[1]), int(sys.argv[2]))
    serve(talk)


if __name__ == "__main__":
    main()
