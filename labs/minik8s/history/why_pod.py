"""Why a pod is as it is."""

from __future__ import annotations

from minik8s.history.whybase import Case, condition, events_of, faults_on
from minik8s.objects.frozen import Object
from minik8s.scheduler.explain import sentences

Lines = list[str]

WAITING = {
    "ContainerCreating": "컨테이너를 만드는 중이다(볼륨 연결, 샌드박스, 이미지).",
    "PodInitializing": "초기화 컨테이너가 끝나기를 기다린다.",
    "ErrImagePull": "이미지를 내려받지 못했다.",
    "ImagePullBackOff": "이미지를 내려받지 못해서, 다시 해 보기 전에 기다리는 중이다.",
    "InvalidImageName": "이미지 이름이 잘못되었다.",
    "ErrImageNeverPull": "imagePullPolicy가 Never인데 노드에 이미지가 없다.",
    "CreateContainerConfigError": "컨테이너의 설정이 가리키는 것(컨피그맵, 시크릿 등)이 없거나 맞지 않는다.",
    "CrashLoopBackOff": "컨테이너가 자꾸 끝나서, 다시 시작하기 전에 기다리는 중이다.",
    "RunContainerError": "컨테이너의 프로그램을 시작하지 못했다.",
}

ENDED = {
    137: "SIGKILL로 죽었다(메모리 한도를 넘었거나, 정한 시간 안에 스스로 끝나지 않았다).",
    143: "SIGTERM을 받고 끝났다.",
    127: "명령을 찾지 못했다.",
    126: "명령을 실행할 수 없었다.",
    128: "컨테이너를 시작하지 못했다.",
    139: "잘못된 메모리 접근(SIGSEGV)으로 죽었다.",
}


def why_pod(case: Case) -> Lines:
    """Walk the pod's way: deletion, scheduling, mounting, containers, readiness."""
    pod = case.obj
    status, meta = pod.get("status") or {}, pod["metadata"]
    lines: Lines = []
    if meta.get("deletionTimestamp"):
        lines += _terminating(case)
    node = pod["spec"].get("nodeName")
    phase = status.get("phase", "Pending")
    if not node:
        return lines + _unscheduled(case)
    if phase in ("Failed", "Succeeded"):
        return lines + _ended(case, phase)
    lines += _containers(case)
    if phase == "Pending":
        lines += events_of(case)
    ready = condition(pod, "Ready")
    if phase == "Running" and ready is not None and ready.get("status") != "True":
        lines += _unready(case, ready)
    holder = case.about("nodes", "", node)
    node_ready = condition(holder.obj, "Ready") if holder is not None else None
    if node_ready is not None and node_ready.get("status") != "True":
        told = f"{node_ready['status']}이다: {node_ready.get('message', '')}"
        lines.append(f"파드가 있는 노드 {node}의 Ready 조건이 {told}")
    if holder is None:
        lines.append(f"파드가 배치된 노드 {node}이(가) 클러스터에 없다.")
    lines += faults_on(case, (node, f"{case.key.namespace}/{case.key.name}", case.key.name))
    return lines


def _terminating(case: Case) -> Lines:
    meta = case.obj["metadata"]
    lines = [f"삭제가 요청되었고, 유예 시간 {meta.get('deletionGracePeriodSeconds', 0)}초 안에 끝나야 한다."]
    if meta.get("finalizers"):
        lines.append(f"파이널라이저가 남아 있어서 지워지지 않는다: {', '.join(meta['finalizers'])}")
    return lines


def _unscheduled(case: Case) -> Lines:
    record = case.last("kube-scheduler", "schedule")
    if record is not None:
        return [*sentences(record.detail)]
    gates = [g["name"] for g in case.obj["spec"].get("schedulingGates") or ()]
    if gates:
        return [f"schedulingGates가 남아 있어서 스케줄링을 시작하지 않는다: {', '.join(gates)}"]
    name = case.obj["spec"].get("schedulerName") or "default-scheduler"
    lines = [f"아직 노드가 정해지지 않았고, 스케줄러({name})가 이 파드를 다룬 기록이 없다."]
    stopped = _stopped(case, "scheduler")
    if stopped:
        lines.append("스케줄러가 멈춰 있다. 파드는 누군가 노드를 정해 줄 때까지 Pending이다.")
    elif name != "default-scheduler":
        lines.append(f"이름이 {name}인 스케줄러가 돌고 있는지 살피자.")
    return lines


def _stopped(case: Case, part: str) -> bool:
    """Whether a part was stopped and not started again, by the records."""
    state = False
    for record in case.records:
        if record.actor != "fault":
            continue
        if part in record.object or record.detail.get("part") == part:
            state = record.verb in ("stop", "inject")
    return state


def _ended(case: Case, phase: str) -> Lines:
    status = case.obj["status"]
    if status.get("reason"):
        return [f"파드가 {phase}로 끝났다. 까닭은 {status['reason']}이다: {status.get('message', '').strip()}"]
    lines = [f"파드가 {phase}로 끝났다."]
    for entry in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        ended = (entry.get("state") or {}).get("terminated")
        if ended and (ended["exitCode"] or phase == "Succeeded"):
            lines.append(_termination(entry["name"], ended))
    policy = case.obj["spec"].get("restartPolicy", "Always")
    if phase == "Failed":
        lines.append(f"restartPolicy가 {policy}여서 다시 시작하지 않는다.")
    return lines


def _containers(case: Case) -> Lines:
    status = case.obj.get("status") or {}
    lines: Lines = []
    for entry in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (entry.get("state") or {}).get("waiting")
        if waiting:
            told = WAITING.get(waiting.get("reason", ""), "기다리는 중이다.")
            lines.append(f"컨테이너 {entry['name']}은(는) {waiting.get('reason')} 상태다: {told}")
            if waiting.get("message"):
                lines.append(f"  kubelet의 말: {waiting['message']}")
        last = (entry.get("state") or {}).get("terminated") or (entry.get("lastState") or {}).get("terminated")
        if last and (entry.get("restartCount") or not entry.get("ready")) and last["exitCode"]:
            lines.append(_termination(entry["name"], last) + _restarts(entry))
    return lines


def _restarts(entry: Object) -> str:
    count = entry.get("restartCount") or 0
    return f" 지금까지 {count}번 다시 시작했다." if count else ""


def _termination(name: str, ended: Object) -> str:
    code = ended["exitCode"]
    if ended.get("reason") == "OOMKilled":
        told = "메모리 한도를 넘어 커널이 죽였다(OOMKilled)."
    else:
        told = ENDED.get(code, "프로그램이 스스로 그 코드를 돌려주었다." if code else "제대로 끝났다.")
    return f"컨테이너 {name}이(가) 종료 코드 {code}로 끝났다: {told}"


def _unready(case: Case, ready: Object) -> Lines:
    lines = [f"Ready가 아니다: {ready.get('message') or ready.get('reason', '')}"]
    status = case.obj.get("status") or {}
    running = [e["name"] for e in status.get("containerStatuses") or ()
               if "running" in (e.get("state") or {}) and not e.get("ready")]
    if running:
        lines.append(f"돌고 있지만 준비되지 않은 컨테이너: {', '.join(running)}. 준비성 프로브의 답을 살피자.")
    return lines + events_of(case)
