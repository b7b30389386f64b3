"""The parts of the edge, each by itself: time, bytes, SPDY, channels, kubeconfig."""

from __future__ import annotations

import asyncio
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiohttp")

from minik8s.apiserver.encoding import ObjectList, dumps, to_wire
from minik8s.clock import Clock
from minik8s.dataplane import Answer, Call, DialError
from minik8s.edge import kubeconfig
from minik8s.edge.jsonbytes import Encoder
from minik8s.edge.podhttp import PodConnection
from minik8s.edge.realtime import RealTime
from minik8s.edge.spdy import Data, Goodbye, Opened, Ping, Reset, Spdy, SpdyError, _dictionary
from minik8s.edge.streams import exit_status, refused
from minik8s.objects import freeze
from minik8s.wire import Response, WatchEvent

# ---- real time ---------------------------------------------------------------------------


def test_the_clock_follows_the_wall_and_never_runs_ahead() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        clock = Clock(0)
        real = RealTime(clock, loop)
        clock._now = real.now()
        seen: list[float] = []
        done = asyncio.Event()
        clock.call_later(0.01, lambda: (seen.append(clock.now()), done.set()))
        clock.call_later(3600, seen.append, 0.0)
        real.kick()
        await done.wait()
        assert len(seen) == 1 and clock.now() <= real.now()
        real.touch()
        assert abs(clock.now() - real.now()) < 1
        real.stop()

    asyncio.run(scene())


def test_a_request_does_not_overtake_what_is_due() -> None:
    async def scene() -> None:
        clock = Clock(0)
        real = RealTime(clock, asyncio.get_running_loop())
        due = real.now() - 5
        clock._now = due - 1
        clock.call_at(due, lambda: None)
        real.touch()
        assert clock.now() < due

    asyncio.run(scene())


# ---- bytes ---------------------------------------------------------------------------------


def pod(name: str) -> Any:
    return freeze({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"a": [1, "ü"]}})


@pytest.mark.parametrize("count", [0, 1, 3])
def test_lists_are_the_same_bytes_as_without_the_cache(count: int) -> None:
    body = ObjectList(kind="PodList", apiVersion="v1", metadata={"resourceVersion": "7"})
    body["items"] = [pod(f"p{i}") for i in range(count)]
    encoder = Encoder()
    for _ in range(2):
        assert encoder.body(Response(200, body)) == dumps(to_wire(body))


def test_objects_and_events_keep_their_type_in_front() -> None:
    encoder, obj = Encoder(), pod("a")
    assert encoder.body(Response(200, obj)).startswith(b'{"kind":"Pod","apiVersion":"v1","metadata":')
    assert json.loads(encoder.body(Response(200, obj))) == obj
    line = encoder.event(WatchEvent("ADDED", obj))
    assert line.endswith(b"\n") and json.loads(line) == {"type": "ADDED", "object": obj}
    assert json.loads(encoder.event(WatchEvent("DELETED", obj)))["type"] == "DELETED"
    bare = freeze({"kind": "Pod", "apiVersion": "v1"})
    assert json.loads(encoder.body(Response(200, bare))) == bare
    odd = freeze({"kind": "Pod", "metadata": {}})
    assert json.loads(encoder.body(Response(200, odd))) == odd


def test_the_cache_forgets_the_oldest() -> None:
    encoder = Encoder(limit=200)
    for index in range(50):
        encoder.body(Response(200, pod(f"p{index}")))
    assert encoder._size <= 200


# ---- SPDY -----------------------------------------------------------------------------------


class Client:
    """The other side of a SPDY session."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=_dictionary())

    def open(self, stream: int, **headers: str) -> bytes:
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            block += struct.pack(">I", len(name)) + name.encode() + struct.pack(">I", len(value)) + value.encode()
        packed = self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        payload = struct.pack(">IIBB", stream, 0, 0, 0) + packed
        return struct.pack(">HHI", 0x8003, 1, len(payload)) + payload


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_frames_are_read_however_they_are_cut(size: int) -> None:
    client, server = Client(), Spdy()
    sent = client.open(1, streamtype="error", port="80", requestid="0")
    sent += struct.pack(">II", 1, 1 << 24) + client.open(3, streamtype="data", port="80", requestid="0")
    sent += struct.pack(">II", 3, 5) + b"hello" + struct.pack(">HHII", 0x8003, 6, 4, 9)
    sent += struct.pack(">HHIII", 0x8003, 3, 8, 3, 5) + struct.pack(">HHIII", 0x8003, 7, 8, 0, 0)
    events = [event for at in range(0, len(sent), size) for event in server.receive(sent[at : at + size])]
    assert events == [
        Opened(1, {"streamtype": "error", "port": "80", "requestid": "0"}),
        Data(1, b"", True),
        Opened(3, {"streamtype": "data", "port": "80", "requestid": "0"}),
        Data(3, b"hello", False),
        Ping(9),
        Reset(3),
        Goodbye(),
    ]


@pytest.mark.parametrize("data", [b"\x80\x02\x00\x01\x00\x00\x00\x00", b"\x80\x03\x00\x01\x00\x00\x00\x0cgarbagegarba"])
def test_what_is_no_spdy_is_refused(data: bytes) -> None:
    with pytest.raises(SpdyError):
        list(Spdy().receive(data))


def test_replies_are_frames() -> None:
    server = Spdy()
    assert server.reply(3)[:4] == b"\x80\x03\x00\x02"
    assert server.data(3, b"ab", fin=True) == b"\x00\x00\x00\x03\x01\x00\x00\x02ab"
    assert server.ping(7) == struct.pack(">HHII", 0x8003, 6, 4, 7)


# ---- exec and port-forward --------------------------------------------------------------------


def test_exit_codes_travel_as_a_status() -> None:
    assert exit_status(0) == {"metadata": {}, "status": "Success"}
    failed = exit_status(3)
    assert failed["reason"] == "NonZeroExitCode"
    assert failed["details"] == {"causes": [{"reason": "ExitCode", "message": "3"}]}
    assert "connect: connection refused" in refused(80, DialError("connection refused"))


class Process:
    """Something in a pod that answers HTTP."""

    closed = broken = False

    def send(self, call: Call) -> Answer:
        return Answer(200, f"{call.method} {call.path} {call.body.decode()}".encode(), {"X-Pod": "web"})


def test_bytes_through_a_forwarded_port_become_calls_and_answers() -> None:
    async def scene() -> bytes:
        loop = asyncio.get_running_loop()
        out: list[bytes] = []
        closed = asyncio.Event()
        connection = PodConnection(Process(), RealTime(Clock(), loop), out.append, closed.set)
        for part in (b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nConn", b"ection: close\r\nContent-Length: 2\r\n\r\nh", b"i"):
            connection.feed(part)
        await closed.wait()
        return b"".join(out)

    answer = asyncio.run(scene())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK") and b"X-Pod: web" in head
    assert body == b"POST /a?b=c hi"


# ---- kubeconfig ----------------------------------------------------------------------------------


def test_merging_keeps_the_namespace_that_was_chosen(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config"
    kubeconfig.merge(path, "https://127.0.0.1:1", b"ca", "t1")
    config = kubeconfig.read(path)
    assert config["current-context"] == "minik8s"
    config["contexts"][0]["context"]["namespace"] = "team"
    path.write_text(json.dumps(config))
    kubeconfig.merge(path, "https://127.0.0.1:2", b"ca", "t2")
    config = kubeconfig.read(path)
    assert config["contexts"][0]["context"]["namespace"] == "team" and len(config["clusters"]) == 1
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:2"
    assert kubeconfig.remove(path) and not kubeconfig.remove(path)
    assert kubeconfig.read(path)["current-context"] == ""


@pytest.mark.parametrize("text", ["[1, 2]", "a: b: c", "clusters: 5", "\x00"])
def test_a_strange_kubeconfig_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(kubeconfig.KubeconfigError):
        kubeconfig.merge(path, "https://127.0.0.1:1", b"ca", "t")
    assert path.read_text() == text


def test_a_linked_kubeconfig_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("")
    link.symlink_to(real)
    kubeconfig.merge(link, "https://127.0.0.1:1", b"ca", "t")
    assert link.is_symlink() and "minik8s" in real.read_text()
