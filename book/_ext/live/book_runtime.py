"""Runs cells in the page's web worker: output as it comes, magics, top-level await, completion of names."""

from __future__ import annotations

import ast
import builtins
import inspect
import io
import keyword
import linecache
import re
import sys
import time
import types
from collections.abc import Callable
from typing import Any

import book_display
from book_errors import format_error

MAGIC = re.compile(r"^(?P<indent>\s*)(?P<target>[\w.\[\]'\", ]+=\s*)?%(?P<name>[A-Za-z_]\w*)(?:[ \t]+(?P<rest>.*))?$")
FLUSH_AFTER = 0.1  # seconds; a long cell shows its output while it runs


class Stream(io.TextIOBase):
    """stdout or stderr of the running cell."""

    encoding = "utf-8"

    def __init__(self, name: str, emit: Callable[..., None]) -> None:
        self.name, self.emit = name, emit
        self.parts: list[str] = []
        self.size = 0
        self.last = time.monotonic()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.parts.append(text)
        self.size += len(text)
        if self.size > 16384 or time.monotonic() - self.last > FLUSH_AFTER:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self.parts:
            self.emit("stream", self.name, "".join(self.parts))
        self.parts, self.size, self.last = [], 0, time.monotonic()


def rewrite(source: str) -> str:
    """IPython's `%line` and `%%cell` magics as calls."""
    if source.lstrip().startswith("%%"):
        head, _, body = source.lstrip()[2:].partition("\n")
        name, _, line = head.strip().partition(" ")
        body = body if body.endswith("\n") or not body else body + "\n"
        return f"get_ipython().run_cell_magic({name!r}, {line.strip()!r}, {body!r})"
    lines = source.split("\n")
    inside = _string_lines(source) if "%" in source else set()
    for number, line in enumerate(lines):
        found = MAGIC.match(line) if number + 1 not in inside else None
        if found:
            call = f"get_ipython().run_line_magic({found['name']!r}, {(found['rest'] or '').strip()!r})"
            lines[number] = f"{found['indent']}{found['target'] or ''}{call}"
    return "\n".join(lines)


def _string_lines(source: str) -> set[int]:
    """Lines that continue a triple-quoted string, where a `%` is just text."""
    lines: set[int] = set()
    for found in re.finditer(r"('''|\"\"\")(.*?)\1", source, re.S):
        first = source.count("\n", 0, found.start()) + 1
        lines.update(range(first + 1, first + found[0].count("\n") + 1))
    return lines


class Runtime:
    def __init__(self, post: Callable[[str, Any], None]) -> None:
        self.post = post
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        self.namespace = main.__dict__
        self.namespace["__builtins__"] = builtins
        self.shell = book_display.Shell(self.emit, self.namespace)
        self.stdout, self.stderr = Stream("stdout", self.shell.emit), Stream("stderr", self.shell.emit)
        self.receive: Callable[[str, str], None] = lambda comm_id, data: None
        book_display.install(self.shell)
        builtins.input = self._no_input  # type: ignore[assignment]
        self.hidden = set(self.namespace)

    def emit(self, kind: str, *content: Any) -> None:
        self.post(kind, content)

    def use_widgets(self) -> None:
        """Connect ipywidgets to the page."""
        import book_widgets

        self.receive = book_widgets.install(self.shell, self.emit)

    def comm(self, comm_id: str, data: str) -> None:
        """A message of a widget, moved by the reader."""
        sys.stdout, sys.stderr = self.stdout, self.stderr
        try:
            self.receive(comm_id, data)
        except BaseException as error:
            self.emit("error", format_error(error))
        finally:
            self._flush()

    @staticmethod
    def _no_input(*_: Any) -> str:
        raise RuntimeError("이 쪽에서는 input()을 쓸 수 없다. 값을 셀에 직접 적자")

    async def run(self, label: str, source: str) -> bool:
        """Run one cell; True if it ended without an error."""
        sys.stdout, sys.stderr = self.stdout, self.stderr
        try:
            try:
                await self._execute(f"<cell {label}>", source)
            finally:
                self.shell.events.trigger("post_run_cell", None)
            return True
        except BaseException as error:
            self._flush()
            if isinstance(error, KeyboardInterrupt):
                self.emit("error", "KeyboardInterrupt: 중단했다")
            else:
                self.emit("error", format_error(error))
            return False
        finally:
            self._flush()

    def _flush(self) -> None:
        self.stdout.flush()
        self.stderr.flush()

    async def _execute(self, filename: str, source: str) -> None:
        text = rewrite(source)
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        tree = ast.parse(text, filename)
        last: ast.expr | None = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not text.rstrip().endswith(";"):
            last = tree.body.pop().value  # type: ignore[attr-defined]
        if tree.body:
            await self._evaluate(compile(tree, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True))
        if last is not None:
            code = compile(ast.Expression(last), filename, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            self.shell.result(await self._evaluate(code))

    async def _evaluate(self, code: types.CodeType) -> Any:
        value = eval(code, self.namespace)
        if code.co_flags & inspect.CO_COROUTINE:
            value = await value
        return value

    def complete(self, text: str) -> list[str]:
        """Names that may follow `text`, a dotted name up to the cursor, without calling anything of the reader's.

        Or what the last word of a magic's line (`%kubectl get p`) may become: asked of who registered the magic.
        """
        if text.startswith("%"):
            name, _, line = text[1:].partition(" ")
            return self.shell.completers.get(name, lambda _: [])(line)
        base, dot, prefix = text.rpartition(".")
        if not dot:
            names = {*self.namespace, *dir(builtins), *keyword.kwlist} - self.hidden | {"display"}
        else:
            value: Any = self.namespace.get(base.split(".")[0])
            for part in base.split(".")[1:]:
                value = inspect.getattr_static(value, part, None)
            names = set(dir(value)) if value is not None else set()
        show_private = prefix.startswith("_")
        return sorted(name for name in names if name.startswith(prefix) and (show_private or not name.startswith("_")))
