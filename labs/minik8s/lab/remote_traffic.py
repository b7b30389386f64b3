"""실제 클러스터로 보내는 부하: API 서버의 프록시로 파드에 닿는다. 시간은 정말로 흐른다.

As kube-proxy does, each request goes to one of the Service's ready endpoints, chosen at random; the
EndpointSlices are read again every REFRESH seconds, about as late as a node's rules are.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urlsplit

from minik8s.client import Client
from minik8s.network.traffic import Load, Result, Target
from minik8s.objects import Object
from minik8s.wire import Request, Response, StatusError

REFRESH = 0.3
SETTLE = 2.0
Handle = Callable[[Request], Response]


class Backend(NamedTuple):
    """A pod and its port."""

    pod: str
    port: int


class Sender:
    """Sends one load at a Service or a pod of a namespace."""

    def __init__(self, client: Client, handle: Handle, target: str, namespace: str, headers: dict[str, str]):
        self._client, self._handle, self._namespace, self._headers = client, handle, namespace, headers
        self.kind, self.target = _parse(target)
        self._known: list[Backend] = []
        self._read_at = 0.0
        self._lock = threading.Lock()
        self._rng = random.Random(0)
        self._service = client.get("services", namespace, self.target.host) if self.kind == "svc" else None
        if self.kind == "pod":
            client.get("pods", namespace, self.target.host)  # a missing pod is told now

    def settle(self) -> None:
        """Wait a moment for EndpointSlices to tell of pods that are ready already: their news comes after the pods'."""
        end = time.time() + SETTLE
        while self._service and not self._endpoints(self._service) and self._ready() and time.time() < end:
            time.sleep(SETTLE / 20)

    def _ready(self) -> bool:
        selector = ((self._service or {}).get("spec") or {}).get("selector") or {}
        words = ",".join(f"{key}={value}" for key, value in selector.items())
        pods = self._client.list("pods", self._namespace, label_selector=words) if words else []
        conditions = [c for pod in pods for c in (pod.get("status") or {}).get("conditions") or ()]
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def run(self, load: Load, clients: int, retries: int, timeout: float) -> None:
        """Until every request has its answer. Results go into `load`."""
        total = max(0, int(load.rate * load.duration))
        load.sent = total
        with ThreadPoolExecutor(max_workers=max(1, clients)) as pool:
            for number in range(total):
                time.sleep(max(0.0, load.started + number / load.rate - time.time()))
                pool.submit(self._one, load, number, number % clients, retries, timeout)
        load.stopped = True

    def _one(self, load: Load, number: int, client: int, retries: int, timeout: float) -> None:
        began = time.time()
        pod, status, error = "", 0, "unreachable"
        for _ in range(1 + retries):
            pod, status, error = self._ask()
            if not error and time.time() - began > timeout:
                error = "timeout"
            if not error:
                break
        latency = time.time() - began
        load.results.append(Result(number, began - load.started, client, pod, status, latency, error))

    def _ask(self) -> tuple[str, int, str]:
        """(pod, status, error) of one try."""
        try:
            backend = self._choose()
        except StatusError:
            return "", 0, "unreachable"
        if backend is None:
            return "", 0, "refused"
        path = f"/api/v1/namespaces/{self._namespace}/pods/{backend.pod}:{backend.port}/proxy{self.target.path}"
        answer = self._handle(Request("GET", path, {}, {"accept": "*/*", **self._headers}, None, None))
        body = answer.body
        if isinstance(body, dict) and body.get("kind") == "Status" and answer.status >= 400:
            return "", answer.status, _kind(answer.status, str(body.get("message", "")))
        return backend.pod, answer.status, ""

    def _choose(self) -> Backend | None:
        if self._service is None:
            return Backend(self.target.host, self.target.port or 80)
        with self._lock:
            if time.time() - self._read_at > REFRESH:
                self._known, self._read_at = self._endpoints(self._service), time.time()
            return self._rng.choice(self._known) if self._known else None

    def _endpoints(self, service: Object) -> list[Backend]:
        ports = service["spec"].get("ports") or [{}]
        wanted = next((p for p in ports if not self.target.port or p.get("port") == self.target.port), None)
        if wanted is None:
            return []
        found = []
        selector = f"kubernetes.io/service-name={self.target.host}"
        for piece in self._client.list("endpointslices.discovery.k8s.io", self._namespace, label_selector=selector):
            number = next(
                (p["port"] for p in piece.get("ports") or () if (p.get("name") or "") == wanted.get("name", "")), 0
            )
            for endpoint in piece.get("endpoints") or ():
                ready = (endpoint.get("conditions") or {}).get("ready", True)
                if ready and number and (endpoint.get("targetRef") or {}).get("kind") == "Pod":
                    found.append(Backend(endpoint["targetRef"]["name"], number))
        return sorted(found)


def send(
    client: Client,
    handle: Handle,
    target: str,
    namespace: str,
    *,
    wait: bool = True,
    rate: float = 20.0,
    clients: int = 10,
    duration: float = 10.0,
    retries: int = 0,
    timeout: float = 5.0,
    headers: dict[str, str] | None = None,
    **unknown: object,
) -> Load:
    """Run a load, or begin one (wait=False). ValueError in Korean for what cannot be done from outside."""
    if unknown:
        names = ", ".join(sorted(unknown))
        raise ValueError(f"실제 클러스터에서는 {names}을(를) 정할 수 없다. 요청마다 API 서버의 프록시로 새로 이어진다.")
    sender = Sender(client, handle, target, namespace, dict(headers or {}))
    sender.settle()
    load = Load(sender.target, rate, time.time(), duration)
    thread = threading.Thread(target=sender.run, args=(load, clients, retries, timeout), daemon=True)
    thread.start()
    if wait:
        thread.join()
    return load


def _parse(text: str) -> tuple[str, Target]:
    """`shop`, `shop:80/path`, `svc/shop:80`, `pod/web:80/x`, `http://shop:80/` -> ("svc" | "pod", Target)."""
    kind, rest = "svc", text
    if "://" in text:
        parts = urlsplit(text)
        rest = f"{(parts.hostname or '').partition('.')[0]}{f':{parts.port}' if parts.port else ''}{parts.path}"
    elif text.startswith(("svc/", "service/", "pod/")):
        word, _, rest = text.partition("/")
        kind = "pod" if word == "pod" else "svc"
    place, _, path = rest.partition("/")
    host, _, port = place.partition(":")
    return kind, Target(host, int(port or 0), f"/{path}")


def _kind(status: int, message: str) -> str:
    if status == 403:
        return "forbidden"
    return "timeout" if "timeout" in message.lower() or status == 504 else "refused"
