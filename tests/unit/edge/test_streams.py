"""exec, attach, port-forward and logs over WebSockets and streams, with a pod that runs."""

from __future__ import annotations

import asyncio
import json
import struct
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from minik8s.edge.spdy import _dictionary

POD = "/api/v1/namespaces/default/pods/web"
Socket = aiohttp.ClientWebSocketResponse


@pytest.fixture(scope="module")
def web(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A server with one node and the pod `web` running on it."""
    start = request.getfixturevalue("start_server")
    running = start(nodes=1, scheduler=True, controllers="*")
    watch = running.connect()
    headers = {"Authorization": f"Bearer {running.service.token}"}
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
    }
    running.leap(60)
    assert running.call("POST", "/api/v1/namespaces/default/pods", body).status == 201
    watch.request("GET", "/api/v1/namespaces/default/pods?watch=true", headers=headers)
    lines = watch.getresponse()
    for _ in range(20):
        running.leap(30)  # images are pulled in no time
        pod = json.loads(lines.readline())["object"]
        conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", ())}
        if conditions.get("Ready") == "True":
            break
    watch.close()
    yield running
    running.stop()


def talk(web: Any, path: str, protocol: str, conversation: Callable[[Socket], Awaitable[Any]]) -> Any:
    """Open a WebSocket and have a conversation."""

    async def scene() -> Any:
        headers = {"Authorization": f"Bearer {web.service.token}"}
        url = f"https://127.0.0.1:{web.port}{path}"
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.ws_connect(url, protocols=(protocol,), ssl=web.trust) as socket,
        ):
            assert socket.protocol == protocol
            return await asyncio.wait_for(conversation(socket), 30)

    return asyncio.run(scene())


async def channels(socket: Socket) -> dict[int, bytes]:
    """Everything until the other side closes, by channel."""
    found: dict[int, bytes] = {}
    async for message in socket:
        found[message.data[0]] = found.get(message.data[0], b"") + message.data[1:]
    return found


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io"])
def test_a_command_runs_and_its_status_comes_last(web: Any, protocol: str) -> None:
    found = talk(web, f"{POD}/exec?command=echo&command=hi&stdout=true&stderr=true", protocol, channels)
    assert found[1] == b"hi\n" and json.loads(found[3])["status"] == "Success"


def test_a_command_that_fails_tells_its_code(web: Any) -> None:
    path = f"{POD}/exec?command=sh&command=-c&command=exit%203&stdout=true"
    status = json.loads(talk(web, path, "v5.channel.k8s.io", channels)[3])
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]


def test_input_reaches_the_command_until_it_is_closed(web: Any) -> None:
    async def conversation(socket: Socket) -> dict[int, bytes]:
        await socket.send_bytes(b"\x00hello\n")
        await socket.send_bytes(bytes([255, 0]))
        return await channels(socket)

    found = talk(web, f"{POD}/exec?command=cat&stdin=true&stdout=true", "v5.channel.k8s.io", conversation)
    assert found[1] == b"hello\n" and json.loads(found[3])["status"] == "Success"


def test_exec_without_a_websocket_is_a_bad_request(web: Any) -> None:
    answer = web.call("POST", f"{POD}/exec?command=ls&stdout=true")
    assert answer.status == 400 and answer.json["message"] == "Upgrade request required"


def test_exec_is_refused_before_the_upgrade(web: Any) -> None:
    async def scene() -> int:
        url = f"https://127.0.0.1:{web.port}{POD}/exec?command=ls&container=nope"
        headers = {"Authorization": f"Bearer {web.service.token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            try:
                await session.ws_connect(url, protocols=("v5.channel.k8s.io",), ssl=web.trust)
            except aiohttp.WSServerHandshakeError as error:
                return error.status
        return 0

    assert asyncio.run(scene()) == 400


GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_a_port_is_forwarded_in_a_tunnel(web: Any) -> None:
    async def conversation(socket: Socket) -> bytes:
        deflate = zlib.compressobj(zdict=_dictionary())

        def opened(stream: int, **headers: str) -> bytes:
            block = struct.pack(">I", len(headers))
            for name, value in headers.items():
                block += struct.pack(">I", len(name)) + name.encode() + struct.pack(">I", len(value)) + value.encode()
            payload = struct.pack(">IIBB", stream, 0, 0, 0) + deflate.compress(block) + deflate.flush(zlib.Z_SYNC_FLUSH)
            return struct.pack(">HHI", 0x8003, 1, len(payload)) + payload

        await socket.send_bytes(opened(1, streamtype="error", port="80", requestid="0"))
        await socket.send_bytes(opened(3, streamtype="data", port="80", requestid="0"))
        await socket.send_bytes(struct.pack(">II", 3, len(GET)) + GET)
        got = b""
        async for message in socket:
            first, rest = struct.unpack_from(">II", message.data)
            if first == 3:
                got += message.data[8:]
                if rest >> 24:
                    return got
        return got

    answer = talk(web, f"{POD}/portforward", "SPDY/3.1+portforward.k8s.io", conversation)
    assert answer.startswith(b"HTTP/1.1 200 OK") and b"Welcome to nginx!" in answer


def test_a_port_is_forwarded_on_channels(web: Any) -> None:
    async def conversation(socket: Socket) -> bytes:
        for channel in (0, 1):
            assert (await socket.receive()).data == bytes([channel]) + struct.pack("<H", 80)
        await socket.send_bytes(b"\x00" + GET)
        got = b""
        while b"</html>" not in got:
            got += (await socket.receive()).data[1:]
        return got

    answer = talk(web, f"{POD}/portforward?ports=80", "v4.channel.k8s.io", conversation)
    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_a_port_where_nothing_listens_is_told_on_the_error_channel(web: Any) -> None:
    async def conversation(socket: Socket) -> bytes:
        await socket.receive()
        await socket.receive()
        return bytes((await socket.receive()).data)

    said = talk(web, f"{POD}/portforward?ports=81", "v4.channel.k8s.io", conversation)
    assert said[0] == 1 and b"connection refused" in said


def test_a_followed_log_goes_on(web: Any) -> None:
    connection = web.connect()
    headers = {"Authorization": f"Bearer {web.service.token}"}
    connection.request("GET", f"{POD}/log?follow=true&tailLines=0", headers=headers)
    response = connection.getresponse()
    assert response.getheader("content-type") == "text/plain"
    threading.Thread(target=test_a_port_is_forwarded_on_channels, args=(web,)).start()
    assert b'"GET / HTTP/1.1" 200' in response.readline()
    connection.close()
