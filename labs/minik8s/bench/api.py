"""`run.py bench api`: what the API server does in a second, in this process and over HTTPS.

create pod, get pod, list 1,000 pods, and a change seen by 1, 20 and 100 watchers; memory with 1,000 pods; time until
ready. Over HTTPS the server is a process of its own (`minik8s up`), the clients are threads with open connections.
The last line printed is one JSON object; `--json FILE` writes it to a file too.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import yaml

from minik8s.cluster import ADMIN, Cluster
from minik8s.edge.jsonbytes import Encoder
from minik8s.objects import Object
from minik8s.wire import Request

CONTROLLERS = "serviceaccount,root-ca-certificate-publisher,namespace"
Figures = dict[str, Any]
KUBERNETES = {
    "create_per_second": [193, 258],
    "create_16_per_second": [596, 610],
    "get_per_second": [611, 642],
    "list_1000_ms": [36, 40],
    "watch_p50_ms": 4.1,
    "rss_mib": [480, 500],
    "ready_seconds": 3.0,
}
"""kube-apiserver 1.36 with etcd on a machine of this kind, for comparison."""


class Api(Protocol):
    """One client of a server."""

    def call(self, method: str, path: str, body: Object | None = None) -> bytes: ...

    def close(self) -> None: ...


# ---- two ways to a server ----------------------------------------------------------------


class InProcess:
    """Calls `handle` and encodes the answer, without sockets."""

    def __init__(self, cluster: Cluster):
        self._cluster, self._encoder = cluster, Encoder()

    def call(self, method: str, path: str, body: Object | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if data else {}
        response = self._cluster.handle(Request(method, path, {}, headers, data, ADMIN))
        if response.status >= 300:
            raise RuntimeError(response.body)
        return self._encoder.body(response)

    def close(self) -> None:
        """Nothing to close."""


class Https:
    """One keep-alive connection."""

    def __init__(self, port: int, token: str, context: ssl.SSLContext):
        self._connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Object | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, data, self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status >= 300:
            raise RuntimeError(answer[:300])
        return answer

    def open(self, path: str) -> http.client.HTTPResponse:
        """A GET whose body is read by the caller."""
        self._connection.request("GET", path, headers=self._headers)
        return self._connection.getresponse()

    def close(self) -> None:
        self._connection.close()


class Up:
    """`minik8s up` in a process of its own."""

    def __init__(self, folder: Path, *flags: str):
        config = folder / "kubeconfig"
        command = [sys.executable, "-m", "minik8s", "up", "--nodes", "0"]
        command += ["--controllers", CONTROLLERS, "--kubeconfig", str(config), *flags]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        begin = time.perf_counter()
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.ready = time.perf_counter() - begin
        if not line.startswith("minik8s ready"):
            raise RuntimeError("the server did not start")
        self.port = int(line.split()[2].rsplit(":", 1)[1])
        found = yaml.safe_load(config.read_text())
        self.token = found["users"][0]["user"]["token"]
        self.context = ssl._create_unverified_context()

    def connect(self) -> Https:
        return Https(self.port, self.token, self.context)

    def rss(self) -> float:
        """Resident memory in MiB; 0 where /proc is not there."""
        try:
            text = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0.0
        return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmRSS"))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


@contextmanager
def server(*flags: str) -> Iterator[Up]:
    """A server that is ended again."""
    with tempfile.TemporaryDirectory() as folder:
        up = Up(Path(folder), *flags)
        try:
            yield up
        finally:
            up.stop()


# ---- what is measured ----------------------------------------------------------------------


def pod(name: str) -> Object:
    """The pod of every measurement: one container with requests and a port."""
    container = {
        "name": "app",
        "image": "nginx:1.27",
        "ports": [{"containerPort": 80}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
    }
    meta = {"name": name, "labels": {"app": "bench"}}
    spec = {"schedulerName": "nobody", "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def pods_of(api: Api, namespace: str, wait: Callable[[], object]) -> str:
    """A namespace that is ready for pods; the path of its pods."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    api.call("POST", "/api/v1/namespaces", body)
    base = f"/api/v1/namespaces/{namespace}"
    while True:
        try:
            api.call("GET", f"{base}/serviceaccounts/default")
            return f"{base}/pods"
        except RuntimeError:
            wait()


def summary(seconds: list[float], wall: float) -> Figures:
    """Percentiles in milliseconds, and how many a second."""
    ordered = sorted(seconds)

    def at(part: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000, 3)

    rate = round(len(ordered) / wall, 1)
    return {"n": len(ordered), "p50_ms": at(0.5), "p99_ms": at(0.99), "per_second": rate}


def timed(work: list[Callable[[], object]]) -> Figures:
    """Do one thing after the other."""
    took: list[float] = []
    begin = time.perf_counter()
    for each in work:
        before = time.perf_counter()
        each()
        took.append(time.perf_counter() - before)
    return summary(took, time.perf_counter() - begin)


def basics(api: Api, path: str, count: int, lists: int = 10) -> Figures:
    """create, get, patch-free reads and lists by one client."""
    out: Figures = {}
    out["create"] = timed([lambda i=i: api.call("POST", path, pod(f"p-{i}")) for i in range(count)])  # type: ignore[misc]
    out["get"] = timed([lambda i=i: api.call("GET", f"{path}/p-{i}") for i in range(count)])  # type: ignore[misc]
    for index in range(count, 1000):
        api.call("POST", path, pod(f"p-{index}"))
    size = len(api.call("GET", path))
    out[f"list_{max(count, 1000)}"] = {**timed([lambda: api.call("GET", path)] * lists), "bytes": size}
    return out


def concurrent(up: Up, path: str, clients: int, count: int) -> Figures:
    """create by many clients at once."""
    took: list[float] = []
    begin = threading.Event()

    def work(number: int) -> None:
        api = up.connect()
        begin.wait()
        for index in range(count // clients):
            before = time.perf_counter()
            api.call("POST", path, pod(f"c-{number}-{index}"))
            took.append(time.perf_counter() - before)
        api.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    start = time.perf_counter()
    begin.set()
    for thread in threads:
        thread.join()
    return summary(took, time.perf_counter() - start)


def fan_out(up: Up, api: Https, path: str, watchers: int, count: int) -> Figures:
    """From the start of a create to its event on each open watch."""
    version = json.loads(api.call("GET", path))["metadata"]["resourceVersion"]
    sent: dict[str, float] = {}
    seen: list[float] = []
    connections = [up.connect() for _ in range(watchers)]

    def follow(connection: Https) -> None:
        response = connection.open(f"{path}?watch=true&resourceVersion={version}")
        opened.release()
        for _ in range(count):
            line = response.readline()
            now = time.perf_counter()
            at = line.find(b'"name":"w-') + 8
            seen.append(now - sent[line[at : line.find(b'"', at)].decode()])

    opened = threading.Semaphore(0)
    threads = [threading.Thread(target=follow, args=(connection,)) for connection in connections]
    for thread in threads:
        thread.start()
    for _ in threads:
        opened.acquire()
    begin = time.perf_counter()
    for index in range(count):
        sent[f"w-{index}"] = time.perf_counter()
        api.call("POST", path, pod(f"w-{index}"))
    for thread in threads:
        thread.join()
    out = summary(seen, time.perf_counter() - begin)
    for connection in connections:
        connection.close()
    return out


def in_process(count: int) -> Figures:
    """Everything without sockets."""
    cluster = Cluster(nodes=0, scheduler=False, controllers=CONTROLLERS, settle=False)
    api = InProcess(cluster)
    return basics(api, pods_of(api, "bench", lambda: cluster.advance(0.1)), count)


def over_https(count: int, watchers: tuple[int, ...], *flags: str) -> Figures:
    """Everything through `minik8s up`."""
    with server("--no-scheduler", *flags) as up:
        api = up.connect()
        out: Figures = {"ready_seconds": round(up.ready, 3), "rss_empty_mib": round(up.rss(), 1)}
        path = pods_of(api, "bench", lambda: time.sleep(0.01))
        out |= basics(api, path, min(count, 1000))
        out["rss_1000_pods_mib"] = round(up.rss(), 1)
        out["create_16_clients"] = concurrent(up, pods_of(api, "many", lambda: time.sleep(0.01)), 16, count)
        for number in watchers:
            space = pods_of(api, f"watch-{number}", lambda: time.sleep(0.01))
            out[f"watch_{number}"] = fan_out(up, api, space, number, 100)
        api.close()
    return out


def created_to_bound(arguments: argparse.Namespace) -> Figures:
    """Pods a second from their creation by 16 clients to their binding, with the scheduler beside the API server.

    Reads `nodes` and `pods` (at most 2,000 of them are sent over HTTPS).
    """
    nodes, count = int(arguments.nodes), min(int(arguments.pods), 2000)
    with server() as up:
        api = up.connect()
        allocatable = {"cpu": "32", "memory": "64Gi", "pods": "110"}
        for index in range(nodes):
            status = {"allocatable": allocatable, "capacity": allocatable}
            meta = {"name": f"node-{index}"}
            api.call("POST", "/api/v1/nodes", {"kind": "Node", "apiVersion": "v1", "metadata": meta, "status": status})
            node = json.loads(api.call("GET", f"/api/v1/nodes/node-{index}"))
            api.call("PUT", f"/api/v1/nodes/node-{index}", {**node, "spec": {}})
        path = pods_of(api, "bound", lambda: time.sleep(0.01))
        version = json.loads(api.call("GET", path))["metadata"]["resourceVersion"]
        lines = up.connect().open(f"{path}?watch=true&resourceVersion={version}")
        begin = time.perf_counter()
        threads = [threading.Thread(target=_send, args=(up, path, range(k, count, 16))) for k in range(16)]
        for thread in threads:
            thread.start()
        bound: set[str] = set()
        while len(bound) < count:
            found = json.loads(lines.readline())["object"]
            if found["spec"].get("nodeName"):
                bound.add(found["metadata"]["name"])
        took = time.perf_counter() - begin
        for thread in threads:
            thread.join()
        return {"nodes": nodes, "pods": count, "seconds": round(took, 3), "pods_per_second": round(count / took, 1)}


def _send(up: Up, path: str, numbers: range) -> None:
    api = up.connect()
    for index in numbers:
        made = pod(f"b-{index}")
        del made["spec"]["schedulerName"]
        api.call("POST", path, made)
    api.close()


def machine() -> Figures:
    """What the figures were taken on."""
    facts: Figures = {"python": platform.python_version(), "system": platform.platform(), "cpus": os.cpu_count()}
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        facts["cpu"] = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        facts["load"] = os.getloadavg()[0]
    except (OSError, StopIteration):
        pass
    return facts


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(prog="run.py bench api", description="API 서버의 속도를 잰다.")
    parser.add_argument("--count", type=int, default=1000, help="만들고 읽을 파드 수(기본 1000)")
    parser.add_argument("--watchers", default="1,20,100", help="동시에 볼 감시자 수(기본 1,20,100)")
    parser.add_argument("--data", action="store_true", help="SQLite에 남기는 서버도 잰다")
    parser.add_argument("--json", type=Path, help="결과를 쓸 파일")
    arguments = parser.parse_args(argv)
    watchers = tuple(int(text) for text in arguments.watchers.split(",") if text)
    result: Figures = {"machine": machine(), "kube-apiserver": KUBERNETES}
    result["in_process"] = in_process(arguments.count)
    result["https"] = over_https(arguments.count, watchers)
    if arguments.data:
        with tempfile.TemporaryDirectory() as folder:
            result["https_sqlite"] = over_https(arguments.count, watchers, "--data", str(Path(folder) / "data"))
    for place in ("in_process", "https", "https_sqlite"):
        for name, figures in result.get(place, {}).items():
            print(f"{place:13} {name:20} {figures}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
