"""`%kubectl ... | grep web | wc -l`: 셸이 없는 곳에서도 되는 몇 가지 거르개. 모르는 것은 모른다고 말한다."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from getopt import GetoptError, getopt
from itertools import groupby

Lines = list[str]
Options = dict[str, str]


class PipeError(ValueError):
    """A pipe that cannot be run here; the text is Korean and says what can."""


def split(line: str) -> list[str]:
    """The parts of `a | b | c`; a bar inside quotes is none. PipeError for what only a shell can do."""
    parts, quote = [""], ""
    for i, char in enumerate(line):
        if char in "'\"":
            quote = "" if quote == char else quote or char
        elif not quote and (char == ">" or (char in "&;" and line[i + 1 : i + 2] in {char, " "})):
            said = "파일로 보내기(>)" if char == ">" else "명령을 잇는 것(&&, ;)"
            raise PipeError(f"{said}은 셸의 일이라 여기서는 안 된다. 명령을 한 줄에 하나씩 쓰자.")
        if char == "|" and not quote:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def through(command: str, text: str) -> str:
    """What `text` becomes through one filter, as GNU's tools do. PipeError when it is not one of ours."""
    try:
        name, *argv = shlex.split(command) or [""]
    except ValueError:
        raise PipeError(f"`| {command}`: 따옴표가 닫히지 않았다.") from None
    if name not in FILTERS:
        raise PipeError(f"`| {name}`은(는) 여기서 쓸 수 없다. 되는 것: {', '.join(FILTERS)}.")
    flags, run = FILTERS[name]
    argv = [f"-n{arg[1:]}" if name in {"head", "tail"} and re.fullmatch(r"-\d+", arg) else arg for arg in argv]
    try:
        pairs, words = getopt(argv, flags)
        kept = run({flag.lstrip("-"): value for flag, value in pairs}, words, text.splitlines())
    except GetoptError as error:
        known = " ".join(f"-{flag}" for flag in flags.replace(":", ""))
        raise PipeError(f"`| {name}`의 -{error.opt} 옵션은 여기서 모른다. 아는 것: {known}.") from None
    except (re.error, ValueError, IndexError) as error:
        raise PipeError(f"`| {command}`을(를) 읽을 수 없다: {error}") from None
    return "".join(f"{line}\n" for line in kept)


def _grep(options: Options, words: Lines, lines: Lines) -> Lines:
    pattern = options.get("e") or words[0]
    if "F" in options:
        pattern = re.escape(pattern)
    elif "E" not in options:  # a basic expression: these are letters until a backslash makes them special
        pattern = re.sub(r"(\\)?([|+?(){}])", lambda m: m[2] if m[1] else f"\\{m[2]}", pattern)
    if "w" in options:
        pattern = rf"\b(?:{pattern})\b"
    test = re.compile(pattern, re.IGNORECASE if "i" in options else 0)
    kept = [(i, line) for i, line in enumerate(lines, 1) if bool(test.search(line)) != ("v" in options)]
    if "c" in options:
        return [str(len(kept))]
    if "o" in options:
        return [found[0] for _, line in kept for found in test.finditer(line) if found[0]]
    return [f"{i}:{line}" if "n" in options else line for i, line in kept]


def _head(options: Options, words: Lines, lines: Lines) -> Lines:
    return lines[: int(options.get("n", 10))]


def _tail(options: Options, words: Lines, lines: Lines) -> Lines:
    count = options.get("n", "10")
    return lines[int(count) - 1 :] if count.startswith("+") else lines[max(0, len(lines) - int(count)) :]


def _wc(options: Options, words: Lines, lines: Lines) -> Lines:
    counts = {"l": len(lines), "w": sum(len(x.split()) for x in lines), "c": sum(len(x.encode()) + 1 for x in lines)}
    wanted = [str(n) for flag, n in counts.items() if flag in options]
    return [" ".join(wanted) if wanted else "".join(f"{n:8}" for n in counts.values())]


def _sort(options: Options, words: Lines, lines: Lines) -> Lines:
    column = int(options["k"].split(",")[0]) - 1 if "k" in options else None

    def key(line: str) -> tuple[float, str]:
        text = line if column is None else " ".join(line.split()[column:])
        number = re.match(r"\s*-?\d+(\.\d+)?", text)
        return (float(number[0]) if number else 0.0) if "n" in options else 0.0, text

    kept = sorted(lines, key=key, reverse="r" in options)
    return list(dict.fromkeys(kept)) if "u" in options else kept


def _uniq(options: Options, words: Lines, lines: Lines) -> Lines:
    runs = [(line, len(list(run))) for line, run in groupby(lines)]
    return [f"{count:7} {line}" if "c" in options else line for line, count in runs]


_AWK = re.compile(r"(?:NR\s*>\s*(?P<after>\d+)|/(?P<only>.*)/)?\s*\{\s*print\s*(?P<what>.*?)\s*\}")


def _awk(options: Options, words: Lines, lines: Lines) -> Lines:
    """`'{print $1, $NF}'`, with `NR>1` or `/pattern/` before it: the part that people type after kubectl."""
    found = _AWK.fullmatch(words[0].strip())
    if found is None:
        raise ValueError("awk는 '{print $1, $2}' 꼴만 된다. 앞에 NR>1이나 /글/을 둘 수 있다")
    lines = lines[int(found["after"] or 0) :]
    lines = [line for line in lines if re.search(found["only"] or "", line)]
    items = re.findall(r'\$\d+|\$NF|NR|"[^"]*"|,', found["what"]) or ["$0"]
    if re.sub(r'\$\d+|\$NF|NR|"[^"]*"|[,\s]', "", found["what"]):
        raise ValueError("awk의 print 뒤에는 $1 같은 칸, $NF, 따옴표 친 글만 쓸 수 있다")
    return [_print(items, line, line.split(options.get("F")), number) for number, line in enumerate(lines, 1)]


def _print(items: Lines, line: str, cells: Lines, number: int) -> str:
    def one(item: str) -> str:
        if item == ",":
            return " "
        if item.startswith('"'):
            return item[1:-1]
        if item in {"$0", "NR"}:
            return line if item == "$0" else str(number)
        at = len(cells) if item == "$NF" else int(item[1:])
        return cells[at - 1] if 0 < at <= len(cells) else ""

    return "".join(map(one, items))


def _cut(options: Options, words: Lines, lines: Lines) -> Lines:
    columns = [int(one) - 1 for one in options["f"].split(",")] if "f" in options else []
    if not columns:
        raise ValueError("cut은 -d와 -f로 칸을 고르는 것만 된다")
    mark = options.get("d", "\t")
    return [mark.join(line.split(mark)[i] for i in columns if i < len(line.split(mark))) for line in lines]


Filter = Callable[[Options, Lines, Lines], Lines]
FILTERS: dict[str, tuple[str, Filter]] = {
    "grep": ("ivcoEFnwe:", _grep),
    "head": ("n:", _head),
    "tail": ("n:", _tail),
    "wc": ("lwc", _wc),
    "sort": ("rnuk:", _sort),
    "uniq": ("c", _uniq),
    "awk": ("F:", _awk),
    "cut": ("d:f:", _cut),
}
"""Name -> (its options, as getopt reads them; what it does)."""
