"""Files of a server: its data directory, and the record by which other commands find it."""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from minik8s.edge.pki import write_private

TOKEN, TOKEN_KEY, LOCK, RECORD = "admin.token", "service-account.key", "lock", "server.json"


class InUse(Exception):
    """Another server holds the data directory; args[0] is its process id or ""."""


@dataclass
class Record:
    """A running server, as written for `status` and `down`."""

    pid: int
    server: str
    data: str
    kubeconfig: str
    nodes: int
    started: float


def run_folder() -> Path:
    """Where records of running servers are kept: private to the user."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(base) / "minik8s" if base else Path(tempfile.gettempdir()) / f"minik8s-{user}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder}가 다른 사용자의 것이다")
    return folder


def write_record(record: Record) -> Path:
    path = run_folder() / f"{record.pid}.json"
    write_private(path, json.dumps(asdict(record), ensure_ascii=False).encode())
    return path


def records() -> list[Record]:
    """The servers that run; records of those that have died are removed."""
    found: list[Record] = []
    for path in sorted(run_folder().glob("*.json")):
        try:
            record = Record(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        if alive(record.pid):
            found.append(record)
        else:
            path.unlink(missing_ok=True)
    return found


def running(record: Record) -> bool:
    """Whether a server is still there: it takes its record away as the last thing it does."""
    return (run_folder() / f"{record.pid}.json").exists() and alive(record.pid)


def alive(pid: int) -> bool:
    """Whether a process of this id runs."""
    if sys.platform == "win32":
        return _runs(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def secret(path: Path, size: int = 32) -> str:
    """A random text kept in a private file, made at first use."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if len(text) < size:
        text = secrets.token_hex(size)
        write_private(path, text.encode())
    return text


def hold(folder: Path) -> IO[str]:
    """Take the data directory for this process until the file is closed (or the process dies). InUse."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = open(folder / LOCK, "a+", encoding="ascii")  # noqa: SIM115 (the lock lives as long as the file is open)
    try:
        _lock(file)
    except OSError:
        file.seek(0)
        owner = file.read().strip()
        file.close()
        raise InUse(owner) from None
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


if sys.platform == "win32":
    import ctypes
    import msvcrt

    def _runs(pid: int) -> bool:
        """Signal 0 would be Ctrl-C there."""
        synchronize, timeout = 0x00100000, 0x00000102
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(synchronize, False, pid)
        if not handle:
            return False
        try:
            return bool(kernel.WaitForSingleObject(handle, 0) == timeout)
        finally:
            kernel.CloseHandle(handle)

    def _lock(file: IO[str]) -> None:
        file.seek(1024)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)
else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
