"""A control group for one box, version 1 or 2, where this process may make one: a second fence behind the rlimits.

It counts what rlimits do not: the kernel's memory, and every process of the box together.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOUNTS, OWN = Path("/proc/self/mountinfo"), Path("/proc/self/cgroup")
PIDS = 8
"""bubblewrap twice, their init processes, and the student's one; room for what forks before its limits are set."""
PREFIX = "minik8s-box"
_serial = itertools.count()


class Group:
    """One box's group: one folder per controller under version 1, one folder under version 2."""

    def __init__(self, folders: list[Path]):
        self.folders = folders

    @property
    def doors(self) -> list[Path]:
        """Files to write a process id to; 0 is the writer itself."""
        return [folder / "cgroup.procs" for folder in self.folders]

    def close(self) -> None:
        """Remove it; its processes are at their end, which takes the kernel a moment."""
        for folder in self.folders:
            for _ in range(50):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)


def make(memory: int, mounts: Path = MOUNTS, own: Path = OWN) -> Group | None:
    """A new group of at most `memory` bytes and PIDS processes; None where this process may not make one."""
    name = f"{PREFIX}-{os.getpid()}-{next(_serial)}"
    made: list[Path] = []
    for parent, settings in _places(memory, mounts, own):
        folder = parent / name
        try:
            folder.mkdir()
            made.append(folder)
            for file, value in settings.items():
                (folder / file).write_text(value)
        except OSError:
            continue
    kept = [folder for folder in made if os.access(folder / "cgroup.procs", os.W_OK)]
    for folder in set(made) - set(kept):
        with _quiet():
            folder.rmdir()
    return Group(kept) if kept else None


def _places(memory: int, mounts: Path, own: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Folders to make a group in, and what to write into it."""
    try:
        found = [line.split() for line in mounts.read_text().splitlines()]
        membership = dict(_membership(line) for line in own.read_text().splitlines())
    except (OSError, ValueError):
        return
    for fields in found:
        kind, options = fields[fields.index("-") + 1], fields[-1].split(",")
        mount, root = Path(fields[4]), fields[3]
        if kind == "cgroup2":
            base = _under(mount, root, membership.get("", "/"))
            # Version 2 keeps processes out of groups that have children: look for a parent that passes its controllers.
            for parent in (base, *base.parents):
                if not parent.is_relative_to(mount):
                    break
                with _quiet():
                    if {"memory", "pids"} <= set((parent / "cgroup.subtree_control").read_text().split()):
                        limits = {"memory.max": str(memory), "memory.swap.max": "0", "pids.max": str(PIDS)}
                        yield parent, limits
                        return
        elif kind == "cgroup" and "pids" in options:
            yield _under(mount, root, membership.get("pids", "/")), {"pids.max": str(PIDS)}
        elif kind == "cgroup" and "memory" in options:
            yield _under(mount, root, membership.get("memory", "/")), {"memory.limit_in_bytes": str(memory)}


def _membership(line: str) -> tuple[str, str]:
    _, controllers, path = line.split(":", 2)
    return next((name for name in controllers.split(",") if name in ("pids", "memory")), controllers), path


def _under(mount: Path, root: str, path: str) -> Path:
    """Our own group's folder, as it is mounted here (a container mounts only its own part)."""
    inner = os.path.relpath(path, root) if path.startswith(root) else "."
    return mount / inner if not inner.startswith("..") else mount


@contextmanager
def _quiet() -> Iterator[None]:
    try:
        yield
    except OSError:
        pass
