"""노트북의 마법 명령: `%kubectl`, `%%kubectl`, `%%manifest`.

Works with IPython and with the page's small stand-in: both offer
`get_ipython().register_magic_function(fn, magic_kind, magic_name)`.
"""

from __future__ import annotations

import builtins
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

from minik8s.lab import explain_errors
from minik8s.wire import StatusError

if TYPE_CHECKING:
    from minik8s.lab.session import Lab

_current: list[Lab] = []


def use(lab: Lab) -> None:
    """Let the magics act on this lab from now on, and register them where there is a notebook."""
    _current[:] = [lab]
    notebook = shell()
    if notebook is None:
        return
    notebook.register_magic_function(kubectl_line, "line_cell", "kubectl")
    notebook.register_magic_function(manifest, "cell", "manifest")


def current() -> Lab:
    if not _current:
        raise RuntimeError("아직 클러스터가 없다. 먼저 `from minik8s import lab; k = lab.connect()`를 실행하자.")
    return _current[0]


def shell() -> Any:
    """IPython's shell or the page's stand-in; None in a plain script."""
    found = getattr(builtins, "get_ipython", None)
    if found is None and "IPython" in sys.modules:
        found = getattr(sys.modules["IPython"], "get_ipython", None)
    return found() if found is not None else None


# ---- %kubectl -------------------------------------------------------------------
def kubectl_line(line: str, cell: str | None = None) -> None:
    """`%kubectl get pods -o wide | grep web`, or several commands in a `%%kubectl` cell, one a line."""
    if cell is None:
        _run(line, "")
    elif "-f -" in line:
        _run(line, cell)
    else:
        for one in [line, *_joined(cell)]:
            if one.strip() and not one.lstrip().startswith("#"):
                _run(one, "")


def _joined(cell: str) -> list[str]:
    """Lines of a cell, with backslash-continued ones put together."""
    return cell.replace("\\\n", " ").splitlines()


def _run(line: str, stdin: str) -> None:
    command, *filters = _split_pipes(line)
    result = current().kubectl(command, stdin=stdin)
    out = result.stdout
    for one in filters:
        out = _filter(one, out)
    if out:
        print(out, end="" if out.endswith("\n") else "\n")
    if result.stderr:
        print(result.stderr, end="")


def _split_pipes(line: str) -> list[str]:
    """The parts of `a | b | c`; a bar inside quotes is none."""
    parts, quote = [""], ""
    for char in line:
        if char in "'\"":
            quote = "" if quote == char else quote or char
        if char == "|" and not quote:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def _filter(command: str, text: str) -> str:
    name, *args = shlex.split(command) or [""]
    lines = text.splitlines()
    if name == "grep":
        kept = _grep(args, lines)
    elif name in {"head", "tail"}:
        digits = [a for a in args if a.lstrip("-n").isdigit()]
        count = int(digits[-1].lstrip("-n")) if digits else 10
        kept = lines[:count] if name == "head" else lines[-count:]
    elif name == "wc":
        return f"{len(lines)}\n"
    elif name == "sort":
        kept = sorted(lines, reverse="-r" in args)
    else:
        raise ValueError(f"`| {name}`은 여기서 쓸 수 없다. grep, head, tail, sort, wc -l만 된다.")
    return "".join(f"{line}\n" for line in kept)


def _grep(args: list[str], lines: list[str]) -> list[str]:
    flags = "".join(a[1:] for a in args if a.startswith("-"))
    pattern = next((a for a in args if not a.startswith("-")), "")
    test = re.compile(pattern, re.IGNORECASE if "i" in flags else 0)
    return [one for one in lines if bool(test.search(one)) != ("v" in flags)]


# ---- %%manifest -------------------------------------------------------------------
def manifest(line: str, cell: str) -> None:
    """Apply the YAML of the cell; what is wrong is told at its line, in Korean."""
    lab = current()
    try:
        for name in lab.apply(cell):
            print(f"{name} 적용")
    except ValueError as error:
        print(error)
    except StatusError as error:
        print(explain_errors.at_lines(error, cell))
