"""A server over an empty store, and short words for talking to it."""

from __future__ import annotations

import json
from typing import Any

from minik8s.apiserver.bootstrap import bootstrap
from minik8s.apiserver.server import ApiServer, Config
from minik8s.clock import Clock
from minik8s.objects import Object
from minik8s.store import Store
from minik8s.trace import Trace
from minik8s.wire import Request, Response, UserInfo

ADMIN = UserInfo("admin", "admin-uid", ("system:masters",))
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class Api:
    """Requests as the administrator. Bodies that are objects travel in process; text and bytes as over the wire."""

    def __init__(self, config: Config | None = None):
        self.clock = Clock()
        self.trace = Trace(self.clock)
        self.store = Store()
        self.server = ApiServer(self.store, self.clock, self.trace, config)
        bootstrap(self.server)
        self.post("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Response:
        headers = {k.replace("_", "-"): v for k, v in more.pop("headers", {}).items()}
        if "type" in more:
            headers["content-type"] = more.pop("type")
        query = {name: value if isinstance(value, list) else [str(value)] for name, value in more.items()}
        return self.server.handle(Request(method, path, query, headers, body, more.get("user", ADMIN)))

    def get(self, path: str, **more: Any) -> Response:
        return self.send("GET", path, **more)

    def post(self, path: str, body: Any, **more: Any) -> Response:
        return self.send("POST", path, body, **more)

    def put(self, path: str, body: Any, **more: Any) -> Response:
        return self.send("PUT", path, body, **more)

    def patch(self, path: str, body: Any, type: str = MERGE, **more: Any) -> Response:
        return self.send("PATCH", path, body, type=type, **more)

    def delete(self, path: str, body: Any = None, **more: Any) -> Response:
        return self.send("DELETE", path, body, **more)

    def config_map(self, name: str, namespace: str = "default", **meta: Any) -> Object:
        obj = {"metadata": {"name": name, **meta}, "data": {"k": "v"}}
        answer = self.post(f"/api/v1/namespaces/{namespace}/configmaps", obj)
        assert answer.status == 201, answer.body
        return answer.body

    def pod(self, name: str, **spec: Any) -> Object:
        containers = [{"name": "app", "image": "nginx:1.27"}]
        obj = {"metadata": {"name": name}, "spec": {"containers": containers, **spec}}
        answer = self.post("/api/v1/namespaces/default/pods", obj)
        assert answer.status == 201, answer.body
        return answer.body


def names(answer: Response) -> list[str]:
    """The names of a list's items."""
    return [item["metadata"]["name"] for item in answer.body["items"]]


def to_json(value: Any) -> bytes:
    return json.dumps(value).encode()
