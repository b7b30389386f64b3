"""The simulated runtime: containers whose behaviour is data and whose commands are interpreted.

Used everywhere, the browser included. Nothing here is special to one lab: what an image
does stands in `data/images.json`, what a command does in `programs/`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from minik8s.clock import Clock, Timer
from minik8s.dataplane import REFUSED, RESET, TIMEOUT, Answer, Call, Connection, DialError, Fabric
from minik8s.kubelet.behaviour import Behaviour, behaviour_of
from minik8s.kubelet.hostclock import HostClock
from minik8s.kubelet.programs import NotFound, find_program
from minik8s.kubelet.programs.common import guarded
from minik8s.kubelet.runtime import ContainerConfig, Exit, Running, Sandbox, SandboxConfig, StartError, Usage
from minik8s.kubelet.session import SimulatedSession
from minik8s.kubelet.tasks import Input, Process, Program, Task

Handler = Callable[[Call], Answer]

SANDBOX_SECONDS = (0.25, 0.6)
START_SECONDS = (0.05, 0.2)
"""How long making a sandbox (with its network) and starting a container take, from - to."""

MAX_TASKS = 128
"""Programs of one container at a time; a shell cannot start more (a fork bomb ends here)."""

MAX_DEPTH, FORK_SECONDS = 8, 0.01
"""Programs that start each other within one instant; what is deeper starts this much later."""

CPU_WINDOW = 15.0
"""Seconds over which the CPU cost of requests is averaged (metrics-server's resolution)."""


@dataclass(slots=True)
class Port:
    """A listening socket."""

    container: SimulatedContainer
    handler: Handler


class SimulatedConnection:
    """A connection to one container's socket."""

    __slots__ = ("_container", "_handler", "_life")

    def __init__(self, port: Port):
        self._container, self._handler = port.container, port.handler
        self._life = port.container.connections

    @property
    def closed(self) -> bool:
        return not self._container.alive or self._life != self._container.connections

    @property
    def broken(self) -> bool:
        return not self._container.alive and not self._container.graceful

    def send(self, call: Call) -> Answer:
        box = self._container
        if box.stuck:
            raise DialError(TIMEOUT)
        if self.closed:
            raise DialError(RESET)
        return box.serve(self._handler, call)


class SimulatedSandbox:
    """A pod's network namespace: who listens where."""

    __slots__ = ("address", "clock", "config", "fabric", "name", "node", "ports")

    def __init__(self, config: SandboxConfig, clock: HostClock, fabric: Fabric | None):
        self.config, self.clock, self.fabric = config, clock, fabric
        self.address, self.name, self.node = config.address, config.name, config.node
        self.ports: dict[int, Port] = {}

    def dial(self, port: int) -> Connection:
        if self.clock.frozen:
            raise DialError(TIMEOUT)
        found = self.ports.get(port)
        if found is None:
            raise DialError(REFUSED)
        return SimulatedConnection(found)

    localhost = dial


class SimulatedContainer:
    """A started container: its main program, its sockets and what it uses."""

    def __init__(
        self, config: ContainerConfig, sandbox: SimulatedSandbox, clock: HostClock, exited: Callable[[Exit], None]
    ):
        self.config, self.sandbox, self.clock = config, sandbox, clock
        self.behaviour: Behaviour = behaviour_of(config.name, config.image.behaviour, config.annotations)
        self._exited = exited
        self.alive, self.stuck, self.graceful = True, False, False
        self.started_at = clock.true_now()
        self.connections = 0
        self.on_signal: dict[str, Callable[[], None]] = {}
        self._tasks: list[Task] = []
        self._timers: list[Timer] = []
        self._extra_cpu = self._extra_memory = 0.0
        self._busy_until = 0.0
        self._costs: list[tuple[float, float]] = []
        self._oom: Timer | None = None
        self._rng: random.Random | None = None
        self.memory_limit, self.cpu_limit = config.memory_limit, config.cpu_limit
        self.main_input = Input(open=config.stdin)
        self.attached: list[SimulatedSession] = []
        self._pids, self._depth = 6, 0
        self.moved = 0  # bytes that its programs have read

    # ---- life --------------------------------------------------------------
    def run(self, program: Callable[[Process], Program]) -> None:
        process = self.process(list(self.config.argv), self.main_input, self._print, self._print_error)
        process.main = True
        self._start(program, process, self._main_done)
        if self.alive:
            self._plan_exit()
            self._plan_oom()

    def process(self, argv: list[str], stdin: Input, out: Callable[[str], None], err: Callable[[str], None]) -> Process:
        env = dict(self.config.env)
        env.setdefault("HOME", "/root" if self.config.user == 0 else "/")  # as runc sets it
        return Process(self, argv, env, self.config.workdir or "/", stdin, out, err)

    def new_pid(self) -> int:
        self._pids += 1
        return self._pids

    def spawn(self, program: Program, process: Process, done: Callable[[int], None]) -> Task:
        """Run another program beside the main one (exec, a background job)."""
        task = Task(self.clock, program, done)
        process.task = task
        self._keep(task)
        if self._depth >= MAX_DEPTH:
            self._timers.append(self.clock.call_later(FORK_SECONDS, task.start))
            return task
        self._depth += 1
        try:
            task.start()
        finally:
            self._depth -= 1
        return task

    def crowded(self) -> bool:
        """Whether no further program may start."""
        return len(self._tasks) >= MAX_TASKS and sum(not t.over for t in self._tasks) >= MAX_TASKS

    def _keep(self, task: Task) -> None:
        if len(self._tasks) > 32:
            self._tasks = [t for t in self._tasks if not t.over]
        self._tasks.append(task)

    def _start(
        self, program: Callable[[Process], Program], process: Process, done: Callable[[int], None]
    ) -> None:
        task = Task(self.clock, _deferred(program, process), done)
        process.task = task
        self._keep(task)
        task.start()

    def _main_done(self, code: int) -> None:
        self.end(Exit(code, "Completed" if code == 0 else "Error"))

    def end(self, exit: Exit, *, graceful: bool = False) -> None:
        """The main process is gone, and with it everything in the container."""
        if not self.alive:
            return
        self.alive, self.graceful = False, graceful
        self.close_ports()
        for task in self._tasks:
            task.kill()
        for timer in self._timers:
            timer.cancel()
        if self._oom is not None:
            self._oom.cancel()
        for session in self.attached:
            session.finish(exit.code)
        self.config.log.close()
        self._exited(exit)

    def signal(self, name: str) -> None:
        """As PID 1: a signal without a handler does nothing."""
        if not self.alive or self.stuck:
            return
        handler = self.on_signal.get(name) or self.on_signal.get("*")
        if handler is not None:
            handler()
        elif self.behaviour.term:
            self.obey(self.behaviour.term)

    def obey(self, term: str) -> None:
        """End as `term` says: drain, exit, exit:CODE or ignore."""
        word, _, code = term.partition(":")
        if word == "drain":
            self.drain()
        elif word == "exit":
            number = int(code) if code.isdigit() else 143
            self.end(Exit(number, "Completed" if number == 0 else "Error"))

    def drain(self) -> None:
        """Take no more connections, finish the requests under way, end with code 0."""
        self.close_ports()
        wait = max(0.0, self._busy_until - self.clock.true_now())
        self._timers.append(self.clock.call_later(wait, lambda: self.end(Exit(0, "Completed"), graceful=True)))

    def kill(self, reason: str = "Error") -> None:
        self.end(Exit(137, reason))

    def freeze(self) -> None:
        """The program makes no progress; its sockets accept and never answer."""
        self.stuck = True

    def thaw(self) -> None:
        self.stuck = False

    def _plan_exit(self) -> None:
        if self.behaviour.exit_after is not None:
            code = self.behaviour.exit_code
            exit = Exit(code, "Completed" if code == 0 else "Error")
            self._timers.append(self.clock.call_later(self.behaviour.exit_after, self.end, exit))

    # ---- sockets -------------------------------------------------------------
    def listen(self, port: int, handler: Handler) -> bool:
        """False when the address is in use."""
        ports = self.sandbox.ports
        if port in ports:
            return False
        ports[port] = Port(self, handler)
        return True

    def close_ports(self) -> None:
        self.connections += 1
        ports = self.sandbox.ports
        for port in [p for p, entry in ports.items() if entry.container is self]:
            del ports[port]

    def serve(self, handler: Handler, call: Call) -> Answer:
        now = self.clock.true_now()
        answer = handler(call)
        answer.host = self.sandbox.name
        self._busy_until = max(self._busy_until, now + answer.latency)
        self._costs.append((now, self.behaviour.cpu_per_request))
        if len(self._costs) % 4096 == 0:
            self._forget_costs(now)
        return answer

    # ---- resources -------------------------------------------------------------
    def use(self, *, cpu: float = 0.0, memory: float = 0.0) -> None:
        """A program takes more (or, negative, gives back) cores and bytes."""
        self._extra_cpu += cpu
        self._extra_memory += memory
        self._plan_oom()

    def usage(self) -> Usage:
        now = self.clock.true_now()
        self._forget_costs(now)
        age = now - self.started_at
        window = max(1.0, min(CPU_WINDOW, age))
        cpu = self.behaviour.cpu.at(age) + self._extra_cpu + sum(c for _, c in self._costs) / window
        if self.cpu_limit is not None:
            cpu = min(cpu, self.cpu_limit)
        return Usage(cpu, int(self.memory_at(age)))

    def memory_at(self, age: float) -> float:
        return self.behaviour.memory.at(age) + self._extra_memory

    def set_limits(self, cpu: float | None, memory: int | None) -> None:
        self.cpu_limit, self.memory_limit = cpu, memory
        self._plan_oom()

    def _plan_oom(self) -> None:
        if self._oom is not None:
            self._oom.cancel()
            self._oom = None
        if self.memory_limit is None or not self.alive:
            return
        when = self.behaviour.memory.crosses(self.memory_limit - self._extra_memory)
        if when is not None:
            wait = max(0.0, self.started_at + when - self.clock.true_now())
            self._oom = self.clock.call_later(wait, self.kill, "OOMKilled")

    def _forget_costs(self, now: float) -> None:
        costs = self._costs
        if costs and costs[0][0] < now - CPU_WINDOW:
            self._costs = [c for c in costs if c[0] >= now - CPU_WINDOW]

    # ---- streams ---------------------------------------------------------------
    def rng(self) -> random.Random:
        """Random numbers of this container's own."""
        if self._rng is None:
            self._rng = random.Random(self.config.id)
        return self._rng

    def print_main(self, text: str) -> None:
        """To the main program's standard output, as /proc/1/fd/1 does."""
        self._print(text)

    def _print(self, text: str) -> None:
        self.config.log.write(self.clock.now(), "stdout", text)
        for session in self.attached:
            session.put(1, text)

    def _print_error(self, text: str) -> None:
        self.config.log.write(self.clock.now(), "stderr", text)
        for session in self.attached:
            session.put(2, text)

    def exec(
        self, argv: tuple[str, ...], *, stdin: bool = False, tty: bool = False,
        done: Callable[[int], None] | None = None,
    ) -> SimulatedSession:
        """NotFound when there is no such program in the image."""
        program = find_program(list(argv), self.config.image, self.behaviour)
        session = SimulatedSession(Input(open=stdin), done)
        if self.stuck:
            return session
        process = self.process(list(argv), session.input, lambda t: session.put(1, t), lambda t: session.put(2, t))
        process.extra["tty"] = tty
        session.on_close = lambda: process.task.kill() if process.task else None
        self._start(program, process, session.finish)
        return session

    def attach(self, *, stdin: bool = False) -> SimulatedSession:
        session = SimulatedSession(self.main_input if stdin else Input(), None)
        self.attached.append(session)
        session.on_close = lambda: self.attached.remove(session) if session in self.attached else None
        return session


def _deferred(program: Callable[[Process], Program], process: Process) -> Program:
    """So that the task exists before the program's first line runs; and what fails in it ends it alone."""
    return (yield from guarded(program(process), process))


class SimulatedRuntime:
    """One node's runtime."""

    name = "containerd"

    def __init__(self, clock: Clock, host: HostClock, node: str, fabric: Fabric | None):
        self._host, self._fabric = host, fabric
        self._rng = clock.rng(f"runtime/{node}")
        self._containers: dict[str, SimulatedContainer] = {}
        self._sandboxes: dict[str, SimulatedSandbox] = {}

    def run_sandbox(self, config: SandboxConfig, ready: Callable[[Sandbox], None]) -> None:
        self._host.call_later(self._rng.uniform(*SANDBOX_SECONDS), self._sandbox_made, config, ready)

    def _sandbox_made(self, config: SandboxConfig, ready: Callable[[Sandbox], None]) -> None:
        sandbox = SimulatedSandbox(config, self._host, self._fabric)
        self._sandboxes[config.uid] = sandbox
        if self._fabric is not None and not config.host_network:
            self._fabric.attach(config.address, sandbox)
        ready(sandbox)

    def stop_sandbox(self, sandbox: Sandbox) -> None:
        """The network plugin takes a moment; until then the address answers, with refusals."""
        assert isinstance(sandbox, SimulatedSandbox)
        if self._sandboxes.pop(sandbox.config.uid, None) is not None:
            self._host.call_later(self._rng.uniform(*SANDBOX_SECONDS), self._unplug, sandbox)

    def _unplug(self, sandbox: SimulatedSandbox) -> None:
        if self._fabric is not None and not sandbox.config.host_network:
            self._fabric.detach(sandbox.address, sandbox)

    def start(
        self,
        sandbox: Sandbox,
        config: ContainerConfig,
        started: Callable[[Running], None],
        failed: Callable[[StartError], None],
        exited: Callable[[Exit], None],
    ) -> None:
        delay = self._rng.uniform(*START_SECONDS)
        self._host.call_later(delay, self._start_now, sandbox, config, started, failed, exited)

    def _start_now(
        self,
        sandbox: SimulatedSandbox,
        config: ContainerConfig,
        started: Callable[[Running], None],
        failed: Callable[[StartError], None],
        exited: Callable[[Exit], None],
    ) -> None:
        def gone(exit: Exit) -> None:
            self._containers.pop(config.id, None)
            exited(exit)

        box = SimulatedContainer(config, sandbox, self._host, gone)
        try:
            program = find_program(list(config.argv), config.image, box.behaviour)
        except NotFound as error:
            failed(StartError(str(error)))
            return
        self._containers[config.id] = box
        started(box)
        if box.alive:
            box.run(program)

    def halt(self) -> None:
        containers, self._containers = self._containers, {}
        for box in containers.values():
            box._exited = _ignore
            box.kill()
        sandboxes, self._sandboxes = self._sandboxes, {}
        for sandbox in sandboxes.values():
            self._unplug(sandbox)


def _ignore(exit: Exit) -> None:
    """A machine without power tells nobody."""
