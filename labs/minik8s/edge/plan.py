"""남의 도구(kind, minikube, docker)를 부르는 계획: 돌리는 명령을 모두 보여 주고, 보여 주기만 할 수도 있다."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass

INSTALL = {
    "kind": "https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
    "minikube": "https://minikube.sigs.k8s.io/docs/start/",
    "docker": "https://docs.docker.com/engine/install/",
    "podman": "https://podman.io/docs/installation",
    "kubectl": "https://kubernetes.io/docs/tasks/tools/",
}


@dataclass(frozen=True)
class Step:
    """One command. `stdin` is what it reads; a step that is not `needed` may fail."""

    argv: tuple[str, ...]
    stdin: str = ""
    needed: bool = True


def shown(step: Step) -> str:
    """The step as a shell would take it."""
    line = "+ " + shlex.join(step.argv)
    return f"{line} <<'EOF'\n{step.stdin.rstrip()}\nEOF" if step.stdin else line


def run(steps: Iterable[Step], *, dry: bool) -> int:
    """Print each command and run it, unless dry. The exit status of the first that failed; 127 without the tool."""
    for step in steps:
        print(shown(step), flush=True)
        if dry:
            continue
        if shutil.which(step.argv[0]) is None:
            print(missing(step.argv[0]), file=sys.stderr)
            return 127
        code = subprocess.run(step.argv, input=step.stdin or None, text=True, check=False).returncode
        if code and step.needed:
            print(
                f"minik8s: 위 명령이 실패했다(종료 코드 {code}). `minik8s doctor`가 까닭을 찾아 줄 수 있다.",
                file=sys.stderr,
            )
            return code
    return 0


def missing(tool: str) -> str:
    """What to do without the tool, in Korean."""
    return f"minik8s: {tool}이(가) 없다. 설치 안내: {INSTALL.get(tool, '각 도구의 누리집')}"


def engine() -> str:
    """The container engine that is here: docker, else podman; docker when there is none."""
    return next((name for name in ("docker", "podman") if shutil.which(name)), "docker")
