"""패킹 실습의 트레이스: 책과 함께 오는 합성 트레이스, 그리고 독자가 바랄 때만 내려받는 공개 트레이스.

openb는 Alibaba가 공개한 GPU 클러스터의 기록이다(FGD, USENIX ATC 2023). 연구와 학습에 쓰도록 공개되었고 다시 나누어
주는 조건이 적혀 있지 않아서 책에 넣지 않았다. 이미 받은 폴더를 알려 주거나, 내려받으라고 말하면 원래 자리에서 받는다.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from minik8s.scheduler.packing import GPU, Machine, Task, read_machines, read_tasks
from minik8s.scheduler.packing import synthetic as _synthetic

ORIGIN = (
    "https://raw.githubusercontent.com/alibaba/clusterdata/"
    "7a6c496e4f4b6ce6150be8f881cb051bf2abff42/cluster-trace-gpu-v2023/csv/"
)
NODES = "openb_node_list_gpu_node.csv"
TIMEOUT = 60.0

Fetch = Callable[[str], bytes]


class TraceMissing(FileNotFoundError):
    """트레이스가 없다. 글이 어떻게 얻는지 말한다."""


@dataclass(frozen=True)
class Trace:
    """기계들과, 들어오는 순서대로 놓인 작업들."""

    name: str
    machines: list[Machine]
    tasks: list[Task]

    @property
    def gpus(self) -> int:
        return sum(len(machine.left) for machine in self.machines)

    @property
    def demand(self) -> float:
        """작업이 모두 들어왔을 때의 GPU 요청이 클러스터의 몇 퍼센트인가."""
        return 100 * sum(task.kind.total for task in self.tasks) / (GPU * self.gpus)

    def __repr__(self) -> str:
        return (
            f"{self.name}: 기계 {len(self.machines):,}대, GPU {self.gpus:,}개, 작업 {len(self.tasks):,}개"
            f"(GPU 요청은 클러스터의 {self.demand:.0f} %)"
        )


def synthetic(machines: int = 120, seed: int = 42, load: float = 1.3) -> Trace:
    """씨앗으로 만든 트레이스. 같은 씨앗이면 언제나 같다. load는 GPU 요청이 클러스터의 몇 배까지 들어오는가."""
    return Trace(f"합성 트레이스(씨앗 {seed})", *_synthetic(machines, seed, load))


def openb(
    folder: str | Path = "openb", *, pods: str = "default", download: bool = False, fetch: Fetch | None = None
) -> Trace:
    """openb 트레이스를 폴더에서 읽는다. download=True면 없는 파일을 원래 자리에서 받아 그 폴더에 둔다(약 0.6 MB).

    pods: 작업 목록의 이름(default, cpu050, gpushare40, multigpu20, gpuspec10, …). 없으면 TraceMissing.
    """
    wanted = (NODES, f"openb_pod_list_{pods}.csv")
    where = Path(folder)
    for name in wanted:
        if not (where / name).is_file():
            if not download:
                raise TraceMissing(_how(where, name))
            _store(where, name, (fetch or _fetch)(ORIGIN + name))
    nodes, tasks = (_lines(where / name) for name in wanted)
    try:
        return Trace(f"openb({pods})", read_machines(nodes), read_tasks(tasks))
    except (KeyError, ValueError) as problem:
        raise ValueError(f"openb 트레이스의 꼴이 아니다: {where}: {problem}") from None


def _how(where: Path, name: str) -> str:
    return (
        f"openb 트레이스가 없다: {where / name}. 이미 받았다면 그 폴더를 traces.openb(폴더)에 주고, "
        f"아니면 traces.openb(download=True)로 내려받자. 원래 자리: {ORIGIN}{name}"
    )


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise ValueError(f"트레이스를 읽을 수 없다: {path}: {problem}") from None


def _store(where: Path, name: str, data: bytes) -> None:
    """Keep a download only when it is what was asked for: a table with a heading."""
    head = data[:200].decode("utf-8", "replace").partition("\n")[0]
    if "cpu_milli" not in head:
        digest = hashlib.sha256(data).hexdigest()[:12]
        raise TraceMissing(f"내려받은 것이 트레이스가 아니다: {name}({len(data)}바이트, sha256 {digest}…).")
    try:
        where.mkdir(parents=True, exist_ok=True)
        (where / name).write_bytes(data)
    except OSError as problem:
        raise TraceMissing(f"내려받은 트레이스를 둘 수 없다: {where}: {problem.strerror or problem}") from None


def _fetch(address: str) -> bytes:
    """Over HTTPS; inside a page by the browser."""
    try:
        if sys.platform == "emscripten":
            from pyodide.http import open_url  # type: ignore[import-not-found]

            return str(open_url(address).getvalue()).encode()
        from urllib.request import urlopen

        with urlopen(address, timeout=TIMEOUT) as answer:  # the address is a constant above
            return bytes(answer.read())
    except Exception as problem:
        raise TraceMissing(f"내려받지 못했다: {address} ({problem}). 네트워크가 되는지 살피자.") from None
