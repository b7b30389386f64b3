"""grep, and a little of awk."""

from __future__ import annotations

import re
from collections.abc import Callable

from minik8s.kubelet.programs.common import Words, instant, options, streaming, texts
from minik8s.kubelet.programs.regex import compiled
from minik8s.kubelet.tasks import Process


def _counts(arguments: Words) -> bool:
    flags, _ = options(arguments, "emABC")
    return bool(flags.keys() & set("cnmABC"))


@streaming(unless=_counts)
@instant
def grep(p: Process, arguments: Words) -> int:
    flags, rest = options(arguments, "emABC")
    pattern = flags["e"] if "e" in flags else rest.pop(0) if rest else ""
    if not arguments:
        p.err("BusyBox: grep: missing pattern\n")
        return 2
    extended = "E" in flags or p.argv[0].endswith("egrep")
    words = f"\\<{pattern}\\>" if "w" in flags else pattern
    try:
        plain = re.compile(re.escape(pattern), re.IGNORECASE if "i" in flags else 0)
        wanted = plain if "F" in flags else compiled(words, extended=extended, ignore_case="i" in flags)
    except re.error:
        p.err(f"grep: bad regex '{pattern}'\n")
        return 2
    total, results, most = 0, texts(p, rest), int(flags["m"]) if flags.get("m", "").isdigit() else -1
    for name, text in results:
        lines, prefix = (text or "").splitlines(), f"{name}:" if len(results) > 1 and "h" not in flags else ""
        hits = [i for i, line in enumerate(lines) if (wanted.search(line) is not None) == ("v" not in flags)]
        hits = hits[:most] if most >= 0 else hits
        total += len(hits)
        if "l" in flags and hits:
            p.out(f"{name}\n")
        elif "c" in flags:
            p.out(f"{prefix}{len(hits)}\n")
        elif not {"q", "l"} & flags.keys():
            p.out("".join(_shown(lines, i, flags, wanted, prefix) for i in _around(hits, flags, len(lines))))
    return 0 if total else 1


def _around(hits: list[int], flags: dict[str, str], count: int) -> list[int]:
    """The numbers of the lines to show: with -A, -B and -C also lines after and before."""
    before, after = (int(flags.get(f) or flags.get("C") or 0) for f in "BA")
    return sorted({i for hit in hits for i in range(max(0, hit - before), min(count, hit + after + 1))})


def _shown(lines: Words, i: int, flags: dict[str, str], wanted: re.Pattern[str], prefix: str) -> str:
    prefix += f"{i + 1}:" if "n" in flags else ""
    found = [m[0] for m in wanted.finditer(lines[i])] if "o" in flags else [lines[i]]
    return "".join(f"{prefix}{text}\n" for text in found)


@streaming(unless=lambda arguments: any("NR" in a for a in arguments))
@instant
def awk(p: Process, arguments: Words) -> int:
    """`{print $N, ...}`, for all lines or for those that fit `/RE/`, `NR==N` or `$N == "WORD"`; no more than that."""
    flags, rest = options(arguments, "Fv")
    match = re.fullmatch(r"\s*([^{]*?)\s*(?:\{\s*print\s*(.*?);?\s*\})?\s*", rest.pop(0) if rest else "")
    test = _test(match[1]) if match is not None and (match[1] or match[2] is not None) else None
    if match is None or test is None:
        p.err("awk: unsupported program (여기의 awk는 print만 한다)\n")
        return 2
    fields = [f.strip() for f in match[2].split(",")] if match[2] else ["$0"]
    for _, text in texts(p, rest):
        for number, line in enumerate((text or "").splitlines(), 1):
            pieces = line.split(flags.get("F") or None)
            if test(number, line, pieces):
                p.out(" ".join(_field(f, line, pieces) for f in fields) + "\n")
    return 0


def _test(pattern: str) -> Callable[[int, str, Words], bool] | None:
    """What an awk pattern asks of a line; None for one that is not understood."""
    if not pattern:
        return lambda number, line, pieces: True
    expression = re.fullmatch(r"/(.*)/", pattern)
    if expression is not None:
        wanted = compiled(expression[1], extended=True)
        return lambda number, line, pieces: wanted.search(line) is not None
    compared = re.fullmatch(r"(NR|\$\w+)\s*(==|!=|>=|<=|>|<)\s*\"?([^\"]*)\"?", pattern)
    if compared is None:
        return None
    left, sign, right = compared.groups()

    def fits(number: int, line: str, pieces: Words) -> bool:
        value = str(number) if left == "NR" else _field(left, line, pieces)
        try:
            a, b = float(value), float(right)
        except ValueError:
            return {"==": value == right, "!=": value != right}.get(sign, False)
        return {"==": a == b, "!=": a != b, ">=": a >= b, "<=": a <= b, ">": a > b, "<": a < b}[sign]

    return fits


def _field(text: str, line: str, pieces: Words) -> str:
    if text == "$0":
        return line
    if text == "$NF":
        return pieces[-1] if pieces else ""
    if text.startswith("$") and text[1:].isdigit():
        return pieces[int(text[1:]) - 1] if int(text[1:]) <= len(pieces) else ""
    return text.strip('"')
