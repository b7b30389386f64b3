"""The process runtime: `minik8s up --runtime process` with real processes behind the kubelet's contract."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiohttp")

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc and at 127.0.0.0/8"),
    pytest.mark.skipif(shutil.which("sh") is None, reason="without a shell"),
]

LABS = str(Path(__file__).parents[3] / "labs")
PATIENCE = 60.0

MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {greeting: "hello from a file"}
---
apiVersion: batch/v1
kind: Job
metadata: {name: three}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      initContainers:
      - {name: init, image: busybox, command: [sh, -c, "echo made by init > /shared/note"],
         volumeMounts: [{name: shared, mountPath: /shared}]}
      containers:
      - name: c
        image: busybox
        command: [sh, -c, "cat /etc/conf/greeting /shared/note; echo $COLOUR $HOSTNAME; echo wrong >&2; exit 3"]
        env: [{name: COLOUR, value: blue}]
        volumeMounts: [{name: conf, mountPath: /etc/conf}, {name: shared, mountPath: /shared}]
      volumes: [{name: conf, configMap: {name: conf}}, {name: shared, emptyDir: {}}]
---
apiVersion: v1
kind: Pod
metadata: {name: crash}
spec: {containers: [{name: c, image: busybox, command: [sh, -c, "echo boom; exit 1"]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: nope}
spec: {containers: [{name: c, image: busybox, command: [no-such-program]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: hungry}
spec:
  restartPolicy: Never
  containers:
  - {name: c, image: polinux/stress, command: [stress], args: [--vm, "1", --vm-bytes, 150M],
     resources: {limits: {memory: 100Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: box}
spec:
  terminationGracePeriodSeconds: 2
  containers:
  - name: c
    image: busybox
    stdin: true
    command: [sh, -c, "setsid sleep 1000 & while read line; do echo got $line; done; sleep 1000"]
---
apiVersion: v1
kind: Pod
metadata: {name: py}
spec:
  volumes: [{name: conf, configMap: {name: conf}}]
  containers:
  - name: c
    image: python:3.12
    volumeMounts: [{name: conf, mountPath: /etc/conf}]
    command:
    - python3
    - -c
    - |
      import http.server, urllib.request
      print(open("/etc/conf/greeting").read())
      http.server.ThreadingHTTPServer(("", 80), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


class Server:
    """`minik8s up --runtime process`, and kubectl against it."""

    def __init__(self, folder: Path):
        self.folder = folder
        config = folder / "kubeconfig"
        self.env = {**os.environ, "PYTHONPATH": LABS, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder),
                    "KUBECONFIG": str(config), "TMPDIR": str(folder)}  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "minik8s", "up", "--runtime", "process", "--nodes", "2", "--use"],
            env=self.env, text=True, stdout=subprocess.PIPE, stderr=(folder / "errors").open("w"),
        )  # fmt: skip
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()

    def errors(self) -> str:
        return (self.folder / "errors").read_text()

    def kubectl(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run([KUBECTL, *words], env=self.env, text=True, input=stdin, capture_output=True,
                              timeout=PATIENCE, check=False)  # fmt: skip

    def get(self, *words: str) -> Any:
        return json.loads(self.kubectl("get", *words, "-o", "json").stdout)

    def until(self, test: Callable[[], Any]) -> Any:
        """The first true answer."""
        end = time.monotonic() + PATIENCE
        while not (found := test()):
            assert time.monotonic() < end, self.kubectl("get", "pods,events").stdout
            time.sleep(0.05)
        return found

    def state(self, pod: str, *path: str) -> Any:
        """A part of the first container's status, {} where it is not there."""
        value: Any = self.get("pod", pod).get("status", {}).get("containerStatuses", [{}])[0]
        for name in path:
            value = value.get(name, {})
        return value

    def here(self, address: str) -> str:
        """Where this server's cluster address is to be reached."""
        self.until(lambda: self.state("py").get("ready"))
        told = self.kubectl("exec", "py", "--", "sh", "-c", "echo $MINIK8S_SECONDS").stdout.strip()
        second, rest = address.split(".", 2)[1:]
        return f"127.{dict(pair.split('=') for pair in told.split(','))[second]}.{rest}"

    def folders(self) -> list[Path]:
        return list(self.folder.glob("minik8s-pods-*"))

    def processes(self) -> list[int]:
        """Everything that has been started for a container of this server."""
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if str(self.folder) in environ(pid)]


def environ(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except OSError:
        return ""
    return text if "MINIK8S_CONTAINER=" in text else ""


KUBECTL = shutil.which("kubectl", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])) or ""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With all manifests applied."""
    if not KUBECTL:
        pytest.skip("kubectl가 없다")
    running = Server(tmp_path_factory.mktemp("up"))
    try:
        running.until(lambda: running.kubectl("get", "serviceaccount", "default").returncode == 0)
        assert running.kubectl("apply", "-f", "-", stdin=MANIFESTS).returncode == 0
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


def fetch(host: str, port: int) -> str:
    """GET / of a door, whose port is moved for those who may not open low ones."""
    for each in (port, port + 8000):
        try:
            with urllib.request.urlopen(f"http://{host}:{each}/", timeout=5) as answer:
                return str(answer.read().decode())
        except (OSError, urllib.error.URLError):
            continue
    return ""


def test_it_says_what_it_is_and_is_not_the_default(server: Server) -> None:
    assert "격리가 아니다" in server.errors()
    help_text = subprocess.run([sys.executable, "-m", "minik8s", "up", "--help"], env=server.env, text=True,
                               capture_output=True, check=False).stdout  # fmt: skip
    assert "simulated(기본)" in help_text and "격리하지 않는다" in help_text


def test_a_service_carries_real_bytes_from_real_processes(server: Server) -> None:
    server.until(lambda: server.get("deployment", "web").get("status", {}).get("readyReplicas") == 2)
    for address, port in ((server.get("service", "web")["spec"]["clusterIP"], 80), ("172.18.0.2", 30080),
                          ("172.19.255.190", 80)):  # fmt: skip
        assert "Welcome to nginx!" in server.until(functools.partial(fetch, server.here(address), port))
    proxied = server.kubectl("get", "--raw", "/api/v1/namespaces/default/services/web/proxy/")
    assert "Welcome to nginx!" in proxied.stdout
    server.until(lambda: '"GET / HTTP/1.1" 200' in server.kubectl("logs", "deploy/web", "--all-pods").stdout)


def test_a_command_has_its_files_environment_and_exit_code(server: Server) -> None:
    pod = server.until(lambda: server.get("pods", "-l", "job-name=three")["items"])[0]["metadata"]["name"]
    ended = server.until(lambda: server.state(pod, "state", "terminated"))
    assert (ended["exitCode"], ended["reason"]) == (3, "Error")
    said = server.kubectl("logs", pod, "-c", "c").stdout.splitlines()
    assert sorted(said) == sorted(["hello from a file" "made by init", f"blue {pod}", "wrong"])


def test_a_program_that_fails_is_started_again_with_back_off(server: Server) -> None:
    server.until(lambda: server.state("crash").get("restartCount", 0) >= 1)
    assert server.state("crash", "lastState", "terminated")["exitCode"] == 1
    assert "boom" in server.kubectl("logs", "crash").stdout
    server.until(lambda: "Back-off restarting failed container" in server.kubectl("describe", "pod", "crash").stdout)


def test_a_program_that_is_not_there_cannot_start(server: Server) -> None:
    message = 'exec: "no-such-program": executable file not found in $PATH'
    server.until(lambda: message in server.kubectl("describe", "pod", "nope").stdout)


def test_memory_above_the_limit_ends_in_oomkilled(server: Server) -> None:
    ended = server.until(lambda: server.state("hungry", "state", "terminated"))
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


def test_exec_and_attach_reach_the_process(server: Server) -> None:
    server.until(lambda: server.state("box").get("ready"))
    done = server.kubectl("exec", "box", "--", "sh", "-c", "cat > /tmp/x; wc -c < /tmp/x; exit 4")
    assert done.returncode == 4
    assert server.kubectl("exec", "-i", "box", "--", "cat", stdin="back").stdout == "back"
    address = server.here(server.get("pod", "box")["status"]["podIP"])
    assert server.kubectl("exec", "box", "--", "sh", "-c", "echo $POD_IP $(hostname)").stdout == f"{address} box\n"
    assert "not found in $PATH" in server.kubectl("exec", "box", "--", "no-such-program").stderr
    attach = subprocess.Popen([KUBECTL, "attach", "-i", "box"], env=server.env, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
    assert attach.stdin is not None and attach.stdout is not None
    attach.stdin.write("a line\n")
    attach.stdin.close()
    assert attach.stdout.readline() == "got a line\n"
    attach.kill()
    attach.wait()
    server.until(lambda: "got a line" in server.kubectl("logs", "box").stdout)


def test_files_are_copied_both_ways(server: Server, tmp_path: Path) -> None:
    server.until(lambda: server.state("box").get("ready"))
    (tmp_path / "here").write_text("some bytes")
    assert server.kubectl("cp", str(tmp_path / "here"), "box:/tmp/there").returncode == 0
    assert server.kubectl("exec", "box", "--", "cat", "/tmp/there").stdout == "some bytes"
    assert server.kubectl("cp", "box:/tmp/there", str(tmp_path / "again")).returncode == 0
    assert (tmp_path / "again").read_text() == "some bytes"
    assert not Path("/tmp/there").exists()


def test_python_binds_its_pods_address_and_knows_names_of_the_cluster(server: Server) -> None:
    server.until(lambda: server.state("py").get("ready"))
    server.until(lambda: "hello from a file" in server.kubectl("logs", "py").stdout)
    server.until(lambda: server.get("deployment", "web").get("status", {}).get("readyReplicas") == 2)
    code = "import socket; s = socket.create_connection(('web', 80)); s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n'); " \
           "print(s.recv(12))"  # fmt: skip
    assert server.kubectl("exec", "py", "--", "python3", "-c", code).stdout == "b'HTTP/1.1 200'\n"
    code = "import urllib.request as u; print(u.urlopen('http://web').status)"
    assert server.kubectl("exec", "py", "--", "python3", "-c", code).stdout == "200\n"


def test_a_port_is_forwarded_into_the_process(server: Server) -> None:
    server.until(lambda: server.state("py").get("ready"))
    forward = subprocess.Popen([KUBECTL, "port-forward", "pod/py", ":80"], env=server.env, text=True,
                               stdout=subprocess.PIPE)  # fmt: skip
    try:
        assert forward.stdout is not None
        port = int(forward.stdout.readline().split()[2].rpartition(":")[2])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/etc/", timeout=PATIENCE) as answer:
            assert "resolv.conf" in answer.read().decode()
    finally:
        forward.terminate()
        forward.communicate()


def test_deleting_a_pod_ends_all_that_it_started(server: Server) -> None:
    server.until(lambda: server.state("box").get("ready"))
    mark = server.state("box", "containerID").removeprefix("containerd://")
    ours = [pid for pid in server.processes() if mark in environ(pid)]
    assert len(ours) >= 2  # one of them in a session of its own
    assert server.kubectl("delete", "pod", "box").returncode == 0
    server.until(lambda: not [pid for pid in server.processes() if mark in environ(pid)])


def test_a_second_cluster_on_the_machine_has_addresses_of_its_own(server: Server, tmp_path: Path) -> None:
    second = Server(tmp_path)
    try:
        second.until(lambda: second.kubectl("get", "serviceaccount", "default").returncode == 0)
        assert second.kubectl("apply", "-f", "-", stdin=MANIFESTS).returncode == 0
        second.until(lambda: second.get("deployment", "web").get("status", {}).get("readyReplicas") == 2)
        address = second.get("service", "web")["spec"]["clusterIP"]
        assert second.here(address) != server.here(address)
        assert "Welcome to nginx!" in second.until(lambda: fetch(second.here(address), 80))
        moved = [each for each in (server, second) if each.here("10.96.0.0") != "127.96.0.0"]
        assert moved  # one of them may have the first block
        assert all(f"127.{each.here('10.96.0.0').split('.')[1]}.x.y" in each.errors() for each in moved)
    finally:
        second.process.kill()
        second.process.communicate()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_server(tmp_path: Path, how: signal.Signals) -> None:
    if not KUBECTL:
        pytest.skip("kubectl가 없다")
    server = Server(tmp_path)
    server.until(lambda: server.kubectl("get", "serviceaccount", "default").returncode == 0)
    loop = "trap '' TERM; setsid sleep 1000 & while true; do sleep 0.1; done"
    assert server.kubectl("run", "stubborn", "--image=busybox", "--", "sh", "-c", loop).returncode == 0
    for number in range(4):  # these end when they are asked to, and a kubelet would start them again
        assert server.kubectl("run", f"meek-{number}", "--image=busybox", "--", "sleep", "1000").returncode == 0
    server.until(lambda: len(server.processes()) >= 7)
    server.process.send_signal(how)
    server.process.communicate()
    server.until(lambda: not server.processes() and not server.folders())
