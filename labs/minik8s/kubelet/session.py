"""An exec or attach session of the simulated runtime: output queued, input fed, an exit code at the end."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.kubelet.tasks import Input

Chunks = list[tuple[int, bytes]]


class SimulatedSession:
    """Channels 1 (stdout) and 2 (stderr). `exit` is None while it runs; `wake` is called on output and at the end."""

    def __init__(self, input: Input, done: Callable[[int], None] | None):
        self.input = input
        self.exit: int | None = None
        self.wake: Callable[[], None] | None = None
        self.on_close: Callable[[], object] | None = None
        self._done = done
        self._chunks: Chunks = []

    def put(self, channel: int, text: str) -> None:
        self._chunks.append((channel, text.encode(errors="surrogateescape")))
        self._ring()

    def read(self) -> Chunks:
        out, self._chunks = self._chunks, []
        return out

    def write(self, data: bytes) -> None:
        self.input.feed(data.decode(errors="surrogateescape"))

    def close_stdin(self) -> None:
        self.input.end()

    def close(self) -> None:
        """The caller hangs up."""
        if self.exit is None and self.on_close is not None:
            self.on_close()

    def finish(self, code: int) -> None:
        if self.exit is not None:
            return
        self.exit = code
        self._ring()
        if self._done is not None:
            self._done(code)

    def output(self, channel: int = 1) -> str:
        """What has been written so far and not read (kept for a later `read`)."""
        return b"".join(data for c, data in self._chunks if c == channel).decode(errors="replace")

    def _ring(self) -> None:
        if self.wake is not None:
            self.wake()
