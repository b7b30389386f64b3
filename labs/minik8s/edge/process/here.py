"""This machine, as all pods' processes share it: the folder, the event loop, who ends everything at last."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minik8s.edge.process import reaper
from minik8s.edge.process.addresses import ONE
from minik8s.edge.process.child import NEW_GROUP, POSIX
from minik8s.edge.process.rootfs import Volumes
from minik8s.edge.process.usage import Processes
from minik8s.edge.process.wires import ApiServer
from minik8s.edge.realtime import RealTime

if TYPE_CHECKING:
    from minik8s.edge.process.container import ProcessContainer

GRACE_SECONDS = 1.0
"""What processes get between SIGTERM and SIGKILL when the server ends."""

MEMORY_SECONDS = 0.5
"""Seconds between two looks at the memory of containers with a limit."""

TOKEN_SECONDS = 2400.0
"""Seconds between two writings of service account tokens, which hold for an hour."""

THREADS = 32


class Here:
    """`open` before the first pod, `close` when the server ends. `api`: host and port of the API server."""

    def __init__(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="minik8s-pods-")).resolve()
        self.mark = secrets.token_hex(8)
        self.volumes = Volumes(self.base / "volumes", self._remove)
        self.tools = self.base / "tools"
        self.processes = Processes()
        self.threads = ThreadPoolExecutor(THREADS, "minik8s-exchange")
        self.containers: set[ProcessContainer] = set()
        self.api: tuple[str, int] | None = None
        self.closing = False
        self.loop: asyncio.AbstractEventLoop
        self.realtime: RealTime
        self._tasks: set[asyncio.Task[None]] = set()
        self._renewing: asyncio.TimerHandle | None = None
        self._watching: asyncio.TimerHandle | None = None
        self._make_tools()
        self._reaper: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, "-I", "-S", reaper.__file__, str(self.base), self.mark],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=POSIX, creationflags=NEW_GROUP,
        )  # fmt: skip

    def open(self, realtime: RealTime, port: int) -> ApiServer:
        """`port`: of the API server; what it is to the cluster's network."""
        self.loop, self.realtime, self.api = asyncio.get_running_loop(), realtime, (ONE, port)
        self._renewing = self.loop.call_later(TOKEN_SECONDS, self._renew_tokens)
        return ApiServer(port, self.loop, self.threads)

    def _renew_tokens(self) -> None:
        with self.event():
            self.volumes.renew()
        self._renewing = self.loop.call_later(TOKEN_SECONDS, self._renew_tokens)

    async def close(self) -> None:
        """End all containers: first asked, then not. Nothing starts from now on, whatever kubelets want."""
        self.closing = True
        for timer in (self._watching, self._renewing):
            if timer is not None:
                timer.cancel()
        for container in self.containers:
            container.signal("SIGTERM")
        end = asyncio.get_running_loop().time() + GRACE_SECONDS
        while self.containers and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)
        for container in self.containers:
            container.end_now()
        assert self._reaper.stdin is not None
        self._reaper.stdin.close()
        await asyncio.to_thread(self._reaper.wait)
        self.threads.shutdown(wait=False, cancel_futures=True)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let `work` go on in the loop."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def tell(self, line: str) -> None:
        """To the reaper; from any thread."""
        assert self._reaper.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._reaper.stdin.write(line.encode())
            self._reaper.stdin.flush()

    @contextlib.contextmanager
    def event(self) -> Iterator[None]:
        """Something has happened in the real world: the cluster's clock is brought up to it, and goes on after it."""
        self.realtime.touch()
        try:
            yield
        finally:
            self.realtime.kick()

    # ---- memory ----------------------------------------------------------------------
    def watch_memory(self) -> None:
        """Look now and then at those that have a limit, as long as there are some."""
        if self._watching is None and any(c.memory_limit is not None for c in self.containers):
            self._watching = self.loop.call_later(MEMORY_SECONDS, self._check_memory)

    def _check_memory(self) -> None:
        self._watching = None
        for container in list(self.containers):
            usage = container.usage() if container.memory_limit is not None else None
            if usage is not None and container.memory_limit is not None and usage.memory > container.memory_limit:
                container.kill("OOMKilled")
        self.watch_memory()

    def _remove(self, folder: Path) -> None:
        """In a thread; at the very end the reaper does it."""
        with contextlib.suppress(RuntimeError):
            self.threads.submit(shutil.rmtree, folder, True)

    def _make_tools(self) -> None:
        """Programs that mean something else inside of a container, first in every PATH (POSIX)."""
        self.tools.mkdir()
        if sys.platform == "win32":
            return
        python = shutil.which(sys.executable) or sys.executable
        scripts = {
            "python": f'exec "{python}" "$@"',
            "python3": f'exec "{python}" "$@"',
            "hostname": 'echo "$HOSTNAME"',
        }
        for name, line in scripts.items():
            path = self.tools / name
            path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
            path.chmod(0o755)
