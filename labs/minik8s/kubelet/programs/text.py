"""echo, grep, head and their like."""

from __future__ import annotations

import base64
import hashlib
import re

from minik8s.kubelet.programs.common import Words, instant, options, texts
from minik8s.kubelet.tasks import Command, Process, Program


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
        return 1
    form, values = _escaped(arguments[0]), list(arguments[1:])
    while True:
        def fill(match: re.Match[str]) -> str:
            if match[0] == "%%":
                return "%"
            value = values.pop(0) if values else ""
            if match[0][-1] in "dixX":
                return match[0] % int(value or 0)
            if match[0][-1] in "fge":
                return match[0] % float(value or 0)
            return (match[0][:-1] + "s") % value

        before = len(values)
        p.out(re.sub(r"%%|%[-0-9.]*[sdixXfgeb]", fill, form))
        if not values or len(values) == before:
            return 0


def _escaped(text: str) -> str:
    table = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\", "\\033": "\033", "\\e": "\033", "\\0": "\0"}
    return re.sub(r"\\(?:033|[ntre0\\])", lambda m: table[m[0]], text)


@instant
def grep(p: Process, arguments: Words) -> int:
    flags, rest = options(arguments, "emABC")
    pattern = flags["e"] if "e" in flags else rest.pop(0) if rest else ""
    if "F" in flags:
        pattern = re.escape(pattern)
    elif "E" not in flags and not p.argv[0].endswith("egrep"):
        pattern = re.sub(r"\\([|+?(){}])", r"\1", pattern)
    try:
        wanted = re.compile(pattern, re.IGNORECASE if "i" in flags else 0)
    except re.error:
        p.err(f"grep: bad regex '{pattern}'\n")
        return 2
    count, results = 0, texts(p, rest)
    for name, text in results:
        for number, line in enumerate((text or "").splitlines(), 1):
            match = wanted.search(line)
            if (match is not None) == ("v" not in flags):
                count += 1
                if "q" not in flags and "c" not in flags:
                    prefix = f"{name}:" if len(results) > 1 else ""
                    prefix += f"{number}:" if "n" in flags else ""
                    p.out(prefix + (match[0] if "o" in flags and match else line) + "\n")
    if "c" in flags:
        p.out(f"{count}\n")
    return 0 if count else 1


@instant
def head(p: Process, arguments: Words) -> int:
    lines, names = _count(arguments)
    for _, text in texts(p, names):
        p.out("".join((text or "").splitlines(keepends=True)[:lines]))
    return 0


def tail(p: Process) -> Program:
    lines, names = _count([a for a in p.argv[1:] if a not in ("-f", "-F")])
    follow = any(a in ("-f", "-F") for a in p.argv[1:])
    if follow and names == ["/dev/null"]:
        while True:
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
    return 0


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
    lines.sort(key=(lambda s: (_leading(s), s)) if "n" in flags else (lambda s: (0.0, s)), reverse="r" in flags)
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


@instant
def tr(p: Process, arguments: Words) -> int:
    flags, sets = options(arguments)
    text, first = p.stdin.take_all(), _set(sets[0]) if sets else ""
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


@instant
def sed(p: Process, arguments: Words) -> int:
    flags, rest = options(arguments, "e")
    script = flags.get("e") or (rest.pop(0) if rest else "")
    match = re.fullmatch(r"s(.)(.*?)\1(.*?)\1([gi]*)", script)
    if match is None:
        p.err(f"sed: unsupported command: {script}\n")
        return 1
    pattern = re.compile(match[2], re.IGNORECASE if "i" in match[4] else 0)
    for name, text in texts(p, rest):
        lines = [pattern.sub(match[3].replace("&", "\\g<0>"), line, 0 if "g" in match[4] else 1)
                 for line in (text or "").splitlines()]
        out = "".join(f"{line}\n" for line in lines)
        if "i" in flags and name != "-":
            p.box.config.files.write(p.path(name), out.encode())
        else:
            p.out(out)
    return 0


@instant
def awk(p: Process, arguments: Words) -> int:
    """`{print $N, ...}` only."""
    flags, rest = options(arguments, "F")
    match = re.fullmatch(r"\s*\{\s*print\s*(.*?)\s*\}\s*", rest.pop(0) if rest else "")
    if match is None:
        p.err("awk: unsupported program\n")
        return 2
    fields = [f.strip() for f in match[1].split(",")] if match[1] else ["$0"]
    for _, text in texts(p, rest):
        for line in (text or "").splitlines():
            pieces = line.split(flags.get("F") or None)
            p.out(" ".join(_field(f, line, pieces) for f in fields) + "\n")
    return 0


def _field(text: str, line: str, pieces: Words) -> str:
    if text == "$0":
        return line
    if text == "$NF":
        return pieces[-1] if pieces else ""
    if text.startswith("$") and text[1:].isdigit():
        return pieces[int(text[1:]) - 1] if int(text[1:]) <= len(pieces) else ""
    return text.strip('"')


@instant
def seq(p: Process, arguments: Words) -> int:
    _, rest = options(arguments, "s")
    numbers = [int(a) for a in arguments if a.lstrip("-").isdigit()] or [int(a) for a in rest]
    first, step, last = {1: (1, 1, numbers[0]), 2: (numbers[0], 1, numbers[-1])}.get(
        len(numbers), (numbers[0], numbers[1] if len(numbers) > 1 else 1, numbers[-1]))
    stop = last + (1 if step > 0 else -1)
    p.out("".join(f"{i}\n" for i in range(first, stop, step or 1)))
    return 0


@instant
def tee(p: Process, arguments: Words) -> int:
    flags, names = options(arguments)
    text = p.stdin.take_all()
    p.out(text)
    for name in names:
        p.box.config.files.write(p.path(name), text.encode(), append="a" in flags)
    return 0


@instant
def base64_(p: Process, arguments: Words) -> int:
    flags, names = options(arguments, "w")
    for _, text in texts(p, names):
        data = (text or "").encode()
        if "d" in flags:
            p.out(base64.b64decode(data).decode(errors="replace"))
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
    """Burns a core (its output is not kept)."""
    p.box.use(cpu=1.0)
    while True:
        yield None


TEXT_COMMANDS: dict[str, Command] = {
    "echo": echo, "printf": printf, "grep": grep, "egrep": grep, "head": head, "tail": tail, "wc": wc, "sort": sort,
    "uniq": uniq, "cut": cut, "tr": tr, "sed": sed, "awk": awk, "seq": seq, "tee": tee, "base64": base64_,
    "md5sum": digest, "sha256sum": digest, "yes": yes,
}  # fmt: skip
