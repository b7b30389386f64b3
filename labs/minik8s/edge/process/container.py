"""A container as a real process: its files and environment, its output, what is run beside it, its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from minik8s.edge.process.child import Child
from minik8s.edge.process.launch import Context, Launch, find
from minik8s.edge.process.reaper import MARK, sweep
from minik8s.edge.process.rootfs import Root
from minik8s.edge.process.session import ProcessSession
from minik8s.kubelet.behaviour import behaviour_of
from minik8s.kubelet.programs import NotFound, start_error
from minik8s.kubelet.runtime import ContainerConfig, Exit, StartError, Usage

if TYPE_CHECKING:
    from minik8s.edge.process.runtime import ProcessRuntime, ProcessSandbox

PYTHON = Path(__file__).with_name("python")
CPU_WINDOW = 10.0
"""Seconds over which CPU use is averaged."""

LINE_LIMIT = 16 * 1024
"""Bytes after which a line without an end is logged in pieces (as container runtimes do)."""

_SYSTEM = ("SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "WINDIR")
"""What Windows programs do not start without."""


class Lines:
    """Bytes of one stream into lines of the log."""

    def __init__(self, write: Callable[[str], None]):
        self._write, self._rest = write, b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line)
        while len(self._rest) >= LINE_LIMIT:
            self._line(self._rest[:LINE_LIMIT])
            self._rest = self._rest[LINE_LIMIT:]

    def end(self) -> None:
        if self._rest:
            self._line(self._rest)
        self._rest = b""

    def _line(self, line: bytes) -> None:
        self._write(line.removesuffix(b"\r").decode(errors="replace") + "\n")


class ProcessContainer:
    """`kubelet.runtime.Running`. `start` raises StartError."""

    def __init__(
        self, runtime: ProcessRuntime, sandbox: ProcessSandbox, config: ContainerConfig, exited: Callable[[Exit], None]
    ):
        self._runtime, self._config, self._exited = runtime, config, exited
        self._here = runtime.here
        self.root = Root(self._here.base / "containers" / config.id, config.files, self._here.volumes, config.workdir)
        self._behaviour = behaviour_of(config.name, config.image.behaviour, config.annotations)
        self._mark = f"{self._here.mark}/{config.id}"
        self._sandbox = sandbox
        self._env = self._environment(sandbox)
        self._context = Context(config.image, self._behaviour, self.root, sandbox.place, self._env["PATH"])
        self._streams = {channel: Lines(self._logger(name)) for channel, name in ((1, "stdout"), (2, "stderr"))}
        self._sessions: list[ProcessSession] = []
        self._beside: set[Child] = set()
        self._reason = ""
        self._cpu: list[tuple[float, float]] = []
        self._main: Child | None = None
        self.memory_limit = config.memory_limit
        self.alive = False

    # ---- start ---------------------------------------------------------------------
    def start(self) -> None:
        config = self._config
        try:
            launch = self._find(config.argv)
            self._main = self._spawn(launch, self._output, self._ended, stdin=config.stdin, tty=config.tty,
                                     after=self._clean)  # fmt: skip
        except NotFound as error:
            self.root.remove()
            raise StartError(str(error)) from None
        self.alive = True

    def _find(self, argv: tuple[str, ...]) -> Launch:
        return find([self._sandbox.real(word) for word in argv], self._context)

    def _spawn(
        self, launch: Launch, out: Callable[[int, bytes], None], done: Callable[[int], None], *, stdin: bool, tty: bool,
        after: Callable[[], None] | None = None,
    ) -> Child:  # fmt: skip
        if self._here.closing:
            raise NotFound(start_error(launch.argv[0], "the server is ending"))
        cwd = self.root.place(self._config.workdir or "/") or self.root.path
        try:
            return Child(launch.argv, {**self._env, **launch.env}, cwd, out, done, stdin=stdin, tty=tty,
                         tell=self._here.tell, after=after)  # fmt: skip
        except PermissionError:
            raise NotFound(start_error(launch.argv[0], "permission denied")) from None
        except (OSError, ValueError):
            raise NotFound(start_error(launch.argv[0])) from None

    def _environment(self, sandbox: ProcessSandbox) -> dict[str, str]:
        """The container's own, with addresses and paths as they are here, and nothing of the user's but PATH."""
        config, here = self._config, self._here
        given = {name: self.root.rewritten(sandbox.real(text)) for name, text in config.env.items()}
        for name in ("PATH", "PYTHONPATH"):
            if config.env.get(name) == config.image.env.get(name):
                given.pop(name, None)
        system = {name: os.environ[name] for name in _SYSTEM if name in os.environ}
        temporary = str(self.root.inside("/tmp"))
        env = {
            **system,
            "HOME": str(self.root.inside("/root")),
            "LANG": "C.UTF-8",
            "TMPDIR": temporary,
            "POD_IP": sandbox.place.host,
            "PYTHONUNBUFFERED": "1",
            **given,
            **sandbox.place.environment(),
            **sandbox.proxies(),
            MARK: self._mark,
            "MINIK8S_ROOT": str(here.base),
            "MINIK8S_PATHS": self.root.table(),
        }
        if sys.platform == "win32":
            env |= {"TEMP": temporary, "TMP": temporary}
        if here.api:
            env |= {"KUBERNETES_SERVICE_HOST": here.api[0], "KUBERNETES_SERVICE_PORT": str(here.api[1])}
        env["PATH"] = os.pathsep.join(p for p in (str(here.tools), given.get("PATH"), os.environ.get("PATH")) if p)
        env["PYTHONPATH"] = os.pathsep.join(p for p in (str(PYTHON), given.get("PYTHONPATH")) if p)
        return env

    # ---- output --------------------------------------------------------------------
    def _logger(self, stream: str) -> Callable[[str], None]:
        return lambda text: self._config.log.write(self._runtime.host.now(), stream, text)

    def _output(self, channel: int, data: bytes) -> None:
        with self._here.event():
            self._streams[channel].feed(data)
            for session in list(self._sessions):
                session.put(channel, data)

    # ---- end -------------------------------------------------------------------------
    def _clean(self) -> None:
        """The main process is gone, and with it go everything in the container and its files. In a thread."""
        for child in list(self._beside):
            child.kill()
        sweep(self._mark)
        self.root.remove()

    def _ended(self, code: int) -> None:
        with self._here.event():
            self.alive = False
            for stream in self._streams.values():
                stream.end()
            for session in self._sessions:
                session.finish(code)
            self._config.log.close()
            reason = self._reason or ("Completed" if code == 0 else "Error")
            self._runtime.ended(self, Exit(code, reason), self._exited)

    def signal(self, name: str) -> None:
        if self._main is not None:
            self._main.signal(name)

    def kill(self, reason: str = "Error") -> None:
        self._reason = reason
        self.end_now()

    def end_now(self) -> None:
        """SIGKILL for all of it."""
        for child in (self._main, *self._beside):
            if child is not None:
                child.kill()

    def freeze(self) -> None:
        self._pause(True)

    def thaw(self) -> None:
        self._pause(False)

    def _pause(self, on: bool) -> None:
        for child in (self._main, *self._beside):
            if child is not None:
                child.pause(on)

    # ---- beside the main process --------------------------------------------------------
    def exec(
        self, argv: tuple[str, ...], *, stdin: bool = False, tty: bool = False,
        done: Callable[[int], None] | None = None,
    ) -> ProcessSession:  # fmt: skip
        """NotFound when there is no such program."""
        session = ProcessSession(done)

        def out(channel: int, data: bytes) -> None:
            with self._here.event():
                session.put(channel, data)

        def ended(code: int) -> None:
            with self._here.event():
                self._beside.discard(child)
                session.finish(code)

        child = self._spawn(self._find(argv), out, ended, stdin=stdin, tty=tty)
        self._beside.add(child)
        session.child, session.on_close = child, child.kill
        return session

    def attach(self, *, stdin: bool = False) -> ProcessSession:
        session = ProcessSession(ends_input=self._config.stdin_once)
        session.child = self._main if stdin else None
        self._sessions.append(session)
        session.on_close = lambda: self._sessions.remove(session) if session in self._sessions else None
        return session

    # ---- resources ---------------------------------------------------------------------
    def usage(self) -> Usage | None:
        samples = [self._here.processes.sample(child.group) for child in (self._main, *self._beside) if child]
        if not samples or None in samples:
            return None
        cpu, memory = (sum(sample[i] for sample in samples if sample is not None) for i in (0, 1))
        now = self._runtime.host.true_now()
        self._cpu = [entry for entry in self._cpu if now - entry[0] <= 2 * CPU_WINDOW] + [(now, cpu)]
        before = next((e for e in reversed(self._cpu) if now - e[0] >= CPU_WINDOW), self._cpu[0])
        seconds = now - before[0]
        return Usage(max(0.0, cpu - before[1]) / seconds if seconds > 0 else 0.0, int(memory))

    def set_limits(self, cpu: float | None, memory: int | None) -> None:
        """Memory is watched; CPU is not held back here."""
        self.memory_limit = memory
        self._runtime.here.watch_memory()
