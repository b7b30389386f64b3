"""A bare control plane: API server, store, clock, and the controllers that the recordings were made with."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

from minik8s.apiserver.bootstrap import bootstrap
from minik8s.apiserver.encoding import encode, warning_header
from minik8s.apiserver.server import ApiServer, Config
from minik8s.client import Client, Context, EventRecorder, Informers
from minik8s.clock import Clock
from minik8s.controllers import CONTROLLERS
from minik8s.store import Store
from minik8s.trace import Trace
from minik8s.wire import Request, Response, UserInfo

ADMIN = UserInfo("admin", "admin-uid", ("system:masters",))
TOKEN = "the-admin-token"
MINIMAL = (
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    "namespace-controller",
    "garbage-collector-controller",
    "resourcequota-controller",
    "disruption-controller",
    "clusterrole-aggregation-controller",
)
"""The controllers that ran when the recordings were made."""

_OPTIONS = {"root_ca": ""}
"""The recorded cluster published an empty CA bundle."""

HEADERS = ("content-type", "warning", "retry-after", "allow", "location")


class Plane:
    """One control plane. Requests go through bytes, as over the wire."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.trace = Trace(self.clock)
        self.server = ApiServer(Store(), self.clock, self.trace, Config(tokens={TOKEN: ADMIN}))
        bootstrap(self.server)
        user = UserInfo("system:kube-controller-manager", "", ("system:masters",))
        self._client = Client(self.server.handle, actor="kube-controller-manager", user=user)
        self._informers = Informers(self._client, self.clock)
        self.controllers = [self._controller(name) for name in MINIMAL if name in CONTROLLERS]
        self._informers.start()
        for controller in self.controllers:
            controller.start()
        self.advance(1)

    def _controller(self, name: str) -> Any:
        client = self._client.as_actor(name)
        recorder = EventRecorder(client, self.clock, name)
        return CONTROLLERS[name](Context(client, self._informers, self.clock, recorder, self.trace, _OPTIONS))

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Any = None,
    ) -> Response:
        """One request; `headers` None removes a default header, a string body goes as it is."""
        sent = {"accept": "application/json", "authorization": f"Bearer {TOKEN}"}
        data = None
        if body is not None:
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            sent["content-type"] = "application/json"
        for name, value in (headers or {}).items():
            sent.pop(name.lower(), None)
            if value is not None:
                sent[name.lower()] = value
        values = {k: [str(x) for x in v] if isinstance(v, list) else [str(v)] for k, v in (query or {}).items()}
        target = urllib.parse.quote(path, safe="/:%~!$&'()*+,;=@-._")
        return self.server.handle(Request(method, target, values, sent, data))

    def call(self, *args: Any, **more: Any) -> tuple[int, dict[str, Any], Any]:
        """(status, the headers that are compared, the body: JSON, or text)."""
        response = self.send(*args, **more)
        if response.stream is not None:
            return response.status, headers_of(response), self._drained(response)
        text = encode(response).decode()
        try:
            return response.status, headers_of(response), json.loads(text)
        except ValueError:
            return response.status, headers_of(response), text

    def _drained(self, response: Response) -> Any:
        """A watch opened by a plain request: everything until it ends, one JSON value a line."""
        stream = response.stream
        assert stream is not None
        events: list[Any] = []
        for _ in range(4000):
            events += [{"type": event.type, "object": event.object} for event in stream.drain()]
            if stream.closed:
                break
            self.advance(0.1)
        texts = [json.dumps(event) for event in events]
        return json.loads(texts[0]) if len(texts) == 1 else "\n".join(texts)

    def advance(self, seconds: float) -> None:
        self.clock.run_until(self.clock.now() + seconds)


def headers_of(response: Response) -> dict[str, Any]:
    """The headers that recordings hold, in their form."""
    out: dict[str, Any] = {k: v for k, v in response.headers.items() if k in HEADERS}
    if response.warnings:
        out["warning"] = [warning_header(text) for text in response.warnings]
    return out
