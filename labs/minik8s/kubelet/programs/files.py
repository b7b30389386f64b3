"""cat, ls, cp and their like."""

from __future__ import annotations

import posixpath
import re

from minik8s.kubelet.programs.common import ENDLESS, Words, device, instant, options, pipe_with_room, texts
from minik8s.kubelet.tasks import Command, Process, Program


def cat(p: Process) -> Program:
    names = [a for a in p.argv[1:] if not (a.startswith("-") and len(a) > 1)]
    while names and names[0] in ENDLESS:  # as fast as it is read
        if pipe_with_room(p):
            p.out(device(p, names[0]))
        yield 0.1
    if names:
        results = texts(p, names)
        for _, text in results:
            p.out(text or "")
        return int(any(text is None for _, text in results))
    while True:
        text = p.stdin.take_all()
        if text:
            p.out(text)
        if not p.stdin.open:
            return 0
        p.wait_input()
        yield None


@instant
def ls(p: Process, arguments: Words) -> int:
    flags, names = options(arguments)
    files, code = p.box.config.files, 0
    for name in names or ["."]:
        place = p.path(name)
        if files.is_file(place):
            found, prefix = [name], ""
        elif files.is_dir(place):
            found = files.listdir(place)
            if "a" not in flags:
                found = [n for n in found if not n.startswith(".")]
            prefix = place
            if len(names) > 1:
                p.out(f"{name}:\n")
        else:
            p.err(f"ls: {name}: No such file or directory\n")
            code = 1
            continue
        if "l" in flags:
            p.out("".join(_long(p, posixpath.join(prefix or ".", n), n) for n in found))
        elif found:
            p.out("\n".join(found) + "\n")
    return code


def _long(p: Process, path: str, name: str) -> str:
    files, place = p.box.config.files, p.path(path)
    if files.is_dir(place):
        return f"drwxr-xr-x    2 root     root          4096 Jan  1 00:00 {name}\n"
    return f"-rw-r--r--    1 root     root     {len(files.read(place)):9d} Jan  1 00:00 {name}\n"


@instant
def touch(p: Process, arguments: Words) -> int:
    return _each(p, arguments, lambda place: p.box.config.files.write(place, b"", append=True))


@instant
def mkdir(p: Process, arguments: Words) -> int:
    flags, names = options(arguments, "m")
    files, code = p.box.config.files, 0
    for name in names:
        place = p.path(name)
        if files.is_dir(place) and "p" not in flags:
            p.err(f"mkdir: can't create directory '{name}': File exists\n")
            code = 1
            continue
        try:
            files.mkdir(place)
        except OSError as error:
            p.err(f"mkdir: can't create directory '{name}': {error}\n")
            code = 1
    return code


@instant
def rm(p: Process, arguments: Words) -> int:
    flags, names = options(arguments)
    files, code = p.box.config.files, 0
    for name in names:
        place = p.path(name)
        try:
            if files.is_dir(place) and not files.is_file(place):
                if "r" not in flags and "R" not in flags:
                    p.err(f"rm: '{name}' is a directory\n")
                    code = 1
                    continue
                files.remove_tree(place)
            else:
                files.remove(place)
        except FileNotFoundError as error:
            if "f" not in flags:
                p.err(f"rm: can't remove '{name}': {error}\n")
                code = 1
        except OSError as error:
            p.err(f"rm: can't remove '{name}': {error}\n")
            code = 1
    return code


@instant
def cp(p: Process, arguments: Words) -> int:
    _, names = options(arguments)
    return _transfer(p, names, remove=False)


@instant
def mv(p: Process, arguments: Words) -> int:
    _, names = options(arguments)
    return _transfer(p, names, remove=True)


def _transfer(p: Process, names: Words, *, remove: bool) -> int:
    files, verb = p.box.config.files, p.argv[0]
    if len(names) < 2:
        p.err(f"{verb}: missing file operand\n")
        return 1
    *sources, last = names
    target = p.path(last)
    for name in sources:
        source = p.path(name)
        try:
            for inner in _tree(p, source):
                base = posixpath.join(target, posixpath.basename(source)) if files.is_dir(target) else target
                place = base + inner[len(source) :]
                files.mkdir(posixpath.dirname(place))
                files.write(place, files.read(inner))
                if remove:
                    files.remove(inner)
        except OSError as error:
            p.err(f"{verb}: can't stat '{name}': {error}\n")
            return 1
    return 0


def _tree(p: Process, place: str) -> Words:
    files = p.box.config.files
    if files.is_file(place):
        return [place]
    if not files.is_dir(place):
        raise FileNotFoundError("No such file or directory")
    return [f for name in files.listdir(place) for f in _tree(p, posixpath.join(place, name))]


@instant
def find(p: Process, arguments: Words) -> int:
    import fnmatch

    root = arguments[0] if arguments and not arguments[0].startswith("-") else "."
    pattern = arguments[arguments.index("-name") + 1] if "-name" in arguments[:-1] else "*"
    place = p.path(root)
    try:
        found = _tree(p, place)
    except OSError as error:
        p.err(f"find: {root}: {error}\n")
        return 1
    for path in found:
        if not fnmatch.fnmatchcase(posixpath.basename(path), pattern):
            continue
        if "-delete" in arguments:
            p.box.config.files.remove(path)
        else:
            p.out(root.rstrip("/") + path[len(place.rstrip("/")) :] + "\n")
    if "-delete" in arguments and pattern == "*":
        for name in p.box.config.files.listdir(place):  # what is left are empty directories
            p.box.config.files.remove_tree(posixpath.join(place, name))
    return 0


@instant
def dd(p: Process, arguments: Words) -> int:
    """`dd if=/dev/zero of=FILE bs=1M count=N`: fills a disk."""
    given = dict(a.split("=", 1) for a in arguments if "=" in a)
    size = _size(given.get("bs", "512")) * int(given.get("count", "1"))
    if "of" in given and given["of"] != "/dev/null":
        try:
            p.box.config.files.write(p.path(given["of"]), bytes(min(size, 1 << 28)))
        except OSError as error:
            p.err(f"dd: can't open '{given['of']}': {error}\n")
            return 1
    p.err(f"{given.get('count', '1')}+0 records in\n{given.get('count', '1')}+0 records out\n")
    return 0


def _size(text: str) -> int:
    unit = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}.get(text[-1:].lower())
    return int(text[:-1]) * unit if unit else int(text)


@instant
def stat(p: Process, arguments: Words) -> int:
    flags, names = options(arguments, "c")
    files, code = p.box.config.files, 0
    for name in names:
        place = p.path(name)
        if not (files.is_file(place) or files.is_dir(place)):
            p.err(f"stat: can't stat '{name}': No such file or directory\n")
            code = 1
            continue
        folder = files.is_dir(place)
        size, kind = (4096, "directory") if folder else (len(files.read(place)), "regular file")
        values = {"%n": name, "%s": str(size), "%F": kind, "%a": "755" if folder else "644", "%U": "root"}
        form = flags.get("c") or "  File: %n\n  Size: %s\t\t%F\nAccess: (0%a)  Uid: ( 0/ %U)"
        for mark, value in values.items():
            form = form.replace(mark, value)
        p.out(form + "\n")
    return code


@instant
def du(p: Process, arguments: Words) -> int:
    flags, names = options(arguments)
    for name in names or ["."]:
        try:
            size = sum(len(p.box.config.files.read(f)) for f in _tree(p, p.path(name)))
        except OSError as error:
            p.err(f"du: {name}: {error}\n")
            return 1
        blocks = -(-size // 1024)
        human = f"{size / (1 << 20):.1f}M" if size >= 1 << 20 else f"{blocks}K"
        p.out(f"{human if 'h' in flags else blocks}\t{name}\n")
    return 0


@instant
def mktemp(p: Process, arguments: Words) -> int:
    flags, names = options(arguments)
    name = names[0] if names else "/tmp/tmp.XXXXXX"
    letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    name = re.sub(r"X{6,}$", lambda m: "".join(p.box.rng().choices(letters, k=len(m[0]))), name)
    if "d" in flags:
        p.box.config.files.mkdir(p.path(name))
    else:
        p.box.config.files.write(p.path(name), b"")
    p.out(name + "\n")
    return 0


@instant
def diff(p: Process, arguments: Words) -> int:
    import difflib

    names = options(arguments)[1]
    if len(names) != 2:
        p.err("BusyBox: diff: two files are wanted\n")
        return 2
    before, after = ((text or "").splitlines(keepends=True) for _, text in texts(p, names))
    lines = list(difflib.unified_diff(before, after, names[0], names[1]))
    p.out("".join(lines))
    return int(bool(lines))


@instant
def nothing(p: Process, arguments: Words) -> int:
    """chmod, chown, sync: nothing that anyone here could see."""
    return 0


@instant
def readlink(p: Process, arguments: Words) -> int:
    _, names = options(arguments)
    for name in names:
        p.out(p.path(name) + "\n")
    return 0


@instant
def basename(p: Process, arguments: Words) -> int:
    name = arguments[0].rstrip("/") if arguments else ""
    out = posixpath.basename(name) if p.argv[0].endswith("basename") else posixpath.dirname(name) or "."
    if len(arguments) > 1:
        out = out.removesuffix(arguments[1])
    p.out(out + "\n")
    return 0


def _each(p: Process, names: Words, act: object) -> int:
    code = 0
    for name in names:
        if name.startswith("-"):
            continue
        try:
            act(p.path(name))  # type: ignore[operator]
        except OSError as error:
            p.err(f"{p.argv[0]}: {name}: {error}\n")
            code = 1
    return code


FILE_COMMANDS: dict[str, Command] = {
    "cat": cat, "ls": ls, "touch": touch, "mkdir": mkdir, "rm": rm, "rmdir": rm, "cp": cp, "mv": mv, "find": find,
    "dd": dd, "chmod": nothing, "chown": nothing, "sync": nothing, "ln": nothing, "readlink": readlink,
    "realpath": readlink, "stat": stat, "du": du, "mktemp": mktemp, "diff": diff, "basename": basename,
    "dirname": basename,
}  # fmt: skip
