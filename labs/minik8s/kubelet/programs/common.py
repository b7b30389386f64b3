"""Helpers of the small commands."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from minik8s.kubelet.tasks import Command, Process, Program

Words = list[str]


def instant(fn: Callable[[Process, Words], int]) -> Command:
    """A command that takes no time: `fn(process, arguments) -> exit code`."""

    @wraps(fn)
    def program(p: Process) -> Program:
        return fn(p, p.argv[1:])
        yield

    return program


def options(arguments: Words, with_value: str = "") -> tuple[dict[str, str], Words]:
    """Single-letter options (those in `with_value` take one) and the rest; long options are kept by name."""
    found: dict[str, str] = {}
    rest: Words = []
    i = 0
    while i < len(arguments):
        word = arguments[i]
        if word == "--":
            rest += arguments[i + 1 :]
            break
        if word.startswith("--") and len(word) > 2:
            name, _, value = word[2:].partition("=")
            found[name] = value
        elif word.startswith("-") and len(word) > 1 and not word[1:].isdigit():
            for j, letter in enumerate(word[1:], 1):
                if letter in with_value:
                    value = word[j + 1 :]
                    if not value and i + 1 < len(arguments):
                        i += 1
                        value = arguments[i]
                    found[letter] = value
                    break
                found[letter] = ""
        else:
            rest.append(word)
        i += 1
    return found, rest


def texts(p: Process, names: Words) -> list[tuple[str, str | None]]:
    """(name, text) of each file, or of standard input; None and a message for one that cannot be read."""
    if not names:
        return [("-", p.stdin.take_all())]
    out: list[tuple[str, str | None]] = []
    for name in names:
        if name == "-":
            out.append((name, p.stdin.take_all()))
            continue
        if name == "/dev/null":
            out.append((name, ""))
            continue
        try:
            out.append((name, special(p, name) or p.box.config.files.read(p.path(name)).decode(errors="replace")))
        except OSError as error:
            p.err(f"{p.argv[0]}: can't open '{name}': {error}\n" if not isinstance(error, IsADirectoryError)
                  else f"{p.argv[0]}: read error: Is a directory\n")
            out.append((name, None))
    return out


def special(p: Process, name: str) -> str:
    """Files of /proc and /sys that lessons read."""
    config = p.box.config
    if name == "/proc/1/cmdline":
        return "\0".join(config.argv)
    if name == "/sys/fs/cgroup/memory.max":
        return f"{p.box.memory_limit or 'max'}\n"
    if name == "/sys/fs/cgroup/cpu.max":
        limit = p.box.cpu_limit
        return "max 100000\n" if limit is None else f"{int(limit * 100000)} 100000\n"
    if name == "/proc/sys/kernel/hostname":
        return f"{p.env.get('HOSTNAME', '')}\n"
    return ""
