"""The process runtime's files, addresses and commands, without a cluster."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from minik8s.clock import Clock
from minik8s.edge.process import addresses
from minik8s.edge.process.addresses import Place, cluster_address, local_address, place, translated
from minik8s.edge.process.here import Here
from minik8s.edge.process.launch import Context, find
from minik8s.edge.process.rootfs import Root, Volumes
from minik8s.edge.process.runtime import ProcessRuntime, ProcessSandbox
from minik8s.edge.realtime import RealTime
from minik8s.kubelet.behaviour import behaviour_of
from minik8s.kubelet.files import Directory, FileSystem, Mount
from minik8s.kubelet.hostclock import HostClock
from minik8s.kubelet.images import Registry
from minik8s.kubelet.logs import ContainerLog
from minik8s.kubelet.programs import NotFound
from minik8s.kubelet.runtime import ContainerConfig, SandboxConfig

LABS = str(Path(__file__).parents[3] / "labs")
MakeRoot = Callable[..., Root]


@pytest.fixture
def root(tmp_path: Path) -> MakeRoot:
    volumes = Volumes(tmp_path / "base" / "volumes", shutil.rmtree)

    def make(*mounts: Mount, workdir: str = "/", **image: str) -> Root:
        files = FileSystem({f"/usr/share/{k}/index.html": v for k, v in image.items()}, list(mounts))
        return Root(tmp_path / "base" / "containers" / "c", files, volumes, workdir)

    return make


def test_paths_of_the_container_become_real_ones_and_the_machines_stay(root: MakeRoot) -> None:
    conf = root(Mount("/etc/conf", Directory({"a": b"text"})), site="page")
    words = conf.rewritten("cat /etc/conf/a x:/data >/usr/share/site/index.html; ls /etc/config /usr/bin /data/f")
    cat, read, data, page, *rest = words.split()
    assert (cat, data, rest[:3]) == ("cat", f"x:{conf.path}/data", ["ls", "/etc/config", "/usr/bin"])
    assert Path(read).read_text() == "text" and page == f">{conf.path}/usr/share/site/index.html;"
    assert conf.rewritten(words) == words
    assert (conf.path / "etc/conf/a").read_text() == "text"
    assert (conf.path / "usr/share/site/index.html").read_text() == "page"


def test_the_kubelets_new_content_reaches_the_files(root: MakeRoot) -> None:
    config = Directory({"a": b"1", "b": b"2"})
    conf = root(Mount("/etc/conf", config))
    config.replace({"a": b"new"})
    assert {path.name: path.read_text() for path in (conf.path / "etc/conf").iterdir()} == {"a": "new"}


def test_tokens_are_asked_for_again_before_they_run_out(tmp_path: Path) -> None:
    answers = iter((b"first", b"second"))
    token = Directory({"token": lambda: next(answers)})
    volumes = Volumes(tmp_path / "volumes", shutil.rmtree)
    file = volumes.folder(token) / "token"
    assert file.read_text() == "first"
    volumes.renew()
    assert file.read_text() == "second"


def test_a_volume_is_one_folder_for_all_that_mount_it_and_goes_with_its_pod(root: MakeRoot) -> None:
    shared = Directory()
    conf = root(Mount("/one", shared), Mount("/two", shared))
    one, two = conf.place("/one/f"), conf.place("/two/f")
    assert one is not None and one == two
    one.write_bytes(b"x" * 1000)
    assert shared.size() == 1000
    conf.remove()
    assert one.exists()
    del shared, conf
    gc.collect()
    assert not one.exists()


def test_every_pod_has_a_loopback_address_of_its_own() -> None:
    assert (local_address("10.244.1.7"), cluster_address("127.244.1.7")) == ("127.244.1.7", "10.244.1.7")
    assert (local_address("172.18.0.2"), cluster_address("127.18.0.2")) == ("127.18.0.2", "172.18.0.2")
    assert cluster_address("127.0.0.1") == "" == cluster_address("127.60.0.1")


def test_a_port_that_may_not_be_opened_is_moved() -> None:
    assert Place("127.244.0.2", lift=8000).port(80) == 8080
    assert Place("127.244.0.2", lift=8000).port(8080) == 8080
    assert Place("127.244.0.2").port(80) == 80


def test_where_there_is_one_address_ports_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "many", lambda: False)
    one, other = place("10.244.0.2", [80]), place("10.244.0.3", [80])
    assert one.host == other.host == "127.0.0.1" and one.port(80) != other.port(80)
    assert translated("tcp://10.96.0.1:443") == "tcp://10.96.0.1:443"


@pytest.mark.parametrize("number", range(len(addresses.BLOCKS)))
def test_a_block_moves_all_addresses_and_back(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(addresses, "_block", addresses._Block(number))
    own = ("172.18.0.2", "172.19.255.254", "10.96.0.1", "10.111.255.255", "10.244.1.7", "10.255.255.254")
    here = [local_address(each) for each in own]
    assert [cluster_address(each) for each in here] == list(own)
    monkeypatch.setattr(addresses, "_block", addresses._Block((number + 1) % len(addresses.BLOCKS)))
    assert not {cluster_address(each) for each in here} & set(own)


CLAIM = "from minik8s.edge.process.addresses import claim; print(claim(alone={}), flush=True); input()"


@pytest.mark.skipif(not addresses.many(), reason="one loopback address")
def test_clusters_with_real_processes_are_alone_in_their_block_and_simulated_ones_share() -> None:
    kinds, running, got = (True, False, False, True), [], []
    try:
        for alone in kinds:
            command, environment = [sys.executable, "-c", CLAIM.format(alone)], {**os.environ, "PYTHONPATH": LABS}
            pipe = subprocess.PIPE
            running.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment))
            got.append(running[-1].stdout.readline())
        first, shared, again, second = got
        assert shared == again and len({first, shared, second}) == 3
    finally:
        for each in running:
            each.kill()
            each.communicate()


@pytest.mark.skipif(not addresses.many(), reason="one loopback address")
def test_cluster_addresses_in_texts_become_usable() -> None:
    assert translated("tcp://10.96.3.4:80 172.18.0.2") == "tcp://127.96.3.4:80 127.18.0.2"
    assert translated("10.0.0.1 1.10.96.3.4 192.168.172.18") == "10.0.0.1 1.10.96.3.4 192.168.172.18"


@pytest.mark.parametrize(("image", "command", "expected"), [
    ("nginx:1.27", [], "serve.py"),
    ("hashicorp/http-echo:1.0", ["/http-echo", "-text=hi"], "serve.py"),
    ("python:3.12", ["python3", "-V"], "-V"),
    ("polinux/stress", ["stress", "--cpu", "1"], "stress.py"),
])  # fmt: skip
def test_commands_become_programs_of_this_machine(
    root: MakeRoot, image: str, command: list[str], expected: str
) -> None:
    found = Registry().pull(image)
    argv = command or [*found.entrypoint, *found.command]
    context = Context(found, behaviour_of("c", found.behaviour, {}), root(), Place("127.244.0.2"), "/usr/bin:/bin")
    assert any(word.endswith(expected) for word in find(argv, context).argv)


def test_nothing_starts_any_more_when_the_server_ends() -> None:
    async def story() -> Here:
        clock, here = Clock(), Here()
        here.open(RealTime(clock, asyncio.get_running_loop()), 0)
        runtime = ProcessRuntime(here, clock, HostClock(clock), "node-1", None)
        sandbox = ProcessSandbox(SandboxConfig("default", "p", "uid", "p", "10.244.0.2", "node-1"), here,
                                 runtime.host, None)  # fmt: skip
        await here.close()
        config = ContainerConfig("id", "c", Registry().pull("python:3.12"), ("python3", "-V"), {"PATH": ""}, "/",
                                 FileSystem(), ContainerLog())  # fmt: skip
        runtime.start(sandbox, config, ignore, ignore, ignore)
        return here

    here = asyncio.run(story())
    assert not here.containers and not here.base.exists()


def ignore(news: object) -> None:
    """Nobody listens."""


@pytest.mark.parametrize("command", [["mysqld"], ["no-such-program"], ["/tmp/missing"]])
def test_what_this_machine_does_not_have_is_not_found(root: MakeRoot, command: list[str]) -> None:
    image = Registry().pull("mysql:8")
    context = Context(image, behaviour_of("c", image.behaviour, {}), root(), Place("127.244.0.2"), "")
    with pytest.raises(NotFound, match="exec: "):
        find(command, context)
