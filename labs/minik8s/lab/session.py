"""노트북이 손에 쥐는 것: `k = lab.connect()`의 `k`.

같은 말이 어디서나 같은 뜻이다. 내장 클러스터에서는 가상 시간이 흐르고,
실제 클러스터에서는 정말로 기다린다.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, TypeVar

from minik8s.client import Client, Controller
from minik8s.controlplane import Part
from minik8s.faults import Faults
from minik8s.history import History
from minik8s.lab import chronicle, conditions, hops, kubectl, manifests, refs
from minik8s.lab.checks import Checks
from minik8s.lab.controls import ControlPlane, Nodes, embedded
from minik8s.lab.dashboard import Dashboard
from minik8s.lab.kubectl import Result
from minik8s.lab.load import Traffic
from minik8s.lab.official import ADMIN, api_client
from minik8s.lab.place import Place
from minik8s.lab.views import decision, journey, map, packing, request, rollout, scrubber, timeline
from minik8s.lab.views.svg import Text, View
from minik8s.objects import Object, thaw
from minik8s.objects.meta import key
from minik8s.wire import StatusError

T = TypeVar("T")
MANAGER = "minik8s-lab"
_APIS = {
    "core": "CoreV1Api",
    "apps": "AppsV1Api",
    "batch": "BatchV1Api",
    "networking": "NetworkingV1Api",
    "autoscaling": "AutoscalingV2Api",
    "policy": "PolicyV1Api",
    "rbac": "RbacAuthorizationV1Api",
    "storage": "StorageV1Api",
    "scheduling": "SchedulingV1Api",
    "discovery": "DiscoveryV1Api",
    "coordination": "CoordinationV1Api",
    "custom": "CustomObjectsApi",
}


class Lab:
    """한 클러스터에 이어진 실습. `k.core`, `k.apps` 같은 이름은 공식 클라이언트의 API 객체다."""

    def __init__(self, place: Place, namespace: str = "default"):
        self.place, self.namespace = place, namespace
        self.client = Client(place.handle, actor=MANAGER, user=ADMIN)
        self.started = place.now()
        self.last_traffic: Traffic | None = None
        self._board: Dashboard | None = None
        self._made: list[tuple[refs.Ref, str]] = []
        self.nodes = Nodes(place, self.client)
        self.controlplane = ControlPlane(place)

    # ---- 공식 클라이언트 ------------------------------------------------------
    @cached_property
    def api_client(self) -> Any:
        """공식 `kubernetes` 패키지의 ApiClient. 어떤 API 클래스에든 넘길 수 있다."""
        return api_client(self.place)

    def __getattr__(self, name: str) -> Any:
        if name not in _APIS:
            raise AttributeError(f"Lab에는 {name!r}이라는 것이 없다.")
        from kubernetes import client

        made = getattr(client, _APIS[name])(self.api_client)
        setattr(self, name, made)
        return made

    # ---- 오브젝트 ------------------------------------------------------------
    def apply(self, source: manifests.Source, namespace: str | None = None) -> list[str]:
        """매니페스트를 적용한다(서버 측 적용). 적용한 오브젝트의 이름을 돌려준다.

        source는 파일 이름, YAML 글, 오브젝트(dict), 또는 이들의 목록이다.
        """
        done = []
        for obj in manifests.load(source):
            ref = refs.of(obj, self.client)
            space = namespace or obj["metadata"].get("namespace") or self.namespace
            stored = self._apply(obj, ref, space)
            self._made.append((refs.Ref(ref.resource, stored["metadata"]["name"]), space))
            done.append(f"{ref.resource}/{stored['metadata']['name']}")
        return done

    def _apply(self, obj: Object, ref: refs.Ref, namespace: str) -> Object:
        try:
            return self.client.patch(ref.resource, namespace, ref.name, obj, type="apply", force=True)
        except StatusError as error:
            # Server-side apply words mistakes poorly; what `create` says of the same object names field and reason.
            path = self.client.paths.collection(ref.resource, namespace)
            try:
                self.client.call("POST", path, obj, query={"dryRun": ["All"], "fieldValidation": ["Strict"]})
            except StatusError as clearer:
                if clearer.reason != "AlreadyExists":
                    raise clearer from None
            raise error

    def get(self, ref: str, namespace: str | None = None) -> Object:
        """`k.get("pod/web")`: 오브젝트 하나를 dict로 읽는다. 없으면 StatusError(404)."""
        found = refs.parse(ref, self.client)
        out: Object = thaw(self.client.get(found.resource, namespace or self.namespace, found.name))
        return out

    def find(self, ref: str, namespace: str | None = None) -> Object | None:
        """`k.get`과 같되, 없으면 None."""
        try:
            return self.get(ref, namespace)
        except StatusError as error:
            if error.code != 404:
                raise
            return None

    def list(self, kind: str, selector: str = "", namespace: str | None = None) -> Objects:
        """`k.list("pods", "app=web")`: 실습 네임스페이스의 오브젝트를 이름 순으로."""
        resource = refs.resource(kind, self.client)
        found = self.client.list(resource, namespace or self.namespace, label_selector=selector)
        return [thaw(obj) for obj in found]

    def pods(self, selector: str = "") -> Objects:
        """실습 네임스페이스의 파드들."""
        return self.list("pods", selector)

    def delete(
        self,
        what: manifests.Source,
        *,
        grace: int | None = None,
        propagation: str | None = None,
        wait: bool = True,
    ) -> None:
        """`k.delete("pod/web")` 또는 `k.delete("manifests/web.yaml")`. 이미 없으면 아무 일도 하지 않는다.

        kubectl처럼 정말 사라질 때까지 기다린다. 지우라고만 하고 돌아오려면 wait=False.
        """
        for namespace, ref in self._named(what):
            try:
                gone = self.client.get(ref.resource, namespace, ref.name)["metadata"]["uid"]
                self.client.delete(ref.resource, namespace, ref.name, grace=grace, propagation=propagation)
            except StatusError as error:
                if error.code != 404:
                    raise
                continue
            if wait:
                self._await(ref, namespace, conditions.replaced(gone), 60.0)

    def _named(self, what: manifests.Source) -> Iterable[tuple[str, refs.Ref]]:
        if isinstance(what, str) and "\n" not in what and not what.endswith((".yaml", ".yml", ".json")):
            yield self.namespace, refs.parse(what, self.client)
            return
        for obj in manifests.load(what):
            yield obj["metadata"].get("namespace") or self.namespace, refs.of(obj, self.client)

    def patch(self, ref: str, body: Object, *, type: str = "strategic") -> Object:
        """`k.patch("deployment/web", {"spec": {"replicas": 5}})`."""
        found = refs.parse(ref, self.client)
        out: Object = thaw(self.client.patch(found.resource, self.namespace, found.name, body, type=type))
        return out

    def scale(self, ref: str, replicas: int) -> None:
        """`k.scale("deployment/web", 5)`."""
        found = refs.parse(ref, self.client)
        body = {"spec": {"replicas": replicas}}
        self.client.patch(found.resource, self.namespace, found.name, body, subresource="scale")

    def kubectl(self, line: str, *, stdin: str = "") -> Result:
        """`k.kubectl("get pods -o wide")`: 명령을 돌리고 찍힌 글과 종료 코드를 돌려준다."""
        return kubectl.run(self.place, line, namespace=self.namespace, stdin=stdin)

    def checks(self, title: str) -> Checks:
        """확인 셀의 묶음. `labs/notebooks`의 실습이 쓴다."""
        return Checks(title)

    def cleanup(self) -> None:
        """이 실습이 만든 것을 지운다. 네임스페이스가 실습의 것이면 통째로 지운다."""
        for ref, namespace in reversed(self._made):
            try:
                self.client.delete(ref.resource, namespace, ref.name, propagation="Background")
            except StatusError as error:
                if error.code != 404:
                    raise
        self._made.clear()

    # ---- 시간 ---------------------------------------------------------------
    def sleep(self, seconds: float) -> None:
        """클러스터가 `seconds`초 동안 제 할 일을 하게 둔다. 내장 클러스터에서는 눈 깜짝할 사이다."""
        self.place.sleep(seconds)

    @property
    def elapsed(self) -> float:
        """실습을 시작한 뒤로 흐른 초."""
        return self.place.now() - self.started

    def wait(
        self, ref: str, until: str | Callable[[Object | None], bool] = "available", *, timeout: float = 120.0
    ) -> Object | None:
        """`ref`가 `until`이 될 때까지 기다린다. 되지 않으면 까닭을 담은 TimeoutError.

        until: available, ready, complete, deleted, bound, running, succeeded, 조건 이름(`Ready=False`), 또는 함수.
        """
        test = conditions.named(until) if isinstance(until, str) else until
        obj, came = self._await(refs.parse(ref, self.client), self.namespace, test, timeout)
        if not came:
            raise TimeoutError(self._why_not(ref, until, timeout, obj))
        return obj

    def retry(self, do: Callable[[], T], until: Callable[[T], bool], *, timeout: float = 30.0, every: float = 1.0) -> T:
        """`do()`를 `until`이 참이 될 때까지 되풀이하고 마지막 값을 돌려준다. 끝내 참이 아니어도 마지막 값이다.

        오브젝트에는 적혔지만 아직 퍼지지 않은 것을 기다린다. 노드마다 kube-proxy가 새 목록을 받는 데에는 잠깐이 걸린다.
        timeout, every: 초.
        """
        end = self.place.now() + timeout
        while True:
            value = do()
            if until(value) or self.place.now() >= end:
                return value
            self.place.sleep(every)

    def _await(
        self, ref: refs.Ref, namespace: str, test: conditions.Predicate, timeout: float
    ) -> tuple[Object | None, bool]:
        """The object when `test` held, or as it was at the end; and whether it held."""
        end = self.place.now() + timeout
        while True:
            found = self.client.find(ref.resource, namespace, ref.name)
            if test(found):
                return thaw(found), True
            if self.place.now() >= end or not self._let_live(end):
                return thaw(found), False

    def _let_live(self, end: float) -> bool:
        """Let something happen, but not beyond `end`."""
        if not self.place.virtual:
            self.place.sleep(0.2)
            return True
        return self.place.step() or self.place.now() >= end

    def _why_not(self, ref: str, until: object, timeout: float, obj: Object | None) -> str:
        state = "그런 오브젝트가 없다" if obj is None else f"지금 상태: {_state(obj)}"
        hint = f"`%kubectl describe {ref}`로 까닭을 살펴보자."
        return f"기다린 상태가 {timeout:g}초 안에 오지 않았다: {ref} {until}. {state}. {hint}"

    # ---- 보기 ---------------------------------------------------------------
    def map(self, title: str = "클러스터 지도") -> View:
        """노드와 그 위의 파드를 그린다."""
        return map.render(self.client.list("nodes"), self.client.list("pods", self.namespace), title)

    def dashboard(self, ref: str = "", *, title: str = "대시보드", beside: bool = False) -> Dashboard:
        """지도, 롤아웃, 이벤트, 트래픽을 나란히 놓고 따라간다. 내장 클러스터에서는 단추로 시간을 보낸다.

        ref: 롤아웃을 볼 디플로이먼트. 비우면 이름이 가장 앞선 것. 한 실습에 하나이고, 다시 부르면 앞의 것을 닫는다.
        beside: JupyterLab이라면 노트북 옆 칸에 연다. 그런 칸이 없는 곳에서는 셀 아래에 보인다.
        """
        if self._board is not None:
            self._board.close()
        self._board = Dashboard(self, ref, title, beside=beside)
        return self._board

    def packing(self, title: str = "빈 패킹 판") -> View:
        """노드의 CPU와 메모리를 파드의 요청이 얼마나 채웠는지 그린다."""
        return packing.cluster(self.client.list("nodes"), self.client.list("pods", self.namespace), title)

    def timeline(self, selector: str = "", *, since: float | None = None, title: str = "파드의 시간표") -> View:
        """파드마다 한 줄로, 언제 어떤 상태였는지 그린다. since는 실습을 시작한 뒤의 초."""
        start = self.started
        wanted = dict(pair.split("=", 1) for pair in selector.split(",") if pair)
        changes = [c for c in self.place.changes() if _of_lab(c, self.namespace, wanted)]
        rows = chronicle.pod_rows(changes, start, self.place.now())
        begin = since if since is not None else max(0.0, min((c.time - start for c in changes), default=0.0))
        marks = [(r.time - start, f"{r.verb} {r.object}") for r in self.place.records() if r.actor == "fault"]
        return timeline.render(rows, begin, self.elapsed, marks, title=title)

    def scrub(
        self, selector: str = "", *, since: float | None = None, small: bool = False, title: str = "그 순간의 클러스터"
    ) -> scrubber.Scrubber:
        """슬라이더로 지난 순간들을 오가며 그때의 지도를 본다. 좌우 화살표 글쇠로 한 순간씩 움직인다.

        selector가 없으면 실습 네임스페이스의 파드를 모두 본다. since는 실습을 시작한 뒤의 초.
        small=True이거나 ipywidgets가 없으면 순간 여섯을 작은 지도로 나란히 보인다.
        """
        wanted = dict(pair.split("=", 1) for pair in selector.split(",") if pair)
        changes = self.place.changes()
        uids = [c.object["metadata"]["uid"] for c in changes if _of_lab(c, self.namespace, wanted)]
        marks = [(r.time - self.started, f"{r.verb} {r.object}") for r in self.place.records() if r.actor == "fault"]
        return scrubber.Scrubber(scrubber.moments(changes, uids, self.started, since, marks), title, small=small)

    def journey(self, ref: str, *, steps: int | None = None, title: str = "매니페스트의 여정") -> View:
        """오브젝트 하나와 거기서 나온 것들을 누가 차례로 만들고 고쳤는지 그린다. steps는 그릴 걸음의 수."""
        found = refs.parse(ref, self.client)
        members = chronicle.family(self.place.changes(), found.resource, found.name, self.namespace)
        return journey.render(chronicle.journey(self.place.records(), members, self.started)[:steps], title)

    def request(
        self, url: str, *, source: str = "", headers: dict[str, str] | None = None, title: str = "요청의 여정"
    ) -> View:
        """요청 하나를 실제로 보내고, DNS, kube-proxy, 정책, 파드 가운데 어디를 지났는지 그린다.

        source는 보내는 파드의 이름(`"client"`, `"team-a/client"`). 비우면 클러스터 밖에서 보낸다.
        """
        nearest = "`kubectl exec`로 `nslookup`과 `wget`을 차례로 해 보자."
        place = embedded(self.place, "요청의 길을 들여다보는 일", nearest)
        return request.render(hops.walk(place.cluster, url, source, self.namespace, headers), title)

    def rollout(self, ref: str, *, since: float = 0.0, title: str = "준비된 파드의 수") -> View:
        """디플로이먼트의 레플리카셋마다 준비된 파드의 수를 시간에 따라 그린다. since는 실습을 시작한 뒤의 초."""
        uid = self.get(ref)["metadata"]["uid"]
        return rollout.render(self.place.changes(), uid, self.started, since, self.elapsed, title)

    def explain(self, ref: str) -> View:
        """스케줄러가 이 파드를 왜 그 노드에 두었는지(또는 두지 못했는지) 표와 문장으로 보여 준다."""
        name = refs.parse(ref, self.client).name
        pod = f"pods/{self.namespace}/{name}"
        found = [r for r in self.place.records() if r.verb == "schedule" and r.object == pod]
        if not found:
            raise ValueError(f"{ref}를 스케줄한 기록이 없다. 파드의 이름이 맞는지, 스케줄러가 보았는지 살피자.")
        return decision.of_record(found[-1].detail)

    def why(self, question: str) -> Text:
        """`k.why("pod/web is Pending")`: 기록을 거슬러 올라가 까닭을 한국어로 말한다."""
        cluster = embedded(self.place, "까닭을 되짚는 일", "`%kubectl describe`의 이벤트를 읽자.").cluster
        return Text("\n".join(cluster.history.why(question, namespace=self.namespace)))

    # ---- 트래픽과 고장 -----------------------------------------------------------
    def traffic(self, target: str, *, wait: bool = True, **options: Any) -> Traffic:
        """서비스에 요청을 보내고 결과를 모은다.

        target: 서비스 이름, `svc/이름:포트`, `pod/이름:포트` 또는 URL.
        options: rate(초당 요청), duration(초), clients, keep_alive, retries 등(network/traffic.py).
        wait=False면 시작만 하고 돌아온다. 그 뒤 `k.sleep`으로 시간을 보내면 요청이 나간다.
        """
        place = embedded(self.place, "가상 트래픽을 보내는 일", "`kubectl port-forward`로 길을 내고 요청을 보내자.")
        options.setdefault("namespace", self.namespace)
        traffic = place.cluster.traffic
        if wait:
            self.last_traffic = Traffic(traffic.run(target, place.cluster.advance, **options))
        else:
            self.last_traffic = Traffic(traffic.start(target, **options))
        return self.last_traffic

    def start_controller(self, kind: type[Controller]) -> Controller:
        """직접 만든 컨트롤러를 클러스터에 넣는다. `k.controlplane.stop(이름)`으로 끌 수 있다.

        kind: `Controller`를 이어받아 `name`을 정하고 `reconcile(key)`를 쓴 클래스.
        """
        cluster = embedded(self.place, "컨트롤러를 넣는 일", "파드로 띄우거나 kopf 같은 도구로 돌리자.").cluster
        made = kind(cluster.context(kind.name, kind.name))
        cluster.controlplane.add(kind.name, Part(kind.name, made.start, made.stop))
        cluster.controlplane.start_informers(kind.name)
        return made

    @property
    def faults(self) -> Faults:
        """고장을 내는 손잡이. `k.faults.names()`가 낼 수 있는 고장의 목록이다."""
        return embedded(self.place, "고장을 내는 일", "파드를 지우거나 노드를 cordon하자.").cluster.faults

    @property
    def history(self) -> History:
        """지난 리비전의 클러스터를 보고 두 순간을 견준다: `k.history.at(rv)`, `k.history.diff(a, b)`."""
        return embedded(self.place, "지난 상태를 보는 일", "백업이나 감사 로그를 살피자.").cluster.history


def _of_lab(change: chronicle.Change, namespace: str, labels: dict[str, str]) -> bool:
    meta = change.object["metadata"]
    has = meta.get("labels") or {}
    return meta.get("namespace") == namespace and all(has.get(k) == v for k, v in labels.items())


Objects = list[Object]


def _state(obj: Object) -> str:
    status = obj.get("status") or {}
    said = [
        f"{c['type']}={c['status']}" + (f"({c['reason']})" if c.get("reason") else "")
        for c in status.get("conditions") or ()
    ]
    return ", ".join([*([f"phase={status['phase']}"] if status.get("phase") else []), *said]) or key(obj)
