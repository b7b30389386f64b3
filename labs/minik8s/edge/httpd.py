"""HTTPS on loopback, by aiohttp: requests become wire.Request, answers and watches become bytes.

Everything runs in one asyncio thread, so `handle` is never entered twice and the cluster needs no locks.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from minik8s.apiserver.bodies import MAX_BODY
from minik8s.apiserver.encoding import warning_header
from minik8s.edge import pki
from minik8s.edge.jsonbytes import Encoder
from minik8s.edge.listener import Listener
from minik8s.edge.realtime import RealTime
from minik8s.wire import Request, Response, StatusError, WatchEvent, bad_request

GZIP_FROM = 128 * 1024
"""Bytes from which an answer is compressed for those who accept it (as k8s.io/apiserver does)."""

MAX_LINE = 64 * 1024
HOSTS = frozenset({*pki.NAMES, *pki.ADDRESSES, "[::1]"})
_SAFE_ID = "no-cache, private"

Handle = Callable[[Request], Response]
Durable = Callable[[], Awaitable[None]]
Upgrade = Callable[[web.BaseRequest, Response], Awaitable[web.StreamResponse]]


class HttpServer:
    """Serves `handle`. `durable()` is awaited before anything is told to a client; `upgrade` serves WebSockets."""

    def __init__(
        self, handle: Handle, realtime: RealTime, *, durable: Durable | None = None, upgrade: Upgrade | None = None
    ):
        self._handle, self._realtime = handle, realtime
        self._durable, self._upgrade = durable, upgrade
        self._encoder = Encoder()
        self._server: web.Server | None = None
        self._listener: Listener | None = None
        self.port = 0

    async def start(self, port: int, context: ssl.SSLContext) -> int:
        """Listen on 127.0.0.1; the port. OSError when it is taken."""
        self._server = _Server(
            self._serve,
            handler_cancellation=True,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=600.0,
            lingering_time=1.0,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
        )
        self._listener = Listener(self._server, context)
        self.port = await self._listener.start(port)
        return self.port

    async def stop(self) -> None:
        if self._listener is not None:
            self._listener.stop()
        if self._server is not None:
            self._server.pre_shutdown()
            await self._server.shutdown(0.5)

    # ---- one request -----------------------------------------------------------
    async def _serve(self, raw: web.BaseRequest) -> web.StreamResponse:
        try:
            request = await self._read(raw)
        except StatusError as error:
            return self._plain(Response(error.code, error.status(), dict(error.headers)), raw)
        self._realtime.touch()
        response = self._answer(request)
        self._realtime.kick()
        if self._durable is not None:
            await self._durable()
        if response.stream is not None:
            return await self._watch(raw, response)
        if response.status == 101 and self._upgrade is not None:
            return await self._upgrade(raw, response)
        return self._plain(response, raw)

    def _answer(self, request: Request) -> Response:
        try:
            return self._handle(request)
        except StatusError as error:
            return Response(error.code, error.status(), dict(error.headers))
        except RecursionError:
            return Response(400, bad_request("the object is nested too deeply").status())

    async def _read(self, raw: web.BaseRequest) -> Request:
        host = raw.headers.get("Host", "").lower()
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        if name not in HOSTS:
            raise StatusError(421, "BadRequest", f'this server is not "{host[:100]}", to which the request was sent')
        headers: dict[str, str] = {}
        for key, value in raw.headers.items():
            key = key.lower()
            headers[key] = f"{headers[key]}\n{value}" if key in headers else value
        body: bytes | None = None
        if raw.can_read_body:
            body = await _body(raw)
        query: dict[str, list[str]] = {}
        try:
            for key, value in parse_qsl(raw.rel_url.raw_query_string, keep_blank_values=True, errors="strict"):
                query.setdefault(key, []).append(value)
            path = raw.rel_url.raw_path
            if "%" in path:
                unquote_to_bytes(path).decode()
        except UnicodeError:
            raise bad_request("the URL is not UTF-8") from None
        return Request(raw.method, path, query, headers, body)

    def _plain(self, response: Response, raw: web.BaseRequest) -> web.Response:
        data = self._encoder.body(response)
        headers = _headers(response)
        if len(data) >= GZIP_FROM and "gzip" in raw.headers.get("Accept-Encoding", ""):
            packer = zlib.compressobj(1, zlib.DEFLATED, 31)
            data = packer.compress(data) + packer.flush()
            headers.append(("Content-Encoding", "gzip"))
            headers.append(("Vary", "Accept-Encoding"))
        answer = web.Response(status=response.status, body=data)
        answer.headers.extend(headers)
        if response.status in (413, 421):
            answer.force_close()
        return answer

    # ---- watches and followed logs ---------------------------------------------
    async def _watch(self, raw: web.BaseRequest, response: Response) -> web.StreamResponse:
        stream: Any = response.stream
        answer = web.StreamResponse(status=response.status)
        answer.headers.extend(_headers(response))
        answer.enable_chunked_encoding()
        ready = asyncio.Event()
        stream.wake = ready.set
        try:
            await answer.prepare(raw)
            while True:
                ready.clear()
                closed = stream.closed
                lines = b"".join([self._line(event) for event in stream.drain()])
                if lines:
                    if self._durable is not None:
                        await self._durable()
                    await answer.write(lines)
                elif closed:
                    break
                else:
                    await ready.wait()
            await answer.write_eof()
        finally:
            stream.wake = None
            stream.close()
        return answer

    def _line(self, event: WatchEvent | bytes) -> bytes:
        return event if isinstance(event, bytes) else self._encoder.event(event)


def _headers(response: Response) -> list[tuple[str, str]]:
    out = [("Audit-Id", response.headers["audit-id"])] if "audit-id" in response.headers else []
    out.append(("Cache-Control", response.headers.get("cache-control", _SAFE_ID)))
    if response.status != 204:
        out.append(("Content-Type", response.headers.get("content-type", "application/json")))
    out.append(("Server", "minik8s"))
    skip = ("audit-id", "cache-control", "content-type")
    out.extend((key, value) for key, value in response.headers.items() if key not in skip)
    out.extend(("Warning", warning_header(text)) for text in response.warnings)
    return out


async def _body(raw: web.BaseRequest) -> bytes:
    """The body, cut off just above the limit: the API server refuses what is longer."""
    length = raw.content_length
    chunks: list[bytes] = []
    size = 0
    if length is None or length <= MAX_BODY:
        if raw.headers.get("Expect", "").lower() == "100-continue":
            await raw.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            raw.writer.output_size = 0
        async for chunk in raw.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BODY:
                break
        return b"".join(chunks)
    raise StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {MAX_BODY}")


class _Server(web.Server):
    """aiohttp's server whose own errors (a request that is no HTTP) are Status bodies too."""

    def __call__(self) -> RequestHandler:
        return _Handler(self, loop=self._loop, **self._kwargs)


class _Handler(RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("the answer was under way")
        if status >= 500:
            self.log_exception("an error while serving %s %s", request.method, request.path, exc_info=exc)
            error = StatusError(500, "InternalError", "Internal error occurred: the server made a mistake")
        else:
            text = (message or str(exc) or "bad request").splitlines()[0][:200] if status != 400 else ""
            error = StatusError(status, "BadRequest", text or "the request is not valid HTTP")
        body = Encoder().body(Response(status, error.status()))
        answer = web.Response(status=status, body=body, headers={"Content-Type": "application/json"})
        answer.force_close()
        return answer
