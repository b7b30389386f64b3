"""과제를 내고, 거두고, 채점하고, 돌려준다.

순서: init → release → collect → grade → feedback → export, report, similar.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

NAME = "class"
HELP = "수업: 과제를 내고, 거두고, 채점한다"


def arguments(parser: argparse.ArgumentParser) -> None:
    _classroom("options").arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    return int(_classroom("cli").run(arguments))


def _classroom(part: str) -> Any:
    """A module of the classroom. By name: the edge of a cluster and the classroom know nothing of each other."""
    return import_module(f"minik8s.grading.{part}")
