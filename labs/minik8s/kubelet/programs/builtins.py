"""Commands that a shell does itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minik8s.kubelet.tasks import Exited, Flow, Process, Program, Task

if TYPE_CHECKING:
    from minik8s.kubelet.programs.shell import Shell

Words = list[str]
Builtin = Callable[["Shell", Words, Process], Program]


class Job:
    """A command that runs beside its shell. `done` is called once, `waiting` when it has ended."""

    def __init__(self, pid: int, done: Callable[[], None] | None = None) -> None:
        self.pid, self._done = pid, done
        self.task: Task | None = None
        self.code: int | None = None
        self.waiting: list[Callable[[], None]] = []

    def finish(self, code: int) -> None:
        if self.code is None:
            self.code = code
            if self._done is not None:
                self._done()
            for resume in self.waiting:
                resume()


class Break(Flow):
    def __init__(self, depth: int = 1):
        super().__init__(depth)
        self.depth = depth


class Continue(Break):
    pass


class Return(Flow):
    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


def _number(words: Words, usual: int) -> int:
    return int(words[1]) if len(words) > 1 and words[1].lstrip("-").isdigit() else usual


def cd(sh: Shell, words: Words, p: Process) -> Program:
    place = p.path(words[1] if len(words) > 1 else sh.variables.get("HOME", "/root"))
    if not p.box.config.files.is_dir(place):
        p.err(f"sh: cd: can't cd to {words[1]}: No such file or directory\n")
        return 2
    sh.p.cwd = p.cwd = place
    return 0
    yield


def exit_(sh: Shell, words: Words, p: Process) -> Program:
    raise Exited(_number(words, sh.code) & 255)
    yield


def export(sh: Shell, words: Words, p: Process) -> Program:
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if equals:
            sh.variables[name] = value
        sh.exported.add(name)
    return 0
    yield


def unset(sh: Shell, words: Words, p: Process) -> Program:
    for word in words[1:]:
        sh.variables.pop(word, None)
        sh.exported.discard(word)
    return 0
    yield


def local(sh: Shell, words: Words, p: Process) -> Program:
    for word in words[1:]:
        name, _, value = word.partition("=")
        sh.variables[name] = value
    return 0
    yield


def set_(sh: Shell, words: Words, p: Process) -> Program:
    for word in words[1:]:
        if word.startswith(("-", "+")) and "e" in word:
            sh.errexit = word[0] == "-"
    return 0
    yield


def shift(sh: Shell, words: Words, p: Process) -> Program:
    del sh.arguments[: _number(words, 1)]
    return 0
    yield


def trap(sh: Shell, words: Words, p: Process) -> Program:
    for name in words[2:]:
        sh.set_trap(name, words[1] if words[1] != "-" else "")
    return 0
    yield


def wait(sh: Shell, words: Words, p: Process) -> Program:
    code, wanted = 0, {w.lstrip("%") for w in words[1:]}
    jobs = [job for job in sh.jobs if not wanted or str(job.pid) in wanted]
    if wanted and not jobs:
        return 127
    for job in jobs:
        while job.code is None and not sh.pending:
            if sh.p.task is None:
                return 0
            job.waiting.append(sh.p.task.resume)
            sh.extra["waiting"] = sh.p.task
            yield None
        if sh.pending:
            return 128 + 15
        code = job.code or 0
        sh.jobs.remove(job)
    sh.extra.pop("waiting", None)
    return code


def kill(sh: Shell, words: Words, p: Process) -> Program:
    """Jobs of this shell; others as the program of that name does it."""
    signal = words[1].lstrip("-").removeprefix("SIG") if words[1:2] and words[1].startswith("-") else "15"
    number = int(signal) if signal.isdigit() else {"KILL": 9, "INT": 2, "HUP": 1, "QUIT": 3}.get(signal, 15)
    targets = [w for w in words[1:] if not w.startswith("-")]
    code = 0
    for target in targets:
        job = next((j for j in sh.jobs if str(j.pid) == target.lstrip("%") and j.code is None), None)
        if job is not None and job.task is not None:
            if number:
                job.task.kill()
                job.finish(128 + number)
        elif target == "1":
            yield from sh._call(["/bin/kill", *words[1:]], {}, p, p)
        elif target == sh.variable("$"):
            raise Exited(128 + number)
        else:
            p.err(f"sh: can't kill pid {target}: No such process\n")
            code = 1
    return code


def read(sh: Shell, words: Words, p: Process) -> Program:
    while (line := p.stdin.take_line()) is None:
        if not p.stdin.open:
            return 1
        p.wait_input()
        yield None
    names = [w for w in words[1:] if not w.startswith("-")] or ["REPLY"]
    pieces: list[Any] = line.rstrip("\n").split(None, len(names) - 1)
    for i, name in enumerate(names):
        sh.variables[name] = pieces[i] if i < len(pieces) else ""
    return 0


def break_(sh: Shell, words: Words, p: Process) -> Program:
    raise Break(_number(words, 1))
    yield


def continue_(sh: Shell, words: Words, p: Process) -> Program:
    raise Continue(_number(words, 1))
    yield


def return_(sh: Shell, words: Words, p: Process) -> Program:
    raise Return(_number(words, sh.code) & 255)
    yield


def command(sh: Shell, words: Words, p: Process) -> Program:
    if words[1:2] == ["-v"]:
        name = words[2] if len(words) > 2 else ""
        known = name in BUILTINS or sh.find(name, p.box.config.image) is not None
        if known:
            p.out(f"{name if name in BUILTINS else '/bin/' + name}\n")
        return 0 if known else 127
    return (yield from sh._call(words[1:], {}, p, p)) if len(words) > 1 else 0


def eval_(sh: Shell, words: Words, p: Process) -> Program:
    from minik8s.kubelet.programs import shellparse

    return (yield from sh.run(shellparse.parse(" ".join(words[1:])), p))


def source(sh: Shell, words: Words, p: Process) -> Program:
    from minik8s.kubelet.programs import shellparse

    if len(words) < 2:
        p.err("sh: .: filename argument required\n")
        return 2
    try:
        text = p.box.config.files.read(p.path(words[1])).decode(errors="replace")
    except OSError as error:
        p.err(f"sh: .: can't open '{words[1]}': {error}\n")
        return 2
    return (yield from sh.run(shellparse.parse(text), p))


def colon(sh: Shell, words: Words, p: Process) -> Program:
    return 0
    yield


BUILTINS: dict[str, Builtin] = {
    "cd": cd, "exit": exit_, "export": export, "unset": unset, "local": local, "set": set_, "shift": shift,
    "trap": trap, "wait": wait, "read": read, "break": break_, "continue": continue_, "return": return_,
    "command": command, "kill": kill, "eval": eval_, ".": source, "source": source, ":": colon,
    "ulimit": colon, "umask": colon,
}  # fmt: skip
