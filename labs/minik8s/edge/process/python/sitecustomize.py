"""What Python programs in a container are given, so that they find their pod: see ../addresses.py and ../rootfs.py.

A wildcard or localhost address becomes the pod's when they listen or connect; the container's paths are found by
`open`, `os.stat`, `os.listdir`, `os.scandir` and `os.open`; names of Services are resolved by cluster DNS.
Programs that call the system by other ways (C extensions, other languages) are not helped.
"""

from __future__ import annotations

import builtins
import functools
import io
import json
import os
import socket
import sys
import urllib.parse
import urllib.request
from typing import Any

ADDRESS = os.environ.get("MINIK8S_ADDRESS", "")
LIFT = int(os.environ.get("MINIK8S_LIFT") or 0)
SECONDS = dict(pair.split("=") for pair in os.environ.get("MINIK8S_SECONDS", "").split(",") if pair)
PORTS = {int(a): int(b) for a, _, b in (p.partition("=") for p in os.environ.get("MINIK8S_PORTS", "").split(",") if p)}
PATHS: dict[str, str] = json.loads(os.environ.get("MINIK8S_PATHS") or "{}")
REAL = (os.environ.get("MINIK8S_ROOT", "/dev/null"), sys.prefix, sys.base_prefix, os.path.dirname(__file__))
PROXY = os.environ.get("http_proxy", "")
API = (os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", ""))
raw_bind = socket.socket.bind
ANY, LOCAL = ("", "0.0.0.0", "::"), ("127.0.0.1", "localhost", "::1")


def port(number: int) -> int:
    return PORTS.get(number, number + LIFT if 0 < number < 1024 else number)


def cluster(host: str) -> str:
    """The loopback address of a cluster address."""
    parts = host.split(".")
    if len(parts) != 4 or parts[0] not in ("10", "172"):
        return host
    return f"127.{SECONDS.get(parts[1], parts[1])}.{parts[2]}.{parts[3]}"


def bind(self: socket.socket, address: Any, original: Any = socket.socket.bind) -> Any:
    if self.family not in (socket.AF_INET, socket.AF_INET6) or address[0] not in (*ANY, *LOCAL):
        return original(self, address)
    if self.family == socket.AF_INET:
        return original(self, (ADDRESS, port(address[1])))
    try:
        self.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        return original(self, (f"::ffff:{ADDRESS}", port(address[1]), *address[2:]))
    except OSError:
        # asyncio listens on 0.0.0.0 first: the port is this program's already.
        return original(self, ("::1", 0, *address[2:]))


def target(address: Any) -> Any:
    host, number = cluster(address[0]), address[1]
    if (host, str(number)) == API:
        return address
    if host in LOCAL or host == ADDRESS:
        return (ADDRESS, port(number))
    return (host, number + LIFT if host.startswith("127.") and number < 1024 else number)


def reached(self: socket.socket, address: Any) -> Any:
    """The real address; who calls one of the cluster does it from the pod's address, by which the pod is known."""
    if self.family != socket.AF_INET:
        return address
    real = target(address)
    if real[0].startswith("127.") and not real[0].startswith("127.0.") and self.getsockname()[1] == 0:
        raw_bind(self, (ADDRESS, 0))
    return real


def connect(self: socket.socket, address: Any, original: Any = socket.socket.connect) -> Any:
    return original(self, reached(self, address))


def connect_ex(self: socket.socket, address: Any, original: Any = socket.socket.connect_ex) -> Any:
    return original(self, reached(self, address))


def getaddrinfo(host: Any, service: Any, *args: Any, original: Any = socket.getaddrinfo, **kwargs: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name not in (*ANY, *LOCAL) and ("." not in name or ".svc" in name):
        found = resolve(name)
        if found:
            out = []
            for address in found:
                out += original(cluster(address), service, *args, **kwargs)
            return out
    return original(host, service, *args, **kwargs)


def resolve(name: str) -> list[str]:
    """Addresses by cluster DNS, asked of the pod's proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{PROXY}/resolve?name={urllib.parse.quote(name)}", timeout=5) as answer:
            return list(json.load(answer))
    except (OSError, ValueError):
        return []


def located(path: Any) -> Any:
    """The real path behind a path of the container."""
    if isinstance(path, str) and path.startswith("/") and not path.startswith(REAL):
        for name, real in PATHS.items():
            if path == name or path.startswith(name + "/"):
                return real + path[len(name) :]
    return path


def helped(original: Any) -> Any:
    @functools.wraps(original)
    def call(path: Any = ".", *args: Any, **kwargs: Any) -> Any:
        return original(located(path), *args, **kwargs)

    return call


if ADDRESS:
    socket.socket.bind = bind  # type: ignore[method-assign,assignment]
    socket.socket.connect = connect  # type: ignore[method-assign,assignment]
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign,assignment]
    if PROXY:
        socket.getaddrinfo = getaddrinfo  # type: ignore[assignment]
if PATHS:
    builtins.open = io.open = helped(builtins.open)
    for name in ("stat", "lstat", "listdir", "scandir", "open"):
        setattr(os, name, helped(getattr(os, name)))
