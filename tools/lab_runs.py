"""Runs labs without a browser or a notebook server, each in a process of its own that can be killed at any cell.

    python tools/lab_runs.py                         every lab on a fresh `minik8s up`
    python tools/lab_runs.py --place kind-minik8s    on a context of the kubeconfig (`embedded`: in the process)
    python tools/lab_runs.py --twice                 again on the same cluster
    python tools/lab_runs.py --every-cell 05 08      killed after each cell, and run from the top again
    python tools/lab_runs.py --cells 3 05            killed after the third cell only, and run again
    python tools/lab_runs.py --json                  one line of JSON per run instead of words, for tests

A process that has imported everything forks one child per run, which is how a kernel with IPython's own shell can be
had in milliseconds. A killed child cleans nothing up, as a killed kernel does not. What the labs left behind is looked
for at the end, and is a failure. Needs fork (not Windows).
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LABS = ROOT / "labs"
LOOK = """
import os, time
from minik8s.lab import remains, remote
client, end = remote.client_of(os.environ["MINIK8S_CONTEXT"]), time.time() + 60
while (left := remains.traces(client)) and time.time() < end:
    time.sleep(0.5)
print(*left, sep="\\n")
"""
ALONE = ("incident-08-lost-node",)
"""Labs that change nodes, which others would notice: they run when nothing else does."""
GOOD, BAD = "[통과]", "[아직]"


@dataclass
class Run:
    """One run of a lab. cells: killed after so many code cells; None for a whole run."""

    lab: str
    cells: int | None = None
    after: int | None = None
    """A whole run that follows one killed after so many cells."""
    seconds: float = 0.0
    text: str = ""
    why: str = ""
    """What went wrong; "" for a good run."""


def notebooks(names: list[str]) -> list[Path]:
    """The labs whose file names begin with one of the names; all of them without names."""
    found = sorted((LABS / "notebooks").glob("*.md"))
    return [path for path in found if not names or any(path.stem.startswith(name) for name in names)]


def code_cells(path: Path) -> list[str]:
    import jupytext

    return [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]


# ---- the child ------------------------------------------------------------------------
def live(run: Run, sources: list[str], output: Path) -> None:
    """Be the kernel of one run. Never returns."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(LABS)
    atexit._clear()
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.colors = "nocolor"
    for number, source in enumerate(sources, 1):
        result = shell.run_cell(source)
        sys.stdout.flush()
        if not result.success:
            os._exit(1)
        if run.cells == number:
            os.kill(os.getpid(), signal.SIGKILL)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(0)


def judge(run: Run, status: int) -> None:
    """Set `run.why` from how the child ended and what it printed."""
    if run.cells is not None:
        run.why = "" if os.WIFSIGNALED(status) else f"셀 {run.cells}까지 가지 못했다"
    elif status != 0:
        run.why = "셀이 오류로 끝났다"
    elif BAD in run.text:
        run.why = "통과하지 못한 확인이 있다"
    elif GOOD not in run.text:
        run.why = "통과한 확인이 하나도 없다"


# ---- the parent -----------------------------------------------------------------------
def perform(chains: list[list[Run]], at_once: int) -> Iterator[Run]:
    """Run every chain; the runs of a chain one after the other, so many chains at once. Yields runs as they end.

    A chain ends early when a run of it fails.
    """
    sources = {run.lab: code_cells(LABS / "notebooks" / f"{run.lab}.md") for chain in chains for run in chain}
    waiting, going = deque(deque(chain) for chain in chains), {}
    with tempfile.TemporaryDirectory() as folder:
        while waiting or going:
            while waiting and len(going) < at_once:
                chain = waiting.popleft()
                run, output = chain.popleft(), Path(folder) / f"{len(going)}-{time.monotonic_ns()}"
                child = os.fork()
                if child == 0:
                    live(run, sources[run.lab], output)
                going[child] = run, chain, output, time.monotonic()
            child, status = os.wait()
            run, chain, output, began = going.pop(child)
            run.seconds, run.text = time.monotonic() - began, output.read_text(encoding="utf-8", errors="replace")
            output.unlink()
            judge(run, status)
            yield run
            if chain and not run.why:
                waiting.appendleft(chain)


def chain_runs(together: list[list[Run]], alone: list[list[Run]], at_once: int) -> Iterator[Run]:
    yield from perform(together, at_once)
    yield from perform(alone, 1)


def chains_of(path: Path, options: argparse.Namespace) -> list[list[Run]]:
    lab = path.stem
    count = len(code_cells(path))
    if options.every_cell or options.cells:
        stops = range(1, count) if options.every_cell else [n for n in options.cells if n < count]
        return [[Run(lab, cells=n), Run(lab, after=n)] for n in stops]
    return [[Run(lab) for _ in range(2 if options.twice else 1)]]


@contextlib.contextmanager
def place(name: str) -> Iterator[None]:
    """The environment that leads labs to the place; starts and ends a server for "up"."""
    if name != "up":
        os.environ["MINIK8S_CONTEXT"] = name
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "kubeconfig"
        command = [sys.executable, "-m", "minik8s", "up", "--kubeconfig", str(config), "--use", "--seed=1"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            if not line.startswith("minik8s ready"):
                sys.exit(f"서버가 켜지지 않았다: {line}")
            tools = Path(sys.executable).parent
            os.environ.update(MINIK8S_CONTEXT="minik8s", KUBECONFIG=str(config))
            os.environ["PATH"] = f"{tools}{os.pathsep}{os.environ['PATH']}"
            yield
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def left_behind() -> list[str]:
    """What is still there of labs of this machine, and not on its way out; asked in a child, which has threads."""
    if os.environ["MINIK8S_CONTEXT"] == "embedded":
        return []
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    return done.stdout.split()


def tell(run: Run, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(run), ensure_ascii=False), flush=True)
        return
    what = f"셀 {run.cells}에서 죽임" if run.cells else f"셀 {run.after} 뒤 다시" if run.after else "처음부터"
    print(f"{'실패' if run.why else '통과'}  {run.lab}  {what}  {run.seconds:.1f}초  {run.why}", flush=True)
    if run.why:
        print(run.text[-3000:], flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labs", nargs="*", help="실습 파일 이름의 앞부분 (없으면 모두)")
    parser.add_argument("--place", default="up", help="up(기본: 서버를 새로 띄운다), embedded, 또는 컨텍스트 이름")
    parser.add_argument("--twice", action="store_true", help="같은 클러스터에서 두 번")
    parser.add_argument("--every-cell", action="store_true", help="셀마다 죽이고 처음부터 다시")
    parser.add_argument("--cells", type=int, action="append", help="이 셀에서 죽이고 처음부터 다시")
    parser.add_argument("--at-once", type=int, default=6, help="한꺼번에 도는 실습의 수 (기본 6)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    from IPython.core import interactiveshell  # noqa: F401
    from kubernetes import client, config  # noqa: F401

    import minik8s.lab.remote  # noqa: F401 - what every child needs, loaded once

    began, failed, runs = time.monotonic(), 0, 0
    with place(options.place):
        chains = [chain for path in notebooks(options.labs) for chain in chains_of(path, options)]
        alone = [chain for chain in chains if chain[0].lab in ALONE]
        for run in chain_runs([chain for chain in chains if chain not in alone], alone, options.at_once):
            tell(run, options.json)
            runs, failed = runs + 1, failed + bool(run.why)
        left = left_behind()
    if options.json:
        print(json.dumps({"left": left}, ensure_ascii=False))
    else:
        print(f"{runs}번 가운데 {failed}번 실패, 남은 것: {left or '없음'}, {time.monotonic() - began:.0f}초")
    return 1 if failed or left else 0


if __name__ == "__main__":
    sys.exit(main())
