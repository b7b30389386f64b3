"""TCP into a pod: a byte stream on one side, the simulated network's HTTP calls on the other.

aiohttp parses what comes and writes the answer; its transport is not a socket but the port-forward stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import web

from minik8s.dataplane import Answer, Call, Connection, DialError, ask
from minik8s.edge.realtime import RealTime

TIMEOUT = 60.0
"""Seconds that an answer may take."""

_HOP = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive", "date"})


class _Pipe(asyncio.Transport):
    """A transport that hands what is written to `out`, and tells `closed` at the end."""

    def __init__(self, out: Callable[[bytes], None], closed: Callable[[], None]):
        super().__init__({"peername": ("127.0.0.1", 0), "sockname": ("127.0.0.1", 0)})
        self._out, self._closed, self._closing = out, closed, False

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if not self._closing:
            self._out(bytes(data))

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._closed()

    abort = close

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0


def _settle(future: asyncio.Future[Answer | DialError], answer: Answer | DialError) -> None:
    if not future.done():
        future.set_result(answer)


class PodConnection:
    """One forwarded connection: `feed` what the client sends, `out` gets what the pod answers."""

    def __init__(
        self, connection: Connection, realtime: RealTime, out: Callable[[bytes], None], closed: Callable[[], None]
    ):
        self._connection, self._realtime = connection, realtime
        self._pipe = _Pipe(out, closed)
        self._protocol = web.Server(self._serve, access_log=None)()
        self._protocol.connection_made(self._pipe)

    def feed(self, data: bytes) -> None:
        self._protocol.data_received(data)

    def end(self) -> None:
        """The client has closed its side."""
        self._protocol.eof_received()
        if not self._pipe.is_closing():
            self._protocol.connection_lost(None)
            self._pipe.close()

    close = end

    async def _serve(self, raw: web.BaseRequest) -> web.StreamResponse:
        headers = {key.lower(): value for key, value in raw.headers.items()}
        call = Call(raw.path_qs, raw.method, headers.get("host", ""), headers, await raw.read(), "127.0.0.1")
        self._realtime.touch()
        came: asyncio.Future[Answer | DialError] = asyncio.get_running_loop().create_future()
        ask(self._connection, call, TIMEOUT, partial(_settle, came))
        self._realtime.kick()
        answer = await came
        if isinstance(answer, DialError):
            await asyncio.sleep(answer.after)
            self._pipe.close()
            raise ConnectionResetError(answer.kind)
        await asyncio.sleep(answer.latency)
        if self._connection.broken:
            self._pipe.close()
            raise ConnectionResetError("connection reset by peer")
        kept = {key: value for key, value in answer.headers.items() if key.lower() not in _HOP}
        kept.setdefault("Content-Type", "text/html" if answer.body.lstrip()[:1] == b"<" else "text/plain")
        kept.setdefault("Server", "minik8s")
        response = web.Response(status=answer.status, body=answer.body, headers=kept)
        if self._connection.closed:
            response.force_close()
        return response
