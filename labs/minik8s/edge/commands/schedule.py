"""사례 파일을 읽어 스케줄러의 결정을 JSON으로 출력한다. 클러스터는 뜨지 않는다.

파일은 JSON 배열(또는 사례 하나)이다: name, nodes, pods, objects, incoming. 결과는 {"name", "expect": [...]}의 배열이다.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import yaml

HELP = "파일에 적힌 사례의 배치를 정한다"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="사례 파일(JSON, .gz도 된다). -이면 표준 입력")
    parser.add_argument("--explain", action="store_true", help="결정마다 까닭을 우리말로 덧붙인다")
    parser.add_argument("--config", type=Path, metavar="FILE", help="KubeSchedulerConfiguration 파일(YAML)")


def run(arguments: argparse.Namespace) -> int:
    from minik8s.scheduler import cases

    try:
        found = read(arguments.file)
        config = yaml.safe_load(arguments.config.read_text(encoding="utf-8")) if arguments.config else None
        work = cases.explained if arguments.explain else cases.run
        answers = work(found, config)
    except (OSError, ValueError, yaml.YAMLError) as error:
        print(f"minik8s: 사례를 읽을 수 없다: {error}", file=sys.stderr)
        return 1
    except (KeyError, TypeError, AttributeError) as error:
        print(f"minik8s: 사례의 꼴이 틀렸다: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    json.dump(answers, sys.stdout, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


def read(name: str) -> list[dict[str, Any]]:
    """The cases of a file. OSError, ValueError."""
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    value = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    if isinstance(value, dict):
        value = value.get("cases", [value])
    if not isinstance(value, list) or not all(isinstance(case, dict) for case in value):
        raise ValueError("JSON 배열이어야 한다")
    return value
