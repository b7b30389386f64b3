"""One node's runtime of real processes: the kubelet's contract (kubelet/runtime.py) met on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from minik8s.clock import Clock
from minik8s.dataplane import TIMEOUT, Connection, DialError, Fabric
from minik8s.edge.process.addresses import place, translated
from minik8s.edge.process.container import ProcessContainer
from minik8s.edge.process.here import Here
from minik8s.edge.process.proxy import PodProxy
from minik8s.edge.process.wires import RealConnection, dial
from minik8s.kubelet.hostclock import HostClock
from minik8s.kubelet.runtime import ContainerConfig, Exit, Running, Sandbox, SandboxConfig, StartError

OWN_NAMES = "localhost,127.0.0.1"


class ProcessSandbox:
    """A pod's surroundings: its loopback address, and the proxy through which it sees the cluster."""

    def __init__(self, config: SandboxConfig, here: Here, host: HostClock, fabric: Fabric | None):
        self.config, self._here, self._host, self.fabric = config, here, host, fabric
        self.address, self.name, self.node = config.address, config.name, config.node
        self.place = place(config.address, config.ports)
        self.proxy = PodProxy(config.address, fabric, here.realtime) if fabric is not None else None
        self._proxy_port = 0

    async def open(self) -> None:
        if self.proxy is not None:
            with contextlib.suppress(OSError):
                self._proxy_port = await self.proxy.start(self.place.host)

    def close(self) -> None:
        if self.proxy is not None:
            self.proxy.stop()

    def proxies(self) -> dict[str, str]:
        """Environment by which HTTP clients find the proxy."""
        if not self._proxy_port:
            return {}
        url = f"http://{self.place.host}:{self._proxy_port}"
        own = f"{OWN_NAMES},{self.place.host}"
        return {"http_proxy": url, "https_proxy": url, "no_proxy": own}

    def real(self, text: str) -> str:
        """The text with cluster addresses as they are here."""
        return translated(text.replace(self.address, self.place.host) if self.address else text)

    def dial(self, port: int) -> Connection:
        if self._host.frozen:
            raise DialError(TIMEOUT)
        sock = dial(self.place.host, self.place.port(port))
        return RealConnection(sock, self.name, self._here.loop, self._here.threads)

    localhost = dial


class ProcessRuntime:
    """`kubelet.runtime.Runtime`; all nodes share `here`."""

    name = "containerd"

    def __init__(self, here: Here, clock: Clock, host: HostClock, node: str, fabric: Fabric | None):
        self.here, self.host, self._fabric = here, host, fabric
        self._containers: dict[ProcessContainer, ProcessSandbox] = {}
        self._sandboxes: set[ProcessSandbox] = set()

    # ---- sandboxes -------------------------------------------------------------------
    def run_sandbox(self, config: SandboxConfig, ready: Callable[[Sandbox], None]) -> None:
        if self.here.closing:
            return
        sandbox = ProcessSandbox(config, self.here, self.host, self._fabric)
        self._sandboxes.add(sandbox)
        self.here.start(self._open(sandbox, ready))

    async def _open(self, sandbox: ProcessSandbox, ready: Callable[[Sandbox], None]) -> None:
        await sandbox.open()
        if sandbox not in self._sandboxes:  # the machine has died meanwhile
            sandbox.close()
            return
        with self.here.event():
            if self._fabric is not None and not sandbox.config.host_network:
                self._fabric.attach(sandbox.address, sandbox)
            self.host.call_soon(ready, sandbox)

    def stop_sandbox(self, sandbox: Sandbox) -> None:
        assert isinstance(sandbox, ProcessSandbox)
        self._sandboxes.discard(sandbox)
        sandbox.close()
        if self._fabric is not None and not sandbox.config.host_network:
            self._fabric.detach(sandbox.address, sandbox)

    # ---- containers ------------------------------------------------------------------
    def start(
        self,
        sandbox: Sandbox,
        config: ContainerConfig,
        started: Callable[[Running], None],
        failed: Callable[[StartError], None],
        exited: Callable[[Exit], None],
    ) -> None:
        assert isinstance(sandbox, ProcessSandbox)
        if self.here.closing:
            return
        container = ProcessContainer(self, sandbox, config, exited)
        try:
            container.start()
        except StartError as error:
            self.host.call_soon(failed, error)
            return
        self._containers[container] = sandbox
        self.here.containers.add(container)
        self.here.watch_memory()
        self.host.call_soon(started, container)

    def ended(self, container: ProcessContainer, exit: Exit, exited: Callable[[Exit], None]) -> None:
        """A container tells of its end; of one that went down with its machine nobody hears."""
        self.here.containers.discard(container)
        if self._containers.pop(container, None) is not None:
            self.host.call_soon(exited, exit)

    def halt(self) -> None:
        containers, self._containers = self._containers, {}
        for container in containers:
            container.end_now()
        sandboxes, self._sandboxes = self._sandboxes, set()
        for sandbox in sandboxes:
            self.stop_sandbox(sandbox)
