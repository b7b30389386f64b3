"""The packing board, and where its traces come from."""

from pathlib import Path

import pytest

from minik8s import lab
from minik8s.lab import traces
from minik8s.lab.views import packing
from minik8s.scheduler.packing import Machine, pack

NODES = b"sn,cpu_milli,memory_mib,gpu,model\nm0,8000,1024,2,T4\n"
PODS = b"name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos\np0,1000,10,1,500,,LS\np1,1000,10,2,1000,T4|P100,LS\n"


def served(address):
    assert address.startswith("https://")
    return NODES if "node_list" in address else PODS


def test_the_board_shows_what_pods_request_of_each_node():
    k = lab.connect(nodes=2)
    k.apply("""
apiVersion: v1
kind: Pod
metadata: {name: eater}
spec:
  containers: [{name: c, image: nginx:1.27, resources: {requests: {cpu: 1500m, memory: 2Gi}}}]
""")
    k.wait("pod/eater", "running")
    words = repr(k.packing())
    assert "node-1 CPU 1.5/4: eater 1.5" in words
    assert "node-1 메모리 2Gi/8Gi: eater 2Gi" in words
    assert "node-2 CPU 0/4: 비어 있음" in words


def test_the_gpu_board_counts_full_begun_and_empty_gpus():
    view = packing.machines(
        [Machine("m-001", 100, 0, (0, 500, 1000)), Machine("m-002", 100, 0, (1000,))], sizes={"m-001": 200}
    )
    assert repr(view) == "기계 2대, GPU 4개: 꽉 찬 것 1, 일부만 찬 것 1, 빈 것 2. 할당 37.5 %"
    assert view.svg.count("<rect") == 4 + 2 + 1


def test_the_synthetic_trace_is_the_same_every_time():
    one, two = traces.synthetic(10, seed=7), traces.synthetic(10, seed=7)
    assert (one.machines, one.tasks) == (two.machines, two.tasks)
    assert "기계 10대" in repr(one)


def test_openb_is_never_fetched_unasked(tmp_path: Path):
    with pytest.raises(traces.TraceMissing, match=r"download=True"):
        traces.openb(tmp_path, fetch=served)
    assert list(tmp_path.iterdir()) == []


def test_openb_is_downloaded_once_and_then_read_from_its_folder(tmp_path: Path):
    first = traces.openb(tmp_path / "openb", download=True, fetch=served)
    again = traces.openb(tmp_path / "openb", download=True, fetch=None)
    assert first == again
    assert (first.gpus, len(first.tasks), first.demand) == (2, 2, 125.0)


def test_what_is_not_a_trace_is_refused(tmp_path: Path):
    with pytest.raises(traces.TraceMissing, match="트레이스가 아니다"):
        traces.openb(tmp_path, download=True, fetch=lambda address: b"<html>404")
    (tmp_path / traces.NODES).write_text("a,b\n1,2\n")
    (tmp_path / "openb_pod_list_default.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="openb 트레이스의 꼴이 아니다"):
        traces.openb(tmp_path)


def test_a_failing_network_is_told_in_korean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*args: object, **options: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", broken)
    with pytest.raises(traces.TraceMissing, match="내려받지 못했다"):
        traces.openb(tmp_path, download=True)


def test_curves_say_how_much_was_placed_of_what_arrived():
    trace = traces.synthetic(10, seed=7)
    view = packing.curves({"fgd": pack(trace.machines, trace.tasks, "fgd")})
    assert repr(view).startswith("fgd: 80 % 도착에")
    assert "<path" in view.svg
