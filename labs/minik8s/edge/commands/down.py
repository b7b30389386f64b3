"""돌고 있는 서버를 끝낸다. 데이터는 남는다."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from minik8s.edge import state

HELP = "서버를 끝낸다"
WAIT = 15.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="이 데이터 디렉터리의 서버만")
    parser.add_argument("--all", action="store_true", help="돌고 있는 서버를 모두")


def run(arguments: argparse.Namespace) -> int:
    found = chosen(arguments.data)
    if not found:
        print("minik8s: 돌고 있는 서버가 없다", file=sys.stderr)
        return 1
    if len(found) > 1 and not arguments.all:
        print("minik8s: 서버가 여럿이다. --data로 고르거나 --all을 준다", file=sys.stderr)
        for record in found:
            print(f"  {record.pid} {record.server} {record.data or '(메모리)'}", file=sys.stderr)
        return 1
    return max(stop(record) for record in found)


def chosen(data: Path | None) -> list[state.Record]:
    """The running servers, or the one of a data directory."""
    wanted = str(data.resolve()) if data else None
    return [record for record in state.records() if wanted is None or record.data == wanted]


def stop(record: state.Record) -> int:
    """End a server and wait until it is gone; 0 or 1."""
    os.kill(record.pid, signal.SIGTERM)
    until = time.monotonic() + WAIT
    while state.running(record) and time.monotonic() < until:
        time.sleep(0.05)
    if state.running(record):
        print(f"minik8s: 프로세스 {record.pid}가 {WAIT:.0f}초 안에 끝나지 않았다", file=sys.stderr)
        return 1
    print(f"{record.server}를 끝냈다")
    return 0
