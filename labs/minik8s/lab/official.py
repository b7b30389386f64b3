"""공식 `kubernetes` 클라이언트를 그대로 쓰게 하는 연결: 전송 계층 하나만 바꾼다.

The generated client calls `rest_client`; everything above it (models, Watch, dynamic
client) stays the official code. Works with majors 36 and 37.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.client import responses
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from minik8s.lab.place import Place
from minik8s.wire import Request, Response, UserInfo

JSON_PATCH, STRATEGIC = "application/json-patch+json", "application/strategic-merge-patch+json"
ADMIN = UserInfo("admin", "admin-uid", ("system:masters", "system:authenticated"))


class Answer:
    """A finished answer with the attributes that the client reads (urllib3's and its own wrapper's)."""

    def __init__(self, response: Response):
        self.status, self.reason = response.status, responses.get(response.status, "")
        self.data = encode(response.body)
        self.headers = {"Content-Type": "application/json", **response.headers}
        self.response = self

    def read(self, *_: Any, **__: Any) -> bytes:
        return self.data

    def getheaders(self) -> dict[str, str]:
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        return self.headers.get(name, self.headers.get(name.title(), default))

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.data

    def close(self) -> None: ...

    def release_conn(self) -> None: ...


class WatchAnswer(Answer):
    """An open watch: reading it lets virtual time pass until the next event, or until the cluster is still."""

    def __init__(self, response: Response, place: Place):
        assert response.stream is not None
        super().__init__(Response(response.status, b"", response.headers))
        self._stream, self._place = response.stream, place

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        while True:
            events = self._stream.drain()
            for event in events:
                yield json.dumps({"type": event.type, "object": event.object}, ensure_ascii=False).encode() + b"\n"
            if not events and (self._stream.closed or not self._place.step()):
                return

    def close(self) -> None:
        self._stream.close()


class InProcessRest:
    """Takes the place of `kubernetes.client.rest.RESTClientObject`."""

    def __init__(self, place: Place, user: UserInfo, failure: Callable[..., Exception]):
        self._place, self._user, self._failure = place, user, failure

    def request(
        self,
        method: str,
        url: str,
        query_params: Any = None,
        headers: dict[str, str] | None = None,
        body: Any = None,
        **_: Any,
    ) -> Answer:
        parts = urlsplit(url)
        query = parse_qs(parts.query + ("&" + urlencode(query_params) if query_params else ""), keep_blank_values=True)
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        if lowered.get("content-type") == JSON_PATCH and not isinstance(body, list):
            lowered["content-type"] = STRATEGIC  # as the client's own transport does for a patch that is no list
        request = Request(method.upper(), parts.path, query, lowered, body, self._user, "python-client")
        response = self._place.handle(request)
        return WatchAnswer(response, self._place) if response.stream is not None else Answer(response)

    def __getattr__(self, verb: str) -> Callable[..., Answer]:
        """GET, POST, ... as major 36 calls them: they raise by themselves."""
        if verb not in {"GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT", "PATCH"}:
            raise AttributeError(verb)

        def call(url: str, **arguments: Any) -> Answer:
            answer = self.request(verb, url, **arguments)
            if not 200 <= answer.status <= 299:
                raise self._failure(http_resp=answer)
            return answer

        return call

    def close(self) -> None: ...


def encode(body: Any) -> bytes:
    """The bytes of a body: JSON for objects, text and bytes as they are."""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    return json.dumps(body, ensure_ascii=False).encode() if body is not None else b""


def api_client(place: Place, user: UserInfo = ADMIN) -> Any:
    """A `kubernetes.client.ApiClient` whose calls go to `place`."""
    from kubernetes import client  # slow to import, so only when somebody asks for it

    configuration = client.Configuration()
    configuration.host = "http://in-process"
    made: Any = client.ApiClient(configuration)
    made.rest_client = InProcessRest(place, user, client.ApiException)
    return made
