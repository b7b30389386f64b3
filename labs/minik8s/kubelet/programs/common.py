"""Helpers of the small commands."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from minik8s.kubelet.tasks import Command, Flow, Input, Pipe, Process, Program

Words = list[str]


class _Waiting(Exception):
    """All of the input is wanted, and there is more to come."""


def instant(fn: Callable[[Process, Words], int]) -> Command:
    """A command that takes no time: `fn(process, arguments) -> exit code`. It reads when all is there to be read."""

    @wraps(fn)
    def program(p: Process) -> Program:
        while True:
            try:
                return fn(p, list(p.argv[1:])) or int(p.missing)
            except _Waiting:
                p.wait_input()
                yield None

    return program


def streaming(unless: Callable[[Words], bool] = lambda arguments: False) -> Callable[[Command], Command]:
    """A filter of lines passes on what has come so far, `unless` its arguments need all lines at once."""

    def wrap(command: Command) -> Command:
        @wraps(command)
        def program(p: Process) -> Program:
            if unless(p.argv[1:]):
                return (yield from command(p))
            codes: list[int] = []
            while p.stdin.open:
                part = _Part(p.stdin.take_lines())
                code = yield from command(p.child(p.argv, stdin=part))
                if not part.read or code > 1:
                    return code
                codes.append(code)
                p.wait_input()
                yield None
            return min([*codes, (yield from command(p))])

        return program

    return wrap


class _Part(Input):
    """Some lines of an input, and whether anybody took them."""

    read = False

    def take_all(self) -> str:
        self.read = True
        return super().take_all()


PIPE_ROOM = 1 << 16
"""Characters that a pipe takes before its writer waits (Linux: 64 KiB)."""


def pipe_with_room(p: Process) -> Pipe | None:
    """The pipe that this program writes to, when it writes to one and there is room in it."""
    pipe = getattr(p.out, "__self__", None)
    return pipe if isinstance(pipe, Pipe) and len(pipe.text) < PIPE_ROOM else None


def everything(p: Process) -> str:
    """All of standard input."""
    if p.stdin.open:
        raise _Waiting
    return p.stdin.take_all()


def guarded(program: Program, p: Process) -> Program:
    """A program that fails in some way ends with a message, as a real one crashes; the machine goes on."""
    try:
        return (yield from program)
    except Flow:
        raise
    except RecursionError:
        p.err("Segmentation fault\n")
        return 139
    except MemoryError:
        p.box.kill("OOMKilled")
        yield None
        return 137
    except Exception as error:
        what = "write error: " if isinstance(error, OSError) else ""
        p.err(f"{p.argv[0].rpartition('/')[2]}: {what}{error}\n")
        return 1


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
        return [("-", everything(p))]
    out: list[tuple[str, str | None]] = []
    for name in names:
        if name == "-":
            out.append((name, everything(p)))
            continue
        try:
            text = device(p, name) or special(p, name)
            if not text and name != "/dev/null":
                text = p.box.config.files.read(p.path(name)).decode(errors="replace")
            p.box.moved += len(text)
            out.append((name, text))
        except OSError as error:
            p.err(f"{p.argv[0]}: can't open '{name}': {error}\n" if not isinstance(error, IsADirectoryError)
                  else f"{p.argv[0]}: read error: Is a directory\n")
            p.missing = True
            out.append((name, None))
    return out


ENDLESS = frozenset({"/dev/zero", "/dev/urandom", "/dev/random"})


def device(p: Process, name: str, size: int = 1 << 12) -> str:
    """`size` characters of an endless device; "" for any other file."""
    if name == "/dev/zero":
        return "\0" * size
    return "".join(chr(p.box.rng().randrange(256)) for _ in range(size)) if name in ENDLESS else ""


def special(p: Process, name: str) -> str:
    """Files of /proc and /sys that lessons read."""
    config = p.box.config
    if name == "/proc/uptime":
        return f"{p.box.clock.true_now() - p.box.started_at:.2f} 0.00\n"
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
