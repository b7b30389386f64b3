"""노트북의 마법 명령: `%kubectl`, `%%kubectl`, `%%manifest`.

Works with IPython and with the page's small stand-in: both offer
`get_ipython().register_magic_function(fn, magic_kind, magic_name)`.
"""

from __future__ import annotations

import builtins
import re
import sys
from typing import TYPE_CHECKING, Any

from minik8s.lab import explain_errors, kubectl, manifests, pipes, yaml_mistakes
from minik8s.lab.kubectl import complete
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
    if hasattr(notebook, "register_completer"):  # the page
        notebook.register_completer("kubectl", complete_line)
    elif getattr(notebook, "Completer", None) is not None:
        _complete_in(notebook.Completer)


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


# ---- completion ------------------------------------------------------------------
def complete_line(line: str) -> list[str]:
    """What the last word of a kubectl command (without `kubectl`, up to the cursor) may become."""
    if not _current:
        return []
    lab = _current[0]
    return complete.complete(lab.client, lab.namespace, line, kubectl.COMMANDS)


_MAGIC = re.compile(r"\s*(?:[\w.]+\s*=\s*)?%kubectl\s+(?P<line>.*)")


def _complete_in(completer: Any) -> None:
    """Let IPython ask us first when the cursor is in a kubectl command."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    if any(getattr(one, "matcher_identifier", "") == "minik8s.kubectl" for one in completer.custom_matchers):
        return

    def matcher(context: Any) -> Any:
        before = context.text_until_cursor
        found = _MAGIC.fullmatch(before)
        if found:
            before = found["line"]
        elif not context.full_text.lstrip().startswith("%%kubectl") or context.cursor_line == 0:
            return {"completions": []}
        word = re.findall(r"\S*$", before)[0]
        kept = len(word) - len(context.token)  # IPython replaces its own idea of a word, which ends at = and ,
        offered = [SimpleCompletion(one[kept:], type="kubectl") for one in complete_line(before)]
        return {"completions": offered, "suppress": True, "ordered": True}

    completer.custom_matchers.append(context_matcher(priority=1000, identifier="minik8s.kubectl")(matcher))


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
    try:
        command, *filters = pipes.split(line)
        result = current().kubectl(command, stdin=stdin)
        out = result.stdout
        for one in filters:
            out = pipes.through(one, out)
    except pipes.PipeError as error:
        print(error)
        return
    if out:
        print(out, end="" if out.endswith("\n") else "\n")
    if result.stderr:
        print(result.stderr, end="")


# ---- %%manifest -------------------------------------------------------------------
def manifest(line: str, cell: str) -> None:
    """Apply the YAML of the cell, all of it or nothing when it cannot be read; mistakes are told at their lines."""
    lab = current()
    try:
        nodes = yaml_mistakes.documents(cell)
        mistakes = yaml_mistakes.check(nodes)
        if mistakes:
            raise yaml_mistakes.MistakeError(mistakes)
    except yaml_mistakes.MistakeError as error:
        print("이 매니페스트는 보내지 않았다.")
        print("\n".join(yaml_mistakes.marked(mistake, cell) for mistake in error.mistakes))
        return
    if not nodes:
        print("셀이 비어 있다. 적용할 매니페스트가 없다.")
    for node in nodes:
        try:
            for name in lab.apply(manifests.parse(cell[node.start_mark.index : node.end_mark.index])):
                print(f"{name} 적용")
        except ValueError as error:
            print(error)
        except StatusError as error:
            print(explain_errors.at_lines(error, cell, node))
