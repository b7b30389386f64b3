"""실제 클러스터에 잇기: 허락된 컨텍스트만, 자기 네임스페이스 안에서, 자기가 만든 것만 지우며.

The user's kubeconfig is read, copied and never changed. Calls go over the official client's own
connection pool, so its ways of authentication (certificates, tokens, exec plugins) all work.
"""

from __future__ import annotations

import atexit
import json
import os
import shlex
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from minik8s.client import Client
from minik8s.lab import outlook, refs, remains, remote_traffic
from minik8s.lab.chronicle import Change
from minik8s.lab.contexts import ContextRefused, check_context, contexts, private_copy, user_kubeconfig
from minik8s.lab.load import Traffic
from minik8s.lab.official import ADMIN
from minik8s.lab.session import Lab, Objects
from minik8s.lab.views import decision
from minik8s.lab.views.svg import View
from minik8s.objects import Object
from minik8s.objects.kinds import KINDS
from minik8s.scheduler import explain
from minik8s.trace import Record
from minik8s.wire import Request, Response, StatusError, WatchEvent

WATCHED = ("pods", "deployments.apps", "replicasets.apps", "nodes")
CONNECT_SECONDS, READ_SECONDS = 5.0, 60.0
FIRST_SECONDS = 10.0
"""How long the first answer may take: a cluster that hangs is told soon."""


class RemoteStream:
    """A watch of a real API server, read by a thread, drained by the caller."""

    def __init__(self, answer: Any, news: Callable[[], None] = lambda: None):
        self._answer, self._news = answer, news
        self._queue: deque[tuple[float, WatchEvent]] = deque()
        self.wake: Callable[[], None] | None = None
        self.closed = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        rest = b""
        try:
            for chunk in self._answer.stream(4096):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in filter(None, lines):
                    event = json.loads(line)
                    self._queue.append((time.time(), WatchEvent(event["type"], event["object"])))
                self._news()
        except Exception:  # the connection ended one way or another; the reader only needs to know that it did
            pass
        self._answer.close()  # here, not in close(): a response that is being read cannot be closed by another thread
        self.closed = True
        self._news()

    def drain(self) -> list[WatchEvent]:
        return [event for _, event in self.timed()]

    def timed(self) -> list[tuple[float, WatchEvent]]:
        """The events since the last call, each with when it came."""
        return [self._queue.popleft() for _ in range(len(self._queue))]

    def close(self) -> None:
        """End the watch; its thread ends soon after."""
        self.closed = True
        with suppress(Exception):  # the server may have ended it already, however it liked
            self._answer.shutdown()


class Remote:
    """A real API server as a Place. Time is real."""

    virtual = False

    def __init__(self, context: str, kubeconfig: Path):
        from kubernetes import config

        self.name, self.kubeconfig = context, kubeconfig
        load: Any = config.new_client_from_config
        self.api_client: Any = load(str(kubeconfig), context, persist_config=False)
        self.patience = READ_SECONDS
        self._changes: list[Change] = []
        self._streams: dict[str, RemoteStream] = {}
        self._lock = threading.Lock()
        self.trouble = ""
        self.listeners: list[Callable[[], None]] = []
        self._watch: Callable[[str], RemoteStream | None] = lambda resource: None

    # ---- Place ---------------------------------------------------------------
    def handle(self, request: Request) -> Response:
        """Send the request; a server that cannot be reached answers 503 in Korean."""
        settings = self.api_client.configuration
        from urllib3 import HTTPHeaderDict

        headers = HTTPHeaderDict({"accept": "application/json"})
        for name, value in request.headers.items():
            headers.discard(name)
            for one in value.split("\n"):  # what may be repeated (Impersonate-Group) stands in one value
                headers.add(name, one)
        token = settings.get_api_key_with_prefix("BearerToken") or settings.get_api_key_with_prefix("authorization")
        if token:
            headers["authorization"] = token
        watching = request.param("watch") in {"true", "1"}
        body = None
        if request.body is not None:
            body = request.body if isinstance(request.body, bytes | str) else json.dumps(request.body)
            headers.setdefault("content-type", "application/json")
        url = settings.host.rstrip("/") + request.path
        if request.query:
            url += "?" + urlencode(request.query, doseq=True)
        try:
            answer = self.api_client.rest_client.pool_manager.request(
                request.method,
                url,
                body=body,
                headers=headers,
                preload_content=not watching,
                retries=False,
                timeout=_timeout(None if watching else self.patience),
            )
        except Exception as error:
            return _unreachable(self.name, error)
        if watching and answer.status == 200:
            return Response(200, stream=RemoteStream(answer, self._news))
        return Response(answer.status, _decoded(answer), {k.lower(): v for k, v in answer.headers.items()})

    @property
    def url(self) -> str:
        """Where the API server is."""
        return str(self.api_client.configuration.host)

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def step(self) -> bool:
        time.sleep(0.05)
        return True

    def changes(self) -> list[Change]:
        """What the lab has seen happen since it connected. Any thread may ask."""
        with self._lock:
            return self._brought()

    def _brought(self) -> list[Change]:
        for resource, stream in self._streams.items():
            for when, event in stream.timed():
                if event.type in {"ADDED", "MODIFIED", "DELETED"}:
                    self._changes.append(Change(when, event.type, resource, event.object))
        for resource, stream in list(self._streams.items()):
            if stream.closed:  # API servers end every watch after some minutes
                self._open(resource)
        self._changes.sort(key=lambda change: change.time)
        return self._changes

    def records(self) -> list[Record]:
        """A real cluster keeps its audit log to itself."""
        return []

    # ---- more ------------------------------------------------------------------
    def follow(self, client: Client, namespace: str) -> None:
        """Watch what the views need, from now on."""

        def watch(resource: str) -> RemoteStream | None:
            try:
                stream = client.watch(resource, None if resource == "nodes" else namespace)
            except StatusError as error:
                if error.code == 503:
                    self.trouble = error.message
                return None  # not allowed to watch it: the view shows what is left
            self.trouble = ""
            return stream if isinstance(stream, RemoteStream) else None

        self._watch = watch
        for resource in WATCHED:
            self._open(resource)

    def _news(self) -> None:
        for heard in list(self.listeners):
            heard()

    def _open(self, resource: str) -> None:
        stream = self._watch(resource)
        if stream is not None:
            self._streams[resource] = stream


def _timeout(read: float | None) -> Any:
    import urllib3

    return urllib3.Timeout(connect=CONNECT_SECONDS, read=read)


def _decoded(answer: Any) -> Any:
    try:
        return json.loads(answer.data) if answer.data else None
    except ValueError:
        return bytes(answer.data)


def _unreachable(name: str, error: Exception) -> Response:
    text = str(error).lower()
    if "expired" in text:
        why = "인증서의 기한이 지났다. 이 컴퓨터의 시계가 맞는지 보고, 클러스터의 인증서나 kubeconfig를 새로 받자."
    elif "certificate" in text or "ssl" in text:
        why = "인증서를 믿을 수 없다. 클러스터를 다시 만들었다면 kubeconfig도 새로 받자."
    elif "timed out" in text or "timeout" in text:
        why = (
            "대답이 오지 않는다. 클러스터가 켜져 있는지, 방화벽이나 프록시(NO_PROXY)가 막는지 살피자(`minik8s doctor`)."
        )
    else:
        why = "클러스터가 켜져 있는지, 주소가 맞는지 살피자(`kubectl cluster-info`, `minik8s doctor`)."
    message = f"{name}에 닿지 않는다: {why}"
    return Response(503, StatusError(503, "ServiceUnavailable", message).status())


class Unusable(RuntimeError):
    """이 클러스터에서는 실습할 수 없다. 까닭과 할 일이 글에 있다."""


def connect_remote(context: str, name: str = "lab") -> RemoteLab:
    """A Lab on a real cluster, in a namespace of its own. ContextRefused or Unusable, in Korean."""
    namespace = f"minik8s-{name}-{os.urandom(3).hex()}"
    place = _place(context, namespace)
    client = Client(place.handle, actor="minik8s-lab", user=ADMIN)
    try:
        _greet(place, client)
        remains.tidy(client)
        client.create("namespaces", remains.namespace(namespace, name))
    except StatusError as error:
        raise Unusable(_why(error, context)) from None
    remains.await_usable(client, namespace)
    if shutil.which("kubectl") is None:
        print("kubectl이 없어서 함께 온 작은 kubectl을 쓴다. 설치: https://kubernetes.io/docs/tasks/tools/")
    place.follow(client, namespace)
    return RemoteLab(place, namespace)


def client_of(context: str) -> Client:
    """A client of an allowed context, without a lab. ContextRefused in Korean."""
    return Client(_place(context, "default").handle, actor="minik8s-lab", user=ADMIN)


def _place(context: str, namespace: str) -> Remote:
    try:
        from kubernetes.config import ConfigException
    except ImportError:
        raise Unusable(
            "실제 클러스터에 이으려면 공식 파이썬 클라이언트가 있어야 한다: `pip install kubernetes`. "
            "웹 페이지 안에서는 내장 클러스터에만 이을 수 있다."
        ) from None
    source = user_kubeconfig(context)
    check_context(context, contexts(source))
    try:
        return Remote(context, private_copy(source, context, namespace))
    except (ConfigException, OSError, ValueError, TypeError) as error:  # a key that is missing, a file that is gone
        raise ContextRefused(f"kubeconfig의 {context!r} 항목이 온전하지 않다: {error}") from None


def _greet(place: Remote, client: Client) -> None:
    """The first call: does anyone answer soon, and is it an API server? Unusable when it is something else."""
    place.patience = FIRST_SECONDS
    version = client.call("GET", "/version")
    place.patience = READ_SECONDS
    if not isinstance(version, dict) or "gitVersion" not in version:
        raise Unusable(
            f"{place.name}의 주소에서 대답한 것은 쿠버네티스 API 서버가 아니다. kubeconfig의 server를 살피자."
        )


def _why(error: StatusError, context: str) -> str:
    if error.code == 401:
        return f"{context}의 API 서버가 우리를 모른다(401). 토큰이나 인증서의 기한을 보고, kubeconfig를 새로 받자."
    if error.code == 403:
        return (
            f"{context}에서 할 권한이 없다(403): {error.message}. "
            "실습은 제 네임스페이스를 만들어 쓴다. 관리자에게 그 권한을 부탁하거나 내장 클러스터에서 하자."
        )
    return error.message


Names = list[str]


class RemoteLab(Lab):
    """A Lab whose namespace is its own, and goes with it."""

    def __init__(self, place: Remote, namespace: str):
        super().__init__(place, namespace)
        self._remote = place
        atexit.register(self._farewell)

    @property
    def api_client(self) -> Any:
        return self._remote.api_client

    def kubectl(self, line: str, *, stdin: str = "") -> Any:
        """The real kubectl where there is one, on the lab's own copy of the kubeconfig; else our small one."""
        from minik8s.lab.kubectl import Result

        binary = shutil.which("kubectl")
        if binary is None:
            return super().kubectl(line, stdin=stdin)
        done = subprocess.run(
            [binary, *shlex.split(line.removeprefix("kubectl "))],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "KUBECONFIG": str(self._remote.kubeconfig)},
        )
        return Result(done.stdout, done.stderr, done.returncode)

    def traffic(self, target: str, *, wait: bool = True, **options: Any) -> Traffic:
        """서비스(`shop:80/path`)나 파드(`pod/web:80`)에 API 서버의 프록시로 요청을 보낸다. 정말로 기다린다."""
        load = remote_traffic.send(self.client, self._remote.handle, target, self.namespace, wait=wait, **options)
        self.last_traffic = Traffic(load)
        return self.last_traffic

    def explain(self, ref: str) -> View:
        """이 클러스터의 지금 노드와 파드를 읽어, 우리 스케줄러라면 이 파드를 어디에 두었을지 보여 준다."""
        name = refs.parse(ref, self.client).name
        decided = outlook.decide(self.client, self.namespace, name)
        print(outlook.compared(decided, self.get(f"pod/{name}")["spec"].get("nodeName") or ""))
        return decision.of_record(explain.as_record(decided))

    def list(self, kind: str, selector: str = "", namespace: str | None = None) -> Objects:
        """`k.list("pods", "app=web")`: 실습 네임스페이스의 오브젝트를 이름 순으로."""
        found = super().list(kind, selector, namespace)
        known = next((one for one in KINDS if one.resource_name == refs.resource(kind, self.client)), None)
        if known is not None:  # a real API server leaves both out of the items of a list
            version = f"{known.group}/{known.version}" if known.group else known.version
            found = [{"apiVersion": version, "kind": known.kind, **obj} for obj in found]
        return found

    def cleanup(self) -> None:
        """이 실습의 네임스페이스와, 네임스페이스 밖에 만든 것을 지운다."""
        for ref, namespace in reversed(self._made):
            if namespace != self.namespace or ref.resource in remains.CLUSTER_SCOPED:
                remains.forget(self.client, ref.resource, namespace, ref.name)
        self._made.clear()
        remains.remove(self.client, self.namespace)

    def remove_leftovers(self) -> Names:
        """지난 실습들이 남긴 것을 지우고 그 네임스페이스의 이름을 돌려준다. 지금 도는 실습과 남의 것은 두고."""
        stale = remains.leftovers(self.client)
        for name in stale:
            remains.remove(self.client, name)
        return stale

    def _apply(self, obj: Object, ref: refs.Ref, namespace: str) -> Object:
        if ref.resource in remains.CLUSTER_SCOPED:
            meta = obj["metadata"]
            obj = {**obj, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), remains.LABEL: self.namespace}}}
        return super()._apply(obj, ref, namespace)

    def _farewell(self) -> None:
        try:
            self.cleanup()
        except StatusError:
            pass  # the server went first; the namespace is found at the next start
