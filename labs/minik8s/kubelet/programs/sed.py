"""`sed`: addresses (a line, `$`, `/RE/`, ranges) and the commands s, y, d, p, q and =."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from minik8s.kubelet.programs.common import Words, instant, options, streaming, texts
from minik8s.kubelet.programs.regex import compiled
from minik8s.kubelet.tasks import Process

_ADDRESS = r"(?:\d+|\$|/(?:\\.|[^/\\])*/)"
_COMMAND = re.compile(rf"\s*({_ADDRESS})?(?:,({_ADDRESS}))?\s*(!?)\s*([sydpq=])")


@dataclass
class _Edit:
    """One command: where, and what."""

    start: str
    end: str
    negated: bool
    name: str
    find: re.Pattern[str] | None = None
    put: str = ""
    flags: str = ""
    inside: bool = False

    def fits(self, number: int, line: str, last: bool, extended: bool) -> bool:
        if not self.start:
            return True
        if self.inside:
            self.inside = not _at(self.end, number, line, last, extended)
            return not self.negated
        found = _at(self.start, number, line, last, extended)
        self.inside = found and bool(self.end) and not (self.end.isdigit() and int(self.end) <= number)
        return found != self.negated


def _at(address: str, number: int, line: str, last: bool, extended: bool) -> bool:
    if address == "$":
        return last
    if address.isdigit():
        return number == int(address)
    return compiled(address[1:-1].replace("\\/", "/"), extended=extended).search(line) is not None


def _read(script: str, extended: bool) -> list[_Edit]:
    """ValueError with sed's words."""
    edits, i = [], 0
    while i < len(script):
        if script[i] in " \t;\n}":
            i += 1
            continue
        match = _COMMAND.match(script, i)
        if match is None:
            raise ValueError(f"unsupported command {script[i]}")
        edit = _Edit(match[1] or "", match[2] or "", bool(match[3]), match[4])
        i = match.end()
        if edit.name in "sy":
            i = _substitution(edit, script, i, extended)
        edits.append(edit)
    return edits


def _substitution(edit: _Edit, script: str, i: int, extended: bool) -> int:
    mark = script[i : i + 1]
    parts, start = [], i + 1
    for end in range(start, len(script)):
        if script[end] == mark and script[end - 1] != "\\":
            parts.append(script[start:end].replace("\\" + mark, mark))
            start = end + 1
            if len(parts) == 2:
                break
    if len(parts) < 2:
        raise ValueError(f"unmatched '{mark or '/'}'")
    flags = re.compile(r"[gpiI0-9]*").match(script, start)
    assert flags is not None
    edit.flags, edit.put = flags[0], parts[1]
    if edit.name == "s":
        edit.find = compiled(parts[0], extended=extended, ignore_case="i" in flags[0].lower())
    else:
        edit.flags, edit.put = parts
    return flags.end()


def _substituted(edit: _Edit, line: str) -> tuple[str, bool]:
    if edit.name == "y":
        return line.translate(dict(zip(map(ord, edit.flags), edit.put, strict=False))), False
    assert edit.find is not None
    wanted, seen = int("".join(c for c in edit.flags if c.isdigit()) or 1), 0

    def fill(match: re.Match[str]) -> str:
        nonlocal seen
        seen += 1
        if seen < wanted or (seen > wanted and "g" not in edit.flags):
            return match[0]
        values = {"&": match[0], **{f"\\{n}": (match[n] or "") for n in range(1, len(match.groups()) + 1)}, "\\n": "\n"}
        return re.sub(r"\\.|&", lambda m: values.get(m[0], m[0][1:] or "&"), edit.put)

    out = edit.find.sub(fill, line)
    return out, seen >= wanted


def _edited(lines: Words, edits: list[_Edit], quiet: bool, extended: bool) -> Words:
    out: Words = []
    for number, line in enumerate(lines, 1):
        kept = True
        for edit in edits:
            if not edit.fits(number, line, number == len(lines), extended):
                continue
            if edit.name in "sy":
                line, done = _substituted(edit, line)
                if done and "p" in edit.flags and edit.name == "s":
                    out.append(line)
            elif edit.name == "p":
                out.append(line)
            elif edit.name == "=":
                out.append(str(number))
            elif edit.name == "q":
                return [*out, *([] if quiet else [line])]
            else:
                kept = False
                break
        if kept and not quiet:
            out.append(line)
    return out


def _counts(arguments: Words) -> bool:
    return any(re.search(r"(^|[;\s])[\d$]|,|=|q", a) for a in arguments if not a.startswith("s"))


@streaming(unless=_counts)
@instant
def sed(p: Process, arguments: Words) -> int:
    flags, rest = options(arguments, "ef")
    extended, quiet = bool({"E", "r"} & flags.keys()), "n" in flags
    script = "\n".join(b for a, b in pairwise(arguments) if a == "-e") or flags.get("e", "")
    script = script or (rest.pop(0) if rest else "")
    try:
        for name, text in texts(p, rest):
            lines = _edited((text or "").splitlines(), _read(script, extended), quiet, extended)
            out = "".join(f"{line}\n" for line in lines)
            if "i" in flags and name != "-":
                p.box.config.files.write(p.path(name), out.encode())
            else:
                p.out(out)
    except (ValueError, re.error) as error:
        p.err(f"sed: {error}\n")
        return 1
    return 0
