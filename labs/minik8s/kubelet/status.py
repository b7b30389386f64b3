"""`status` of a pod as the kubelet writes it (pkg/kubelet/kubelet_pods.go, pkg/kubelet/status/generate.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minik8s.kubelet.container import STARTED_STATES, ContainerWorker, Instance
from minik8s.kubelet.lifecycle import ContainerState, PodState
from minik8s.kubelet.qos import qos_class
from minik8s.objects.frozen import Object
from minik8s.objects.meta import rfc3339

if TYPE_CHECKING:
    from minik8s.kubelet.pod import PodWorker

Conditions = list[Object]

LOST = "The container could not be located when the pod was terminated"


def pod_status(pod: PodWorker) -> Object:
    """The whole status, except conditions that are others' to write."""
    if pod.state is PodState.REJECTED and pod.failure is not None:
        reason, message = pod.failure
        return {"phase": "Failed", "reason": reason, "message": message, "startTime": rfc3339(pod.started_at),
                **_generation(pod)}
    phase = pod_phase(pod)
    initialized = _initialized(pod)
    out: Object = {"phase": phase, **_generation(pod)}
    if pod.failure is not None:
        out["reason"], out["message"] = pod.failure
    out["conditions"] = _conditions(pod, phase, initialized)
    out["hostIP"] = pod.host_ip
    out["hostIPs"] = [{"ip": pod.host_ip}]
    if pod.address and (pod.sandbox is not None or "podIP" in pod.posted):
        out["podIP"] = pod.address
        out["podIPs"] = [{"ip": pod.address}]
    out["startTime"] = rfc3339(pod.started_at)
    if pod.inits:
        out["initContainerStatuses"] = [_container_status(pod, c, True) for c in pod.inits]
    out["containerStatuses"] = [_container_status(pod, c, initialized) for c in pod.apps]
    if pod.ephemeral:
        out["ephemeralContainerStatuses"] = [_container_status(pod, c, True) for c in pod.ephemeral]
    out["qosClass"] = qos_class(pod.pod)
    return out


def status_patch(before: Object, after: Object) -> Object:
    """The strategic merge patch of a status from what it was: conditions merge by type, other lists are replaced."""
    out: Object = {key: value for key, value in after.items() if before.get(key) != value}
    out |= {key: None for key in before if key not in after and key in OWNED}
    if "conditions" in out:
        known = {c["type"]: c for c in before.get("conditions") or ()}
        out["conditions"] = [_changed_fields(known.get(c["type"], {}), c) for c in after["conditions"]
                             if known.get(c["type"]) != c]
        there = {c["type"] for c in after["conditions"]}
        out["conditions"] += [{"type": kind, "$patch": "delete"} for kind in PASSING if kind in known.keys() - there]
    for key in ("podIPs", "hostIPs"):
        if key in out and out[key] is not None and before.get(key):
            out[key] = [{"$patch": "replace"}, *out[key]]
    return out


def whole_status(after: Object) -> Object:
    """The patch that leads to `after` whatever was before."""
    out: Object = {**dict.fromkeys(sorted(OWNED)), **after}
    out["conditions"] = [{"reason": None, "message": None, **c} for c in after.get("conditions") or ()]
    for key in ("podIPs", "hostIPs"):
        if out.get(key):
            out[key] = [{"$patch": "replace"}, *out[key]]
    return out


PASSING = ("PodResizePending", "PodResizeInProgress")
"""Conditions that the kubelet takes away again."""

OWNED = frozenset({"reason", "message", "podIP", "podIPs", "initContainerStatuses", "ephemeralContainerStatuses"})
"""Fields of a status that the kubelet takes away again when they no longer hold."""


def _changed_fields(before: Object, after: Object) -> Object:
    return {**{key: None for key in ("reason", "message") if key in before and key not in after}, **after}


def _generation(pod: PodWorker) -> Object:
    generation = pod.pod["metadata"].get("generation")
    return {"observedGeneration": generation} if generation else {}


def pod_phase(pod: PodWorker) -> str:
    """getPhase: Pending until every container has started once; ended when no container will run again."""
    if pod.failure is not None:
        return "Failed"
    if any(c.kind == "init" and c.finished and not c.succeeded for c in pod.inits) and not pod.stopping:
        return "Failed"
    if pod.state is PodState.COMPLETED:
        ran = [*pod.apps, *(i for i in pod.inits if i.kind == "init")]
        return "Succeeded" if all(c.succeeded for c in ran) else "Failed"
    if not _initialized(pod):
        return "Pending"
    if any(c.current is None or c.current.started_at is None for c in pod.apps):
        return "Pending"
    return "Running"


def _initialized(pod: PodWorker) -> bool:
    for worker in pod.inits:
        if worker.kind == "init":
            if not (worker.finished and worker.succeeded):
                return False
        elif not worker.started and pod.state in (PodState.NEW, PodState.MOUNTING, PodState.SANDBOX,
                                                  PodState.INITIALIZING):
            return False
    return True


def _conditions(pod: PodWorker, phase: str, initialized: bool) -> Conditions:
    ended = phase in ("Succeeded", "Failed")
    out = [_simple(pod, "PodReadyToStartContainers", pod.sandbox is not None)]
    if phase == "Succeeded":
        out.append(_condition(pod, "Initialized", "True", "PodCompleted"))
        out.append(_condition(pod, "Ready", "False", "PodCompleted"))
        out.append(_condition(pod, "ContainersReady", "False", "PodCompleted"))
    else:
        names = [c.name for c in pod.inits if not _init_passed(c)]
        text = f"containers with incomplete status: [{' '.join(names)}]" if names else ""
        out.append(_condition(pod, "Initialized", "True") if initialized else
                   _condition(pod, "Initialized", "False", "ContainersNotInitialized", text))
        unready = [c.name for c in (*(i for i in pod.inits if i.kind == "sidecar"), *pod.apps) if not c.ready]
        reason, text = ("PodFailed", "") if ended else ("", "")
        if unready and not ended:
            reason, text = "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
        fine = not unready and not ended
        gates = _gates(pod)
        if fine and gates:
            out.append(_condition(pod, "Ready", "False", "ReadinessGatesNotReady", gates))
        else:
            out.append(_condition(pod, "Ready", "True" if fine else "False", reason, text))
        out.append(_condition(pod, "ContainersReady", "True" if fine else "False", reason, text))
    out.append(_condition(pod, "PodScheduled", "True"))
    for name in sorted(pod.extra_conditions):
        out.append(_condition(pod, name, *pod.extra_conditions[name]))
    return out


def _init_passed(worker: ContainerWorker) -> bool:
    return worker.started if worker.kind == "sidecar" else worker.finished and worker.succeeded


def _gates(pod: PodWorker) -> str:
    """What keeps the pod's readiness gates shut, or ""."""
    wanted = [g["conditionType"] for g in pod.pod["spec"].get("readinessGates") or ()]
    if not wanted:
        return ""
    known = {c["type"]: c["status"] for c in (pod.pod.get("status") or {}).get("conditions") or ()}
    texts = []
    for name in wanted:
        if name not in known:
            texts.append(f'corresponding condition of pod readiness gate "{name}" does not exist.')
        elif known[name] != "True":
            texts.append(f'the status of pod readiness gate "{name}" is not "True", but {known[name]}')
    return ", ".join(texts)


def _simple(pod: PodWorker, type: str, value: bool) -> Object:
    return _condition(pod, type, "True" if value else "False")


def _condition(pod: PodWorker, type: str, status: str, reason: str = "", message: str = "") -> Object:
    out: Object = {"type": type, **_generation(pod), "status": status, "lastProbeTime": None}
    before = _posted_condition(pod, type)
    same = before is not None and before.get("status") == status
    out["lastTransitionTime"] = before["lastTransitionTime"] if before is not None and same else rfc3339(pod.host.now())
    if reason:
        out["reason"] = reason
    if message:
        out["message"] = message
    return out


def _posted_condition(pod: PodWorker, type: str) -> Object | None:
    conditions = pod.posted.get("conditions") or (pod.pod.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == type), None)


def _container_status(pod: PodWorker, worker: ContainerWorker, initialized: bool) -> Object:
    current = worker.current
    image = current.image if current is not None else None
    out: Object = {
        "name": worker.name,
        "image": str(image.reference) if image is not None else worker.spec["image"],
        "imageID": image.id if image is not None else "",
        "ready": worker.ready and worker.kind != "ephemeral",  # nothing probes those (prober_manager.go)
        "restartCount": max(0, worker.attempt),
        "started": worker.state in STARTED_STATES and worker.started,
        "state": _state(pod, worker, initialized),
        "lastState": _last_state(worker),
    }
    if current is not None:
        out["containerID"] = f"{pod.kubelet.runtime.name}://{current.id}"
        out |= pod.kubelet.resizer.container_fields(worker)
    mounts = worker.spec.get("volumeMounts")
    if mounts:
        out["volumeMounts"] = [_mount(m) for m in mounts]
    if worker.running is not None:
        user = _user(pod.pod, worker)
        out["user"] = {"linux": {"uid": user, "gid": user, "supplementalGroups": [user]}}
    return out


def _state(pod: PodWorker, worker: ContainerWorker, initialized: bool) -> Object:
    current = worker.current
    if worker.state in STARTED_STATES and current is not None and current.exit is None:
        return {"running": {"startedAt": rfc3339(current.started_at or 0)}}
    if worker.reason and worker.state is not ContainerState.FINISHED:
        return {"waiting": _waiting(worker.reason, worker.message)}
    if current is not None and current.exit is not None:
        return {"terminated": _terminated(pod, current)}
    if pod.state is PodState.COMPLETED and initialized:
        return {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": LOST,
                               "startedAt": None, "finishedAt": None}}
    starting = not pod.inits or initialized
    return {"waiting": _waiting("ContainerCreating" if starting and worker.kind != "init" else "PodInitializing", "")}


def _waiting(reason: str, message: str) -> Object:
    return {"reason": reason, "message": message} if message else {"reason": reason}


def _last_state(worker: ContainerWorker) -> Object:
    current = worker.current
    shown_waiting = worker.reason and worker.state not in (ContainerState.FINISHED, *STARTED_STATES)
    if shown_waiting and current is not None and current.exit is not None:
        return {"terminated": _terminated(worker.pod, current)}
    if worker.previous is not None and worker.previous.exit is not None:
        return {"terminated": _terminated(worker.pod, worker.previous)}
    return {}


def _terminated(pod: PodWorker, instance: Instance) -> Object:
    assert instance.exit is not None
    out: Object = {"exitCode": instance.exit.code, "reason": instance.exit.reason}
    if instance.exit.message:
        out["message"] = instance.exit.message
    out["startedAt"] = rfc3339(instance.started_at or 0.0)
    out["finishedAt"] = rfc3339(instance.finished_at or 0.0)
    out["containerID"] = f"{pod.kubelet.runtime.name}://{instance.id}"
    return out


def _mount(mount: Object) -> Object:
    out: Object = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if mount.get("readOnly"):
        out |= {"readOnly": True, "recursiveReadOnly": mount.get("recursiveReadOnly") or "Disabled"}
    return out


def _user(pod: Object, worker: ContainerWorker) -> int:
    for context in (worker.spec.get("securityContext"), pod["spec"].get("securityContext")):
        if context and context.get("runAsUser") is not None:
            return int(context["runAsUser"])
    return worker.current.image.user if worker.current is not None else 0
