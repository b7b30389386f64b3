"""Load on a Service, as clients see it: who answered each request, after how long, or what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from minik8s.client import Informers
from minik8s.clock import Clock
from minik8s.dataplane import NO_HOST, REFUSED, RESET, TIMEOUT, Answer, Call, DialError
from minik8s.network.fabric import ClusterFabric, Route
from minik8s.trace import Trace

ERRORS = {REFUSED: "refused", TIMEOUT: "timeout", RESET: "reset", NO_HOST: "dns"}

Rows = list[dict[str, Any]]


class Result(NamedTuple):
    """One request. `time`: seconds after the load began; `error`: "" or refused, timeout, reset, dns, unreachable."""

    number: int
    time: float
    client: int
    pod: str
    status: int
    latency: float
    error: str

    @property
    def ok(self) -> bool:
        return not self.error and self.status < 500


class Target(NamedTuple):
    """Where requests go."""

    host: str
    port: int
    path: str


@dataclass
class Load:
    """A load under way or done. `results` in order of their ends."""

    target: Target
    rate: float
    started: float
    duration: float
    results: list[Result] = field(default_factory=list)
    sent: int = 0
    stopped: bool = False

    @property
    def done(self) -> bool:
        return len(self.results) == self.sent and self.stopped

    @property
    def lost(self) -> int:
        """Requests without a good answer."""
        return sum(not r.ok for r in self.results)

    def summary(self) -> dict[str, Any]:
        """Counts by pod and by error, and latencies in seconds at the 50th, 90th and 99th percentile."""
        good = sorted(r.latency for r in self.results if r.ok)
        return {
            "requests": len(self.results),
            "ok": len(good),
            "lost": self.lost,
            "errors": dict(sorted(Counter(r.error or str(r.status) for r in self.results if not r.ok).items())),
            "pods": dict(sorted(Counter(r.pod for r in self.results if r.ok).items())),
            "p50": _percentile(good, 0.5),
            "p90": _percentile(good, 0.9),
            "p99": _percentile(good, 0.99),
        }

    def rows(self) -> Rows:
        """One dict per request, ready for a table or a plot."""
        return [{**r._asdict(), "ok": r.ok} for r in sorted(self.results)]


def _percentile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


@dataclass
class _Client:
    """One client: a place in the cluster, and perhaps an open connection."""

    number: int
    source: str
    node: str
    route: Route | None = None
    closed_at: float | None = None


class Traffic:
    """Sends loads through a cluster's network."""

    def __init__(self, clock: Clock, fabric: ClusterFabric, informers: Informers, trace: Trace):
        self._clock, self._fabric, self._informers, self._trace = clock, fabric, informers, trace
        self._count = 0

    def start(
        self,
        target: str,
        *,
        rate: float = 20.0,
        clients: int = 10,
        duration: float = 10.0,
        keep_alive: bool = False,
        drain: bool = True,
        retries: int = 0,
        timeout: float = 5.0,
        namespace: str = "default",
        source: str = "",
        headers: dict[str, str] | None = None,
    ) -> Load:
        """Begin a load and return at once; time must pass for it to happen.

        target   Service name, "svc/NAME:PORT", "pod/NAME:PORT", or a URL; the path may follow
        rate     requests a second, evenly spaced with a little seeded jitter
        drain    clients notice a connection that the server has closed, and open another instead of sending on it
        retries  how often a client tries again after an error
        source   "NAMESPACE/POD" that the requests come from; otherwise the clients sit on the nodes in turn
        """
        where = self.target(target, namespace)
        self._count += 1
        load = Load(where, rate, self._clock.now(), duration)
        rng = self._clock.rng(f"traffic/{self._count}")
        people = [self._client(i, source) for i in range(clients)]
        options = _Options(keep_alive, drain, retries, timeout, dict(headers or {}))
        total = max(0, int(rate * duration))
        load.sent = total
        self._trace.record("traffic", "begin", f"services/{namespace}/{where.host}", rate=rate, clients=clients,
                           duration=duration, keepAlive=keep_alive, drain=drain)
        for i in range(total):
            when = load.started + (i + 0.2 * rng.random()) / rate
            self._clock.call_at(when, self._request, load, people[i % clients], options, i, 0, None)
        self._clock.call_at(load.started + duration, self._end, load)
        return load

    def run(self, target: str, advance: Callable[[float], object] | None = None, **options: Any) -> Load:
        """`start`, and let virtual time go by until the last answer is there."""
        load = self.start(target, **options)
        end = load.started + load.duration + float(options.get("timeout", 5.0)) * (1 + int(options.get("retries", 0)))
        if advance is not None:
            advance(end - self._clock.now())
        else:
            self._clock.run_until(end)
        return load

    def target(self, text: str, namespace: str) -> Target:
        """Where `text` leads. ValueError (Korean) when there is no such Service or pod."""
        if "://" in text:
            parts = urlsplit(text)
            return Target(parts.hostname or "", parts.port or 80, parts.path or "/")
        place, _, path = text.partition("/") if not text.startswith(("svc/", "service/", "pod/")) else (
            _split_kind(text))
        name, _, port = place.partition(":")
        kind, _, bare = name.rpartition("/")
        if kind == "pod":
            pod = self._informers("pods").get(namespace, bare)
            if pod is None:
                raise ValueError(f"{namespace} 네임스페이스에 파드 {bare!r}가 없다.")
            ports = [p["containerPort"] for c in pod["spec"]["containers"] for p in c.get("ports") or ()]
            return Target((pod.get("status") or {}).get("podIP", ""), int(port or (ports or [80])[0]), f"/{path}")
        service = self._informers("services").get(namespace, bare)
        if service is None and "." not in bare:
            known = ", ".join(s["metadata"]["name"] for s in self._informers("services").list(namespace)) or "없음"
            raise ValueError(f"{namespace} 네임스페이스에 서비스 {bare!r}가 없다. 있는 것: {known}")
        ports = service["spec"].get("ports") or [] if service is not None else []
        number = int(port) if port else int(ports[0]["port"]) if ports else 80
        return Target(f"{bare}.{namespace}.svc.cluster.local." if service is not None else bare, number, f"/{path}")

    # ---- requests ------------------------------------------------------------------
    def _client(self, number: int, source: str) -> _Client:
        if source:
            namespace, _, name = source.rpartition("/")
            pod = self._informers("pods").get(namespace or "default", name)
            if pod is None:
                raise ValueError(f"부하를 보낼 파드 {source!r}가 없다.")
            return _Client(number, (pod.get("status") or {}).get("podIP", ""), pod["spec"].get("nodeName") or "")
        nodes = [n["metadata"]["name"] for n in self._informers("nodes").list()]
        return _Client(number, f"192.0.2.{number % 250 + 1}", nodes[number % len(nodes)] if nodes else "")

    def _request(
        self, load: Load, client: _Client, options: _Options, number: int, tries: int, began: float | None
    ) -> None:
        began = self._clock.now() if began is None else began
        try:
            route = self._route(load.target, client, options)
            call = Call(load.target.path, "GET", load.target.host.rstrip("."), options.headers, source=client.source)
            answer = route.connection.send(call)
        except DialError as error:
            client.route = None
            after = options.timeout if error.kind == TIMEOUT else min(error.after, options.timeout)
            kind = ERRORS.get(error.kind, "unreachable")
            self._clock.call_later(after, self._failed, load, client, options, number, tries, began, kind)
            return
        if answer.latency > options.timeout:
            client.route = None
            after, done = options.timeout, (load, client, options, number, tries, began, "timeout")
            self._clock.call_later(after, self._failed, *done)
            return
        self._clock.call_later(answer.latency, self._answered, load, client, options, number, tries, began, route,
                               answer)

    def _route(self, target: Target, client: _Client, options: _Options) -> Route:
        route = client.route
        if route is not None and options.keep_alive and not (route.connection.closed and options.drain):
            return route
        address = target.host
        if not address.replace(".", "").isdigit():
            address = self._fabric.resolve(client.source, target.host)[0]
        route = self._fabric.route(client.source, address, target.port, node=client.node)
        client.route = route if options.keep_alive else None
        return route

    def _answered(
        self, load: Load, client: _Client, options: _Options, number: int, tries: int, began: float, route: Route,
        answer: Answer,
    ) -> None:
        if route.connection.broken:
            client.route = None
            self._failed(load, client, options, number, tries, began, "reset")
            return
        now = self._clock.now()
        load.results.append(Result(number, began - load.started, client.number, answer.host, answer.status,
                                   now - began, ""))

    def _failed(
        self, load: Load, client: _Client, options: _Options, number: int, tries: int, began: float, kind: str
    ) -> None:
        if tries < options.retries:
            self._request(load, client, options, number, tries + 1, began)
            return
        load.results.append(Result(number, began - load.started, client.number, "", 0, self._clock.now() - began, kind))

    def _end(self, load: Load) -> None:
        load.stopped = True
        self._trace.record("traffic", "end", f"services/{load.target.host}", sent=load.sent, lost=load.lost)


class _Options(NamedTuple):
    keep_alive: bool
    drain: bool
    retries: int
    timeout: float
    headers: dict[str, str]


def _split_kind(text: str) -> tuple[str, str, str]:
    """`svc/web:80/path` -> (`web:80`, "/", `path`); `pod/` stays in front."""
    kind, _, rest = text.partition("/")
    place, slash, path = rest.partition("/")
    return (f"pod/{place}" if kind == "pod" else place), slash, path
