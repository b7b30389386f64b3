"""minik8s와 그것이 흉내 내는 Kubernetes의 판을 출력한다."""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

HELP = "판을 출력한다"
KUBERNETES = "v1.36.2"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing to add."""


def run(arguments: argparse.Namespace) -> int:
    try:
        own = installed("minik8s")
    except PackageNotFoundError:
        own = "개발 중"
    print(f"minik8s {own} (Kubernetes {KUBERNETES}, Python {platform.python_version()})")
    return 0
