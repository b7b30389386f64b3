"""exec, attach and port-forward over WebSockets.

exec, attach   v5.channel.k8s.io and v4: a first byte names the channel (0 stdin, 1 stdout, 2 stderr, 3 error, 4 resize,
               255 close, v5 only); the error channel ends with a Status
port-forward   SPDY/3.1+portforward.k8s.io (kubectl): a SPDY session inside binary messages;
               v4.channel.k8s.io (the Python client): two channels a port, each begun with the port's number
Sources: client-go tools/remotecommand, tools/portforward; kubelet cri/streaming.
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

from aiohttp import WSMsgType, web

from minik8s.apiserver.encoding import dumps
from minik8s.dataplane import DialError
from minik8s.edge.process.wires import Wire, carry
from minik8s.edge.realtime import RealTime
from minik8s.edge.spdy import Data, Goodbye, Opened, Ping, Reset, Spdy, SpdyError
from minik8s.objects.frozen import Object
from minik8s.wire import Response, bad_request

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
REMOTE_COMMAND = ("v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io")
TUNNEL = "SPDY/3.1+portforward.k8s.io"
CHUNK = 32 * 1024


class Streams:
    """Turns a 101 Response of the kubelet's provider into a WebSocket conversation."""

    def __init__(self, realtime: RealTime):
        self._realtime = realtime

    async def upgrade(self, raw: web.BaseRequest, response: Response) -> web.StreamResponse:
        """Serve until both sides are done. Not a WebSocket request: 400."""
        body: Any = response.body
        forward = hasattr(body, "dial")
        socket = web.WebSocketResponse(
            protocols=(TUNNEL, "v4.channel.k8s.io") if forward else REMOTE_COMMAND, autoping=True, max_msg_size=1 << 22
        )
        if not socket.can_prepare(raw).ok:
            self._close(body)
            return _refused("Upgrade request required")
        try:
            await socket.prepare(raw)
        except BaseException:
            self._close(body)
            raise
        if not forward:
            await self._command(socket, body)
        elif socket.ws_protocol == TUNNEL:
            await _Tunnel(socket, body, self._realtime).run()
        else:
            await _Channels(socket, body, self._realtime, raw).run()
        return socket

    def _close(self, body: Any) -> None:
        if hasattr(body, "close"):
            body.close()
        self._realtime.kick()

    # ---- exec and attach ------------------------------------------------------------
    async def _command(self, socket: web.WebSocketResponse, session: Any) -> None:
        ready = asyncio.Event()
        session.wake = ready.set
        reader = asyncio.ensure_future(self._input(socket, session))
        try:
            while not socket.closed:
                ready.clear()
                for channel, data in session.read():
                    for at in range(0, len(data), CHUNK):
                        await socket.send_bytes(bytes([channel]) + data[at : at + CHUNK])
                if session.exit is not None and not (left := session.read()):
                    await socket.send_bytes(bytes([ERROR]) + dumps(exit_status(session.exit)).rstrip(b"\n"))
                    break
                elif session.exit is not None:
                    for channel, data in left:
                        await socket.send_bytes(bytes([channel]) + data)
                    continue
                waiter = asyncio.ensure_future(ready.wait())
                await asyncio.wait({waiter, reader}, return_when=asyncio.FIRST_COMPLETED)
                waiter.cancel()
                if reader.done():
                    break
            await socket.close()
        except ConnectionError:
            pass
        finally:
            session.wake = None
            reader.cancel()
            self._realtime.touch()
            session.close()
            self._realtime.kick()

    async def _input(self, socket: web.WebSocketResponse, session: Any) -> None:
        async for message in socket:
            if message.type is not WSMsgType.BINARY or not message.data:
                continue
            channel, data = message.data[0], bytes(message.data[1:])
            self._realtime.touch()
            if channel == STDIN and data:
                session.write(data)
            elif channel == CLOSE and data[:1] == bytes([STDIN]):
                session.close_stdin()
            elif channel == RESIZE and hasattr(session, "resize"):
                size = _size(data)
                if size is not None:
                    session.resize(*size)
            self._realtime.kick()


def _size(data: bytes) -> tuple[int, int] | None:
    try:
        value = json.loads(data)
        return int(value["Width"]), int(value["Height"])
    except (ValueError, KeyError, TypeError):
        return None


def exit_status(code: int) -> Object:
    """The Status that ends the error channel (protocol v4 and later)."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _refused(text: str) -> web.Response:
    status = bad_request(text)
    return web.Response(status=400, body=dumps(status.status()), headers={"Content-Type": "application/json"})


# ---- port-forward -----------------------------------------------------------------------


def refused(port: int, error: Exception) -> str:
    """What a kubelet writes to the error stream when a port cannot be reached."""
    why = f"dial tcp4 127.0.0.1:{port}: connect: {error}"
    return f"error forwarding port {port} to pod: failed to connect to localhost:{port} inside namespace: {why}"


class _Outbox:
    """Messages to a WebSocket from code that cannot wait, sent in order."""

    def __init__(self, socket: web.WebSocketResponse):
        self._socket = socket
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    def put(self, data: bytes) -> None:
        self._queue.put_nowait(data)

    async def run(self) -> None:
        while (data := await self._queue.get()) is not None:
            await self._socket.send_bytes(data)

    def end(self) -> None:
        self._queue.put_nowait(None)


class _Tunnel:
    """A SPDY session inside a WebSocket. A connection is two streams of one request id: error and data."""

    def __init__(self, socket: web.WebSocketResponse, forward: Any, realtime: RealTime):
        self._socket, self._forward, self._realtime = socket, forward, realtime
        self._spdy, self._out = Spdy(), _Outbox(socket)
        self._errors: dict[str, int] = {}
        self._connections: dict[int, Wire] = {}

    async def run(self) -> None:
        sender = asyncio.ensure_future(self._out.run())
        try:
            async for message in self._socket:
                if message.type is not WSMsgType.BINARY:
                    continue
                for event in self._spdy.receive(message.data):
                    if isinstance(event, Goodbye):
                        return
                    self._event(event)
        except SpdyError:
            await self._socket.close(code=1002)
        finally:
            for connection in list(self._connections.values()):
                connection.close()
            sender.cancel()
            await self._socket.close()

    def _event(self, event: object) -> None:
        match event:
            case Opened(stream, headers):
                self._out.put(self._spdy.reply(stream))
                if headers.get("streamtype") == "error":
                    self._errors[headers.get("requestid", "")] = stream
                else:
                    self._open(stream, headers)
            case Data(stream, data, fin):
                connection = self._connections.get(stream)
                if connection is not None and data:
                    connection.feed(data)
                if connection is not None and fin:
                    connection.end()
            case Reset(stream):
                connection = self._connections.pop(stream, None)
                if connection is not None:
                    connection.close()
            case Ping(id):
                self._out.put(self._spdy.ping(id))

    def _open(self, stream: int, headers: dict[str, str]) -> None:
        error = self._errors.pop(headers.get("requestid", ""), 0)
        port = int(headers.get("port", "0") or 0)
        self._realtime.touch()
        try:
            target = self._forward.dial(port)
        except DialError as failure:
            self._out.put(self._spdy.data(error, refused(port, failure).encode(), fin=True))
            self._out.put(self._spdy.data(stream, b"", fin=True))
            return
        finally:
            self._realtime.kick()

        def out(data: bytes) -> None:
            for at in range(0, len(data), CHUNK):
                self._out.put(self._spdy.data(stream, data[at : at + CHUNK]))

        def closed() -> None:
            if self._connections.pop(stream, None) is not None:
                self._out.put(self._spdy.data(stream, b"", fin=True))
                self._out.put(self._spdy.data(error, b"", fin=True))

        self._connections[stream] = carry(target, self._realtime, out, closed)


class _Channels:
    """v4.channel.k8s.io: for the i-th port, channel 2i carries data and 2i+1 errors."""

    def __init__(self, socket: web.WebSocketResponse, forward: Any, realtime: RealTime, raw: web.BaseRequest):
        self._socket, self._forward, self._realtime = socket, forward, realtime
        texts = [part for value in raw.query.getall("ports", []) for part in value.split(",")]
        self._ports = [int(text) for text in texts if text.isdigit()]
        self._out = _Outbox(socket)
        self._connections: dict[int, Wire] = {}

    async def run(self) -> None:
        sender = asyncio.ensure_future(self._out.run())
        for index, port in enumerate(self._ports):
            for channel in (2 * index, 2 * index + 1):
                self._out.put(bytes([channel]) + struct.pack("<H", port))
            self._open(index, port)
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY and message.data:
                    connection = self._connections.get(message.data[0] // 2)
                    if connection is not None and message.data[0] % 2 == 0:
                        connection.feed(bytes(message.data[1:]))
        finally:
            for connection in list(self._connections.values()):
                connection.close()
            sender.cancel()
            await self._socket.close()

    def _open(self, index: int, port: int) -> None:
        self._realtime.touch()
        try:
            target = self._forward.dial(port)
        except DialError as failure:
            self._out.put(bytes([2 * index + 1]) + refused(port, failure).encode())
            return
        finally:
            self._realtime.kick()

        def out(data: bytes) -> None:
            self._out.put(bytes([2 * index]) + data)

        self._connections[index] = carry(target, self._realtime, out, lambda: None)
