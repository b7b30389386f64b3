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
    try:
        found = read(arguments.file)
        config = read_config(arguments.config)
        answers = [answer for case in found for answer in decide(case, config, explain=arguments.explain)]
    except Unusable as problem:
        print(f"minik8s: {problem}", file=sys.stderr)
        return 1
    json.dump(answers, sys.stdout, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


class Unusable(Exception):
    """What a person got wrong, in Korean."""


def decide(case: dict[str, Any], config: dict[str, Any] | None, *, explain: bool) -> list[dict[str, Any]]:
    """[{"name", "expect"}], with "explain" when wanted. Unusable names the case."""
    from minik8s.scheduler import cases
    from minik8s.scheduler.config import ConfigError

    work = cases.explained if explain else cases.run
    name = case.get("name", "(이름 없음)")
    try:
        return work([case], config)
    except ConfigError as problem:
        raise Unusable(f"스케줄러 설정이 틀렸다: {problem}") from None
    except KeyError as problem:
        raise Unusable(f"사례 {name}에 {problem.args[0]!r} 항목이 없다.") from None
    except (ValueError, TypeError, AttributeError) as problem:
        raise Unusable(f"사례 {name}의 꼴이 틀렸다: {problem}") from None


def read(name: str) -> list[dict[str, Any]]:
    """The cases of a file. Unusable."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        value = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    except OSError as problem:
        raise Unusable(f"파일을 읽을 수 없다: {name}: {problem.strerror or problem}") from None
    except (ValueError, EOFError) as problem:
        raise Unusable(f"JSON이 아니다: {name}: {problem}") from None
    if isinstance(value, dict):
        value = value.get("cases", [value])
    if not isinstance(value, list) or not all(isinstance(case, dict) for case in value):
        raise Unusable(f"사례들의 JSON 배열이어야 한다: {name}")
    return value


def read_config(path: Path | None) -> dict[str, Any] | None:
    """A KubeSchedulerConfiguration. Unusable."""
    if path is None:
        return None
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise Unusable(f"설정 파일을 읽을 수 없다: {path}: {problem.strerror or problem}") from None
    except (ValueError, yaml.YAMLError) as problem:
        raise Unusable(f"설정 파일이 YAML이 아니다: {path}: {problem}") from None
    if value is not None and not isinstance(value, dict):
        raise Unusable(f"설정 파일이 KubeSchedulerConfiguration이 아니다: {path}")
    return value
