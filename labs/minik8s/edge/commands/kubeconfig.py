"""돌고 있는 서버의 kubeconfig를 출력한다."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

from minik8s.edge import kubeconfig
from minik8s.edge.commands.down import chosen

HELP = "kubeconfig를 출력한다"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="이 데이터 디렉터리의 서버")


def run(arguments: argparse.Namespace) -> int:
    found = chosen(arguments.data)
    if len(found) != 1:
        print(f"minik8s: 서버가 {'없다' if not found else '여럿이다. --data로 고른다'}", file=sys.stderr)
        return 1
    config = kubeconfig.read(Path(found[0].kubeconfig))
    for section in ("clusters", "users", "contexts"):
        config[section] = [item for item in config.get(section) or [] if item.get("name") == kubeconfig.NAME]
    config["current-context"] = kubeconfig.NAME
    sys.stdout.write(yaml.safe_dump(config, sort_keys=False))
    return 0
