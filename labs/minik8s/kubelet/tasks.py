"""Simulated programs: generators that say how long they wait, driven by their machine's clock.

A program is a generator function of a `Process`. It yields seconds to sleep, or None to wait
until somebody resumes its task (input arrived, a request ended), and returns its exit code.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from minik8s.clock import Timer
from minik8s.kubelet.hostclock import HostClock

if TYPE_CHECKING:
    from minik8s.kubelet.simulated import SimulatedContainer

Program = Generator[float | None, None, int]
Command = Callable[["Process"], Program]
Strings = list[str]


MAX_TEXT = 1 << 24
"""Characters that one text of a program (a variable, a pipe) may have: more is a program out of hand."""


class Flow(Exception):
    """Not a fault: the program goes on somewhere else."""


class Exited(Flow):
    """A program ends itself at once (`exit 3` deep in a shell)."""

    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


class Input:
    """What a program can read: text that is there, and perhaps more to come."""

    def __init__(self, text: str = "", open: bool = False):
        self.text, self.open = text, open
        self.waiting: list[Callable[[], None]] = []

    def feed(self, text: str) -> None:
        """MemoryError when nobody reads and too much has come."""
        if len(self.text) + len(text) > MAX_TEXT:
            raise MemoryError
        self.text += text
        self._wake()

    def end(self) -> None:
        self.open = False
        self._wake()

    def _wake(self) -> None:
        waiting, self.waiting = self.waiting, []
        for resume in waiting:
            resume()

    def take_all(self) -> str:
        text, self.text = self.text, ""
        return text

    def take_lines(self) -> str:
        """The whole lines that are there, and at the end of the input also what has no line end."""
        end = self.text.rfind("\n") + 1 if self.open else len(self.text)
        text, self.text = self.text[:end], self.text[end:]
        return text

    def take_line(self) -> str | None:
        """The next line with its end; None when there is none (yet)."""
        line, newline, rest = self.text.partition("\n")
        if newline:
            self.text = rest
            return line + "\n"
        if not self.open and line:
            self.text = ""
            return line
        return None


class Pipe(Input):
    """What one program of a pipeline writes for the next."""

    def __init__(self) -> None:
        super().__init__(open=True)
        self.broken = False

    def put(self, text: str) -> None:
        """When nobody reads any more the writer ends, as SIGPIPE ends it."""
        if self.broken:
            raise Exited(141)
        self.feed(text)


@dataclass(slots=True)
class Process:
    """One program in a container: its arguments, surroundings and streams; `missing`: a file could not be read."""

    box: SimulatedContainer
    argv: Strings
    env: dict[str, str]
    cwd: str
    stdin: Input
    out: Callable[[str], None]
    err: Callable[[str], None]
    main: bool = False
    task: Task | None = None
    missing: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    def child(self, argv: Strings, **changes: Any) -> Process:
        return replace(self, argv=argv, main=False, **changes)

    def path(self, name: str) -> str:
        """An absolute, tidy path."""
        parts: Strings = []
        for part in (name if name.startswith("/") else f"{self.cwd}/{name}").split("/"):
            if part == "..":
                parts[-1:] = []
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)

    def wait_input(self) -> None:
        """Be resumed when input arrives; to be followed by `yield None`."""
        if self.task is not None:
            self.stdin.waiting.append(self.task.resume)


class Task:
    """A program under way."""

    def __init__(self, clock: HostClock, program: Program, done: Callable[[int], None]):
        self._clock, self._program, self._done = clock, program, done
        self._timer: Timer | None = None
        self._running = False
        self.over = False

    def start(self) -> None:
        self._step()

    def resume(self) -> None:
        """Go on now, from inside or outside an event."""
        if self.over or self._running:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_soon(self._step)

    def kill(self) -> None:
        """End it without `done`."""
        self.over = True
        if self._timer is not None:
            self._timer.cancel()
        if not self._running:
            self._program.close()

    def _step(self) -> None:
        if self.over:
            return
        self._timer = None
        self._running = True
        try:
            wait = next(self._program)
        except StopIteration as stop:
            self._finish(stop.value or 0)
            return
        except Exited as exit:
            self._finish(exit.code)
            return
        finally:
            self._running = False
        if self.over:
            self._program.close()
        elif wait is not None:
            self._timer = self._clock.call_later(wait, self._step)

    def _finish(self, code: int) -> None:
        self.over = True
        self._done(code)
