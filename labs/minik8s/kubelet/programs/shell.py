"""A small POSIX shell for simulated containers: it runs the trees of `shellparse`."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from minik8s.kubelet.programs import shellparse
from minik8s.kubelet.programs.builtins import BUILTINS, Break, Continue, Job, Return
from minik8s.kubelet.programs.common import ENDLESS, device, guarded
from minik8s.kubelet.programs.expansion import Expansion
from minik8s.kubelet.programs.shellparse import Node, ShellSyntaxError
from minik8s.kubelet.tasks import Exited, Input, Pipe, Process, Program

Words = list[str]
Run = Callable[[Process], Program]


class Shell(Expansion):
    """The state of one shell: variables (exported or not), functions, positional parameters, traps."""

    def __init__(self, process: Process, find: Callable[[str, Any], Any], arguments: Words):
        self.p = process
        self.find = find
        self.variables = dict(process.env)
        self.exported = set(process.env)
        self.functions: dict[str, Node] = {}
        self.arguments = arguments
        self.name = "sh"
        self.code = 0
        self.traps: dict[str, str] = {}
        self.pending: Words = []
        self.errexit = False
        self.jobs: list[Job] = []
        self.last_job = 0
        self.extra: dict[str, Any] = {}

    # ---- scripts -------------------------------------------------------------
    def script(self, text: str) -> Program:
        """Run a whole script; its exit code."""
        try:
            node = shellparse.parse(text)
        except ShellSyntaxError as error:
            self.p.err(f"sh: syntax error: {error}\n")
            return 2
        try:
            yield from self.run(node, self.p)
        except Exited as exit:
            self.code = exit.code
        except Return as back:
            self.code = back.code
        except Break:  # outside a loop it means nothing
            self.code = 0
        yield from self._trap("EXIT")
        return self.code

    def interactive(self) -> Program:
        """Commands line by line from standard input."""
        p = self.p
        tty, text = bool(p.extra.get("tty")), ""
        p.out("/ # " if tty else "")
        while True:
            line = p.stdin.take_line()
            if line is None:
                if not p.stdin.open:
                    return self.code
                p.wait_input()
                yield None
                continue
            if tty:
                p.out(line.rstrip("\n") + "\r\n" if p.extra.get("echo") else "")
            text += line.rstrip("\r\n") + "\n"
            more = p.stdin.open or bool(p.stdin.text)
            try:
                yield from self.run(shellparse.parse(text, whole=not more), p)
            except ShellSyntaxError as error:
                if error.unfinished and more:
                    p.out("> " if tty else "")
                    continue
                p.err(f"sh: syntax error: {error}\n")
                self.code = 2
            except Exited as exit:
                return exit.code
            except (Break, Continue, Return):
                pass
            text = ""
            p.out("/ # " if tty else "")

    def signal(self, name: str) -> None:
        """A signal with a trap: its commands run once the current command has ended."""
        self.pending.append(name)
        waiting = self.extra.get("waiting")
        if waiting is not None:
            waiting.resume()

    def set_trap(self, name: str, commands: str) -> None:
        name = name.upper().removeprefix("SIG")
        self.traps[name] = commands
        if self.p.main and name not in ("EXIT", "0"):
            self.p.box.on_signal[f"SIG{name}"] = lambda: self.signal(name)

    def _trap(self, name: str) -> Program:
        commands = self.traps.pop(name, None) if name == "EXIT" else self.traps.get(name)
        if commands:
            code = self.code
            try:
                yield from self.run(shellparse.parse(commands), self.p)
            except Exited as exit:
                code = exit.code
            self.code = code
        return self.code

    # ---- nodes ---------------------------------------------------------------
    def run(self, node: Node, p: Process) -> Program:
        method: Callable[[Any, Process], Program] = getattr(self, "_" + type(node).__name__.lower())
        code = yield from method(node, p)
        self.code = code
        while self.pending:
            name = self.pending.pop(0)
            if self.traps.get(name):
                yield from self.run(shellparse.parse(self.traps[name]), self.p)
        return code

    def _sequence(self, node: shellparse.Sequence, p: Process) -> Program:
        code = 0
        for item, background in node.items:
            if background:
                self._background(item, p)
                code = 0
            else:
                code = yield from self.run(item, p)
                if code and self.errexit and isinstance(item, shellparse.Simple | shellparse.Pipeline):
                    raise Exited(code)
        return code

    def _background(self, node: Node, p: Process) -> None:
        child = p.child(p.argv, stdin=Input())
        self.jobs = [job for job in self.jobs if job.code is None or job.pid == self.last_job]
        self.jobs.append(self._start(node, child))
        self.last_job = self.jobs[-1].pid

    def _start(self, node: Node, child: Process, done: Callable[[], None] | None = None) -> Job:
        """Run `node` beside what this shell does."""
        if child.box.crowded():
            child.err("sh: can't fork: Resource temporarily unavailable\n")
            raise Exited(2)
        job = Job(child.box.new_pid(), done)
        job.task = child.box.spawn(guarded(self._subshell(node, child), child), child, job.finish)
        return job

    def _subshell(self, node: Node, p: Process) -> Program:
        inner = Shell(p, self.find, list(self.arguments))
        inner.variables, inner.exported = dict(self.variables), set(self.exported)
        inner.functions, inner.code, inner.errexit = dict(self.functions), self.code, self.errexit
        inner.last_job = self.last_job
        try:
            return (yield from inner.run(node, p))
        except (Exited, Return) as end:
            return end.code
        except Break:
            return 0

    def _andor(self, node: shellparse.AndOr, p: Process) -> Program:
        code = yield from self.run(node.first, p)
        for operator, part in node.rest:
            if (code == 0) == (operator == "&&"):
                code = yield from self.run(part, p)
        return code

    def _pipeline(self, node: shellparse.Pipeline, p: Process) -> Program:
        """The parts run at the same time; the code is the last one's, once all have ended."""
        if len(node.parts) == 1:
            code = yield from self.run(node.parts[0], p)
            return int(not code) if node.negated else code
        stdin, jobs = p.stdin, []
        for part in node.parts[:-1]:
            pipe = Pipe()
            child = p.child(p.argv, stdin=stdin, out=pipe.put)
            jobs.append(self._start(part, child, partial(_ended, stdin, pipe)))
            stdin = pipe
        code = yield from self._subshell(node.parts[-1], p.child(p.argv, stdin=stdin))
        _ended(stdin, None)
        for job in jobs:
            while job.code is None and p.task is not None:
                job.waiting.append(p.task.resume)
                yield None
        return int(not code) if node.negated else code

    def _if(self, node: shellparse.If, p: Process) -> Program:
        for condition, body in node.clauses:
            if (yield from self._condition(condition, p)) == 0:
                return (yield from self.run(body, p))
        return (yield from self.run(node.otherwise, p)) if node.otherwise is not None else 0

    def _condition(self, node: Node, p: Process) -> Program:
        before, self.errexit = self.errexit, False
        try:
            return (yield from self.run(node, p))
        finally:
            self.errexit = before

    def _while(self, node: shellparse.While, p: Process) -> Program:
        burn = _Burn(p)
        code = 0
        try:
            while ((yield from self._condition(node.condition, p)) == 0) != node.until:
                code, more = yield from self._round(node.body, p)
                if not more:
                    break
                pause = burn.round()
                if pause:
                    yield pause
        finally:
            burn.over()
        return code

    def _for(self, node: shellparse.For, p: Process) -> Program:
        code = 0
        words = self.arguments if node.words is None else (yield from self.expand_all(node.words, p))
        for word in list(words):
            self.variables[node.name] = word
            code, more = yield from self._round(node.body, p)
            if not more:
                break
        return code

    def _round(self, body: Node, p: Process) -> Generator[float | None, None, tuple[int, bool]]:
        """One round of a loop: its code, and whether the loop goes on."""
        try:
            return (yield from self.run(body, p)), True
        except Break as stop:
            if stop.depth > 1:
                raise type(stop)(stop.depth - 1) from None
            return 0, isinstance(stop, Continue)

    def _case(self, node: shellparse.Case, p: Process) -> Program:
        word = yield from self.expand_one(node.word, p)
        for patterns, body in node.branches:
            for pattern in patterns:
                if fnmatch.fnmatchcase(word, (yield from self.expand_one(pattern, p))):
                    return (yield from self.run(body, p))
        return 0

    def _group(self, node: shellparse.Group, p: Process) -> Program:
        target = yield from self._redirected(node.redirections, p)
        if target is None:
            return 1
        if node.subshell:
            return (yield from self._subshell(node.body, target.child(target.argv)))
        return (yield from self.run(node.body, target))

    def _function(self, node: shellparse.Function, p: Process) -> Program:
        self.functions[node.name] = node.body
        return 0
        yield

    def _simple(self, node: shellparse.Simple, p: Process) -> Program:
        words = yield from self.expand_all(node.words, p)
        assigned: dict[str, str] = {}
        for name, value in node.assignments:
            assigned[name] = yield from self.expand_one(value, p)
        if not words:
            self.variables |= assigned
            yield from self._redirected(node.redirections, p)
            return self.code if "$(" in "".join(v for _, v in node.assignments) else 0
        target = yield from self._redirected(node.redirections, p)
        if target is None:
            return 1
        return (yield from self._call(words, assigned, target, p))

    def _call(self, words: Words, assigned: dict[str, str], p: Process, outer: Process) -> Program:
        name = words[0]
        if name in self.functions:
            return (yield from self._call_function(name, words[1:], p))
        builtin = BUILTINS.get(name)
        if builtin is not None:
            return (yield from builtin(self, words, p))
        final = name == "exec"
        if final:
            words = words[1:]
            if not words:
                return 0
        env = {k: self.variables[k] for k in self.exported if k in self.variables} | assigned
        program = self.find(words[0], p.box.config.image)
        if program is None:
            p.err(f"sh: {words[0]}: not found\n")
            code = 127
        else:
            child = p.child(words, env=env)
            child.main = outer.main and (final or bool(self.extra.get("single")))
            child.task = p.task
            code = yield from guarded(program(child), child)
        if final:
            raise Exited(code)
        return code

    def _call_function(self, name: str, arguments: Words, p: Process) -> Program:
        before, self.arguments = self.arguments, arguments
        try:
            return (yield from self.run(self.functions[name], p))
        except Return as back:
            return back.code
        finally:
            self.arguments = before

    # ---- redirections --------------------------------------------------------
    def _redirected(
        self, redirections: list[tuple[str, str]], p: Process
    ) -> Generator[float | None, None, Process | None]:
        out, err, stdin = p.out, p.err, p.stdin
        for operator, word in redirections:
            if operator == "2>&1":
                err = out
                continue
            if operator in (">&2", "1>&2"):
                out = err
                continue
            if operator == ">&1":
                continue
            name = yield from self.expand_one(word, p)
            if operator in ("<<<", "<<"):
                stdin = Input(name + ("\n" if operator == "<<<" else ""))
                continue
            try:
                if operator == "<":
                    stdin = Input(_read(p, name))
                    continue
                writer = _writer(p, name, append=operator.endswith(">>"))
            except OSError as error:
                p.err(f"sh: can't {'open' if operator == '<' else 'create'} {name}: {error}\n")
                return None
            if operator in (">", ">>", "&>"):
                out = writer
            if operator in ("2>", "2>>", "&>"):
                err = writer
        return p.child(p.argv, out=out, err=err, stdin=stdin) if redirections else p


class _Burn:
    """A loop that never waits burns a core; virtual time goes on, in longer and longer steps."""

    def __init__(self, p: Process):
        self._box, self._rounds = p.box, 0
        self._work, self._pause, self._since = self._box.moved >> 16, 0.0, p.box.clock.true_now()

    def round(self) -> float:
        """Seconds to let pass after this round."""
        self._rounds += 1
        work = self._rounds + (self._box.moved >> 16)
        if work - self._work < 100:
            return 0.0
        self._work = work
        now = self._box.clock.true_now()
        if now - self._since > self._pause + 1e-6:  # it has waited besides
            self.over()
        else:
            if not self._pause:
                self._box.use(cpu=1.0)
            self._pause = min(1.0, self._pause * 2 or 0.01)
        self._since = now
        return self._pause

    def over(self) -> None:
        if self._pause:
            self._box.use(cpu=-1.0)
        self._pause = 0.0


def _ended(before: Input, after: Pipe | None) -> None:
    """A part of a pipeline has ended: nobody reads what is before it, and nothing more comes after it."""
    if isinstance(before, Pipe):
        before.broken, before.text = True, ""
    if after is not None:
        after.end()


def shell(find: Callable[[str, Any], Any]) -> Run:
    """The program `sh`, which finds other programs by `find(word, image)`."""

    def sh(p: Process) -> Program:
        arguments = p.argv[1:]
        errexit = False
        while arguments and arguments[0].startswith("-") and arguments[0] != "-c":
            flags = arguments.pop(0)[1:]
            errexit |= "e" in flags
            if flags.endswith("c"):
                arguments.insert(0, "-c")
        if arguments and arguments[0] == "-c":
            this = Shell(p, find, arguments[3:])
            this.name = arguments[2] if len(arguments) > 2 else "sh"
            text = arguments[1] if len(arguments) > 1 else ""
        elif arguments:
            try:
                text = _read(p, arguments[0])
            except OSError as error:
                p.err(f"sh: can't open '{arguments[0]}': {error}\n")
                return 2
            this = Shell(p, find, arguments[1:])
        else:
            return (yield from Shell(p, find, []).interactive())
        this.errexit = errexit
        # A shell that has only one command left replaces itself by it.
        try:
            this.extra["single"] = isinstance(shellparse.parse(text), shellparse.Simple)
        except ShellSyntaxError:
            pass
        return (yield from this.script(text))

    return sh


def _read(p: Process, name: str) -> str:
    if name == "/dev/null" or name in ENDLESS:
        return device(p, name, 1 << 16)
    return p.box.config.files.read(p.path(name)).decode(errors="replace")


def _writer(p: Process, name: str, *, append: bool) -> Callable[[str], None]:
    if name in ("/dev/null", "/dev/zero"):
        return lambda text: None
    if name in ("/dev/stdout", "/proc/1/fd/1", "/proc/self/fd/1"):
        return p.box.print_main if name == "/proc/1/fd/1" else p.out
    if name in ("/dev/stderr", "/proc/1/fd/2"):
        return p.err
    path, files = p.path(name), p.box.config.files
    if name == "/dev/termination-log":
        files.layer.folders.add("dev")
    files.write(path, b"", append=append)
    return lambda text: files.write(path, text.encode(), append=True)
