"""A listening socket on loopback that tells TLS from plain HTTP by the first byte, and answers the latter in words."""

from __future__ import annotations

import asyncio
import json
import os
import select
import socket
import ssl
from collections.abc import Callable

from minik8s.wire import bad_request

TLS_HANDSHAKE = 0x16
PEEK_TIMEOUT = 10.0
_PLAIN = "Client sent an HTTP request to an HTTPS server."


class Listener:
    """Accepts connections and gives each, once it speaks TLS, a protocol of `factory`."""

    def __init__(self, factory: Callable[[], asyncio.Protocol], context: ssl.SSLContext):
        self._factory, self._context = factory, context
        self._socket: socket.socket | None = None
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, port: int) -> int:
        """Bind 127.0.0.1:port (0: a free one); the port. OSError when it is taken."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if os.name == "posix":  # on Windows this would let two servers share the port
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", port))
            sock.listen(512)
            sock.setblocking(False)
        except OSError:
            sock.close()
            raise
        self._socket = sock
        self._spawn(self._accept(sock))
        return int(sock.getsockname()[1])

    def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._socket is not None:
            self._socket.close()

    def _spawn(self, work) -> None:  # type: ignore[no-untyped-def]
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, sock: socket.socket) -> None:
        while True:
            try:
                connection, _ = await self._loop.sock_accept(sock)
            except OSError:  # out of file descriptors: wait for some to come back
                await asyncio.sleep(0.1)
                continue
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._spawn(self._begin(connection))

    async def _begin(self, connection: socket.socket) -> None:
        try:
            first = await asyncio.wait_for(self._peek(connection), PEEK_TIMEOUT)
            if first == TLS_HANDSHAKE:
                await self._loop.connect_accepted_socket(self._factory, connection, ssl=self._context)
            elif first is not None:
                await self._answer_plainly(connection)
            else:
                connection.close()
        except (OSError, TimeoutError, asyncio.CancelledError):
            connection.close()

    async def _peek(self, connection: socket.socket) -> int | None:
        """The first byte, left in place; None at the end."""
        readable = asyncio.Event()
        try:
            self._loop.add_reader(connection, readable.set)
        except NotImplementedError:  # the event loop of Windows
            await self._loop.run_in_executor(None, select.select, [connection], [], [], PEEK_TIMEOUT)
        else:
            try:
                await readable.wait()
            finally:
                self._loop.remove_reader(connection)
        data = connection.recv(1, socket.MSG_PEEK)
        return data[0] if data else None

    async def _answer_plainly(self, connection: socket.socket) -> None:
        body = json.dumps(bad_request(_PLAIN).status()).encode() + b"\n"
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        try:
            connection.recv(65536)
            await self._loop.sock_sendall(connection, head.encode() + b"Connection: close\r\n\r\n" + body)
            connection.shutdown(socket.SHUT_WR)
        finally:
            connection.close()
