"""ipywidgets in the page: their comm protocol between this Python and widgets.js, and the Output widget's capture.

Imported only on pages whose cells name ipywidgets.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import comm
from comm.base_comm import BaseComm, CommManager


def install(shell: Any, emit: Callable[..., None]) -> Callable[[str, str], None]:
    """Route comm messages through `emit`; the returned function takes those that come from the page."""
    manager = CommManager()

    class PageComm(BaseComm):
        def publish_msg(
            self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any
        ) -> None:
            sys.stdout.flush()
            emit("comm", msg_type, self.comm_id, json.dumps(data or {}, default=str))

    comm.create_comm = PageComm  # type: ignore[assignment]
    comm.get_comm_manager = lambda: manager
    _patch_output(shell)

    def receive(comm_id: str, data: str) -> None:
        found = manager.get_comm(comm_id)
        if found is not None:
            found.handle_msg({"content": {"comm_id": comm_id, "data": json.loads(data)}, "buffers": []})

    return receive


def _patch_output(shell: Any) -> None:
    """`with out:` collects what is shown into the widget's `outputs`, as a front end with a kernel does."""
    from ipywidgets.widgets import widget_output

    def enter(self: Any) -> Any:
        sys.stdout.flush()
        self._page_outputs = list(self.outputs)
        self._page_clear = False
        shell.captures.append(lambda kind, content: _collect(self, kind, content))
        return self

    def leave(self: Any, kind: Any, error: Any, trace: Any) -> bool:
        sys.stdout.flush()
        sys.stderr.flush()
        if error is not None:
            shell.showtraceback()
        shell.captures.pop()
        self.outputs = tuple(self._page_outputs)
        return error is not None

    widget_output.Output.__enter__ = enter  # type: ignore[method-assign]
    widget_output.Output.__exit__ = leave  # type: ignore[method-assign]


def _collect(widget: Any, kind: str, content: tuple[Any, ...]) -> None:
    if kind == "clear":
        widget._page_clear = bool(content[0])
        if not content[0]:
            widget._page_outputs.clear()
        return
    if widget._page_clear:
        widget._page_outputs.clear()
        widget._page_clear = False
    if kind == "stream":
        widget._page_outputs.append({"output_type": "stream", "name": content[0], "text": content[1]})
    elif kind == "display":
        widget._page_outputs.append({"output_type": "display_data", "data": content[0], "metadata": {}})
    elif kind == "error":
        widget._page_outputs.append({"output_type": "error", "traceback": content[0].split("\n")})
