"""A pod's way to names and addresses of the cluster: an HTTP proxy at the pod's own address.

Programs find it in `http_proxy`. It asks cluster DNS and dials through the cluster's network as this pod, so Services
choose endpoints and NetworkPolicy holds. `/resolve?name=NAME` answers with addresses as JSON. What is not of the
cluster is passed on to this machine's network.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from minik8s.dataplane import NO_HOST, TIMEOUT, Connection, DialError, Fabric
from minik8s.edge.process.addresses import cluster_address
from minik8s.edge.process.wires import carry
from minik8s.edge.realtime import RealTime

HEAD_LIMIT = 64 * 1024
CHUNK = 1 << 16
_HOP = (b"proxy-connection", b"connection", b"proxy-authorization", b"keep-alive")

Dial = Callable[[str, int], Connection]


class PodProxy:
    """Serves one pod, whose cluster address is `source`."""

    def __init__(self, source: str, fabric: Fabric, realtime: RealTime):
        self._source, self._fabric, self._realtime = source, fabric, realtime
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str) -> int:
        """Listen at the pod's address; the port."""
        self._server = await asyncio.start_server(self._serve, host, 0, limit=HEAD_LIMIT)
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(head, reader, writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, _, rest = head.partition(b"\r\n")
        method, target, version = first.decode("latin-1").split(" ", 2)
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        if not parts.hostname:
            _say(writer, 200, json.dumps(self._addresses(parse_qs(parts.query).get("name", [""])[0])))
            return
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            connection = self._dial(parts.hostname, port)
        except DialError as error:
            if error.kind == NO_HOST:
                await self._outside(parts.hostname, port, self._request(method, target, version, rest), reader, writer)
                return
            await asyncio.sleep(error.after)
            _say(writer, 504 if error.kind == TIMEOUT else 502,
                 f"dial tcp {parts.hostname}:{port}: connect: {error.kind}\n")  # fmt: skip
            return
        over = asyncio.Event()
        wire = carry(connection, self._realtime, writer.write, over.set)
        try:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                wire.feed(self._request(method, target, version, rest))
            feeding = asyncio.ensure_future(_feed(reader, wire.feed, wire.end))
            await over.wait()
            feeding.cancel()
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        finally:
            wire.close()

    @staticmethod
    def _request(method: str, target: str, version: str, headers: bytes) -> bytes:
        """The request as its server wants it; one request a connection. Nothing for CONNECT."""
        if method == "CONNECT":
            return b""
        parts = urlsplit(target)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kept = [line for line in headers.split(b"\r\n") if line and line.partition(b":")[0].lower() not in _HOP]
        lines = [f"{method} {path} {version}".encode("latin-1"), *kept, b"Connection: close", b"", b""]
        return b"\r\n".join(lines)

    # ---- the cluster's network ---------------------------------------------------------
    def _addresses(self, name: str) -> list[str]:
        try:
            return self._fabric.resolve(self._source, name)
        except DialError:
            return []

    def _dial(self, host: str, port: int) -> Connection:
        """DialError: NO_HOST when it is nobody of the cluster."""
        address = _literal(host)
        if address is None:
            address = self._fabric.resolve(self._source, host)[0]
        self._realtime.touch()
        try:
            return self._fabric.dial(self._source, address, port)
        finally:
            self._realtime.kick()

    async def _outside(
        self, host: str, port: int, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            there, back = await asyncio.open_connection(host, port)
        except (OSError, socket.gaierror):
            _say(writer, 502, f"could not reach {host}:{port}\n")
            return
        try:
            if request:
                back.write(request)
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            feeding = asyncio.ensure_future(_feed(reader, back.write, lambda: None))
            while data := await there.read(CHUNK):
                writer.write(data)
                await writer.drain()
            feeding.cancel()
        finally:
            back.close()


def _literal(host: str) -> str | None:
    """The cluster's address for an IP literal, also for one of those that stand for it here; None for names."""
    try:
        socket.inet_aton(host)
    except OSError:
        return None
    address = cluster_address(host) if host.startswith("127.") else host
    if address.partition(".")[0] not in ("10", "172"):
        raise DialError(NO_HOST)
    return address


def _say(writer: asyncio.StreamWriter, status: int, text: str) -> None:
    body = text.encode()
    word = {200: "OK", 502: "Bad Gateway", 504: "Gateway Timeout"}[status]
    head = f"HTTP/1.1 {status} {word}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)


async def _feed(reader: asyncio.StreamReader, out: Callable[[bytes], object], end: Callable[[], object]) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(CHUNK):
            out(data)
        end()
