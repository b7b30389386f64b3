"""The part of IPython that cells use, without IPython: display objects, rich output, magics, `get_ipython()`.

What an object shows is decided as IPython decides it (`_repr_mimebundle_`, `_repr_html_`, …, pretty-printed text),
so that the page shows what the built page shows.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

from book_errors import format_error
from book_pretty import pretty

METHODS = {
    "text/html": "_repr_html_",
    "image/svg+xml": "_repr_svg_",
    "text/markdown": "_repr_markdown_",
    "image/png": "_repr_png_",
    "application/json": "_repr_json_",
}
Bundle = dict[str, Any]


class DisplayObject:
    mime = "text/plain"

    def __init__(self, data: Any = None, url: str | None = None, filename: str | None = None, **options: Any) -> None:
        if filename is not None:
            with open(filename, encoding="utf-8") as file:
                data = file.read()
        self.data, self.options = data, options

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        kind = type(self)
        return {self.mime: self.data, "text/plain": f"<IPython.core.display.{kind.__name__} object>"}


class HTML(DisplayObject):
    mime = "text/html"


class SVG(DisplayObject):
    mime = "image/svg+xml"


class Markdown(DisplayObject):
    mime = "text/markdown"


class Pretty(DisplayObject):
    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return {"text/plain": self.data}


def _plain(value: Any) -> str:
    return pretty(value, max_width=79, newline="\n")


def bundle_of(value: Any) -> Bundle:
    """The MIME bundle IPython would publish for a value."""
    data: Bundle = {"text/plain": _plain(value)}
    if isinstance(value, type):
        return data
    for mime, name in METHODS.items():
        method = getattr(value, name, None)
        if callable(method):
            shown = method()
            if isinstance(shown, tuple):
                shown = shown[0]
            if shown is not None:
                data[mime] = shown
    method = getattr(value, "_repr_mimebundle_", None)
    if callable(method):
        shown = method(include=None, exclude=None)
        data.update((shown[0] if isinstance(shown, tuple) else shown) or {})
    return data


class DisplayHandle:
    def __init__(self, shell: Shell, display_id: str) -> None:
        self.shell, self.display_id = shell, display_id

    def update(self, value: Any, **_: Any) -> None:
        self.shell.publish(bundle_of(value), self.display_id, update=True)

    def display(self, value: Any, **_: Any) -> None:
        self.shell.publish(bundle_of(value), self.display_id)


class Events:
    """IPython's hooks around a cell. The runtime triggers `post_run_cell`; ipywidgets triggers others for itself."""

    def __init__(self) -> None:
        self.callbacks: dict[str, list[Callable[..., Any]]] = {}

    def register(self, event: str, function: Callable[..., Any]) -> None:
        if function not in self.callbacks.setdefault(event, []):
            self.callbacks[event].append(function)

    def unregister(self, event: str, function: Callable[..., Any]) -> None:
        if function in self.callbacks.get(event, []):
            self.callbacks[event].remove(function)

    def trigger(self, event: str, *args: Any, **kwargs: Any) -> None:
        for function in list(self.callbacks.get(event, [])):
            function(*args, **kwargs)


class Shell:
    """The minimal `get_ipython()`."""

    def __init__(self, emit: Callable[..., None], namespace: dict[str, Any]) -> None:
        self.send = emit
        self.captures: list[Callable[[str, tuple[Any, ...]], None]] = []  # an Output widget's, innermost last
        self.user_ns = namespace
        self.magics: dict[str, dict[str, Callable[..., Any]]] = {"line": {}, "cell": {}}
        self.completers: dict[str, Callable[[str], list[str]]] = {}
        self.handles = 0
        self.events = Events()

    def emit(self, kind: str, *content: Any) -> None:
        if self.captures and kind != "comm":
            self.captures[-1](kind, content)
        else:
            self.send(kind, *content)

    @staticmethod
    def initialized() -> bool:
        return True

    def showtraceback(self, *_: Any, **__: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None:
            self.emit("error", format_error(error))

    def register_magic_function(
        self, func: Callable[..., Any], magic_kind: str = "line", magic_name: str | None = None
    ) -> None:
        name = magic_name or func.__name__
        for kind in ("line", "cell") if magic_kind == "line_cell" else (magic_kind,):
            self.magics[kind][name] = func

    def register_completer(self, magic_name: str, function: Callable[[str], list[str]]) -> None:
        """`function` is given the line after the magic's name up to the cursor; answers what its last word may be."""
        self.completers[magic_name] = function

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
        return self._magic("line", "%", magic_name)(line)

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
        return self._magic("cell", "%%", magic_name)(line, cell)

    def _magic(self, kind: str, mark: str, name: str) -> Callable[..., Any]:
        try:
            return self.magics[kind][name]
        except KeyError:
            raise NameError(f"이 쪽의 파이썬은 {mark}{name} 매직을 모른다") from None

    def publish(self, data: Bundle, display_id: str = "", update: bool = False) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self.emit("update" if update else "display", data, display_id)

    def display(
        self, *values: Any, display_id: Any = None, raw: bool = False, clear: bool = False, **_: Any
    ) -> DisplayHandle | None:
        name = ""
        if display_id is not None and display_id is not False:
            self.handles += 1
            name = f"display-{self.handles}" if display_id is True else str(display_id)
        if clear:
            self.clear()
        for value in values:
            if not raw and hasattr(value, "_ipython_display_") and not isinstance(value, type):
                value._ipython_display_()
            else:
                self.publish(value if raw else bundle_of(value), name)
        return DisplayHandle(self, name) if name else None

    def clear(self, wait: bool = False) -> None:
        sys.stdout.flush()
        self.emit("clear", wait)

    def result(self, value: Any) -> None:
        """What the value of a cell's last line shows."""
        if value is None:
            return
        self.user_ns["_"] = value
        self.display(value)


def install(shell: Shell) -> None:
    """Make `import IPython` and friends work in cells and in libraries."""

    def module(name: str, **content: Any) -> types.ModuleType:
        made = types.ModuleType(name)
        made.__dict__.update(content)
        sys.modules[name] = made
        return made

    names = {
        "display": shell.display,
        "clear_output": shell.clear,
        "HTML": HTML,
        "SVG": SVG,
        "Markdown": Markdown,
        "Pretty": Pretty,
        "DisplayHandle": DisplayHandle,
        "DisplayObject": DisplayObject,
    }
    display = module("IPython.display", **names)
    core_display = module("IPython.core.display", **names)
    module("IPython.core.interactiveshell", InteractiveShell=type(shell))  # what ipywidgets imports
    core = module("IPython.core", display=core_display, __path__=[])
    module("IPython", get_ipython=lambda: shell, display=display, core=core, version_info=(9, 0, 0), __path__=[])
    shell.user_ns.update(get_ipython=lambda: shell, display=shell.display)
