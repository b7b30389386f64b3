"""Connections to programs that really listen: bytes for those who carry bytes, one request for those who ask."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from minik8s.dataplane import REFUSED, RESET, TIMEOUT, Answer, Call, Connection, DialError
from minik8s.edge.podhttp import PodConnection
from minik8s.edge.process.addresses import ONE
from minik8s.edge.realtime import RealTime
from minik8s.network.fabric import Route

DIAL_SECONDS = 0.25
"""A program on this machine takes a connection at once, or its queue is full."""

SEND_SECONDS = 3.0
"""What a caller that cannot wait for news is kept for at most."""

CHUNK = 1 << 16
HTTPS = 443
_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "content-length", "host"})

Done = Callable[[Answer | DialError], None]


class RealConnection:
    """`dataplane.Connection` on a socket. It carries one request (`begin`, `send`) or belongs to a `Carrier`."""

    broken = False

    def __init__(self, sock: socket.socket, name: str, loop: asyncio.AbstractEventLoop, threads: ThreadPoolExecutor):
        self._socket: socket.socket | None = sock
        self._name, self._loop, self._threads = name, loop, threads

    def __del__(self) -> None:
        if self._socket is not None:
            self._socket.close()

    @property
    def closed(self) -> bool:
        return self._socket is None

    def take(self) -> socket.socket:
        """The socket; whoever takes it closes it."""
        sock, self._socket = self._socket, None
        if sock is None:
            raise DialError(RESET)
        return sock

    def send(self, call: Call) -> Answer:
        return exchange(self.take(), call, self._name, SEND_SECONDS)

    def begin(self, call: Call, timeout: float, done: Done) -> None:
        try:
            work = self._loop.run_in_executor(self._threads, exchange, self.take(), call, self._name, timeout)
        except DialError as error:
            done(error)
            return

        def told(future: asyncio.Future[Answer]) -> None:
            if not future.cancelled():
                error = future.exception()
                done(error if isinstance(error, DialError) else DialError(RESET) if error else future.result())

        work.add_done_callback(told)


class ApiServer:
    """The API server as the cluster's network has it, at the address of the Service `kubernetes`."""

    name, node = "kubernetes", ""

    def __init__(self, port: int, loop: asyncio.AbstractEventLoop, threads: ThreadPoolExecutor):
        self._port, self._loop, self._threads = port, loop, threads

    def dial(self, port: int) -> Connection:
        if port != HTTPS:
            raise DialError(REFUSED)
        return RealConnection(dial(ONE, self._port), self.name, self._loop, self._threads)

    def route(self, source: str, node: str, port: int) -> Route:
        return Route(self.dial(port), self)


def dial(host: str, port: int) -> socket.socket:
    """A connected socket. DialError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(DIAL_SECONDS)
    try:
        sock.connect((host, port))
    except TimeoutError:
        sock.close()
        # Windows asks three times before it believes a refusal.
        raise DialError(REFUSED if sys.platform == "win32" else TIMEOUT) from None
    except (OSError, OverflowError):
        sock.close()
        raise DialError(REFUSED) from None
    return sock


def exchange(sock: socket.socket, call: Call, name: str, timeout: float) -> Answer:
    """One HTTP request and its answer, on a socket that is closed afterwards. DialError. Blocks: for a thread."""
    sock.settimeout(timeout)
    client = http.client.HTTPConnection(call.host or "localhost")
    client.sock = sock
    headers = {key: value for key, value in call.headers.items() if key.lower() not in _HOP and "\n" not in value}
    try:
        client.request(call.method, call.path, call.body or None, {**headers, "Connection": "close"})
        response = client.getresponse()
        body = response.read()
    except TimeoutError:
        raise DialError(TIMEOUT) from None
    except (OSError, http.client.HTTPException):
        raise DialError(RESET) from None
    finally:
        client.close()
    return Answer(response.status, body, dict(response.getheaders()), host=name)


class Carrier:
    """Bytes between somebody's stream and a program's socket; made like a `PodConnection`."""

    def __init__(self, sock: socket.socket, out: Callable[[bytes], None], closed: Callable[[], None]):
        self._out, self._closed = out, closed
        self._socket = sock
        sock.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._sender = self._loop.create_task(self._send())
        self._receiver = self._loop.create_task(self._receive())

    def feed(self, data: bytes) -> None:
        self._waiting.put_nowait(data)

    def end(self) -> None:
        """The other side sends no more; what the program still answers is carried."""
        self._waiting.put_nowait(b"")

    def close(self) -> None:
        """The other side is gone."""
        self._receiver.cancel()

    async def _send(self) -> None:
        with contextlib.suppress(OSError):
            while data := await self._waiting.get():
                await self._loop.sock_sendall(self._socket, data)
            self._socket.shutdown(socket.SHUT_WR)

    async def _receive(self) -> None:
        try:
            while data := await self._loop.sock_recv(self._socket, CHUNK):
                self._out(data)
        except OSError:
            pass
        finally:
            self._sender.cancel()
            self._socket.close()
            self._closed()


Wire = Carrier | PodConnection


def carry(
    connection: Connection, realtime: RealTime, out: Callable[[bytes], None], closed: Callable[[], None]
) -> Wire:
    """Join a byte stream to a connection, whatever is behind that: `feed` what comes, `out` gets what comes back."""
    if isinstance(connection, RealConnection):
        return Carrier(connection.take(), out, closed)
    return PodConnection(connection, realtime, out, closed)
