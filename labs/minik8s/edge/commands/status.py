"""돌고 있는 서버를 보여 준다. 없으면 1로 끝난다."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict

from minik8s.edge import state

HELP = "돌고 있는 서버를 보여 준다"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="출력 꼴(기본 text)")


def run(arguments: argparse.Namespace) -> int:
    found = state.records()
    if arguments.output == "json":
        print(json.dumps([asdict(record) for record in found], ensure_ascii=False, indent=1))
        return 0 if found else 1
    if not found:
        print("돌고 있는 서버가 없다")
        return 1
    for record in found:
        where = record.data or "메모리"
        up = int(time.time() - record.started)
        print(f"{record.server}  프로세스 {record.pid}  노드 {record.nodes}  데이터 {where}  {up}초째")
        print(f"  kubeconfig {record.kubeconfig}")
    return 0
