"""명령줄: `minik8s up|down|status|...`. 명령 하나가 edge/commands의 파일 하나다."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from minik8s.edge.commands import COMMANDS


def parser() -> argparse.ArgumentParser:
    """The parser of all commands, with Korean help."""
    top = argparse.ArgumentParser(
        prog="minik8s", description="순수 파이썬 Kubernetes: 진짜 kubectl이 그대로 붙는 작은 클러스터를 띄우고 다룬다."
    )
    commands = top.add_subparsers(dest="command", metavar="명령", required=True)
    for name in COMMANDS:
        module = import_module(f"minik8s.edge.commands.{name}")
        sub = commands.add_parser(getattr(module, "NAME", name), help=module.HELP, description=module.__doc__)
        module.arguments(sub)
        sub.set_defaults(run=module.run)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
