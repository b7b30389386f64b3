"""Files as a container sees them: its image, what it has written itself, and the volumes mounted into it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

Content = bytes | bytearray | Callable[[], bytes]
"""A file's bytes (a bytearray: it grows), or a function that makes them when the file is first read (a token, say)."""

Names = list[str]
MAX_FILE = 1 << 24
"""Bytes up to which a file grows by appending."""


class Backing(Protocol):
    """Real files that a runtime keeps in a directory's stead."""

    def size(self) -> int: ...

    def replaced(self) -> None:
        """The directory has new content, to be written out."""
        ...


class Directory:
    """A tree of files by relative path ("a/b.txt"): a volume, a host's disk, or a container's own layer."""

    def __init__(self, files: Mapping[str, Content] | None = None):
        self.files: dict[str, Content] = dict(files or {})
        self.folders: set[str] = set()
        self.backing: Backing | None = None

    def replace(self, files: Mapping[str, Content]) -> None:
        """Swap the whole content, as the kubelet swaps the `..data` link of a ConfigMap volume."""
        self.files = dict(files)
        if self.backing is not None:
            self.backing.replaced()

    def size(self) -> int:
        if self.backing is not None:
            return self.backing.size()
        return sum(len(c) for c in self.files.values() if isinstance(c, bytes | bytearray))

    def read(self, path: str) -> bytes:
        content = self.files[path]
        return bytes(content) if isinstance(content, bytes | bytearray) else content()

    def is_dir(self, path: str) -> bool:
        prefix = path + "/" if path else ""
        return not path or path in self.folders or any(p.startswith(prefix) for p in (*self.files, *self.folders))

    def children(self, path: str) -> set[str]:
        prefix = path + "/" if path else ""
        inside = [p for p in (*self.files, *self.folders) if p.startswith(prefix) and p != path]
        return {p[len(prefix) :].split("/", 1)[0] for p in inside}


@dataclass(slots=True)
class Mount:
    """`directory` (or its part `sub_path`, which may be one file) seen at `path`."""

    path: str
    directory: Directory
    sub_path: str = ""
    read_only: bool = False


@dataclass
class FileSystem:
    """Errors are OSError with the texts of Linux, as programs print them."""

    image: Mapping[str, str] = field(default_factory=dict)
    mounts: list[Mount] = field(default_factory=list)
    read_only: bool = False

    def __post_init__(self) -> None:
        self.layer = Directory()
        self.removed: set[str] = set()
        self.mounts.sort(key=lambda m: -len(m.path))

    def read(self, path: str) -> bytes:
        place, inside = self._find(path)
        if inside in place.files:
            return place.read(inside)
        if place is self.layer and path in self.image and path not in self.removed:
            return self.image[path].encode()
        if self.is_dir(path):
            raise IsADirectoryError("Is a directory")
        raise FileNotFoundError("No such file or directory")

    def is_file(self, path: str) -> bool:
        place, inside = self._find(path)
        return inside in place.files or (place is self.layer and path in self.image and path not in self.removed)

    def is_dir(self, path: str) -> bool:
        if path == "/" or path in _STANDARD:
            return True
        place, inside = self._find(path)
        if place.is_dir(inside) or any(m.path.startswith(path + "/") for m in self.mounts):
            return inside not in place.files
        return place is self.layer and any(p.startswith(path + "/") for p in self.image)

    def write(self, path: str, data: bytes, *, append: bool = False) -> None:
        place, inside = self._writable(path)
        if self.is_dir(path):
            raise IsADirectoryError("Is a directory")
        if not self.is_dir(posixpath.dirname(path)):
            raise FileNotFoundError("nonexistent directory")
        if append:
            grown = place.files.get(inside)
            if not isinstance(grown, bytearray):
                grown = place.files[inside] = bytearray(self.read(path) if self.is_file(path) else b"")
            if len(grown) + len(data) > MAX_FILE:
                raise OSError("No space left on device")
            grown += data
        else:
            place.files[inside] = data
        self.removed.discard(path)

    def remove(self, path: str) -> None:
        if not self.is_file(path):
            raise FileNotFoundError("No such file or directory")
        place, inside = self._writable(path)
        place.files.pop(inside, None)
        if place is self.layer:
            self.removed.add(path)

    def remove_tree(self, path: str) -> None:
        for name in self.listdir(path):
            child = posixpath.join(path, name)
            if self.is_dir(child):
                self.remove_tree(child)
            else:
                self.remove(child)
        place, inside = self._writable(path)
        place.folders.discard(inside)

    def mkdir(self, path: str) -> None:
        place, inside = self._writable(path)
        while inside:
            place.folders.add(inside)
            inside = posixpath.dirname(inside)

    def listdir(self, path: str) -> Names:
        if not self.is_dir(path):
            raise FileNotFoundError("No such file or directory")
        place, inside = self._find(path)
        names = place.children(inside)
        prefix = "/" if path == "/" else path + "/"
        if place is self.layer:
            known = [p for p in self.image if p.startswith(prefix) and p not in self.removed]
            names |= {p[len(prefix) :].split("/", 1)[0] for p in known}
            if path == "/":
                names |= {p[1:] for p in _STANDARD}
        names |= {m.path[len(prefix) :].split("/", 1)[0] for m in self.mounts if m.path.startswith(prefix)}
        return sorted(n for n in names if n)

    def mounted(self, path: str) -> Mount | None:
        """The mount that `path` lies in."""
        return next((m for m in self.mounts if path == m.path or path.startswith(m.path.rstrip("/") + "/")), None)

    def _find(self, path: str) -> tuple[Directory, str]:
        mount = self.mounted(path)
        if mount is None:
            return self.layer, path.strip("/")
        rest = path[len(mount.path) :].strip("/")
        return mount.directory, "/".join(p for p in (mount.sub_path, rest) if p)

    def _writable(self, path: str) -> tuple[Directory, str]:
        mount = self.mounted(path)
        if (mount is not None and mount.read_only) or (mount is None and self.read_only):
            raise OSError("Read-only file system")
        return self._find(path)


_STANDARD = frozenset(
    f"/{n}" for n in ("bin", "dev", "etc", "home", "lib", "media", "mnt", "opt", "proc", "root", "run", "sbin", "srv",
                      "sys", "tmp", "usr", "var")
)
