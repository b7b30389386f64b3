"""잊지 않는 파드: 볼륨이 파드와 노드보다 오래 사는가."""

from minik8s.grading import Case, Stage

CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "network"},
    "provisioner": "kubernetes.io/no-provisioner",
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "WaitForFirstConsumer",
}
LOST_FOR_GOOD = 90


def _disk(number: int) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"disk-{number}"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "network",
            "persistentVolumeReclaimPolicy": "Retain",
            "csi": {"driver": "disk.example.com", "volumeHandle": f"disk-{number}"},
        },
    }


def _up(case: Case) -> Stage:
    """A cluster with disks that are reached from every node, and the answer at work."""
    stage = case.stage()
    stage.put([CLASS, *map(_disk, range(6))], settle=0)
    stage.apply("db", settle=120)
    ready = len(stage.ready(app=case.v.db))
    case.need(ready == case.v.replicas, f"준비된 파드가 {ready}개다. {case.v.replicas}개여야 한다.")
    return stage


def _expect(case: Case, stage: Stage, number: int, times: int, when: str) -> None:
    lines = stage.log(f"{case.v.db}-{number}").splitlines()
    want = [f"{case.v.db}-{number} {case.v.word}"] * times
    told = " / ".join(lines[:5]) or "비어 있다"
    case.need(lines == want, f"{when} {case.v.db}-{number}의 일지가 `{want[0]}` {times}줄이 아니다: {told}.")


def apart(case: Case) -> None:
    stage = _up(case)
    for number in range(case.v.replicas):
        _expect(case, stage, number, 1, "처음 뜬 뒤")


def remembers(case: Case) -> None:
    stage = _up(case)
    last = case.v.replicas - 1
    stage.client.delete("pods", "default", f"{case.v.db}-{last}")
    stage.advance(60)
    _expect(case, stage, last, 2, "파드를 지운 뒤")


def moves(case: Case) -> None:
    """The node dies, and the operator takes it out of the cluster: only then may another pod have the disk."""
    stage = _up(case)
    home = stage.client.get("pods", "default", f"{case.v.db}-0")["spec"]["nodeName"]
    stage.faults.kill_node(home)
    stage.advance(LOST_FOR_GOOD)
    stage.client.delete("nodes", "", home)
    stage.advance(500)
    pod = stage.find("pods", f"{case.v.db}-0")
    now = pod["spec"].get("nodeName") if pod else None
    case.need(now not in (None, home), f"{home}을(를) 잃은 뒤 {case.v.db}-0이(가) 다른 노드에 뜨지 못했다.")
    _expect(case, stage, 0, 2, "노드를 잃은 뒤")


def named(case: Case) -> None:
    stage = _up(case)
    wanted = [f"{case.v.db}-{number}.{case.v.db}" for number in range(case.v.replicas)]
    script = "; ".join(f"nslookup {name} && echo found {name}" for name in wanted)
    asks = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "asks"},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "sh", "image": "busybox:1.36", "command": ["sh", "-c", script]}],
        },
    }
    stage.put([asks], settle=30)
    text = stage.log("asks")
    missing = [name for name in wanted if f"found {name}" not in text]
    case.need(not missing, f"이름으로 찾을 수 없는 파드: {', '.join(missing)}.")


def shrinks(case: Case) -> None:
    stage = _up(case)
    for replicas in (1, case.v.replicas):
        stage.client.patch("statefulsets.apps", "default", case.v.db, {"spec": {"replicas": replicas}})
        stage.advance(90)
    _expect(case, stage, case.v.replicas - 1, 2, "줄였다 늘린 뒤")


def leaves(case: Case) -> None:
    stage = _up(case)
    before = len(stage.client.list("persistentvolumeclaims", "default"))
    case.need(before == case.v.replicas, f"클레임이 {before}개다. 파드마다 하나여야 한다.")
    stage.client.delete("statefulsets.apps", "default", case.v.db, propagation="Background")
    stage.advance(90)
    left = len(stage.client.list("persistentvolumeclaims", "default"))
    case.need(left == 0, f"스테이트풀셋을 지웠는데 클레임 {left}개가 남았다.")
