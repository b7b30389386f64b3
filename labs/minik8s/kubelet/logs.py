"""What a container has written, kept as the kubelet keeps it: lines with time and stream, per attempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from minik8s.objects.meta import rfc3339_micro

MAX_LINES = 20_000
"""When there are more, the oldest fifth goes (the kubelet keeps 5 files of 10 MiB)."""


MAX_LINE = 16 << 10
"""Bytes of a line after which containerd writes it down in parts."""


class Line(NamedTuple):
    """`text` is without the line end, `whole` tells whether there was one (CRI's tags F and P); stdout or stderr."""

    time: float
    stream: str
    text: str
    whole: bool = True


class ContainerLog:
    """The log of one container instance, with listeners for `-f`."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.listeners: list[Callable[[Line], None]] = []
        self.closed = False
        self.on_close: list[Callable[[], None]] = []
        self._begun: dict[str, Line] = {}

    def write(self, time: float, stream: str, text: str) -> None:
        """Append text: every line end makes a line. What comes after the last one waits, as in containerd."""
        *ended, rest = text.split("\n")
        for piece in ended:
            begun = self._begun.pop(stream, None)
            self._append(Line(time, stream, (begun.text if begun else "") + piece))
        if rest:
            begun = self._begun.pop(stream, None)
            line = Line(begun.time if begun else time, stream, (begun.text if begun else "") + rest, False)
            if len(line.text) < MAX_LINE:
                self._begun[stream] = line
            else:
                self._append(line)

    def _append(self, line: Line) -> None:
        self.lines.append(line)
        if len(self.lines) > MAX_LINES:
            del self.lines[: MAX_LINES // 5]
        for listener in self.listeners:
            listener(line)

    def close(self) -> None:
        for line in self._begun.values():
            self._append(line)
        self._begun.clear()
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
    return (stamp + line.text + "\n" * line.whole).encode()


_TITLE = {"stdout": "Stdout", "stderr": "Stderr"}
