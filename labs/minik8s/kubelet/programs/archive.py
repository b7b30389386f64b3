"""tar, as far as `kubectl cp` needs it: archives on standard output and from standard input."""

from __future__ import annotations

import io
import posixpath
import tarfile

from minik8s.kubelet.programs.common import Words
from minik8s.kubelet.tasks import Command, Process, Program

BYTES = "surrogateescape"
"""How bytes travel through streams of text without loss."""


def tar(p: Process) -> Program:
    """`tar cf - PATH...` and `tar xf - [-C FOLDER]`; the archive is always a stream."""
    mode, folder, names = _arguments(p.argv[1:])
    folder = p.path(folder)
    if mode == "c":
        return _create(p, folder, names)
    if mode != "x":
        p.err("tar: You must specify one of the '-c' or '-x' options\n")
        return 2
    while p.stdin.open:
        p.wait_input()
        yield None
    return _extract(p, folder, p.stdin.take_all().encode(errors=BYTES))


def _arguments(words: Words) -> tuple[str, str, Words]:
    """(c or x, the folder of -C, names). The first word may leave out its dash."""
    mode, folder, names = "", ".", Words()
    rest = list(words)
    first = True
    while rest:
        word = rest.pop(0)
        if word in {"-C", "--directory"}:
            folder = rest.pop(0) if rest else "."
        elif word == "--":
            names += rest
            break
        elif word.startswith("-") or first:
            letters = word.lstrip("-")
            mode = next((letter for letter in letters if letter in "cx"), mode)
            if letters.endswith("f") and rest:
                rest.pop(0)  # the archive's name: "-", or a file that we take for the stream
        else:
            names.append(word)
        first = False
    return mode, folder, names


def _create(p: Process, folder: str, names: Words) -> int:
    files, data, code = p.box.config.files, io.BytesIO(), 0
    with tarfile.open(fileobj=data, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in names:
            place = posixpath.normpath(posixpath.join(folder, name))
            if not files.is_file(place) and not files.is_dir(place):
                p.err(f"tar: {name}: No such file or directory\n")
                code = 1
                continue
            _put(archive, p, place, name.lstrip("/"))
    p.out(data.getvalue().decode(errors=BYTES))
    return code


def _put(archive: tarfile.TarFile, p: Process, place: str, name: str) -> None:
    files, entry = p.box.config.files, tarfile.TarInfo(name)
    if files.is_dir(place):
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(entry)
        for child in files.listdir(place):
            _put(archive, p, posixpath.join(place, child), posixpath.join(name, child))
        return
    content = files.read(place)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _extract(p: Process, folder: str, data: bytes) -> int:
    files = p.box.config.files
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for entry in archive:
                place = posixpath.normpath(posixpath.join(folder, entry.name))
                if not place.startswith(folder.rstrip("/") + "/") and place != folder:
                    p.err(f"tar: {entry.name}: Member name contains '..'\n")
                    return 2
                if entry.isdir():
                    files.mkdir(place)
                elif entry.isfile():
                    content = archive.extractfile(entry)
                    files.mkdir(posixpath.dirname(place))
                    files.write(place, content.read() if content is not None else b"")
    except (tarfile.TarError, OSError) as error:
        p.err(f"tar: {error}\n")
        return 2
    return 0


ARCHIVE_COMMANDS: dict[str, Command] = {"tar": tar}
