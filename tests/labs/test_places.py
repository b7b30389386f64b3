"""A real API server as a place: what a lab makes, leaves and removes there, and how it fails."""

import asyncio
import os
import threading
import time
from pathlib import Path

import pytest
import yaml
from lab_runs_here import GIVEN

from minik8s import lab
from minik8s.lab import remains, remote

pytestmark = pytest.mark.skipif(GIVEN is not None, reason="these want a server of their own")


@pytest.fixture
def up(server, monkeypatch):
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def k(up):
    made = lab.connect()
    yield made
    made.cleanup()


def shop(k, replicas=2):
    k.kubectl(f"create deployment shop --image=nginx:1.27 --replicas={replicas} --port=80")
    k.kubectl("expose deployment shop --port=8000 --target-port=80")
    k.wait("deployment/shop")
    k.wait("service/shop", lambda _: endpoints(k) == replicas)  # the slice follows the pods


def endpoints(k):
    slices = k.list("endpointslices", "kubernetes.io/service-name=shop")
    return sum(bool(e["conditions"].get("ready")) for s in slices for e in s.get("endpoints") or ())


def lab_namespaces(k):
    found = k.client.list("namespaces", label_selector=remains.LABEL)
    return {ns["metadata"]["name"] for ns in found if not ns["metadata"].get("deletionTimestamp")}


def test_twice_in_a_row_and_nothing_stays(up):
    first, second = lab.connect(), lab.connect()
    assert first.namespace != second.namespace
    first.cleanup()
    second.cleanup()
    assert not {first.namespace, second.namespace} & lab_namespaces(second)


def test_leftovers_of_a_dead_kernel_are_removed_at_the_next_start(k, capsys):
    left = remains.namespace("minik8s-lab-left", "lab")
    left["metadata"]["annotations"][remains.OWNER] = f"{remains._self()}:{2**22 - 7}"
    k.client.create("namespaces", left)
    volume = {"capacity": {"storage": "1Mi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp/x"}}
    meta = {"name": "left-volume", "labels": {remains.LABEL: "minik8s-lab-left"}}
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": volume}
    k.client.create("persistentvolumes", volume)
    again = lab.connect()
    assert "minik8s-lab-left" in capsys.readouterr().out
    assert "minik8s-lab-left" not in lab_namespaces(again)
    assert again.remove_leftovers() == []
    assert not again.client.list("persistentvolumes", label_selector=f"{remains.LABEL}=minik8s-lab-left")
    again.cleanup()


def test_running_labs_and_those_of_others_are_no_leftovers(k):
    theirs = remains.namespace("minik8s-lab-theirs", "lab")
    theirs["metadata"]["annotations"][remains.OWNER] = f"student@elsewhere:{2**22 - 7}"
    k.client.create("namespaces", theirs)
    assert k.remove_leftovers() == []
    lab.connect().cleanup()
    assert {k.namespace, "minik8s-lab-theirs"} <= lab_namespaces(k)
    k.client.delete("namespaces", "", "minik8s-lab-theirs")


def test_a_cordoned_node_is_given_back_with_its_namespace(k):
    node = k.nodes.names()[-1]
    k.nodes.cordon(node)
    k.client.patch("namespaces", "", k.namespace, {"metadata": {"annotations": {remains.CORDONED: node}}})
    remains.remove(k.client, k.namespace)
    assert not k.client.get("nodes", "", node)["spec"].get("unschedulable")


def test_a_paused_kind_node_is_woken_with_its_namespace(k, tmp_path, monkeypatch):
    docker, said = tmp_path / "docker", tmp_path / "said"
    docker.write_text(f"#!/bin/sh\necho $@ >> {said}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    k.client.patch("namespaces", "", k.namespace, {"metadata": {"annotations": {remains.PAUSED: "kind-worker"}}})
    remains.remove(k.client, k.namespace)
    assert said.read_text() == "unpause kind-worker\n"


def test_a_stuck_namespace_is_told_and_does_no_harm(k, monkeypatch, capsys):
    stuck = remains.namespace("minik8s-lab-stuck", "lab")
    k.client.create("namespaces", stuck)
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
    k.client.create("configmaps", held, namespace="minik8s-lab-stuck")
    k.client.delete("namespaces", "", "minik8s-lab-stuck")
    monkeypatch.setattr(remains, "STUCK_SECONDS", -1.0)
    another = lab.connect()
    assert "멈춰 있다" in capsys.readouterr().out
    another.cleanup()
    k.client.patch("configmaps", "minik8s-lab-stuck", "held", {"metadata": {"finalizers": None}})


def test_traffic_reaches_the_service(k):
    shop(k)
    traffic = k.traffic("shop:8000", rate=20, duration=1)
    assert traffic.done and traffic.lost == 0
    assert set(traffic.share()) == {p["metadata"]["name"] for p in k.pods("app=shop")}


def test_traffic_without_endpoints_is_lost(k):
    k.kubectl("create service clusterip empty --tcp=80:80")
    assert k.traffic("empty", rate=10, duration=0.5).summary()["errors"] == {"refused": 5}


def test_traffic_in_the_background(k):
    shop(k, 1)
    traffic = k.traffic("svc/shop", rate=10, duration=0.5, wait=False)
    assert not traffic.done
    end = time.time() + 10
    while not traffic.done and time.time() < end:
        k.sleep(0.1)
    assert traffic.lost == 0


def test_what_our_scheduler_would_have_done(k, capsys):
    shop(k, 1)
    pod = k.pods("app=shop")[0]
    table = str(k.explain(f"pod/{pod['metadata']['name']}"))
    assert pod["spec"]["nodeName"] in capsys.readouterr().out
    assert all(node in table for node in k.nodes.names())


def test_explaining_a_pod_that_fits_nowhere(k, capsys):
    container = {"name": "big", "image": "nginx:1.27", "resources": {"requests": {"cpu": "900"}}}
    k.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "big"}, "spec": {"containers": [container]}})
    assert "cpu" in str(k.explain("pod/big"))
    assert "두지 못했다" in capsys.readouterr().out


def test_the_timeline_comes_from_watches(k):
    shop(k)
    drawn = str(k.timeline("app=shop")._repr_html_())
    assert all(p["metadata"]["name"] in drawn for p in k.pods("app=shop"))


# ---- what can be wrong ---------------------------------------------------------------------
def changed(up, tmp_path, monkeypatch, change):
    config = yaml.safe_load(Path(up["KUBECONFIG"]).read_text("utf-8"))
    change(config)
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(path))


def test_without_kubectl_the_small_one_serves(up, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nonexistent")
    k = lab.connect()
    assert "작은 kubectl" in capsys.readouterr().out
    assert k.kubectl("get nodes").stdout.startswith("NAME")
    k.cleanup()


def test_an_unknown_token(up, tmp_path, monkeypatch):
    def forget(config):
        for user in config["users"]:
            user["user"] = {"token": "expired"}

    changed(up, tmp_path, monkeypatch, forget)
    with pytest.raises(remote.Unusable, match="401"):
        lab.connect()


def test_a_certificate_that_cannot_be_trusted(up, tmp_path, monkeypatch):
    def forget(config):
        for cluster in config["clusters"]:
            cluster["cluster"].pop("certificate-authority-data", None)
            cluster["cluster"].pop("certificate-authority", None)

    changed(up, tmp_path, monkeypatch, forget)
    with pytest.raises(remote.Unusable, match="인증서"):
        lab.connect()


def test_no_permission(k, up, tmp_path, monkeypatch):
    k.kubectl("create serviceaccount student")
    token = k.kubectl("create token student").stdout.strip()

    def become(config):
        for user in config["users"]:
            user["user"] = {"token": token}

    changed(up, tmp_path, monkeypatch, become)
    with pytest.raises(remote.Unusable, match="권한"):
        lab.connect()


def test_the_current_context_stays(up):
    before = Path(up["KUBECONFIG"]).read_text("utf-8")
    k = lab.connect()
    k.kubectl("get pods")
    k.cleanup()
    assert Path(up["KUBECONFIG"]).read_text("utf-8") == before
    assert os.environ["KUBECONFIG"] == up["KUBECONFIG"]


def test_a_dashboard_follows_by_watches_and_leaves_no_thread(k):
    """The board draws what the watches bring while the loop is free; closed, it leaves nothing behind."""
    threads = {thread.ident for thread in threading.enumerate()}
    board = k.dashboard()

    async def follow():
        assert board.widget is not None
        shop(k)
        drawn = board._panel._outputs["지도"]
        async with asyncio.timeout(60):
            while drawn.outputs[0]["data"]["text/plain"].count("Running") < 2:
                await asyncio.sleep(0.05)
        board.close()
        board._task and board._task.cancel()

    asyncio.run(follow())
    for thread in threading.enumerate():
        if thread.ident not in threads:
            thread.join(10)
            assert not thread.is_alive(), thread.name


def test_a_dashboard_says_in_korean_that_the_cluster_is_gone(k, monkeypatch):
    board = k.dashboard()
    assert board.widget is not None
    monkeypatch.setattr(k.place, "trouble", remote._unreachable("minik8s", OSError("refused")).body["message"])
    board.refresh()
    assert "닿지 않는다" in board._panel._alarm.outputs[0]["data"]["text/plain"]
    board.close()
