"""요청 하나를 실제로 보내면서 지나는 곳마다 무엇이 정해졌는지 적는다.

The network itself decides: the request is really sent, and every hop says what the same DNS, kube-proxy rules,
routes and policies hold at that moment.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from minik8s.cluster import Cluster
from minik8s.dataplane import NO_HOST, NO_ROUTE, REFUSED, Answer, Call, DialError
from minik8s.network.dns import search
from minik8s.network.fabric import DNS_ADDRESS, DNS_POD, ClusterFabric, Route
from minik8s.network.gateways import HTTP_ROUTES, INGRESS_ADDRESS
from minik8s.network.policy import Peer, Verdict
from minik8s.network.proxy import Endpoint, eligible
from minik8s.network.routes import ingress_backend
from minik8s.objects import Object
from minik8s.objects.meta import name as name_of

Hops = list["Hop"]
Endpoints = list[Endpoint]


class Hop(NamedTuple):
    """지나간 곳 하나: 어디서(`place`), 무엇이 정해졌고(`did`), 근거는 무엇인가(`why`).

    `ok`가 거짓이면 요청이 여기서 끝났다.
    """

    place: str
    did: str
    why: tuple[str, ...] = ()
    ok: bool = True


class Start(NamedTuple):
    """Where a request begins: a pod, or (all empty) somewhere outside of the cluster."""

    label: str
    address: str
    node: str
    namespace: str


class Goal(NamedTuple):
    host: str
    port: int
    path: str


def walk(
    cluster: Cluster, url: str, source: str = "", namespace: str = "default", headers: dict[str, str] | None = None
) -> Hops:
    """Send one GET to `url` and tell its hops. `source`: "POD" or "NAMESPACE/POD", "" for outside of the cluster."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    goal = Goal(parts.hostname or "", parts.port or 80, path)
    return _Walk(cluster, _start(cluster, source, namespace), goal, dict(headers or {})).go()


def _start(cluster: Cluster, source: str, namespace: str) -> Start:
    if not source:
        return Start("클러스터 밖", "198.51.100.7", "", "")
    space, _, pod_name = source.removeprefix("pod/").rpartition("/")
    pod = cluster.client("lab").find("pods", space or namespace, pod_name)
    if pod is None:
        raise ValueError(f"{space or namespace} 네임스페이스에 파드 {pod_name!r}가 없다.")
    address = (pod.get("status") or {}).get("podIP", "")
    return Start(f"파드 {pod_name}", address, pod["spec"].get("nodeName") or "", pod["metadata"]["namespace"])


class _Walk:
    def __init__(self, cluster: Cluster, start: Start, goal: Goal, headers: dict[str, str]):
        self.cluster, self.start, self.goal, self.headers = cluster, start, goal, headers
        self.fabric: ClusterFabric = cluster.network.fabric
        self.informers = self.fabric.informers
        self.hops: Hops = []

    def go(self) -> Hops:
        where = f"{self.start.address} · {self.start.node}" if self.start.node else self.start.address
        self.hops.append(Hop(self.start.label, f"GET http://{self.goal.host}{self._port()}{self.goal.path}", (where,)))
        address = self.goal.host if _is_address(self.goal.host) else self._resolve()
        if address:
            self._send(address)
        return self.hops

    def _port(self) -> str:
        return "" if self.goal.port == 80 else f":{self.goal.port}"

    # ---- names -----------------------------------------------------------------------
    def _resolve(self) -> str:
        if not self.start.namespace:
            found = self.fabric.dns.hosts.get(self.goal.host) or [""]
            why = () if found[0] else ("클러스터의 서비스 이름은 클러스터 안에서만 풀린다",)
            said = f"{self.goal.host} → {found[0]}" if found[0] else f"{self.goal.host}: 그런 이름 없음"
            self.hops.append(Hop("바깥 DNS", said, why, bool(found[0])))
            return found[0]
        tried = []
        for candidate in search(self.start.namespace, self.goal.host):
            try:
                found = self.fabric.resolve(self.start.address, candidate + ".")
            except DialError as error:
                if error.after:
                    verdict = self.fabric.policies.decide(self._peer(self.start.address), Peer(DNS_ADDRESS, DNS_POD),
                                                          53, "UDP")
                    cause = "DNS가 멈추었다" if verdict.allowed else _says(verdict)
                    self.hops.append(Hop("클러스터 DNS", "대답이 없다", (cause,), False))
                    return ""
                tried.append(f"{candidate}: 없음")
                continue
            many = len(found) > 1
            said = f"주소 {len(found)}개" if many else found[0]
            tried += [", ".join(found[:4])] if many else []
            self.hops.append(Hop("클러스터 DNS", f"{candidate} → {said}", tuple(tried)))
            return found[0]
        self.hops.append(Hop("클러스터 DNS", f"{self.goal.host}: NXDOMAIN", tuple(tried), False))
        return ""

    # ---- packets ---------------------------------------------------------------------
    def _send(self, address: str) -> None:
        """Dial, tell who was chosen among whom, and wait for the answer."""
        self._through_balancer(address)
        start = self.start
        before = self._candidates(address)
        try:
            route = self.fabric.route(start.address, address, self.goal.port, node=start.node)
        except DialError as error:
            self._no_route(address, before, error)
            return
        if address not in self.fabric.virtual:
            self._chosen(address, before, route)
        self._ask(address, route)

    def _through_balancer(self, address: str) -> None:
        """From outside, a load balancer's address leads to some node first: the fabric takes that node as the entry."""
        found = self.informers("services").by_index("address", address)
        if self.start.node or not found or address == found[0]["spec"].get("clusterIP"):
            return
        meta = found[0]["metadata"]
        known = self.fabric.proxies.endpoints("", meta["namespace"], meta["name"])
        local = found[0]["spec"].get("externalTrafficPolicy") == "Local"
        nodes = sorted({e.node for e in known if e.ready} if local else map(name_of, self.informers("nodes").list()))
        if nodes:
            node = nodes[int(self.cluster.clock.rng("load-balancer").random() * len(nodes))]
            self.start = self.start._replace(node=node)
            why = ("파드가 있는 노드만 후보다(Local)",) if local else ("어느 노드로 보내도 된다(Cluster)",)
            self.hops.append(Hop(f"로드 밸런서 {address}", f"{node}로", why))

    def _ask(self, address: str, route: Route) -> None:
        call = Call(self.goal.path, "GET", self.goal.host, self.headers, source=self.start.address)
        try:
            answer = route.connection.send(call)
        except DialError as error:
            self.hops.append(Hop("연결", _FAILED.get(error.kind, error.kind), (), False))
            return
        if address in self.fabric.virtual:
            self._proxied(address, answer)
        took = f"{answer.latency * 1000:.0f}ms"
        self.cluster.advance(answer.latency)
        if answer.host:
            self.hops.append(Hop(f"파드 {answer.host}", f"HTTP {answer.status}", (self._whereabouts(answer.host), took),
                                 answer.status < 500))

    def _whereabouts(self, pod_name: str) -> str:
        pods = [p for p in self.informers("pods").list() if name_of(p) == pod_name]
        return f"{pods[0]['status'].get('podIP', '')} · {pods[0]['spec'].get('nodeName', '')}" if pods else ""

    def _proxied(self, address: str, answer: Answer) -> None:
        """A hop through the proxy behind an Ingress or a Gateway."""
        kind = "인그레스 컨트롤러" if address == INGRESS_ADDRESS else "게이트웨이"
        service = self._service_of_pod(answer.host, address)
        if service is None:
            what = {404: "맞는 규칙이 없다", 502: "뒤의 파드가 받지 않는다", 503: "뒤에 준비된 파드가 없다"}
            self.hops.append(Hop(f"{kind} {address}", f"HTTP {answer.status}", (what.get(answer.status, ""),), False))
            return
        known = self.fabric.proxies.endpoints("", service["metadata"]["namespace"], name_of(service))
        count = sum(e.ready for e in known)
        why = (f"호스트 {self.goal.host}, 경로 {self.goal.path}의 규칙",
               f"준비된 파드 {count}개 가운데 하나로 바로 보낸다")
        self.hops.append(Hop(f"{kind} {address}", f"서비스 {name_of(service)}의 파드로", why))

    def _service_of_pod(self, pod_name: str, address: str) -> Object | None:
        """The Service behind a proxy's route whose endpoints hold the pod that answered."""
        if address == INGRESS_ADDRESS:
            call = Call(self.goal.path, host=self.goal.host)
            backend = ingress_backend(self.informers("ingresses.networking.k8s.io").list(), call)
            named = {(backend.namespace, backend.service)} if backend else set()
        else:
            named = {(b.get("namespace") or route["metadata"]["namespace"], b["name"])
                     for route in self.informers(HTTP_ROUTES).list()
                     for rule in route["spec"].get("rules") or () for b in rule.get("backendRefs") or ()}
        ip = self._whereabouts(pod_name).partition(" ")[0] if pod_name else ""
        for namespace, short in sorted(named):
            if ip and any(e.address == ip for e in self.fabric.proxies.endpoints("", namespace, short)):
                return self.informers("services").get(namespace, short)
        return None

    # ---- kube-proxy --------------------------------------------------------------------
    def _service(self, address: str) -> tuple[Object, bool] | None:
        """The Service that an address leads to, and whether only endpoints of the same node count."""
        found = self.informers("services").by_index("address", address)
        if found:
            spec = found[0]["spec"]
            inside = address == spec.get("clusterIP")
            return found[0], (spec.get("internalTrafficPolicy" if inside else "externalTrafficPolicy") == "Local")
        if self.informers("nodes").by_index("address", address):
            named = self.informers("services").by_index("nodePort", str(self.goal.port))
            return (named[0], named[0]["spec"].get("externalTrafficPolicy") == "Local") if named else None
        return None

    def _entry(self, address: str) -> str:
        """The node whose kube-proxy rules a packet meets."""
        nodes = self.informers("nodes").by_index("address", address)
        return name_of(nodes[0]) if nodes else self.start.node

    def _candidates(self, address: str) -> Endpoints:
        found = self._service(address)
        if found is None:
            return []
        meta, node = found[0]["metadata"], self._entry(address)
        known = self.fabric.proxies.endpoints(node, meta["namespace"], meta["name"])
        return eligible(known, node, self.fabric.zone(node), local=found[1])

    def _chosen(self, address: str, among: Endpoints, route: Route) -> None:
        found = self._service(address)
        if found is None:
            return
        service, local = found
        node = self._entry(address) or "노드"
        pods = {(p.get("status") or {}).get("podIP"): name_of(p) for p in self.informers("pods").list()}
        picked = next((e for e in among if pods.get(e.address) == route.host.name.rpartition("/")[2]), None)
        port = self._entry_of(service) or {}
        to = f"{picked.address}:{picked.port(port.get('name') or '')}" if picked else route.host.name
        why = [f"서비스 {name_of(service)}: 준비된 {len(among)}개 가운데 하나"]
        why += ["같은 노드의 파드만(Local)"] if local else []
        if service["spec"].get("sessionAffinity") == "ClientIP":
            why.append("세션 어피니티: 보낸 이의 주소마다 같은 파드")
        self.hops.append(Hop(f"kube-proxy({node})", f"{address}:{self.goal.port} → {to}", tuple(why)))

    def _entry_of(self, service: Object) -> Object | None:
        ports = service["spec"].get("ports") or ()
        return next((p for p in ports if self.goal.port in (p["port"], p.get("nodePort"))), None)

    def _no_route(self, address: str, among: Endpoints, error: DialError) -> None:
        found = self._service(address)
        place = f"kube-proxy({self._entry(address) or '노드'})" if found else f"주소 {address}"
        if found and self._entry_of(found[0]) is None:
            ports = ", ".join(str(p["port"]) for p in found[0]["spec"].get("ports") or ())
            why = f"서비스 {name_of(found[0])}에는 {self.goal.port}번 포트가 없다(있는 것: {ports})"
            self.hops.append(Hop(place, _FAILED.get(error.kind, error.kind), (why,), False))
            return
        if found and not among:
            nobody = "이 노드에는 준비된 파드가 없다(Local)" if found[1] else "준비된 파드가 없다"
            why = f"서비스 {name_of(found[0])}: {nobody}"
            self.hops.append(Hop(place, _FAILED.get(error.kind, error.kind), (why,), False))
            return
        if found:
            why = f"서비스 {name_of(found[0])}: 준비된 {len(among)}개 가운데 하나"
            self.hops.append(Hop(place, f"{address}:{self.goal.port} → 파드", (why,)))
        blocked = self._blocked([e.address for e in among] or [address])
        place = "네트워크폴리시" if blocked else "목적지"
        self.hops.append(Hop(place, _FAILED.get(error.kind, error.kind), blocked, False))

    def _blocked(self, addresses: list[str]) -> tuple[str, ...]:
        for address in addresses:
            verdict = self.fabric.policies.decide(self._peer(self.start.address), self._peer(address), self.goal.port)
            if not verdict.allowed:
                return (_says(verdict),)
        return ()

    def _peer(self, address: str) -> Peer:
        found = self.informers("pods").by_index("podIP", address) if address else []
        return Peer(address, found[0] if found else None)


def _says(verdict: Verdict) -> str:
    side = {"Ingress": "받는 쪽", "Egress": "보내는 쪽"}[verdict.direction]
    return f"{side} 정책 {', '.join(verdict.policies)}에 허락하는 규칙이 없다"


_FAILED = {REFUSED: "연결 거부", NO_HOST: "이름 없음", NO_ROUTE: "길 없음", "i/o timeout": "시간 초과(대답 없음)"}


def _is_address(host: str) -> bool:
    return host.replace(".", "").isdigit()
