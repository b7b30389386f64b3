"""데이터 디렉터리를 비우고 kubeconfig에서 컨텍스트 minik8s를 뺀다. 그 서버가 돌고 있으면 먼저 끝낸다."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from minik8s.edge import kubeconfig, pki, sqlite, state
from minik8s.edge.commands.down import chosen, stop

HELP = "데이터와 컨텍스트를 지운다"
_FILES = (pki.CA_CERT, pki.CA_KEY, pki.CERT, pki.KEY, state.TOKEN, state.TOKEN_KEY, sqlite.COPY, state.LOCK)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="비울 데이터 디렉터리")
    parser.add_argument("--kubeconfig", type=Path, metavar="FILE", help="고칠 kubeconfig")


def run(arguments: argparse.Namespace) -> int:
    folder: Path | None = arguments.data
    for record in chosen(folder) if folder else ():
        if stop(record):
            return 1
    try:
        if folder is not None and folder.is_dir():
            _empty(folder)
        kubeconfig.remove(arguments.kubeconfig or kubeconfig.default_path())
    except (state.InUse, kubeconfig.KubeconfigError, OSError) as error:
        print(f"minik8s: 지울 수 없다: {error}", file=sys.stderr)
        return 1
    print("처음으로 되돌렸다")
    return 0


def _empty(folder: Path) -> None:
    """Remove our own files, and nothing that somebody else put there."""
    state.hold(folder).close()
    for path in [*(folder / name for name in _FILES), *folder.glob(sqlite.DATABASE + "*")]:
        path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
