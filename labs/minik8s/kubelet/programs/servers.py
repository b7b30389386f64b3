"""Programs that listen: web servers and other daemons, answering as their behaviour says."""

from __future__ import annotations

import re

from minik8s.dataplane import Answer, Call
from minik8s.kubelet.tasks import Command, Process, Program
from minik8s.objects.meta import rfc3339

_VARIABLE = re.compile(r"\$\{(\w+)\}")


def daemon(p: Process) -> Program:
    """What an image's own server does: check its settings, start, listen, and obey SIGTERM."""
    behaviour = p.box.behaviour
    if behaviour.needs_env and not any(p.env.get(n) for n in behaviour.needs_env):
        p.err(behaviour.missing + "\n")
        return 1
    yield from _serve(p, behaviour.port, behaviour.body, behaviour.root)
    return 0


def nginx(p: Process) -> Program:
    """`nginx -g "daemon off;"` serves; `-t` and `-v` only talk."""
    if "-v" in p.argv:
        p.err(f"nginx version: nginx/{p.env.get('NGINX_VERSION', '1.27.5')}\n")
        return 0
    if "-t" in p.argv:
        p.err("nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n")
        p.err("nginx: configuration file /etc/nginx/nginx.conf test is successful\n")
        return 0
    if "-s" in p.argv:
        p.box.signal("SIGTERM")
        return 0
    behaviour = p.box.behaviour
    yield from _serve(p, behaviour.port or 80, behaviour.body, behaviour.root, graceful="drain", access_log=True)
    return 0


def httpd(p: Process) -> Program:
    """Apache's httpd-foreground, or busybox httpd with -f -p PORT -h DIR."""
    behaviour = p.box.behaviour
    port = int((_option(p.argv, "-p") or str(behaviour.port or 80)).rpartition(":")[2])
    root = p.path(_option(p.argv, "-h") or behaviour.root or p.cwd)
    yield from _serve(p, port, behaviour.body, root, graceful="drain")
    return 0


def http_echo(p: Process) -> Program:
    text = _flag(p.argv, "text") or p.env.get("ECHO_TEXT") or "hello-world"
    port = int((_flag(p.argv, "listen") or ":5678").rpartition(":")[2])
    yield from _serve(p, port, text + "\n", "", graceful="exit:2")
    return 0


def agnhost(p: Process) -> Program:
    """The test image's pause, netexec, serve-hostname and test-webserver."""
    command = p.argv[1] if len(p.argv) > 1 else "pause"
    if command == "netexec":
        port = int(_flag(p.argv, "http-port") or 8080)
        yield from _serve(p, port, "NOW: 2026\n", "", graceful="exit:2", routes={"/hostname": "${HOSTNAME}"})
    elif command == "serve-hostname":
        yield from _serve(p, int(_flag(p.argv, "port") or 9376), "${HOSTNAME}", "", graceful="exit:2")
    elif command == "test-webserver":
        yield from _serve(p, int(_flag(p.argv, "port") or 80), "", "/", graceful="exit:2")
    else:
        yield from _serve(p, 0, "", "", graceful="exit:2")
    return 0


def python(p: Process) -> Program:
    """`python3 -m http.server PORT` serves the working directory; `-c` and scripts are not interpreted."""
    if p.argv[1:3] == ["-m", "http.server"]:
        numbers = [a for a in p.argv[3:] if a.isdigit()]
        root = p.path(_option(p.argv, "-d") or _option(p.argv, "--directory") or ".")
        # Python as PID 1 has no handler for SIGTERM, so the kernel drops the signal.
        yield from _serve(p, int(numbers[0]) if numbers else 8000, "", root, graceful="ignore")
        return 0
    if p.argv[1:2] in (["-V"], ["--version"]):
        p.out("Python 3.13.2\n")
        return 0
    if len(p.argv) == 1 and not p.stdin.open:
        return 0
    p.err("python3: 시뮬레이션된 컨테이너에서는 -m http.server만 실행할 수 있다\n")
    return 1


def pause(p: Process) -> Program:
    p.box.on_signal["*"] = lambda: p.box.obey("exit:0")
    while True:
        yield None


SERVERS: dict[str, Command] = {
    "nginx": nginx,
    "httpd": httpd,
    "httpd-foreground": httpd,
    "apache2-foreground": httpd,
    "http-echo": http_echo,
    "agnhost": agnhost,
    "python": python,
    "python3": python,
    "pause": pause,
}


def _serve(
    p: Process, port: int, body: str, root: str, *, graceful: str = "exit:0", access_log: bool = False,
    routes: dict[str, str] | None = None,
) -> Program:
    box, behaviour = p.box, p.box.behaviour
    if p.main:
        box.on_signal["*"] = lambda: box.obey(behaviour.term or graceful)
    for line in behaviour.logs:
        p.out(line + "\n")
        if behaviour.log_every:
            yield behaviour.log_every
    if behaviour.ready_after:
        yield behaviour.ready_after
    # Without a network namespace of its own the port is only known to the pod.
    number = behaviour.port or port
    if number and not box.listen(number, lambda call: _answer(p, call, body, root, access_log, routes or {})):
        p.err(f"bind() to 0.0.0.0:{number} failed (98: Address already in use)\n")
        return 1
    while True:
        yield None


def _answer(p: Process, call: Call, body: str, root: str, access_log: bool, routes: dict[str, str]) -> Answer:
    behaviour = p.box.behaviour
    path = call.path.partition("?")[0]
    status, latency = behaviour.http.get(path, (200, None))
    text: bytes
    if path in behaviour.http and status >= 400:
        text = f"{status}\n".encode()
    elif path in routes or body:
        text = _fill(p, routes.get(path, body)).encode()
    elif root:
        found, text = _file(p, root + path, status)
        if found == 404 and path in behaviour.http:
            text = f"{status}\n".encode()  # a path of the application's own, no file
        else:
            status = found
    else:
        text = b""
    if access_log:
        stamp = rfc3339(p.box.clock.now())
        p.out(f'{call.source or "-"} - - [{stamp}] "{call.method} {call.path} HTTP/1.1" {status} {len(text)} "-" "-"\n')
    return Answer(status, text, {}, behaviour.latency if latency is None else latency)


def _file(p: Process, path: str, status: int) -> tuple[int, bytes]:
    files = p.box.config.files
    place = p.path(path)
    if files.is_dir(place):
        index = place.rstrip("/") + "/index.html"
        if files.is_file(index):
            return status, files.read(index)
        return 403, b"403 Forbidden\n"
    return (status, files.read(place)) if files.is_file(place) else (404, b"404 Not Found\n")


def _fill(p: Process, text: str) -> str:
    sandbox = p.box.sandbox
    known = {
        "HOSTNAME": sandbox.config.hostname,
        "POD_IP": sandbox.address,
        "NODE_NAME": sandbox.node,
        "IMAGE_TAG": p.box.config.image.reference.tag,
    }
    return _VARIABLE.sub(lambda m: p.env.get(m[1]) or known.get(m[1], ""), text)


def _option(argv: list[str], name: str) -> str:
    return argv[argv.index(name) + 1] if name in argv[:-1] else ""


def _flag(argv: list[str], name: str) -> str:
    """`--name=VALUE`, `-name=VALUE` or `--name VALUE`."""
    for i, word in enumerate(argv):
        key, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and key == name:
            return value if equals else argv[i + 1] if i + 1 < len(argv) else ""
    return ""
