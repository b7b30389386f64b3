"""What a container has written, kept as the kubelet keeps it: lines with time and stream, per attempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from minik8s.objects.meta import rfc3339_micro

MAX_LINES = 20_000
"""When there are more, the oldest fifth goes (the kubelet keeps 5 files of 10 MiB)."""


class Line(NamedTuple):
    """`text` is without the line end; stream is stdout or stderr."""

    time: float
    stream: str
    text: str


class ContainerLog:
    """The log of one container instance, with listeners for `-f`."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.listeners: list[Callable[[Line], None]] = []
        self.closed = False
        self.on_close: list[Callable[[], None]] = []

    def write(self, time: float, stream: str, text: str) -> None:
        """Append text; every line end makes a line (a last piece without one is a line too)."""
        for piece in text.split("\n")[:-1] if text.endswith("\n") else text.split("\n"):
            line = Line(time, stream, piece)
            self.lines.append(line)
            if len(self.lines) > MAX_LINES:
                del self.lines[: MAX_LINES // 5]
            for listener in self.listeners:
                listener(line)

    def close(self) -> None:
        self.closed = True
        done, self.on_close = self.on_close, []
        for fn in done:
            fn()


class LogOptions(NamedTuple):
    """The query of pods/NAME/log. `since_time` in seconds since the epoch; None where not asked."""

    container: str = ""
    previous: bool = False
    follow: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    since_seconds: int | None = None
    since_time: float | None = None
    limit_bytes: int | None = None
    stream: str = "All"


def select(lines: list[Line], options: LogOptions, now: float) -> bytes:
    """The bytes that the options leave of `lines`."""
    since = options.since_time
    if options.since_seconds is not None:
        since = now - options.since_seconds
    chosen = [x for x in lines if (since is None or x.time >= since) and options.stream in ("All", _TITLE[x.stream])]
    if options.tail_lines is not None:
        chosen = chosen[-options.tail_lines :] if options.tail_lines else []
    data = b"".join(format_line(x, options.timestamps) for x in chosen)
    return data if options.limit_bytes is None else data[: options.limit_bytes]


def format_line(line: Line, timestamps: bool) -> bytes:
    stamp = f"{rfc3339_micro(line.time)[:-1]}000Z " if timestamps else ""
    return f"{stamp}{line.text}\n".encode()


_TITLE = {"stdout": "Stdout", "stderr": "Stderr"}
