"""A real server on a free loopback port, in a thread of its own."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("cryptography")

from minik8s.edge.service import Service, Settings


class Answer(NamedTuple):
    """What came back; `json` is the body when it is JSON."""

    status: int
    headers: dict[str, str]
    data: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.data)


class Running:
    """A server, and a client with its admin token that trusts its authority."""

    def __init__(self, settings: Settings):
        self.service = Service(settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self.service.open())
        self.trust = ssl.create_default_context(cadata=self.service.ca.decode())

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    @property
    def port(self) -> int:
        return self.service.port

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.trust, timeout=30)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request. A body that is no string or bytes is sent as JSON."""
        named = {"authorization": f"Bearer {self.service.token}"}
        if body is not None and not isinstance(body, str | bytes):
            body, named["content-type"] = json.dumps(body), "application/json"
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = self.connect()
        try:
            connection.request(method, path, body, {k: v for k, v in named.items() if v})
            response = connection.getresponse()
            answered = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, answered, response.read())
        finally:
            connection.close()

    def leap(self, seconds: float) -> None:
        """Let the server believe that time has passed."""

        async def leap() -> None:
            realtime = self.service._realtime
            assert realtime is not None
            realtime._wall += seconds
            realtime.kick()

        self._do(leap())

    def stop(self) -> None:
        self._do(self.service.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()


def start(**settings: Any) -> Running:
    return Running(Settings(**{"nodes": 0, "scheduler": False, "controllers": "", "seed": 1, **settings}))


@pytest.fixture(scope="session")
def start_server() -> Any:
    """`start_server(nodes=1, ...)` with the settings of Settings."""
    return start


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """A bare control plane without controllers."""
    running = start()
    yield running
    running.stop()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"
