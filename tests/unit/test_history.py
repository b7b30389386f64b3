"""Time travel: at, diff, why, and the history as one file."""

import pytest

from minik8s.cluster import Cluster
from minik8s.history import History


def pod(name: str, **container: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
            "spec": {"containers": [{"name": "c", "image": "nginx:1.27", **container}]}}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=2)
    client = cluster.client()
    client.create("pods", pod("web"))
    client.create("pods", pod("big", resources={"requests": {"cpu": "64"}}))
    client.create("pods", pod("bad", image="nginx:9.9"))
    client.create("pods", pod("crash", image="busybox:1.36", command=["sh", "-c", "exit 7"]))
    client.create("services", {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "lost", "namespace": "default"},
        "spec": {"selector": {"app": "nobody"}, "ports": [{"port": 80}]}})
    cluster.advance(40)
    client.create("pods", pod("short"))
    cluster.advance(10)
    client.delete("pods", "default", "short", grace=0)
    cluster.advance(5)
    return cluster


def revision_of(cluster: Cluster, name: str, type: str) -> int:
    return next(e.revision for e in cluster.store.events if e.key.name == name and e.type == type)


def test_the_past_is_as_it_was(cluster: Cluster) -> None:
    born = revision_of(cluster, "web", "ADDED")
    assert cluster.history.at(born - 1).get("pods", "default", "web") is None
    then = cluster.history.at(born).get("pods", "default", "web")
    assert then is not None and "nodeName" not in then["spec"]
    gone = revision_of(cluster, "short", "DELETED")
    assert cluster.history.at(gone - 1).get("pods", "default", "short") is not None
    assert cluster.history.at(gone).get("pods", "default", "short") is None


def test_moments_can_be_named_by_time(cluster: Cluster) -> None:
    start = cluster.history.start
    assert cluster.history.at_time(start + 0.5).get("pods", "default", "short") is None
    assert cluster.history.at_time(start + 45).get("pods", "default", "short") is not None


def test_a_diff_names_the_fields_that_changed(cluster: Cluster) -> None:
    born = revision_of(cluster, "web", "ADDED")
    changes = {c.key.name: c for c in cluster.history.diff(born, cluster.history.last) if c.key.resource == "pods"}
    assert changes["crash"].kind == "added"
    fields = {f.path: (f.before, f.after) for f in changes["web"].fields}
    assert fields["status.phase"] == ("Pending", "Running")
    assert fields["spec.nodeName"][0] is None
    assert "status.phase: Pending → Running" in str(changes["web"])


@pytest.mark.parametrize(("question", "said"), [
    ("pod/big is Pending", "남은 cpu 자원이 요청량보다 적다"),
    ("pod/bad", "이미지를 내려받지 못"),
    ("pod/crash is not running", "종료 코드 7로 끝났다"),
    ("svc/lost has no endpoints", "셀렉터 app=nobody에 맞는 파드가 없다"),
    ("pod/web", "이상이 없다"),
    ("pod/short is gone", "지우라고 한 것은 admin이다"),
])  # fmt: skip
def test_why_walks_what_was_recorded(cluster: Cluster, question: str, said: str) -> None:
    assert said in "\n".join(cluster.history.why(question))


def test_why_knows_the_faults_behind_a_silent_node() -> None:
    cluster = Cluster(nodes=2)
    cluster.faults.kill_node("node-2")
    cluster.advance(100)
    told = "\n".join(cluster.history.why("node/node-2 is NotReady"))
    assert "kubelet의 소식이 끊겼다" in told and "kill_node" in told


def test_why_knows_that_the_scheduler_is_stopped() -> None:
    cluster = Cluster(nodes=1)
    cluster.faults.stop_part("scheduler")
    cluster.client().create("pods", pod("waiting"))
    cluster.advance(10)
    assert "스케줄러가 멈춰 있다" in "\n".join(cluster.history.why("pod/waiting is Pending"))


def test_a_history_survives_as_one_text(cluster: Cluster) -> None:
    again = History.load(cluster.history.dump())
    assert again.last == cluster.history.last
    for revision in (again.first, (again.first + again.last) // 2, again.last):
        assert dict(again.at(revision).objects) == dict(cluster.history.at(revision).objects)
    assert again.why("pod/big is Pending") == cluster.history.why("pod/big is Pending")
    assert again.dump() == cluster.history.dump()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"minik8sHistory": 99}', '{"minik8sHistory": 1, "trace": []}'])
def test_what_is_no_history_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="역사 파일이 아니거나 망가졌다"):
        History.load(text)


def test_wrong_questions_are_answered_in_korean(cluster: Cluster) -> None:
    with pytest.raises(ValueError, match="무엇을 묻는지 알 수 없다"):
        cluster.history.why("hmm")
    with pytest.raises(ValueError, match="pods/default/nope라는 것은 없었다"):
        cluster.history.why("pod/nope")
    with pytest.raises(ValueError, match="돌아갈 수 없다"):
        cluster.history.at(10**9)
