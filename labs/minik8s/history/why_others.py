"""Why workloads, nodes, Services and claims are as they are."""

from __future__ import annotations

from minik8s.history.why_pod import why_pod
from minik8s.history.whybase import Case, condition, events_of, faults_on
from minik8s.objects.frozen import Object
from minik8s.objects.meta import controller_of
from minik8s.objects.selectors import match_labels, matches

Lines = list[str]
Objects = list[Object]


def why_deployment(case: Case) -> Lines:
    """Counts, then conditions, then its newest ReplicaSet that is not complete."""
    spec, status = case.obj["spec"], case.obj.get("status") or {}
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas") or 0
    lines: Lines = []
    if spec.get("paused"):
        lines.append("일시 중지(paused)되어 있어서, 템플릿을 바꾸어도 롤아웃하지 않는다.")
    if ready < wanted:
        lines.append(f"파드 {wanted}개를 바라지만 준비된 것은 {ready}개다.")
    lines += [f"조건 {c['type']}: {c['message']}" for c in status.get("conditions") or ()
              if c.get("message") and (c["type"] == "ReplicaFailure" or c["status"] != "True")]
    lines += events_of(case)
    for owned in _owned(case, "replicasets.apps"):
        if (owned.obj["spec"].get("replicas") or 0) > ((owned.obj.get("status") or {}).get("readyReplicas") or 0):
            lines.append(f"레플리카셋 {owned.key.name}을(를) 보면:")
            lines += [f"  {line}" for line in why_replicaset(owned)]
    return lines


def why_replicaset(case: Case) -> Lines:
    """For everything that makes pods directly: counts, events, and the first pod that is not ready."""
    spec, status = case.obj["spec"], case.obj.get("status") or {}
    wanted = status.get("desiredNumberScheduled", spec.get("replicas", 1))
    ready = status.get("readyReplicas", status.get("numberReady")) or 0
    lines: Lines = []
    if ready < wanted:
        lines.append(f"{case.title}은(는) 파드 {wanted}개를 바라지만 준비된 것은 {ready}개다.")
    lines += [f"조건 {c['type']}: {c['message']}" for c in status.get("conditions") or () if c.get("message")]
    lines += events_of(case)
    return lines + _first_unready(case)


def why_job(case: Case) -> Lines:
    spec, status = case.obj["spec"], case.obj.get("status") or {}
    counts = [status.get(name) or 0 for name in ("succeeded", "failed", "active")]
    lines = ["성공 {}, 실패 {}, 도는 중 {}.".format(*counts)]
    if spec.get("suspend"):
        lines.append("suspend가 true여서 파드를 만들지 않는다.")
    lines += [f"조건 {c['type']}: {c.get('message') or c.get('reason', '')}" for c in status.get("conditions") or ()]
    return lines + events_of(case) + _first_unready(case)


def why_node(case: Case) -> Lines:
    lines: Lines = []
    ready = condition(case.obj, "Ready")
    if ready is not None and ready.get("status") != "True":
        lines.append(f"Ready 조건이 {ready['status']}이다: {ready.get('message', '')} ({ready.get('reason', '')})")
    if ready is not None and ready.get("status") == "Unknown":
        lease = case.about("leases.coordination.k8s.io", "kube-node-lease", case.key.name)
        renewed = lease.obj["spec"].get("renewTime", "") if lease is not None else "없음"
        lines.append(f"kubelet의 소식이 끊겼다. 리스(Lease)를 마지막으로 갱신한 때는 {renewed}이다.")
    for entry in (case.obj.get("status") or {}).get("conditions") or ():
        if entry["type"] != "Ready" and entry["status"] == "True":
            lines.append(f"{entry['type']}: {entry.get('message', '')}")
    taints = [f"{t['key']}:{t['effect']}" for t in case.obj["spec"].get("taints") or ()]
    if taints:
        lines.append(f"테인트가 있다: {', '.join(taints)}")
    if case.obj["spec"].get("unschedulable"):
        lines.append("스케줄링이 막혀 있다(cordon).")
    return lines + faults_on(case, (case.key.name,))


def why_service(case: Case) -> Lines:
    """Does the selector fit, are the pods ready, does the port exist?"""
    spec, namespace = case.obj["spec"], case.key.namespace
    if spec.get("type") == "ExternalName":
        return [f"DNS의 별명일 뿐이다: {spec.get('externalName')}"]
    if not spec.get("selector"):
        return ["셀렉터가 없다. 엔드포인트슬라이스를 누군가 손으로 만들어야 한다."]
    pods = [p for p in case.snapshot.list("pods", namespace)
            if match_labels(spec["selector"], p["metadata"].get("labels") or {})]
    if not pods:
        chosen = ", ".join(f"{k}={v}" for k, v in spec["selector"].items())
        lines = [f"셀렉터 {chosen}에 맞는 파드가 없다."]
        return lines + _near_misses(case, spec["selector"])
    ready = [p for p in pods if (condition(p, "Ready") or {}).get("status") == "True"]
    lines = [f"셀렉터에 맞는 파드 {len(pods)}개 가운데 준비된 것은 {len(ready)}개다."]
    if not ready:
        first = case.about("pods", namespace, pods[0]["metadata"]["name"])
        assert first is not None
        return [*lines, f"파드 {first.key.name}을(를) 보면:", *(f"  {line}" for line in why_pod(first))]
    for port in spec.get("ports") or ():
        lines += _port(ready[0], port)
    return lines if len(ready) < len(pods) or len(lines) > 1 else []


def _port(pod: Object, port: Object) -> Lines:
    target = port.get("targetPort", port["port"])
    entries = [e for c in pod["spec"]["containers"] for e in c.get("ports") or ()]
    if isinstance(target, str) and target not in [e.get("name") for e in entries]:
        return [f"targetPort {target!r}라는 이름의 포트가 파드에 없다."]
    if isinstance(target, int) and entries and target not in [e["containerPort"] for e in entries]:
        known = ", ".join(str(e["containerPort"]) for e in entries)
        return [f"targetPort가 {target}인데, 파드가 적어 둔 포트는 {known}이다."]
    return []


def _near_misses(case: Case, selector: Object) -> Lines:
    for pod in case.snapshot.list("pods", case.key.namespace):
        labels = pod["metadata"].get("labels") or {}
        if any(key in labels for key in selector):
            shown = ", ".join(f"{k}={v}" for k, v in labels.items())
            return [f"가장 비슷한 파드 {pod['metadata']['name']}의 레이블은 {shown}이다."]
    return []


def why_volume_claim(case: Case) -> Lines:
    spec, status = case.obj["spec"], case.obj.get("status") or {}
    if status.get("phase") == "Bound":
        return []
    lines = events_of(case, warnings_only=False)
    name = spec.get("storageClassName")
    if name is None:
        lines.append("storageClassName이 없고 기본 스토리지클래스도 없었다.")
    elif name and case.about("storageclasses.storage.k8s.io", "", name) is None:
        lines.append(f"스토리지클래스 {name!r}가 없다.")
    volumes = case.snapshot.list("persistentvolumes")
    free = [v for v in volumes if (v.get("status") or {}).get("phase") == "Available"]
    lines.append(f"비어 있는 퍼시스턴트볼륨은 {len(free)}개다.")
    if spec.get("selector"):
        fits = [v for v in free if matches(spec["selector"], v["metadata"].get("labels") or {})]
        lines.append(f"그 가운데 셀렉터에 맞는 것은 {len(fits)}개다.")
    return lines


def _owned(case: Case, resource: str) -> list[Case]:
    uid = case.obj["metadata"]["uid"]
    out = []
    for obj in case.snapshot.list(resource, case.key.namespace):
        owner = controller_of(obj)
        if owner is not None and owner["uid"] == uid:
            found = case.about(resource, case.key.namespace, obj["metadata"]["name"])
            if found is not None:
                out.append(found)
    return out


def _first_unready(case: Case) -> Lines:
    for pod in _owned(case, "pods"):
        ready = condition(pod.obj, "Ready")
        ended = (pod.obj.get("status") or {}).get("phase") == "Succeeded"
        if not ended and (ready is None or ready.get("status") != "True"):
            return [f"파드 {pod.key.name}을(를) 보면:", *(f"  {line}" for line in why_pod(pod))]
    return []
