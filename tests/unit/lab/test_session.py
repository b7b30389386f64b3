import pytest

from minik8s import lab
from minik8s.lab.controls import NotHere
from minik8s.lab.place import Embedded


@pytest.fixture
def k():
    return lab.connect(nodes=2)


def test_applying_waiting_and_reading_back(k):
    assert k.apply("manifests/web.yaml") == ["deployments.apps/web"]
    k.wait("deployment/web")
    assert [p["status"]["phase"] for p in k.pods("app=web")] == ["Running"] * 3
    assert k.get("deploy/web")["status"]["readyReplicas"] == 3


def test_what_is_read_may_be_changed_without_touching_the_cluster(k):
    k.apply("manifests/web.yaml")
    mine = k.get("deployment/web")
    mine["spec"]["replicas"] = 99
    assert k.get("deployment/web")["spec"]["replicas"] == 3


def test_waiting_in_vain_says_what_the_state_is_and_what_to_do(k):
    k.apply("""
apiVersion: v1
kind: Pod
metadata: {name: huge}
spec:
  containers: [{name: c, image: nginx:1.27, resources: {requests: {cpu: "64"}}}]
""")
    with pytest.raises(TimeoutError, match=r"pod/huge ready.*PodScheduled=False\(Unschedulable\).*describe pod/huge"):
        k.wait("pod/huge", "ready", timeout=10)


def test_retrying_asks_again_until_the_answer_is_right(k):
    k.apply("manifests/shop.yaml")

    def listed(_):
        slices = k.list("endpointslices", "kubernetes.io/service-name=shop")
        return any(e["conditions"]["ready"] for s in slices for e in s.get("endpoints") or ())

    k.wait("service/shop", listed)  # in the API; the nodes' rules follow a moment later
    tries = []
    good = k.retry(lambda: tries.append(k.traffic("shop", rate=20, duration=0.2)) or tries[-1], lambda t: not t.lost)
    assert tries[0].lost > 0 and good is tries[-1] and len(good.results) == 4


def test_retrying_in_vain_ends_and_gives_the_last_answer(k):
    asked = []
    assert k.retry(lambda: asked.append(k.elapsed) or len(asked), until=lambda n: n > 9, timeout=3) == 4
    assert [round(t) for t in asked] == [0, 1, 2, 3]


def test_deleting_waits_until_it_is_gone_and_twice_is_fine(k):
    k.apply("manifests/web.yaml")
    k.wait("deployment/web")
    name = k.pods()[0]["metadata"]["name"]
    k.delete(f"pod/{name}")
    assert k.find(f"pod/{name}") is None
    k.delete(f"pod/{name}")


def test_cleanup_removes_what_was_applied_and_nothing_else(k):
    k.kubectl("create configmap keep --from-literal=a=1")
    k.apply("manifests/shop.yaml")
    k.cleanup()
    k.sleep(60)
    assert k.find("deployment/shop") is None and k.find("service/shop") is None
    assert k.find("configmap/keep") is not None


@pytest.mark.parametrize("source", ["kind: Pod", "그냥 글", "- 목록"])
def test_what_is_no_manifest_is_refused_in_korean(k, source):
    with pytest.raises(ValueError, match="매니페스트가 아니다"):
        k.apply(source)


def test_a_missing_file_is_named(k):
    with pytest.raises(FileNotFoundError, match=r"없는것\.yaml 파일이 없다"):
        k.apply("없는것.yaml")


def test_a_mistake_in_yaml_is_told_with_its_line(k):
    with pytest.raises(ValueError, match="4번째 줄"):
        k.apply("apiVersion: v1\nkind: Pod\nmetadata:\n\tname: a")


def test_a_wrong_resource_word_is_refused_in_korean(k):
    with pytest.raises(ValueError, match="'gadgets'라는 리소스는 없다"):
        k.list("gadgets")


def test_crashing_and_recovering_a_node(k):
    k.nodes.crash("node-1")
    k.sleep(60)
    assert lab.condition(k.get("node/node-1"), "Ready") == "Unknown"
    k.nodes.recover("node-1")
    k.sleep(30)
    assert lab.condition(k.get("node/node-1"), "Ready") == "True"


def test_a_wrong_node_is_named_and_nothing_happens(k):
    with pytest.raises(ValueError, match=r"'node-9'라는 노드는 없다. 있는 것: node-1, node-2"):
        k.nodes.crash("node-9")


def test_stopping_a_part_shows_what_it_is_for(k):
    k.controlplane.stop("scheduler")
    k.apply("manifests/web.yaml")
    k.sleep(30)
    assert {p["status"]["phase"] for p in k.pods()} == {"Pending"}
    k.controlplane.start("scheduler")
    k.wait("deployment/web")


def test_a_wrong_part_is_named(k):
    with pytest.raises(ValueError, match="'bogus'라는 부품은 없다"):
        k.controlplane.stop("bogus")


def test_views_carry_their_content_as_text_too(k):
    k.apply("manifests/web.yaml")
    k.wait("deployment/web")
    for view in (k.map(), k.timeline("app=web"), k.journey("deployment/web")):
        assert "<svg" in view._repr_html_() and 'role="img"' in view._repr_html_()
    assert "node-1 (Ready" in str(k.map())
    assert str(k.journey("deployment/web")).count("kube-scheduler → API 서버: 노드에 묶는다") == 3


def test_what_a_real_cluster_cannot_do_names_the_nearest_thing():
    class Elsewhere(Embedded):
        pass

    k = lab.connect(nodes=1)
    k.nodes._place = object.__new__(type("Remote", (), {"name": "kind-kind"}))
    with pytest.raises(NotHere, match=r"내장 클러스터에서만.*cordon"):
        k.nodes.crash("node-1")
