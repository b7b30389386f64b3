"""네트워크로 붙이는 디스크(CSI): 한 노드의 것은 떼어 낸 다음에야 다른 노드에 붙는다."""

import pytest

from minik8s import lab


def disk(modes):
    name = "disk-" + modes[0].lower()
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": modes,
                "storageClassName": "",
                "csi": {"driver": "disk.example.com", "volumeHandle": name},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data"},
            "spec": {"accessModes": modes, "storageClassName": "", "resources": {"requests": {"storage": "1Gi"}}},
        },
    ]


def user(name, node):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "nodeName": node,
            "terminationGracePeriodSeconds": 1,
            "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}],
            "containers": [{"name": "c", "image": "nginx:1.27", "volumeMounts": [{"name": "d", "mountPath": "/d"}]}],
        },
    }


@pytest.fixture
def k():
    return lab.connect(nodes=2)


def test_a_disk_for_one_node_moves_only_after_it_was_taken_off(k):
    k.apply([*disk(["ReadWriteOnce"]), user("a", "node-1")])
    k.wait("pod/a", "ready")
    k.kubectl("exec a -- sh -c 'echo 기억 > /d/note'")
    k.apply(user("b", "node-2"))
    k.sleep(60)
    warnings = [
        (e["reason"], e["message"])
        for e in k.list("events")
        if e["involvedObject"]["name"] == "b" and e["type"] == "Warning"
    ]
    assert warnings == [
        ("FailedAttachVolume", 'Multi-Attach error for volume "disk-readwriteonce" Volume is already used by pod(s) a')
    ]
    k.delete("pod/a")
    k.wait("pod/b", "ready", timeout=180)
    assert k.kubectl("exec b -- cat /d/note").stdout.strip() == "기억"
    assert [a["spec"]["nodeName"] for a in k.client.list("volumeattachments.storage.k8s.io")] == ["node-2"]


def test_a_volume_for_many_nodes_is_attached_to_all_of_them(k):
    k.apply([*disk(["ReadWriteMany"]), user("a", "node-1"), user("b", "node-2")])
    k.wait("pod/a", "ready")
    k.wait("pod/b", "ready")
    assert len(k.client.list("volumeattachments.storage.k8s.io")) == 2
