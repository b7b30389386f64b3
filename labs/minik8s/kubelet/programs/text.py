"""echo, head, sort and their like."""

from __future__ import annotations

import base64
import hashlib
import re

from minik8s.kubelet.programs.common import (
    Words,
    device,
    everything,
    instant,
    options,
    pipe_with_room,
    streaming,
    texts,
)
from minik8s.kubelet.programs.search import awk, grep
from minik8s.kubelet.programs.sed import sed
from minik8s.kubelet.tasks import Command, Input, Pipe, Process, Program


@instant
def echo(p: Process, arguments: Words) -> int:
    newline, escapes = True, False
    while arguments and re.fullmatch(r"-[neE]+", arguments[0]):
        newline &= "n" not in arguments[0]
        escapes |= "e" in arguments[0]
        arguments = arguments[1:]
    text = " ".join(arguments)
    p.out((_escaped(text) if escapes else text) + ("\n" if newline else ""))
    return 0


@instant
def printf(p: Process, arguments: Words) -> int:
    if not arguments:
        p.err("BusyBox: printf: missing format\n")
        return 1
    form, values, bad = _escaped(arguments[0]), list(arguments[1:]), []

    def fill(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        value, kind = values.pop(0) if values else "", match[0][-1]
        if kind in "sbc":
            value = value[:1] if kind == "c" else _escaped(value) if kind == "b" else value
            return (match[0][:-1] + "s") % value
        try:
            return match[0] % (int(value or "0", 0) if kind in "dixXou" else float(value or 0))
        except ValueError:
            bad.append(value)
            p.err(f"printf: invalid number '{value}'\n")
            return match[0] % 0

    while True:
        before = len(values)
        p.out(re.sub(r"%%|%[-0+ ]?\d{0,4}(?:\.\d{0,4})?[sbcdixXoufge]", fill, form))
        if not values or len(values) == before:
            return int(bool(bad))


def _escaped(text: str) -> str:
    table = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\", "\\033": "\033", "\\e": "\033", "\\0": "\0"}
    return re.sub(r"\\(?:033|[ntre0\\])", lambda m: table[m[0]], text)


def head(p: Process) -> Program:
    flags, names = options([a for a in p.argv[1:] if not re.fullmatch(r"-\d+", a)], "nc")
    if "c" in flags:
        size = int(flags["c"]) if flags["c"].isdigit() else 0
        while len(p.stdin.text) < size and p.stdin.open and not names:
            p.wait_input()
            yield None
        given = device(p, names[0], min(size, 1 << 20)) if names else p.stdin.text
        p.out((given or "".join(t or "" for _, t in texts(p, names)))[:size])
        if not names:
            p.stdin.text = p.stdin.text[size:]
        return int(p.missing)
    lines, _ = _count(p.argv[1:])
    if names:
        for _, content in texts(p, names):
            p.out("".join((content or "").splitlines(keepends=True)[:lines]))
        return int(p.missing)
    while lines > 0:
        line = p.stdin.take_line()
        if line is not None:
            p.out(line)
            lines -= 1
        elif p.stdin.open:
            p.wait_input()
            yield None
        else:
            break
    return 0


def tail(p: Process) -> Program:
    lines, names = _count([a for a in p.argv[1:] if a not in ("-f", "-F")])
    follow = any(a in ("-f", "-F") for a in p.argv[1:])
    if follow and names == ["/dev/null"]:
        while True:
            yield None
    while not names and p.stdin.open:
        p.wait_input()
        yield None
    seen = 0
    for _, text in texts(p, names):
        content = text or ""
        seen = len(content)
        p.out("".join(content.splitlines(keepends=True)[-lines:] if lines else []))
    while follow:
        yield 1.0
        files = p.box.config.files
        path = p.path(names[0]) if names else ""
        if names and files.is_file(path):
            content = files.read(path).decode(errors="replace")
            if len(content) > seen:
                p.out(content[seen:])
            seen = len(content)
    return int(p.missing)


def _count(arguments: Words) -> tuple[int, Words]:
    numbers = [a for a in arguments if re.fullmatch(r"-\d+", a)]
    flags, names = options([a for a in arguments if a not in numbers], "nc")
    value = flags.get("n") or (numbers[0][1:] if numbers else "10")
    return abs(int(value)) if value.lstrip("+-").isdigit() else 10, names


@instant
def wc(p: Process, arguments: Words) -> int:
    flags, names = options(arguments)
    for name, text in texts(p, names):
        body = text or ""
        counts = {"l": body.count("\n"), "w": len(body.split()), "c": len(body.encode())}
        shown = [str(counts[k]) for k in "lwc" if not flags or k in flags]
        p.out(" ".join(shown) + (f" {name}" if name != "-" else "") + "\n")
    return 0


@instant
def sort(p: Process, arguments: Words) -> int:
    flags, names = options(arguments, "kt")
    lines = [line for _, text in texts(p, names) for line in (text or "").splitlines()]
    field = re.match(r"\d+", flags.get("k", ""))
    numeric = "n" in flags or "n" in flags.get("k", "")

    def order(line: str) -> tuple[float, str, str]:
        pieces = line.split(flags.get("t") or None)
        shown = line if field is None else " ".join(pieces[int(field[0]) - 1 :])
        return _leading(shown) if numeric else 0.0, "" if numeric else shown, line

    lines.sort(key=order, reverse="r" in flags or "r" in flags.get("k", ""))
    if "u" in flags:
        lines = list(dict.fromkeys(lines))
    p.out("".join(f"{line}\n" for line in lines))
    return 0


def _leading(text: str) -> float:
    match = re.match(r"\s*-?\d+(\.\d+)?", text)
    return float(match[0]) if match else 0.0


@instant
def uniq(p: Process, arguments: Words) -> int:
    flags, names = options(arguments)
    counted: list[tuple[str, int]] = []
    for _, text in texts(p, names):
        for line in (text or "").splitlines():
            if counted and counted[-1][0] == line:
                counted[-1] = (line, counted[-1][1] + 1)
            else:
                counted.append((line, 1))
    p.out("".join(f"{n:7d} {line}\n" if "c" in flags else f"{line}\n" for line, n in counted))
    return 0


@streaming()
@instant
def cut(p: Process, arguments: Words) -> int:
    flags, names = options(arguments, "dfc")
    wanted = [int(f) - 1 for f in flags.get("f", flags.get("c", "1")).split(",") if f.isdigit()]
    for _, text in texts(p, names):
        for line in (text or "").splitlines():
            pieces = line.split(flags.get("d", "\t") or "\t") if "f" in flags else list(line)
            joiner = flags.get("d", "\t") if "f" in flags else ""
            p.out(joiner.join(pieces[i] for i in wanted if i < len(pieces)) + "\n")
    return 0


@streaming()
@instant
def tr(p: Process, arguments: Words) -> int:
    flags, sets = options(arguments)
    text, first = everything(p), _set(sets[0]) if sets else ""
    if "s" in flags:
        last = _set(sets[-1]) if sets else ""
        text = re.sub(r"(.)\1+", lambda m: m[1] if m[1] in last else m[0], text, flags=re.DOTALL)
    if "d" in flags:
        p.out("".join(c for c in text if c not in first))
    else:
        second = _set(sets[1]) if len(sets) > 1 else ""
        table = {c: second[min(i, len(second) - 1)] for i, c in enumerate(first)} if second else {}
        p.out("".join(table.get(c, c) for c in text))
    return 0


def _set(text: str) -> str:
    text = _escaped(text).replace("[:upper:]", "A-Z").replace("[:lower:]", "a-z").replace("[:digit:]", "0-9")
    return re.sub(r"(.)-(.)", lambda m: "".join(chr(c) for c in range(ord(m[1]), ord(m[2]) + 1)), text)


def seq(p: Process) -> Program:
    flags, rest = options(p.argv[1:], "s")
    if not rest or any(re.fullmatch(r"-?\d+", a) is None for a in rest):
        p.err("seq: invalid number\n" if rest else "BusyBox: seq: missing operand\n")
        return 1
    numbers = [int(a) for a in rest]
    first, step, last = (numbers[0] if len(numbers) > 1 else 1), (numbers[1] if len(numbers) > 2 else 1), numbers[-1]
    wanted, mark = range(first, last + (1 if step > 0 else -1), step or 1), flags.get("s", "\n")
    pause = 0.05 if getattr(p.out, "__self__", None) is p.box else 0.01  # to the log slower than to another program
    for start in range(0, len(wanted), 1000):  # a long one takes its time, so that it can be ended
        if start:
            yield pause
        p.out(mark.join(map(str, wanted[start : start + 1000])) + ("\n" if start + 1000 >= len(wanted) else mark))
    return 0


def tee(p: Process) -> Program:
    flags, names = options(p.argv[1:])
    files, places = p.box.config.files, [p.path(name) for name in names]
    for place in places:
        files.write(place, b"", append="a" in flags)
    while True:
        text = p.stdin.take_all()
        if text:
            p.out(text)
            for place in places:
                files.write(place, text.encode(), append=True)
        if not p.stdin.open:
            return 0
        p.wait_input()
        yield None


def xargs(p: Process) -> Program:
    """`xargs [-n N] [-I WORD] [COMMAND ...]`."""
    from minik8s.kubelet.programs import lookup

    command, size, mark = list(p.argv[1:]), 0, ""
    while command and command[0].startswith("-"):
        flag, value = command[0][:2], command[0][2:]
        command.pop(0)
        if flag in ("-n", "-I"):
            value = value or (command.pop(0) if command else "")
            size, mark = (int(value) if value.isdigit() else 0, mark) if flag == "-n" else (size, value)
    command = command or ["echo"]
    while p.stdin.open:
        p.wait_input()
        yield None
    text, program = p.stdin.take_all(), lookup(command[0], p.box.config.image)
    if program is None:
        p.err(f"xargs: {command[0]}: No such file or directory\n")
        return 127
    words = text.splitlines() if mark else text.split()
    size, worst = 1 if mark else size or max(1, len(words)), 0
    for start in range(0, len(words), size):
        part = words[start : start + size]
        argv = [a.replace(mark, part[0]) for a in command] if mark else [*command, *part]
        worst = max(worst, (yield from program(p.child(argv, stdin=Input()))))
    return 123 if worst else 0


@instant
def tac(p: Process, arguments: Words) -> int:
    for _, text in texts(p, arguments):
        p.out("".join(f"{line}\n" for line in reversed((text or "").splitlines())))
    return 0


@streaming()
@instant
def rev(p: Process, arguments: Words) -> int:
    for _, text in texts(p, arguments):
        p.out("".join(f"{line[::-1]}\n" for line in (text or "").splitlines()))
    return 0


@instant
def base64_(p: Process, arguments: Words) -> int:
    flags, names = options(arguments, "w")
    for _, text in texts(p, names):
        data = (text or "").encode()
        if "d" in flags:
            try:
                p.out(base64.b64decode(data).decode(errors="replace"))
            except ValueError:
                p.err("base64: truncated input\n")
                return 1
        else:
            p.out(base64.b64encode(data).decode() + "\n")
    return 0


@instant
def digest(p: Process, arguments: Words) -> int:
    kind = "md5" if "md5" in p.argv[0] else "sha256"
    for name, text in texts(p, options(arguments)[1]):
        p.out(f"{hashlib.new(kind, (text or '').encode(), usedforsecurity=False).hexdigest()}  {name}\n")
    return 0


def yes(p: Process) -> Program:
    """Burns a core. Its output is kept only where something reads it."""
    line, piped = " ".join(p.argv[1:] or ["y"]) + "\n", isinstance(getattr(p.out, "__self__", None), Pipe)
    p.box.use(cpu=1.0)
    try:
        while True:
            if pipe_with_room(p):
                p.out(line * 100)
            yield 0.1 if piped else None
    finally:
        p.box.use(cpu=-1.0)


TEXT_COMMANDS: dict[str, Command] = {
    "echo": echo, "printf": printf, "grep": grep, "egrep": grep, "head": head, "tail": tail, "wc": wc, "sort": sort,
    "uniq": uniq, "cut": cut, "tr": tr, "sed": sed, "awk": awk, "seq": seq, "tee": tee, "base64": base64_,
    "md5sum": digest, "sha256sum": digest, "yes": yes, "xargs": xargs, "tac": tac, "rev": rev,
}  # fmt: skip
