"""One process with its descendants: started in a group of its own, its output handed to the event loop, its end told.

Threads wait and read, so that it works alike on every system and event loop; what they bring is handled in the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from minik8s.edge.process.reaper import kill_group

CHUNK = 1 << 16
AHEAD = 8
"""Pieces of output that may wait for the loop before reading stops."""

LAST_OUTPUT = 1.0
"""Seconds that output may still come in after a process has ended."""

Output = Callable[[int, bytes], None]
Done = Callable[[int], None]

POSIX = os.name == "posix"
NEW_GROUP = 0 if POSIX else 0x200
"""subprocess.CREATE_NEW_PROCESS_GROUP, which only Windows knows."""

TERMINAL = Path(__file__).with_name("terminal.py")


class Child:
    """`out(channel, data)` with 1 stdout, 2 stderr; `done(code)` last, 128 + N for a signal N. Both in the loop.

    OSError when it does not start. `group` is what to signal, and to watch; `tell` hears of its beginning and end.
    `after` runs in a thread between the end and `done`.
    """

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, out: Output, done: Done, *,
        stdin: bool = False, tty: bool = False, tell: Callable[[str], None] | None = None,
        after: Callable[[], None] | None = None,
    ):  # fmt: skip
        self._loop = asyncio.get_running_loop()
        self._out, self._done, self._tell, self._after = out, done, tell, after
        self._asked = 0
        self._input: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._terminal = -1
        self._writing = stdin or tty
        if tty and sys.platform != "win32":
            self._process, readers = self._on_terminal(argv, env, cwd)
        else:
            self._process, readers = self._on_pipes(argv, env, cwd, stdin=self._writing)
        self.group = self._process.pid
        self.alive = True
        if tell is not None:
            tell(f"+{self.group}\n")
        threads = [threading.Thread(target=self._read, args=reader, daemon=True) for reader in readers]
        if self._writing:
            threading.Thread(target=self._write, daemon=True).start()
        for thread in threads:
            thread.start()
        threading.Thread(target=self._wait, args=(threads,), daemon=True).start()

    def _on_pipes(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, *, stdin: bool
    ) -> tuple[subprocess.Popen[bytes], list[tuple[int, int]]]:
        process = subprocess.Popen(
            argv, env=env, cwd=cwd, bufsize=0, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=POSIX, creationflags=NEW_GROUP,
        )  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        return process, [(1, process.stdout.fileno()), (2, process.stderr.fileno())]

    def _on_terminal(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: Path
    ) -> tuple[subprocess.Popen[bytes], list[tuple[int, int]]]:
        ours, theirs = os.openpty()
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(TERMINAL), *argv], env={"TERM": "xterm", **env}, cwd=cwd,
                stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            )  # fmt: skip
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._terminal = ours
        return process, [(1, ours)]

    # ---- in the loop ---------------------------------------------------------------
    def write(self, data: bytes) -> None:
        if self._writing:
            self._input.put(data)

    def close_stdin(self) -> None:
        if self._terminal >= 0:
            self._input.put(b"\x04")
        else:
            self._input.put(None)

    def resize(self, width: int, height: int) -> None:
        if self._terminal >= 0 and self.alive and sys.platform != "win32":
            import fcntl
            import struct
            import termios

            with contextlib.suppress(OSError):
                fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def signal(self, name: str) -> None:
        """To the process itself, as a runtime signals process 1 of a container."""
        if not self.alive:
            return
        if sys.platform == "win32":
            self._asked = 143
            self._process.terminate()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.group, getattr(signal, name, signal.SIGTERM))

    def kill(self) -> None:
        """All of the group, at once."""
        if self.alive:
            self._asked = 137
            kill_group(self.group)

    def pause(self, on: bool) -> None:
        """Stop the group, or let it go on (POSIX)."""
        if self.alive and sys.platform != "win32":
            kill_group(self.group, "SIGSTOP" if on else "SIGCONT")

    # ---- in threads ------------------------------------------------------------------
    def _read(self, channel: int, fd: int) -> None:
        ahead = threading.Semaphore(AHEAD)

        def deliver(data: bytes) -> None:
            ahead.release()
            self._out(channel, data)

        with contextlib.suppress(OSError, RuntimeError):  # a terminal ends with EIO; a loop may be closed
            while data := os.read(fd, CHUNK):
                ahead.acquire()
                self._loop.call_soon_threadsafe(deliver, data)

    def _write(self) -> None:
        pipe: IO[bytes] | None = self._process.stdin
        with contextlib.suppress(OSError, ValueError):
            while (data := self._input.get()) is not None:
                while data:
                    data = data[os.write(self._terminal if pipe is None else pipe.fileno(), data) :]
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()

    def _wait(self, readers: list[threading.Thread]) -> None:
        if hasattr(os, "waitid"):
            # The dead process keeps its id until it is reaped, so no other group can be meant.
            os.waitid(os.P_PID, self.group, os.WEXITED | os.WNOWAIT)
            self.alive = False
            kill_group(self.group)
        code = self._process.wait()
        self.alive = False
        if not hasattr(os, "waitid"):
            kill_group(self.group)
        if self._tell is not None:
            self._tell(f"-{self.group}\n")
        if self._after is not None:
            self._after()
        for reader in readers:
            reader.join(LAST_OUTPUT)
        self._input.put(None)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None and not any(reader.is_alive() for reader in readers):
                pipe.close()
        if self._terminal >= 0:
            os.close(self._terminal)
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._done, self._code(code))

    def _code(self, code: int) -> int:
        if sys.platform == "win32":
            return self._asked or code
        return 128 - code if code < 0 else code


