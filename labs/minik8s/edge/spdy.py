"""SPDY/3.1 frames, as kubectl's port-forward speaks them inside a WebSocket. No I/O: bytes in, events out.

Only what spdystream uses: streams, data, resets, pings, goodbye; no flow control, no settings. The header dictionary is
the constant of the protocol's draft 3.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 1
MAX_FRAME = 1 << 22
INTERNAL_ERROR = 6


class SpdyError(Exception):
    """The other side does not speak SPDY/3."""


class Opened(NamedTuple):
    """The client opens a stream."""

    stream: int
    headers: dict[str, str]


class Data(NamedTuple):
    """Bytes on a stream; `fin`: the client will send no more."""

    stream: int
    data: bytes
    fin: bool


class Reset(NamedTuple):
    """The client gives up a stream."""

    stream: int


class Ping(NamedTuple):
    """To be answered with the same frame."""

    id: int


class Goodbye(NamedTuple):
    """The client ends the session."""


Event = Opened | Data | Reset | Ping | Goodbye


@cache
def _dictionary() -> bytes:
    return files("minik8s.edge").joinpath("data/spdy3.dict").read_bytes()


class Spdy:
    """The server's side of one session."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=_dictionary())
        self._deflate = zlib.compressobj(zdict=_dictionary())

    # ---- reading -------------------------------------------------------------------
    def receive(self, data: bytes) -> Iterator[Event]:
        """The events in the bytes that came. SpdyError."""
        self._buffer += data
        while len(self._buffer) >= 8:
            first, rest = struct.unpack_from(">II", self._buffer)
            flags, length = rest >> 24, rest & 0xFFFFFF
            if length > MAX_FRAME:
                raise SpdyError("frame too large")
            if len(self._buffer) < 8 + length:
                return
            payload = bytes(self._buffer[8 : 8 + length])
            del self._buffer[: 8 + length]
            if not first & 0x80000000:
                yield Data(first, payload, bool(flags & FIN))
                continue
            if first >> 16 & 0x7FFF != 3:
                raise SpdyError("not SPDY/3")
            yield from self._control(first & 0xFFFF, flags, payload)

    def _control(self, kind: int, flags: int, payload: bytes) -> Iterator[Event]:
        try:
            if kind == SYN_STREAM:
                stream = struct.unpack_from(">I", payload)[0] & 0x7FFFFFFF
                yield Opened(stream, self._headers(payload[10:]))
                if flags & FIN:
                    yield Data(stream, b"", True)
            elif kind == RST_STREAM:
                yield Reset(struct.unpack_from(">I", payload)[0] & 0x7FFFFFFF)
            elif kind == PING:
                yield Ping(struct.unpack_from(">I", payload)[0])
            elif kind == GOAWAY:
                yield Goodbye()
        except (struct.error, zlib.error, UnicodeDecodeError) as error:
            raise SpdyError(f"broken frame: {error}") from None

    def _headers(self, block: bytes) -> dict[str, str]:
        data = self._inflate.decompress(block)
        count = struct.unpack_from(">I", data)[0]
        at, texts = 4, []
        for _ in range(2 * min(count, 64)):
            size = struct.unpack_from(">I", data, at)[0]
            texts.append(data[at + 4 : at + 4 + size].decode())
            at += 4 + size
        return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=True)}

    # ---- writing -------------------------------------------------------------------
    def reply(self, stream: int) -> bytes:
        """Accept a stream."""
        block = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _frame(SYN_REPLY, struct.pack(">I", stream) + block)

    def ping(self, id: int) -> bytes:
        return _frame(PING, struct.pack(">I", id))

    def reset(self, stream: int, status: int = INTERNAL_ERROR) -> bytes:
        return _frame(RST_STREAM, struct.pack(">II", stream, status))

    def data(self, stream: int, data: bytes, *, fin: bool = False) -> bytes:
        return struct.pack(">II", stream, (FIN if fin else 0) << 24 | len(data)) + data


def _frame(kind: int, payload: bytes) -> bytes:
    return struct.pack(">HHI", 0x8003, kind, len(payload)) + payload
