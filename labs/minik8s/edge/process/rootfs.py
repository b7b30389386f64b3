"""A container's files as real files, and where its paths are found among them.

There is no chroot: a program sees this machine's `/usr` and `/bin`. What belongs to the container (mounts, the image's
files, `/tmp` and the like) lies in a private folder, its working directory is there, and its paths are put in the place
of those in command lines and environment. Python programs find them by `open` and friends, too (sitecustomize.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import posixpath
import re
import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path

from minik8s.kubelet.files import Directory, FileSystem, Mount

OWN = (
    "/tmp", "/var/tmp", "/run", "/var/run", "/var/log", "/var/lib", "/var/cache", "/data", "/cache", "/app", "/work",
    "/config", "/srv", "/opt", "/mnt", "/media", "/root", "/home", "/usr/src", "/dev/shm",
)  # fmt: skip
"""Folders that every container has for itself, whatever its image."""


class RealDirectory:
    """The real folder of a Directory: written out once, and again when the kubelet replaces the content."""

    def __init__(self, directory: Directory, folder: Path):
        self._directory, self.folder = weakref.ref(directory), folder
        folder.mkdir()
        folder.chmod(0o777)
        self.replaced()
        for name in sorted(directory.folders):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def size(self) -> int:
        total = 0
        for place, _, names in os.walk(self.folder):
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.lstat(os.path.join(place, name)).st_size
        return total

    def replaced(self) -> None:
        """Every file in one step each; what is no longer there goes."""
        directory = self._directory()
        if directory is None:
            return
        files = dict(directory.files)
        for name in files:
            write(self.folder / name, directory.read(name))
        kept = {self.folder / name for name in files}
        for place, _, names in os.walk(self.folder):
            for path in (Path(place, name) for name in names):
                if path not in kept:
                    path.unlink(missing_ok=True)


class Volumes:
    """Real folders of Directories, as long as somebody holds these: pods hold emptyDirs, storage holds PVs' data."""

    def __init__(self, base: Path, remove: Callable[[Path], object]):
        self._base, self._remove = base, remove
        self._tokens: weakref.WeakSet[Directory] = weakref.WeakSet()
        base.mkdir(parents=True)

    def folder(self, directory: Directory) -> Path:
        backing = directory.backing
        if not isinstance(backing, RealDirectory):
            backing = directory.backing = RealDirectory(directory, Path(tempfile.mktemp(dir=self._base)))
            weakref.finalize(directory, self._remove, backing.folder).atexit = False
            if any(callable(content) for content in directory.files.values()):
                self._tokens.add(directory)
        return backing.folder

    def renew(self) -> None:
        """Ask anew for what is made when it is read: a token runs out after an hour."""
        for directory in list(self._tokens):
            if directory.backing is not None:
                directory.backing.replaced()

    def mounted(self, mount: Mount) -> Path:
        """The folder, or the one file, that a mount shows."""
        place = self.folder(mount.directory)
        if mount.sub_path:
            place = place / mount.sub_path
            if not place.exists():
                place.mkdir(parents=True)
        return place


class Root:
    """One container's files. `place` tells where a path of the container is, `rewritten` puts that into a text."""

    def __init__(self, path: Path, files: FileSystem, volumes: Volumes, workdir: str):
        self.path = path
        path.mkdir(parents=True)
        self._files = files  # the volumes live as long as somebody holds their directories
        self._mounts = {mount.path: volumes.mounted(mount) for mount in files.mounts}
        own = {*OWN, *(posixpath.dirname(name) for name in files.image), *(f"/{name}" for name in files.layer.files)}
        if workdir.strip("/"):
            own.add("/" + workdir.strip("/"))
        self._own = own - _SYSTEM
        for name in (*OWN, workdir):
            self.inside(name).mkdir(parents=True, exist_ok=True)
        for name, text in files.image.items():
            write(self.inside(name), text.encode())
        for name in files.layer.files:
            write(self.inside(name), files.layer.read(name))
        for name in sorted(self._mounts, key=len):
            self._link(name)
        known = sorted({*self._own, *self._mounts}, key=len, reverse=True)
        self._pattern = re.compile(r"(?<![\w./~-])(" + "|".join(map(re.escape, known)) + r")(?![\w.-])")

    def inside(self, path: str) -> Path:
        """Where `path` lies in the private folder, mounts aside."""
        return self.path / posixpath.normpath("/" + path).lstrip("/")

    def place(self, path: str) -> Path | None:
        """The real path of the container's `path`; None where it is the machine's own."""
        path = posixpath.normpath(path)
        for name in sorted(self._mounts, key=len, reverse=True):
            if path == name or path.startswith(name + "/"):
                return self._mounts[name] / path[len(name) :].lstrip("/")
        if path == "/" or any(path == name or path.startswith(name + "/") for name in self._own):
            return self.inside(path)
        return None

    def rewritten(self, text: str) -> str:
        """The text with the container's paths replaced; those that are real ones already stay."""
        base = str(self.path.parent.parent)

        def real(found: re.Match[str]) -> str:
            return found[0] if text.startswith(base, found.start()) else str(self.place(found[1]))

        return self._pattern.sub(real, text)

    def table(self) -> str:
        """The places as JSON for programs: container path -> real path, the longest first."""
        pairs = {name: str(self.place(name)) for name in {*self._own, *self._mounts}}
        return json.dumps(dict(sorted(pairs.items(), key=lambda pair: -len(pair[0]))))

    def remove(self) -> None:
        for name in self._mounts:  # links first: what they show is not ours to remove
            link = self.inside(name)
            with contextlib.suppress(OSError):
                link.unlink() if link.is_symlink() else os.rmdir(link)
        shutil.rmtree(self.path, ignore_errors=True)

    def _link(self, name: str) -> None:
        """Show a mount at its path, for relative names and for tar; inside of another mount nothing is shown."""
        link = self.inside(name)
        if any(name.startswith(other + "/") for other in self._mounts if other != name):
            return
        with contextlib.suppress(OSError):
            if link.is_dir() and not link.is_symlink():
                shutil.rmtree(link)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            _show(self._mounts[name], link)


_SYSTEM = frozenset({"/", "/bin", "/dev", "/etc", "/lib", "/proc", "/sbin", "/sys", "/usr", "/var"})


def _show(target: Path, link: Path) -> None:
    if sys.platform == "win32" and target.is_dir():
        import _winapi

        _winapi.CreateJunction(str(target), str(link))  # unlike a link it needs no privilege
    else:
        link.symlink_to(target)


def write(path: Path, data: bytes) -> None:
    """Put `data` there in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(data)
    os.replace(fresh, path)


def tar_arguments(argv: list[str], root: Root) -> list[str]:
    """`tar cf - /tmp/x` packs names as the container has them, which `kubectl cp` relies on."""
    letters = argv[1].lstrip("-") if len(argv) > 1 else ""
    if "c" not in letters or argv[1].startswith("--"):
        return [argv[0], *map(root.rewritten, argv[1:])]
    return [argv[0], argv[1], *argv[2:3], "-h", "-C", str(root.path), *_relative(argv[3:])]


def _relative(words: Iterable[str]) -> list[str]:
    return [word.lstrip("/") or "." if word.startswith("/") else word for word in words]
