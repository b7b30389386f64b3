"""`minik8s up` as a process: the ready line, the kubeconfig, its end, its death, and its return."""

from __future__ import annotations

import base64
import json
import os
import signal
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("aiohttp")

LABS = str(Path(__file__).parents[3] / "labs")


class Up:
    """A running `minik8s up`, ready, with a client made from the kubeconfig that it wrote."""

    def __init__(self, folder: Path, *flags: str):
        self.folder, self.kubeconfig = folder, folder / "kubeconfig"
        self.process = command(folder, "up", "--kubeconfig", str(self.kubeconfig), "--nodes", "0", "--no-scheduler",
                               "--controllers", "namespace", *flags)  # fmt: skip
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        config = yaml.safe_load(self.kubeconfig.read_text())
        (cluster,) = [c["cluster"] for c in config["clusters"] if c["name"] == "minik8s"]
        (user,) = [u["user"] for u in config["users"] if u["name"] == "minik8s"]
        trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        headers = {"Authorization": f"Bearer {user['token']}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(cluster["server"] + path, data, headers, method=method)
        with urllib.request.urlopen(request, context=trust) as answer:
            return json.loads(answer.read())

    def make(self, name: str) -> Any:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": "v"}}
        return self.call("POST", "/api/v1/namespaces/default/configmaps", body)

    def names(self) -> list[str]:
        items = self.call("GET", "/api/v1/namespaces/default/configmaps")["items"]
        return [item["metadata"]["name"] for item in items]

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """(exit status, what it wrote to stderr)."""
        self.process.send_signal(how)
        errors = self.process.communicate()[1]
        return self.process.returncode, errors


def command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": LABS, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "KUBECONFIG": ""}
    return subprocess.Popen([sys.executable, "-m", "minik8s", *arguments], env=env, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    process = command(folder, *arguments)
    out, errors = process.communicate()
    return process.returncode, out, errors


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def start(*flags: str) -> Up:
        started.append(Up(tmp_path, *flags))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


def test_it_says_one_line_when_it_is_ready_and_ends_cleanly(up: Callable[..., Up]) -> None:
    server = up()
    assert server.line.startswith("minik8s ready https://127.0.0.1:") and "context=minik8s" in server.line
    assert server.call("GET", "/version")["minor"] == "36"
    assert server.end() == (0, "")


def test_an_interrupt_ends_it_too(up: Callable[..., Up]) -> None:
    assert up().end(signal.SIGINT)[0] == 0


def test_the_kubeconfig_is_private_and_keeps_what_was_there(up: Callable[..., Up], tmp_path: Path) -> None:
    old = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "work",
        "clusters": [{"name": "work", "cluster": {"server": "https://work.example"}}],
        "users": [{"name": "work", "user": {"token": "t"}}],
        "contexts": [{"name": "work", "context": {"cluster": "work", "user": "work"}}],
        "preferences": {"colors": True},
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(old))
    server = up()
    config = yaml.safe_load(server.kubeconfig.read_text())
    assert config["current-context"] == "work" and config["preferences"] == {"colors": True}
    assert [c["name"] for c in config["contexts"]] == ["work", "minik8s"]
    assert config["clusters"][0] == old["clusters"][0]
    assert stat.S_IMODE(server.kubeconfig.stat().st_mode) == 0o600
    server.end()
    server = up("--use")
    assert yaml.safe_load(server.kubeconfig.read_text())["current-context"] == "minik8s"


def test_a_kubeconfig_that_cannot_be_read_stops_it(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("clusters: {a: [")
    status, out, errors = run(tmp_path, "up", "--kubeconfig", str(tmp_path / "kubeconfig"), "--nodes", "0")
    assert status == 1 and out == "" and "kubeconfig" in errors and "Traceback" not in errors
    assert (tmp_path / "kubeconfig").read_text() == "clusters: {a: ["


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_everything_acknowledged_is_there_after_a_restart(
    up: Callable[..., Up], tmp_path: Path, how: signal.Signals
) -> None:
    data = str(tmp_path / "data")
    server = up("--data", data)
    made = [server.make(f"c{i}")["metadata"] for i in range(20)]
    before = server.kubeconfig.read_text()
    server.end(how)
    server = up("--data", data)
    assert server.names() == sorted(meta["name"] for meta in made)
    again = server.call("GET", "/api/v1/namespaces/default/configmaps/c3")["metadata"]
    assert again == made[3]
    fresh = server.make("new")["metadata"]
    assert int(fresh["resourceVersion"]) > int(made[-1]["resourceVersion"])
    assert fresh["uid"] not in {meta["uid"] for meta in made}
    old, new = yaml.safe_load(before), yaml.safe_load(server.kubeconfig.read_text())
    assert old["users"] == new["users"]
    ca = "certificate-authority-data"
    assert old["clusters"][0]["cluster"][ca] == new["clusters"][0]["cluster"][ca]


def test_a_torn_file_is_told_at_the_start(up: Callable[..., Up], tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = up("--data", str(data))
    for index in range(5):
        server.make(f"c{index}")
    server.end()
    file = data / "store.db"
    file.write_bytes(file.read_bytes()[:3000])
    server = up("--data", str(data))
    assert server.names() == [f"c{i}" for i in range(5)]
    assert "찢어져" in server.end()[1]


def test_a_second_server_on_the_same_data_is_refused(up: Callable[..., Up], tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    first = up("--data", data)
    other = tmp_path / "other"
    status, out, errors = run(tmp_path, "up", "--data", data, "--kubeconfig", str(other), "--nodes", "0")
    assert (status, out) == (1, "")
    assert str(first.process.pid) in errors and len(errors.splitlines()) == 1 and not other.exists()
    first.make("still")
    assert first.names() == ["still"]


def test_a_port_that_is_taken_is_told(up: Callable[..., Up], tmp_path: Path) -> None:
    port = up().line.split()[2].rsplit(":", 1)[1]
    status, _, errors = run(tmp_path, "up", "--port", port, "--nodes", "0", "--kubeconfig", str(tmp_path / "k2"))
    assert status == 1 and len(errors.splitlines()) == 1 and not (tmp_path / "k2").exists()


@pytest.mark.parametrize(
    "flags", [["--nodes", "-1"], ["--port", "99999"], ["--controllers", "nope"], ["--nodes", "many"]]
)
def test_wrong_flags_are_explained(tmp_path: Path, flags: list[str]) -> None:
    status, _, errors = run(tmp_path, "up", "--kubeconfig", str(tmp_path / "k"), *flags)
    assert status == 2 and errors and "Traceback" not in errors


def test_status_down_kubeconfig_and_reset(up: Callable[..., Up], tmp_path: Path) -> None:
    assert run(tmp_path, "status")[0] == 1
    data = tmp_path / "data"
    server = up("--data", str(data))
    url = server.line.split()[2]
    status, out, _ = run(tmp_path, "status", "-o", "json")
    assert status == 0 and [r["server"] for r in json.loads(out)] == [url]
    status, out, _ = run(tmp_path, "kubeconfig")
    assert status == 0 and yaml.safe_load(out)["clusters"][0]["cluster"]["server"] == url
    assert run(tmp_path, "down")[0] == 0
    assert server.process.wait() == 0 and run(tmp_path, "status")[0] == 1
    assert run(tmp_path, "down")[0] == 1
    (data / "mine.txt").write_text("kept")
    assert run(tmp_path, "reset", "--data", str(data), "--kubeconfig", str(server.kubeconfig))[0] == 0
    assert [path.name for path in data.iterdir()] == ["mine.txt"]
    assert yaml.safe_load(server.kubeconfig.read_text())["contexts"] == []


def test_version(tmp_path: Path) -> None:
    status, out, _ = run(tmp_path, "version")
    assert status == 0 and "Kubernetes v1.36" in out


def test_help_is_korean_and_names_every_command(tmp_path: Path) -> None:
    status, out, _ = run(tmp_path, "--help")
    assert status == 0 and all(name in out for name in ("up", "down", "status", "reset", "kubeconfig", "version"))


def test_without_a_token_the_server_answers_nothing_of_value(up: Callable[..., Up]) -> None:
    url = up().line.split()[2]
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url + "/api/v1/secrets", context=ssl._create_unverified_context())
    assert caught.value.code == 403


def test_schedule_prints_decisions_of_a_file_of_cases(tmp_path: Path) -> None:
    allocatable = {"cpu": "4", "memory": "8Gi", "pods": "9"}
    node = {"metadata": {"name": "n1"}, "spec": {}, "status": {"allocatable": allocatable}}
    pod = {"metadata": {"name": "p", "namespace": "default", "uid": "u"}, "spec": {"containers": [{"name": "c"}]}}
    case = {"name": "one", "nodes": [node], "pods": [], "objects": [], "incoming": [pod]}
    file = tmp_path / "cases.json"
    file.write_text(json.dumps([case]))
    status, out, errors = run(tmp_path, "schedule", str(file))
    assert (status, errors) == (0, "")
    (answer,) = json.loads(out)
    assert answer["name"] == "one" and answer["expect"][0]["pod"].endswith("p")
    assert "explain" in json.loads(run(tmp_path, "schedule", "--explain", str(file))[1])[0]
    for bad in ("", "[1]", '[{"name": "x"}]'):
        file.write_text(bad)
        status, out, errors = run(tmp_path, "schedule", str(file))
        assert status == 1 and out == "" and len(errors.splitlines()) == 1
