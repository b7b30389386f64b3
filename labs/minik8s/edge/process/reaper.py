"""Nothing that a container has started outlives `minik8s up`, however that ends.

As a script it waits beside the server, hears of process groups on its standard input (`+ID`, `-ID`), and when that
closes ends those that are left and removes the folder. Standard library only, so that it starts in no time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable

MARK = "MINIK8S_CONTAINER"
"""Environment variable of everything that a container starts: `SERVER/CONTAINER`."""


def kill_group(group: int, name: str = "SIGKILL") -> None:
    """Signal a container's process group (Windows: end the process with its children)."""
    if sys.platform == "win32":
        command = ["taskkill", "/PID", str(group), "/T", "/F"]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, getattr(signal, name, signal.SIGTERM))


def sweep(mark: str) -> int:
    """Kill what carries `mark` in its environment but has left its group (Linux); how many there were."""
    wanted = f"{MARK}={mark}".encode()
    found = 0
    for pid in _pids():
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                ours = any(entry.startswith(wanted) for entry in file.read().split(b"\0"))
            if ours and pid != os.getpid():
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
                found += 1
        except OSError:
            continue
    return found


def _pids() -> Iterable[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def main(folder: str, mark: str) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        kill_group(group)
    while sweep(mark):
        pass
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
