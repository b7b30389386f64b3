"""작은 kubectl: 진짜 바이너리가 없는 곳(웹 페이지, 프로세스 안의 클러스터)에서 같은 글자를 찍는다.

Tables come from the server, as for the real one. A new command is one function and one line in COMMANDS.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import NamedTuple

from minik8s.lab.kubectl import apply, change, debug, describe, get, info, make, pods, rollout
from minik8s.lab.kubectl.args import UsageError, parse
from minik8s.lab.kubectl.session import Session, worded
from minik8s.lab.official import ADMIN
from minik8s.lab.place import Place
from minik8s.wire import StatusError, UserInfo


class Result(NamedTuple):
    """What a command printed, and its exit code."""

    stdout: str
    stderr: str
    code: int


COMMANDS: dict[str, Callable[[Session], None]] = {
    "get": get.get,
    "describe": describe.describe,
    "create": make.create,
    "apply": apply.apply,
    "replace": apply.replace,
    "diff": apply.diff,
    "delete": apply.delete,
    "run": make.run,
    "expose": make.expose,
    "autoscale": make.autoscale,
    "scale": change.scale,
    "set": change.set_,
    "label": change.label,
    "annotate": change.annotate,
    "patch": change.patch,
    "taint": change.taint,
    "cordon": change.cordon,
    "uncordon": change.uncordon,
    "drain": change.drain,
    "rollout": rollout.rollout,
    "logs": pods.logs,
    "exec": pods.exec_,
    "debug": debug.debug,
    "top": pods.top,
    "wait": info.wait,
    "events": info.events,
    "explain": info.explain,
    "auth": info.auth,
    "config": info.config,
    "version": info.version,
    "cluster-info": info.cluster_info,
    "api-resources": info.api_resources,
    "api-versions": info.api_versions,
}

_LETTERS = {"logs": {"f": "follow"}, "patch": {"p": "patch"}, "set": {"c": "containers"}}


def run(
    place: Place, line: str | list[str], *, namespace: str = "default", stdin: str = "", user: UserInfo = ADMIN
) -> Result:
    """Run `kubectl LINE` (without the word kubectl) against a place."""
    argv = shlex.split(line) if isinstance(line, str) else list(line)
    if argv[:1] == ["kubectl"]:
        argv = argv[1:]
    try:
        name, rest = _split(argv)
        args = parse(rest, _LETTERS.get(name))
        session = Session(place, namespace, args, stdin, user)
    except UsageError as error:
        return Result("", f"{error}\n", 1)
    try:
        COMMANDS[name](session)
    except UsageError as error:
        session.err.write(f"{error}\n")
        session.code = 1
    except StatusError as error:
        session.err.write(worded(error) + "\n")
        session.code = 1
    return Result(session.out.getvalue(), session.err.getvalue(), session.code)


def _split(argv: list[str]) -> tuple[str, list[str]]:
    """The command and everything else (options may stand before it)."""
    at = 0
    while at < len(argv) and argv[at].startswith("-"):
        at += 1 if "=" in argv[at] or argv[at] in {"-A"} else 2
    if at >= len(argv):
        raise UsageError("kubectl 다음에 명령을 쓴다: " + ", ".join(COMMANDS))
    if argv[at] not in COMMANDS:
        raise UsageError(f'error: unknown command "{argv[at]}" for "kubectl"')
    return argv[at], argv[:at] + argv[at + 1 :]
