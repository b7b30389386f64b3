"""An exec or attach session with a real process behind it."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.edge.process.child import Child

Chunks = list[tuple[int, bytes]]


class ProcessSession:
    """`kubelet.runtime.Session`. `on_close` is what hanging up means: the end of an exec, or of listening.

    ends_input  False: the end of what is sent is not the end of the program's input (attach without stdinOnce)
    """

    def __init__(self, done: Callable[[int], None] | None = None, *, ends_input: bool = True):
        self.child: Child | None = None
        self._ends_input = ends_input
        self.exit: int | None = None
        self.wake: Callable[[], None] | None = None
        self.on_close: Callable[[], object] | None = None
        self._done = done
        self._chunks: Chunks = []

    def put(self, channel: int, data: bytes) -> None:
        self._chunks.append((channel, data))
        self._ring()

    def read(self) -> Chunks:
        out, self._chunks = self._chunks, []
        return out

    def write(self, data: bytes) -> None:
        if self.child is not None:
            self.child.write(data)

    def close_stdin(self) -> None:
        if self.child is not None and self._ends_input:
            self.child.close_stdin()

    def resize(self, width: int, height: int) -> None:
        if self.child is not None:
            self.child.resize(width, height)

    def close(self) -> None:
        if self.exit is None and self.on_close is not None:
            self.on_close()

    def finish(self, code: int) -> None:
        if self.exit is not None:
            return
        self.exit = code
        self._ring()
        if self._done is not None:
            self._done(code)

    def _ring(self) -> None:
        if self.wake is not None:
            self.wake()
