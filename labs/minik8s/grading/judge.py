"""Judges one submission, check by check: in this process, or as a process that is told what to do on standard input.

The process is a fence around *our* side: manifests are data from strangers too, and an engine that runs away with
them must not take the batch along. A check that hits the fence fails; the others are judged by a fresh process.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from minik8s.grading.assignment import Assignment, Check
from minik8s.grading.case import Case, Failed, unfit
from minik8s.grading.sandbox import Box, BoxError
from minik8s.grading.variants import shown
from minik8s.wire import StatusError

CPU_SECONDS = 60
MEMORY = 2 * 1024**3
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


def outcomes(
    assignment: Assignment,
    answers: Mapping[str, str],
    values: Mapping[str, Any],
    box: Callable[..., Box] = Box,
    checks: list[Check] | None = None,
    begin: Callable[[Check], None] = lambda check: None,
    salt: str = "",
) -> Iterator[dict[str, Any]]:
    """{id, passed, message, story} per check, in the rubric's order. Checks for a person are left out."""
    case = Case(answers, assignment.answers, values, box, assignment.allows, salt)
    for check in checks if checks is not None else assignment.checks:
        if check.manual:
            continue
        begin(check)
        message = _judge(assignment, check, case)
        told = [] if check.hidden else _story(case)
        case.close()
        yield {"id": check.id, "passed": not message, "message": message, "story": told}


def _story(case: Case) -> list[list[Any]]:
    try:
        return [[line.time, line.kind, shown(line.text)] for stage in case.stages[-1:] for line in stage.story()]
    except Exception:  # it is told of objects that strangers made, and decides about nothing
        return []


def _judge(assignment: Assignment, check: Check, case: Case) -> str:
    """"" when the check holds, or why not."""
    try:
        for name in check.needs:
            case.text(name)
        assignment.function(check)(case)
        return ""
    except (Failed, BoxError) as error:
        why = str(error)
    except StatusError as error:
        why = f"API 서버가 거절했다: {error.message}"
    except Exception as error:  # answers come in every shape; what a check cannot digest earns nothing
        why = unfit(error)
    return shown(_ADDRESS.sub("0x…", why[:3000]))[:1500] or "통과하지 못했다."


def main() -> None:
    """Read {folder, answers, values, salt, safe, checks}; say {"begin": id} and one outcome per check, a line each."""
    out = sys.stdout.buffer
    task = json.loads(sys.stdin.buffer.read())
    _fence()
    assignment = Assignment(Path(task["folder"]))

    def say(message: dict[str, Any]) -> None:
        out.write(json.dumps(message).encode() + b"\n")
        out.flush()

    def box(handle: Any = None) -> Box:
        return Box(handle, safe=task["safe"])

    checks = [check for check in assignment.checks if check.id in task["checks"]]
    answers, values, salt = task["answers"], task["values"], task["salt"]
    for outcome in outcomes(assignment, answers, values, box, checks, lambda c: say({"begin": c.id}), salt):
        say(outcome)


def _fence() -> None:
    try:
        import resource
    except ImportError:  # Windows: the wall clock of the batch is the only fence
        return
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 2))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    main()
