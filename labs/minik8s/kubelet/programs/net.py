"""wget, curl, nslookup and their like, over the cluster's network."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from minik8s.dataplane import NO_HOST, NO_ROUTE, TIMEOUT, Answer, Call, Connection, DialError
from minik8s.kubelet.programs.common import Words, options
from minik8s.kubelet.tasks import Command, Process, Program

LOOKUP_SECONDS = 0.002
CONNECT_TIMEOUT = 130.0
"""Linux gives up connecting after about this long (tcp_syn_retries 6)."""


def _addresses(p: Process, host: str) -> Words:
    if re.fullmatch(r"[\d.]+", host):
        return [host]
    if host in ("localhost", p.box.sandbox.config.hostname):
        return ["127.0.0.1"]
    fabric = p.box.sandbox.fabric
    if fabric is None:
        raise DialError(NO_HOST)
    return fabric.resolve(p.box.sandbox.address, host)


def _dial(p: Process, host: str, port: int) -> Connection:
    address = _addresses(p, host)[0]
    if address in ("127.0.0.1", p.box.sandbox.address):
        return p.box.sandbox.localhost(port)
    fabric = p.box.sandbox.fabric
    if fabric is None:
        raise DialError(NO_ROUTE)
    return fabric.dial(p.box.sandbox.address, address, port)


class _Url:
    def __init__(self, text: str):
        parts = urlsplit(text if "://" in text else f"http://{text}")
        self.scheme, self.host = parts.scheme, parts.hostname or ""
        self.port = parts.port or (443 if self.scheme == "https" else 80)
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _fetch(p: Process, url: _Url, call: Call, limit: float) -> Answer:
    """The answer; DialError whose `after` says when the failure shows."""
    try:
        answer = _dial(p, url.host, url.port).send(call)
    except DialError as error:
        wait = error.after or (min(limit, CONNECT_TIMEOUT) if error.kind == TIMEOUT else LOOKUP_SECONDS)
        raise DialError(error.kind, wait) from None
    if answer.latency > limit:
        raise DialError(TIMEOUT, limit)
    return answer


def wget(p: Process) -> Program:
    flags, rest = options(p.argv[1:], "OTt")
    if not rest:
        p.err("BusyBox: wget: missing URL\n")
        return 1
    url = _Url(rest[0])
    limit = float(flags.get("T") or flags.get("timeout") or 900)
    try:
        answer = _fetch(p, url, Call(url.path, host=url.host), limit)
    except DialError as error:
        yield error.after
        if error.kind == NO_HOST:
            p.err(f"wget: bad address '{url.host}'\n")
        elif error.kind == TIMEOUT:
            p.err("wget: download timed out\n")
        else:
            p.err(f"wget: can't connect to remote host ({url.host}): {error.kind.capitalize()}\n")
        return 1
    yield answer.latency
    if answer.status >= 400:
        p.err(f"wget: server returned error: HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, '')}\n")
        return 1
    return _save(p, answer.body, flags.get("O", ""), url, "q" in flags)


def _save(p: Process, body: bytes, target: str, url: _Url, quiet: bool) -> int:
    if target == "-":
        p.out(body.decode(errors="replace"))
        return 0
    name = target or url.path.rpartition("/")[2] or "index.html"
    if name != "/dev/null":
        p.box.config.files.write(p.path(name), body)
    if not quiet:
        p.err(f"saving to '{name}'\n'{name}' saved\n")
    return 0


def curl(p: Process) -> Program:
    flags, rest = options(p.argv[1:], "XHdomwuAe")
    arguments = p.argv[1:]
    for name in ("max-time", "connect-timeout", "retry", "resolve", "data", "header", "request", "output", "write-out",
                 "user-agent", "cacert"):
        if f"--{name}" in arguments[:-1]:
            value = arguments[arguments.index(f"--{name}") + 1]
            flags[name] = value
            if value in rest:
                rest.remove(value)
    if not rest:
        p.err("curl: try 'curl --help' for more information\n")
        return 2
    code = 0
    for target in rest:
        code = yield from _curl_one(p, _Url(target), flags)
    return code


def _curl_one(p: Process, url: _Url, flags: dict[str, str]) -> Program:
    limit = float(flags.get("m") or flags.get("max-time") or CONNECT_TIMEOUT)
    connect = float(flags.get("connect-timeout") or limit)
    silent = "s" in flags and "S" not in flags
    data = flags.get("d") or flags.get("data") or ""
    method = flags.get("X") or flags.get("request") or ("POST" if data else "HEAD" if "I" in flags else "GET")
    headers = {}
    for text in (flags.get("H"), flags.get("header")):
        if text and ":" in text:
            name, _, value = text.partition(":")
            headers[name.strip()] = value.strip()
    call = Call(url.path, method, headers.get("Host", url.host), headers, data.encode())
    try:
        answer = _fetch(p, url, call, min(limit, connect))
    except DialError as error:
        yield error.after
        code, text = _curl_error(url, error)
        if not silent:
            p.err(f"curl: ({code}) {text}\n")
        return code
    yield answer.latency
    phrase = _PHRASES.get(answer.status, "")
    if "i" in flags or "I" in flags or "include" in flags or "head" in flags:
        p.out(f"HTTP/1.1 {answer.status} {phrase}\r\n")
        p.out("".join(f"{k}: {v}\r\n" for k, v in answer.headers.items()))
        p.out(f"Content-Length: {len(answer.body)}\r\n\r\n")
    if answer.status >= 400 and ("f" in flags or "fail" in flags):
        p.err(f"curl: (22) The requested URL returned error: {answer.status}\n")
        return 22
    output = flags.get("o") or flags.get("output") or ""
    if output and output != "/dev/null":
        p.box.config.files.write(p.path(output), answer.body)
    elif not output and method != "HEAD":
        p.out(answer.body.decode(errors="replace"))
    form = flags.get("w") or flags.get("write-out") or ""
    p.out(form.replace("%{http_code}", str(answer.status)).replace("\\n", "\n").replace(
        "%{time_total}", f"{answer.latency:.6f}"))
    return 0


def _curl_error(url: _Url, error: DialError) -> tuple[int, str]:
    if error.kind == NO_HOST:
        return 6, f"Could not resolve host: {url.host}"
    if error.kind == TIMEOUT:
        return 28, f"Connection timed out after {int(error.after * 1000)} milliseconds"
    if "reset" in error.kind:
        return 56, "Recv failure: Connection reset by peer"
    return 7, f"Failed to connect to {url.host} port {url.port} after 0 ms: Could not connect to server"


def nslookup(p: Process) -> Program:
    _, rest = options(p.argv[1:], "")
    name = rest[0] if rest else ""
    kind = next((a.partition("=")[2].upper() for a in p.argv[1:] if a.startswith(("-type=", "-query="))), "A")
    if re.fullmatch(r"\d+(\.\d+){3}", name):
        name, kind = ".".join(reversed(name.split("."))) + ".in-addr.arpa", "PTR"
    server = _nameserver(p)
    fabric = p.box.sandbox.fabric
    yield LOOKUP_SECONDS
    for candidate in _candidates(p, name):
        try:
            answers = fabric.records(p.box.sandbox.address, candidate + ".", kind) if fabric is not None else []
        except DialError as error:
            if error.after:
                yield error.after
                p.out(";; connection timed out; no servers could be reached\n\n")
                return 1
            continue
        p.out(f"Server:\t\t{server}\nAddress:\t{server}:53\n\n")
        for answer in answers:
            p.out(f"Name:\t{candidate}\nAddress: {answer}\n" if kind == "A"
                  else f"{candidate}\t{_MEANS.get(kind, kind)} = {answer.rstrip('.')}\n")
        p.out("\n")
        return 0
    p.out(f"Server:\t\t{server}\nAddress:\t{server}:53\n\n** server can't find {name}: NXDOMAIN\n\n")
    return 1


_MEANS = {"SRV": "service", "CNAME": "canonical name", "PTR": "name"}


def _candidates(p: Process, name: str) -> Words:
    """The names that the resolver tries, by the search list of /etc/resolv.conf."""
    try:
        lines = p.box.config.files.read("/etc/resolv.conf").decode().splitlines()
    except OSError:
        return [name.rstrip(".")]
    domains = next((line.split()[1:] for line in lines if line.startswith("search ")), [])
    if name.endswith(".") or name.endswith(".in-addr.arpa"):
        return [name.rstrip(".")]
    dots = next((int(line.rpartition("ndots:")[2].split()[0]) for line in lines if "ndots:" in line), 1)
    longer = [f"{name}.{domain}" for domain in domains]
    return [name, *longer] if name.count(".") >= dots else [*longer, name]


def dig(p: Process) -> Program:
    words = [a for a in p.argv[1:] if not a.startswith(("+", "-", "@"))]
    kind = next((w.upper() for w in words if w.upper() in ("A", "SRV", "CNAME", "PTR", "AAAA")), "A")
    names = [w for w in words if w.upper() != kind]
    fabric = p.box.sandbox.fabric
    yield LOOKUP_SECONDS
    name = names[0] if names else ""
    try:
        answers = fabric.records(p.box.sandbox.address, name.rstrip(".") + ".", kind) if fabric is not None else []
    except DialError:
        answers = []
    if "+short" in p.argv:
        p.out("".join(f"{a}\n" for a in answers))
    else:
        p.out(f";; QUESTION SECTION:\n;{name}.\t\tIN\t{kind}\n\n;; ANSWER SECTION:\n")
        p.out("".join(f"{name}.\t30\tIN\t{kind}\t{a}\n" for a in answers))
    return 0


def getent(p: Process) -> Program:
    name = p.argv[-1]
    yield LOOKUP_SECONDS
    try:
        p.out(f"{_addresses(p, name)[0]}      {name}\n")
    except DialError:
        return 2
    return 0


def nc(p: Process) -> Program:
    """`nc -zv HOST PORT` asks whether a port is open; `nc -l -p PORT` listens."""
    flags, rest = options(p.argv[1:], "pwe")
    if "l" in flags:
        port = int(flags.get("p") or (rest[-1] if rest else 0))
        if not p.box.listen(port, lambda call: Answer(200, b"")):
            p.err("nc: bind: Address already in use\n")
            return 1
        while True:
            yield None
    if len(rest) < 2:
        p.err("nc: missing port\n")
        return 1
    host, port = rest[0], int(rest[1])
    limit = float(flags.get("w") or CONNECT_TIMEOUT)
    try:
        _dial(p, host, port)
    except DialError as error:
        yield min(limit, CONNECT_TIMEOUT) if error.kind == TIMEOUT else LOOKUP_SECONDS
        if error.kind == NO_HOST:
            p.err(f"nc: bad address '{host}'\n")
        elif "v" in flags or error.kind != TIMEOUT:
            p.err(f"nc: {host} ({host}:{port}): {error.kind.capitalize()}\n")
        return 1
    yield LOOKUP_SECONDS
    if "v" in flags:
        p.err(f"{host} ({host}:{port}) open\n")
    return 0


def ping(p: Process) -> Program:
    flags, rest = options(p.argv[1:], "cwWi")
    host = rest[0] if rest else ""
    try:
        address = _addresses(p, host)[0]
    except DialError:
        p.err(f"ping: bad address '{host}'\n")
        return 1
    p.out(f"PING {host} ({address}): 56 data bytes\n")
    answers, sent = 0, 0
    count = int(flags.get("c") or 0)
    while not count or sent < count:
        try:
            _dial(p, address, 1)
            alive = True
        except DialError as error:
            alive = "refused" in error.kind
        if alive:
            answers += 1
            p.out(f"64 bytes from {address}: seq={sent} ttl=63 time=0.1 ms\n")
        sent += 1
        yield 1.0
    p.out(f"\n--- {host} ping statistics ---\n{sent} packets transmitted, {answers} packets received\n")
    return 0 if answers else 1


def redis_cli(p: Process) -> Program:
    flags, rest = options(p.argv[1:], "hpna")
    host, port = flags.get("h") or "127.0.0.1", int(flags.get("p") or 6379)
    command = json.dumps(rest or ["PING"])
    try:
        answer = _dial(p, host, port).send(Call("/", "REDIS", body=command.encode()))
    except DialError as error:
        p.err(f"Could not connect to Redis at {host}:{port}: {error.kind.capitalize()}\n")
        return 1
    yield answer.latency
    p.out(answer.body.decode() + "\n")
    return 0


def _nameserver(p: Process) -> str:
    text = p.box.config.files.read("/etc/resolv.conf").decode()
    return next((line.split()[1] for line in text.splitlines() if line.startswith("nameserver")), "10.96.0.10")


_PHRASES = {200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 302: "Found", 400: "Bad Request",
            401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests",
            500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}

NET_COMMANDS: dict[str, Command] = {
    "wget": wget, "curl": curl, "nslookup": nslookup, "dig": dig, "host": nslookup, "getent": getent, "nc": nc,
    "ping": ping, "redis-cli": redis_cli, "valkey-cli": redis_cli,
}  # fmt: skip
