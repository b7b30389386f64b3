"""The proxies behind Ingress and Gateway: an address each, requests passed on to pods, status written back."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.client import Context, Controller
from minik8s.dataplane import REFUSED, TIMEOUT, Answer, Call, Connection, DialError, ask
from minik8s.network.fabric import ClusterFabric, Route
from minik8s.network.proxy import Endpoint, eligible
from minik8s.network.routes import Backend, http_route_backend, ingress_backend
from minik8s.objects.frozen import Object
from minik8s.objects.meta import rfc3339, split_key
from minik8s.wire import StatusError

INGRESS_ADDRESS = "172.19.255.190"
GATEWAY_PREFIX = "172.19.255."
GATEWAY_FIRST = 100

GATEWAYS = "gateways.gateway.networking.k8s.io"
HTTP_ROUTES = "httproutes.gateway.networking.k8s.io"
CLASSES = "gatewayclasses.gateway.networking.k8s.io"

Opener = Callable[[str, str, int], Route]
Done = Callable[[Answer | DialError], None]

TRIES = 3
PROXY_SECONDS = 0.001
PROXY_TIMEOUT = 60.0
"""Seconds that a proxy waits for a pod (nginx's proxy_read_timeout)."""


class ProxyConnection:
    """A connection to a proxy, which passes every request on by itself."""

    closed = False
    broken = False

    def __init__(self, gateways: Gateways, gateway: str, source: str):
        self._gateways, self._gateway, self._source = gateways, gateway, source

    def send(self, call: Call) -> Answer:
        """For backends that answer at once."""
        answers: list[Answer | DialError] = []
        self.begin(call, PROXY_TIMEOUT, answers.append)
        answer = answers[0] if answers else DialError(TIMEOUT)
        if isinstance(answer, DialError):
            raise answer
        return answer

    def begin(self, call: Call, timeout: float, done: Done) -> None:
        self._gateways.forward(self._gateway, self._source, call, done)


class ProxyHost:
    """Who a proxy is, for those who ask."""

    def __init__(self, name: str):
        self.name, self.node = name, ""

    def dial(self, port: int) -> Connection:
        raise DialError(REFUSED)


class Gateways(Controller):
    """Programs routes as they come; key `ingress/NS/NAME` or `gateway/NS/NAME`."""

    name = "gateway-controller"

    def __init__(self, ctx: Context, fabric: ClusterFabric):
        super().__init__(ctx)
        self._fabric = fabric
        self._rng = ctx.clock.rng("gateway")
        self._addresses: dict[str, str] = {}
        self._have_gateways = False
        self._ingresses = ctx.informers("ingresses.networking.k8s.io")
        self._ingresses.on_change(lambda old, new: self._ingress_changed(old, new))
        ctx.informers("customresourcedefinitions.apiextensions.k8s.io").on_change(self._crd_changed)
        fabric.virtual[INGRESS_ADDRESS] = self._opener("")

    # ---- requests ------------------------------------------------------------------
    def _opener(self, gateway: str) -> Opener:
        host = ProxyHost(f"gateway/{gateway}" if gateway else "ingress")

        def open(source: str, node: str, port: int) -> Route:
            return Route(ProxyConnection(self, gateway, source), host)

        return open

    def forward(self, gateway: str, source: str, call: Call, done: Done) -> None:
        """Answer a request that came to the proxy of `gateway` ("": the Ingress proxy)."""
        if gateway:
            backend = http_route_backend(self._routes_of(gateway), call, self._rng)
        else:
            backend = ingress_backend(self._ingresses.list(), call)
        if backend is None:
            done(Answer(404, b"404 Not Found\n", latency=PROXY_SECONDS))
        elif backend.status:
            done(Answer(backend.status, headers={"Location": backend.location}, latency=PROXY_SECONDS))
        else:
            self._pass_on(backend, source, call, done)

    def _pass_on(self, backend: Backend, source: str, call: Call, done: Done) -> None:
        service = self.informers("services").get(backend.namespace, backend.service)
        if service is None:
            done(Answer(500 if call.host else 503, b"no such service\n", latency=PROXY_SECONDS))
            return
        ports = service["spec"].get("ports") or ()
        entry = next((p for p in ports if backend.port in (p["port"], p.get("name"), 0)), None)
        if entry is None:
            done(Answer(503, b"no such port\n", latency=PROXY_SECONDS))
            return
        known = self._fabric.proxies.endpoints("", backend.namespace, backend.service)
        usable = eligible(known, "", "", local=False)
        sent = Call(backend.path, call.method, call.host, call.headers, call.body, source)
        nobody = Answer(502 if known else 503, b"502 Bad Gateway\n" if known else b"503 Service Unavailable\n",
                        latency=PROXY_SECONDS)
        self._try(usable, entry.get("name") or "", sent, min(TRIES, len(usable)), nobody, done)

    def _try(self, usable: list[Endpoint], port: str, call: Call, tries: int, nobody: Answer, done: Done) -> None:
        """Ask one pod after the other until one answers."""
        if tries == 0:
            done(nobody)
            return
        chosen = usable.pop(int(self._rng.random() * len(usable)))

        def ended(answer: Answer | DialError) -> None:
            if isinstance(answer, DialError):
                self._try(usable, port, call, tries - 1, nobody, done)
                return
            answer.latency += PROXY_SECONDS
            done(answer)

        try:
            connection = self._fabric.to_pod("", chosen.node, chosen.address, chosen.port(port) or 0).connection
        except DialError as error:
            ended(error)
            return
        ask(connection, call, PROXY_TIMEOUT, ended)

    def _routes_of(self, gateway: str) -> list[Object]:
        namespace, _, name = gateway.partition("/")
        out = []
        for route in self.informers(HTTP_ROUTES).list():
            own = route["metadata"]["namespace"]
            for parent in route["spec"].get("parentRefs") or ():
                if parent.get("name") == name and (parent.get("namespace") or own) == namespace:
                    out.append(route)
                    break
        return out

    # ---- what the API says -----------------------------------------------------------
    def _ingress_changed(self, old: Object | None, new: Object | None) -> None:
        for obj, known in ((old, False), (new, True)):
            for rule in (obj["spec"].get("rules") or ()) if obj is not None else ():
                self._name(rule.get("host") or "", INGRESS_ADDRESS if known else "")
        if new is not None:
            self.enqueue(f"ingress/{new['metadata']['namespace']}/{new['metadata']['name']}")

    def _name(self, host: str, address: str) -> None:
        """Names of routes resolve to the proxy, as an external DNS would have it."""
        if host and not host.startswith("*") and address:
            self._fabric.dns.hosts[host] = [address]
        elif host:
            self._fabric.dns.hosts.pop(host, None)

    def _crd_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None or self._have_gateways or new["metadata"]["name"] != HTTP_ROUTES:
            return
        conditions = (new.get("status") or {}).get("conditions") or ()
        if not any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
            return
        self._have_gateways = True
        self.informers(GATEWAYS).on_change(self._gateway_changed)
        self.informers(HTTP_ROUTES).on_change(self._route_changed)

    def _gateway_changed(self, old: Object | None, new: Object | None) -> None:
        obj = new or old
        assert obj is not None
        key = f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"
        if new is None:
            self._fabric.virtual.pop(self._addresses.pop(key, ""), None)
            return
        if key not in self._addresses:
            taken = set(self._addresses.values())
            address = next(a for i in range(GATEWAY_FIRST, 190) if (a := f"{GATEWAY_PREFIX}{i}") not in taken)
            self._addresses[key] = address
            self._fabric.virtual[address] = self._opener(key)
        self.enqueue(f"gateway/{key}")

    def _route_changed(self, old: Object | None, new: Object | None) -> None:
        for host in (old["spec"].get("hostnames") or ()) if old is not None else ():
            self._name(host, "")
        if new is None:
            return
        for parent in new["spec"].get("parentRefs") or ():
            key = f"{parent.get('namespace') or new['metadata']['namespace']}/{parent['name']}"
            for host in new["spec"].get("hostnames") or ():
                self._name(host, self._addresses.get(key, ""))
            self.enqueue(f"gateway/{key}")
        self.enqueue(f"route/{new['metadata']['namespace']}/{new['metadata']['name']}")

    # ---- status ------------------------------------------------------------------------
    def reconcile(self, key: str) -> float | None:
        kind, _, place = key.partition("/")
        namespace, name = split_key(place)
        if kind == "ingress":
            self._ingress_status(namespace, name)
        elif kind == "gateway":
            self._gateway_status(namespace, name)
        else:
            self._route_status(namespace, name)
        return None

    def _ingress_status(self, namespace: str, name: str) -> None:
        ingress = self._ingresses.get(namespace, name)
        wanted = {"loadBalancer": {"ingress": [{"ip": INGRESS_ADDRESS}]}}
        if ingress is not None and (ingress.get("status") or {}) != wanted:
            self._write("ingresses.networking.k8s.io", namespace, name, wanted)

    def _gateway_status(self, namespace: str, name: str) -> None:
        gateway = self.informers(GATEWAYS).get(namespace, name)
        if gateway is None:
            return
        key = f"{namespace}/{name}"
        routes = self._routes_of(key)
        for route in routes:
            for host in route["spec"].get("hostnames") or ():
                self._name(host, self._addresses[key])
        listeners = [{"name": entry["name"], "attachedRoutes": len(routes), "supportedKinds": [
            {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}],
            "conditions": self._conditions(gateway, "Accepted", "Programmed", "ResolvedRefs")}
            for entry in gateway["spec"].get("listeners") or ()]
        status = {"addresses": [{"type": "IPAddress", "value": self._addresses[key]}],
                  "conditions": self._conditions(gateway, "Accepted", "Programmed"), "listeners": listeners}
        if _timeless(gateway.get("status") or {}) != _timeless(status):
            self._write(GATEWAYS, namespace, name, status)

    def _route_status(self, namespace: str, name: str) -> None:
        route = self.informers(HTTP_ROUTES).get(namespace, name)
        if route is None:
            return
        parents = [{"parentRef": dict(parent), "controllerName": "minik8s.io/gateway-controller",
                    "conditions": self._conditions(route, "Accepted", "ResolvedRefs")}
                   for parent in route["spec"].get("parentRefs") or ()]
        if _timeless(route.get("status") or {}) != _timeless({"parents": parents}):
            self._write(HTTP_ROUTES, namespace, name, {"parents": parents})

    def _conditions(self, obj: Object, *types: str) -> list[Object]:
        now = rfc3339(self.clock.now())
        return [{"type": t, "status": "True", "reason": t, "message": "", "lastTransitionTime": now,
                 "observedGeneration": obj["metadata"].get("generation", 1)} for t in types]

    def _write(self, resource: str, namespace: str, name: str, status: Object) -> None:
        try:
            self.client.patch(resource, namespace, name, {"status": status}, type="merge", subresource="status")
        except StatusError as error:
            if error.code != 404:
                raise


def _timeless(value: Object) -> object:
    """The same without times, to see whether anything is new."""
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if k != "lastTransitionTime"}
    return [_timeless(v) for v in value] if isinstance(value, list) else value
