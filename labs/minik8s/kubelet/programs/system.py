"""sleep, env, ps, stress and their like."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from minik8s.kubelet.programs.common import Words, instant, options
from minik8s.kubelet.tasks import Command, Process, Program

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def sleep(p: Process) -> Program:
    seconds = 0.0
    for word in p.argv[1:]:
        if word in ("infinity", "inf"):
            while True:
                yield None
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", word)
        if match is None:
            p.err(f"sleep: invalid number '{word}'\n")
            return 1
        seconds += float(match[1]) * _UNITS.get(match[2], 1)
    if len(p.argv) < 2:
        p.err("BusyBox: sleep: missing operand\n")
        return 1
    yield seconds
    return 0


@instant
def true(p: Process, arguments: Words) -> int:
    return 0


@instant
def false(p: Process, arguments: Words) -> int:
    return 1


def env(p: Process) -> Program:
    """Prints the environment, or runs a command with more of it."""
    arguments = list(p.argv[1:])
    if p.argv[0].endswith("printenv") and arguments:
        value = p.env.get(arguments[0])
        if value is not None:
            p.out(value + "\n")
        return 0 if value is not None else 1
    added = {} if arguments[:1] in (["-i"], ["-"]) else dict(p.env)
    arguments = arguments[1:] if arguments[:1] in (["-i"], ["-"]) else arguments
    while arguments and "=" in arguments[0]:
        name, _, value = arguments.pop(0).partition("=")
        added[name] = value
    if arguments:
        return (yield from _run(p, arguments, added))
    p.out("".join(f"{name}={added[name]}\n" for name in added))
    return 0


def _run(p: Process, argv: Words, variables: dict[str, str]) -> Program:
    from minik8s.kubelet.programs import lookup

    program = lookup(argv[0], p.box.config.image)
    if program is None:
        p.err(f"{p.argv[0]}: can't execute '{argv[0]}': No such file or directory\n")
        return 127
    child = p.child(argv, env=variables)
    return (yield from program(child))


def timeout(p: Process) -> Program:
    """`timeout SECONDS COMMAND`: 124 (143 in busybox) when the time runs out."""
    _, rest = options(p.argv[1:], "sk")
    limit = float(rest[0].rstrip("smhd")) if rest else 0.0
    child = p.child(rest[1:])
    state: list[int] = []
    from minik8s.kubelet.programs import lookup

    program = lookup(rest[1], p.box.config.image) if len(rest) > 1 else None
    if program is None or p.task is None:
        return 127
    resume = p.task.resume

    def done(code: int) -> None:
        state.append(code)
        resume()

    task = p.box.spawn(program(child), child, done)
    end = p.box.clock.true_now() + limit
    while not state and p.box.clock.true_now() < end:
        yield end - p.box.clock.true_now()
    if state:
        return state[0]
    task.kill()
    return 143


def watch(p: Process) -> Program:
    """`watch -n 2 COMMAND`."""
    flags, rest = options(p.argv[1:], "n")
    while True:
        yield from _run(p, rest, dict(p.env))
        yield float(flags.get("n") or 2)


def time_(p: Process) -> Program:
    start = p.box.clock.true_now()
    code = yield from _run(p, p.argv[1:], dict(p.env))
    p.err(f"real\t{p.box.clock.true_now() - start:.2f}s\n")
    return code


@instant
def hostname(p: Process, arguments: Words) -> int:
    if arguments[:1] in (["-i"], ["-I"]):
        p.out(p.box.sandbox.address + "\n")
    elif arguments[:1] == ["-f"]:
        hosts = p.box.config.files.read("/etc/hosts").decode().splitlines()
        p.out(hosts[2].split()[1] + "\n")
    else:
        p.out(p.box.sandbox.config.hostname + "\n")
    return 0


@instant
def identity(p: Process, arguments: Words) -> int:
    user = p.box.config.user
    name = "root" if user == 0 else str(user)
    if p.argv[0].endswith("whoami"):
        p.out(name + "\n")
    elif arguments[:1] in (["-u"], ["-g"]):
        p.out(f"{user}\n")
    else:
        p.out(f"uid={user}({name}) gid={user}({name}) groups={user}({name})\n")
    return 0


@instant
def date(p: Process, arguments: Words) -> int:
    moment = datetime.fromtimestamp(p.box.clock.now(), UTC)
    form = next((a[1:] for a in arguments if a.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    form = form.replace("%s", str(int(p.box.clock.now()))).replace("%e", f"{moment.day:2d}")
    p.out(moment.strftime(form.replace("%T", "%H:%M:%S").replace("%F", "%Y-%m-%d")) + "\n")
    return 0


@instant
def uname(p: Process, arguments: Words) -> int:
    if arguments[:1] == ["-a"]:
        p.out(f"Linux {p.box.sandbox.config.hostname} 6.12.0-minik8s #1 SMP x86_64 GNU/Linux\n")
    else:
        p.out({"-r": "6.12.0-minik8s", "-m": "x86_64", "-n": p.box.sandbox.config.hostname}.get(
            arguments[0] if arguments else "", "Linux") + "\n")
    return 0


@instant
def ps(p: Process, arguments: Words) -> int:
    p.out("PID   USER     TIME  COMMAND\n")
    user = "root" if p.box.config.user == 0 else str(p.box.config.user)
    p.out(f"    1 {user:8s}  0:00 {' '.join(p.box.config.argv)}\n")
    if not p.main:
        p.out(f"{p.box.new_pid():5d} {user:8s}  0:00 {' '.join(p.argv)}\n")
    return 0


@instant
def pwd(p: Process, arguments: Words) -> int:
    p.out(p.cwd + "\n")
    return 0


@instant
def test(p: Process, arguments: Words) -> int:
    """`test` and `[`."""
    words = list(arguments)
    if p.argv[0].endswith("["):
        end = "]]" if p.argv[0] == "[[" else "]"
        if words[-1:] != [end]:
            p.err(f"sh: missing {end}\n")
            return 2
        words.pop()
    for operator, combine in (("-o", any), ("-a", all), ("||", any), ("&&", all)):
        if operator in words[1:-1]:
            at = words.index(operator)
            return int(not combine(_true(p, part) for part in (words[:at], words[at + 1 :])))
    return int(not _true(p, words))


def _true(p: Process, words: Words) -> bool:
    files = p.box.config.files
    if words[:1] == ["!"]:
        return not _true(p, words[1:])
    if len(words) == 1:
        return bool(words[0])
    if len(words) == 2:
        flag, value = words
        place = p.path(value)
        checks = {
            "-f": lambda: files.is_file(place), "-d": lambda: files.is_dir(place), "-z": lambda: not value,
            "-n": lambda: bool(value), "-s": lambda: files.is_file(place) and bool(files.read(place)),
        }  # fmt: skip
        if flag in checks:
            return checks[flag]()
        return flag in ("-e", "-r", "-w", "-x", "-L") and (files.is_file(place) or files.is_dir(place))
    if len(words) == 3:
        left, operator, right = words
        if operator in ("=", "=="):
            return left == right
        if operator == "!=":
            return left != right
        numbers = {"-eq": "==", "-ne": "!=", "-lt": "<", "-le": "<=", "-gt": ">", "-ge": ">="}
        if operator in numbers and left.lstrip("-").isdigit() and right.lstrip("-").isdigit():
            a, b = int(left), int(right)
            return {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[numbers[operator]]
    return False


@instant
def expr(p: Process, arguments: Words) -> int:
    from minik8s.kubelet.programs.arithmetic import evaluate

    try:
        value = evaluate(" ".join(arguments), dict(p.env))
    except ArithmeticError as error:
        p.err(f"expr: {'syntax error' if 'syntax' in str(error) else error}\n")
        return 2
    p.out(f"{value}\n")
    return int(value == 0)


@instant
def which(p: Process, arguments: Words) -> int:
    from minik8s.kubelet.programs import lookup

    found = [a for a in arguments if lookup(a, p.box.config.image) is not None]
    p.out("".join(f"/usr/bin/{name}\n" for name in found))
    return 0 if len(found) == len(arguments) else 1


@instant
def kill(p: Process, arguments: Words) -> int:
    name, rest = "SIGTERM", list(arguments)
    numbers = {"9": "SIGKILL", "15": "SIGTERM", "1": "SIGHUP", "2": "SIGINT", "3": "SIGQUIT"}
    if rest and rest[0].startswith("-"):
        word = rest.pop(0)[1:]
        name = numbers.get(word, word if word.startswith("SIG") else f"SIG{word}")
    if rest and not any(a.isdigit() for a in rest):
        p.err(f"kill: invalid number '{rest[0]}'\n")
        return 1
    if "1" in rest and name != "SIGKILL":
        # The kernel protects PID 1 from SIGKILL sent from inside its namespace.
        p.box.clock.call_soon(p.box.signal, name)
    return 0


@instant
def df(p: Process, arguments: Words) -> int:
    p.out("Filesystem           1K-blocks      Used Available Use% Mounted on\n")
    p.out("overlay              104857600   8388608  96468992   8% /\n")
    for mount in reversed(p.box.config.files.mounts):
        p.out(f"tmpfs                104857600   8388608  96468992   8% {mount.path}\n")
    return 0


@instant
def mount(p: Process, arguments: Words) -> int:
    p.out("overlay on / type overlay (rw,relatime)\n")
    for entry in reversed(p.box.config.files.mounts):
        p.out(f"/dev/vda1 on {entry.path} type ext4 ({'ro' if entry.read_only else 'rw'},relatime)\n")
    return 0


@instant
def free(p: Process, arguments: Words) -> int:
    used = p.box.usage().memory
    unit = 1 << 20 if "-m" in arguments else 1 << 10
    total = p.box.memory_limit or 8 << 30
    p.out("              total        used        free\n")
    p.out(f"Mem:     {total // unit:10d}  {used // unit:10d}  {(total - used) // unit:10d}\n")
    return 0


@instant
def uptime(p: Process, arguments: Words) -> int:
    moment, age = datetime.fromtimestamp(p.box.clock.now(), UTC), int(p.box.clock.true_now() - p.box.started_at)
    p.out(f" {moment:%H:%M:%S} up {age // 3600}:{age // 60 % 60:02d},  0 users,  load average: 0.00, 0.00, 0.00\n")
    return 0


def nohup(p: Process) -> Program:
    return (yield from _run(p, p.argv[1:], dict(p.env))) if len(p.argv) > 1 else 1


def usleep(p: Process) -> Program:
    text = p.argv[1] if len(p.argv) > 1 else ""
    if not text.isdigit():
        p.err(f"usleep: invalid number '{text}'\n")
        return 1
    yield int(text) / 1e6
    return 0


@instant
def nproc(p: Process, arguments: Words) -> int:
    p.out("4\n")
    return 0


def stress(p: Process) -> Program:
    """`stress --vm 1 --vm-bytes 250M --cpu 2 --timeout 30s`, and vish/stress's `-mem-total 150Mi -cpus 2`."""
    flags: dict[str, str] = {}
    for i, word in enumerate(p.argv):
        if word.startswith("-"):
            key, equals, value = word.lstrip("-").partition("=")
            flags[key] = value if equals else p.argv[i + 1] if i + 1 < len(p.argv) else ""
    cores = float(flags.get("cpu") or flags.get("c") or flags.get("cpus") or 0)
    workers = int(flags.get("vm") or flags.get("m") or (1 if "vm-bytes" in flags or "mem-total" in flags else 0))
    size = _bytes(flags.get("vm-bytes") or flags.get("mem-total") or "256M")
    p.out(f"stress: info: [1] dispatching hogs: {int(cores)} cpu, 0 io, {workers} vm, 0 hdd\n")
    p.box.use(cpu=cores or float(workers > 0) * 0.2)
    # Memory is touched page by page: it grows within a second or so, not at once.
    for _ in range(5):
        yield 0.2
        p.box.use(memory=workers * size / 5)
    limit = flags.get("timeout") or flags.get("t") or ""
    if not limit:
        while True:
            yield None
    yield float(limit.rstrip("smhd")) * _UNITS.get(limit[-1:], 1)
    p.out("stress: info: [1] successful run completed\n")
    return 0


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*([KMGkmg]?)i?[Bb]?", text)
    units = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
    return int(match[1]) * units[match[2].lower()] if match else 256 << 20


def perl(p: Process) -> Program:
    """The Job example's `perl -Mbignum=bpi -wle 'print bpi(2000)'`, and prints of plain strings."""
    script = p.argv[-1] if len(p.argv) > 1 else ""
    match = re.search(r"bpi\((\d+)\)", script)
    if match:
        digits = min(int(match[1]), 5000)
        p.box.use(cpu=1.0)
        yield 2.0 + digits / 500
        p.out(_pi(digits) + "\n")
        return 0
    said = re.search(r"""print\s+["'](.*?)["']""", script)
    if said:
        p.out(said[1].replace("\\n", "\n") + ("\n" if "-l" in p.argv or "l" in p.argv[1] else ""))
        return 0
    code = re.search(r"exit\s+(\d+)", script)
    return int(code[1]) if code else 0


def _pi(digits: int) -> str:
    """Machin's formula in integers."""
    unit: int = 10 ** (digits + 10)

    def arctan(x: int) -> int:
        term = total = unit // x
        n, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // n)
            sign, n = -sign, n + 2
        return total

    text = str(4 * (4 * arctan(5) - arctan(239)))
    return f"3.{text[1:digits]}"


SYSTEM_COMMANDS: dict[str, Command] = {
    "sleep": sleep, "true": true, "false": false, "env": env, "printenv": env, "timeout": timeout, "watch": watch,
    "time": time_, "hostname": hostname, "id": identity, "whoami": identity, "date": date, "uname": uname, "ps": ps,
    "pwd": pwd, "test": test, "[": test, "[[": test, "expr": expr, "which": which, "kill": kill, "df": df,
    "mount": mount, "free": free, "nproc": nproc, "uptime": uptime,
    "nohup": nohup, "usleep": usleep, "stress": stress, "perl": perl,
}  # fmt: skip
