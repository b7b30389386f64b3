"""The pretend kubelet of the controller stories, as an actor in virtual time: it speaks to the API and to nobody else.

What a container does is read from its image and command:

    image contains nosuch, doesnotexist   cannot be pulled: the pod stays Pending
    image contains crash                  ends with 1 and waits in CrashLoopBackOff, where the policy restarts it
    image contains notready               runs, never ready
    image contains slow                   runs, ready two seconds later
    image contains exit0, exit1           ends with that code
    command has `exit 1`, `false`         ends with 1;  `echo`, `date`, `true`, ... ends with 0
    anything else                         runs until it is deleted
"""

from __future__ import annotations

import re
from typing import Any

from minik8s.client.api import Client
from minik8s.clock import Clock, Timer
from minik8s.objects import Object
from minik8s.objects.meta import rfc3339, rfc3339_micro
from minik8s.wire import StatusError, WatchStream

START_DELAY, STOP_DELAY, SLOW_SECONDS, RUN_SECONDS, BEAT_SECONDS = 0.15, 0.1, 2.0, 0.5, 5.0
LEASES, LEASE_NAMESPACE = "leases.coordination.k8s.io", "kube-node-lease"
CAPACITY = {"cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "100Gi"}
ENDS_BADLY, ENDS = (1, "crash"), (0, 1, "crash")
_IMAGES: dict[str, Any] = {
    "nosuch": "nosuch",
    "doesnotexist": "nosuch",
    "crash": "crash",
    "notready": "notready",
    "slow": "slow",
    "exit0": 0,
    "exit1": 1,
}
_FOREVER = re.compile(r"sleep (infinity|\d{2,})|while true|tail -f")
_FAILS = re.compile(r"exit [1-9]|(^| )false( |$)")
_SUCCEEDS = re.compile(r"(^|[ ;&\"])(echo|date|true|exit 0|perl|env|hostname|uname|printenv|sleep \d|ls)\b")


def behaviour(container: Object) -> Any:
    for word, meaning in _IMAGES.items():
        if word in container.get("image", ""):
            return meaning
    words = " ".join([*(container.get("command") or ()), *(container.get("args") or ())])
    if _FOREVER.search(words):
        return "run"
    if _FAILS.search(words):
        return 1
    return 0 if _SUCCEEDS.search(words) else "run"


class _Pod:
    """What the kubelet remembers of one pod."""

    def __init__(self, pod: Object):
        self.pod, self.stage, self.restarts, self.started = pod, "new", dict[str, int](), ""
        self.waiting = False
        self.timer: Timer | None = None


class PretendKubelet:
    """Registers nodes, renews their leases, and moves the pods bound to them through their life."""

    def __init__(self, client: Client, clock: Clock, nodes: int = 3):
        self.client, self.clock = client, clock
        self.nodes = [f"node-{i + 1}" for i in range(nodes)]
        self.down: set[str] = set()
        self.pods: dict[str, _Pod] = {}
        self.addresses: dict[str, str] = {}
        self.stream: WatchStream | None = None

    def start(self) -> None:
        for node in self.nodes:
            self._register(node)
        items, version = self.client.list_with_version("pods")
        self.stream = self.client.watch("pods", resource_version=version)
        self.stream.wake = lambda: self.clock.call_soon(self._drain)
        for pod in items:
            self._see("ADDED", pod)
        self._drain()
        self._beat()

    # ---- nodes -----------------------------------------------------------------
    def _register(self, name: str) -> None:
        labels = {"kubernetes.io/hostname": name}
        for prefix in ("kubernetes.io", "beta.kubernetes.io"):
            labels |= {f"{prefix}/os": "linux", f"{prefix}/arch": "amd64"}
        meta = {"name": name, "labels": labels}
        status = self._node_status(name, ready=True)
        self.client.create(
            "nodes", {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {}, "status": status}
        )
        self._renew(name)

    def _node_status(self, name: str, *, ready: bool) -> Object:
        now = rfc3339(self.clock.now())

        def condition(kind: str, value: str, reason: str, message: str) -> Object:
            stamps = {"lastHeartbeatTime": now, "lastTransitionTime": now}
            return {"type": kind, "status": value, "reason": reason, "message": message, **stamps}

        number = self.nodes.index(name)
        return {
            "capacity": CAPACITY,
            "allocatable": CAPACITY,
            "conditions": [
                condition(
                    "MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"
                ),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status")
                if ready
                else condition("Ready", "False", "KubeletNotReady", "stopped by the test"),
            ],
            "addresses": [
                {"type": "InternalIP", "address": f"172.18.0.{number + 2}"},
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": f"m{number}",
                "systemUUID": f"s{number}",
                "bootID": f"b{number}",
                "kernelVersion": "6.1.0",
                "osImage": "Test Linux",
                "containerRuntimeVersion": "fake://1.0",
                "kubeletVersion": "v1.36.2",
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        }

    def node_ready(self, name: str, ready: bool) -> None:
        """Make a node report Ready or NotReady, and keep or stop its heartbeat."""
        (self.down.discard if ready else self.down.add)(name)
        node = self.client.get("nodes", "", name)
        self.client.update("nodes", {**node, "status": self._node_status(name, ready=ready)}, subresource="status")
        if ready:
            for uid, entry in list(self.pods.items()):
                if entry.waiting and entry.pod["spec"]["nodeName"] == name:
                    entry.waiting = False
                    self._plan(uid, 0.0)

    def _beat(self) -> None:
        for name in self.nodes:
            if name not in self.down:
                self._renew(name)
        self.clock.call_later(BEAT_SECONDS, self._beat)

    def _renew(self, name: str) -> None:
        renewed = rfc3339_micro(self.clock.now())
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": renewed}
        lease = self.client.find(LEASES, LEASE_NAMESPACE, name)
        if lease is None:
            meta = {"name": name, "namespace": LEASE_NAMESPACE}
            api = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
            self.client.create(LEASES, {**api, "metadata": meta, "spec": spec})
        else:
            self.client.update(LEASES, {**lease, "spec": spec})

    # ---- pods ------------------------------------------------------------------
    def _drain(self) -> None:
        assert self.stream is not None
        for event in self.stream.drain():
            if event.type in ("ADDED", "MODIFIED", "DELETED"):
                self._see(event.type, event.object)

    def _see(self, kind: str, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        if kind == "DELETED" or pod["spec"].get("nodeName") not in self.nodes:
            self.pods.pop(uid, None)
            return
        entry = self.pods.get(uid)
        if entry is None:
            entry = self.pods[uid] = _Pod(pod)
            self._plan(uid, START_DELAY)
        entry.pod = pod
        if "deletionTimestamp" in pod["metadata"] and entry.stage != "dying":
            entry.stage = "dying"
            self._plan(uid, min(STOP_DELAY, pod["metadata"].get("deletionGracePeriodSeconds", 0)))

    def _plan(self, uid: str, delay: float) -> None:
        """The next step of a pod; a step that was planned before is forgotten."""
        entry = self.pods[uid]
        if entry.timer is not None:
            entry.timer.cancel()
        entry.timer = self.clock.call_later(delay, self._step, uid)

    def _step(self, uid: str) -> None:
        entry = self.pods.get(uid)
        if entry is None:
            return
        if entry.pod["spec"]["nodeName"] in self.down:
            entry.waiting = True
            return
        try:
            if entry.stage == "dying":
                self._end(uid, entry)
            elif entry.stage in ("new", "slow", "ending"):
                getattr(self, "_" + entry.stage)(uid, entry)
        except StatusError as error:
            if error.code != 404:
                self._plan(uid, 0.3)

    def _end(self, uid: str, entry: _Pod) -> None:
        pod = entry.pod
        if (pod.get("status") or {}).get("phase") == "Running":
            states = {c["name"]: ("terminated", 0) for c in pod["spec"]["containers"]}
            self._put(pod, self._status(entry, states))
        meta = pod["metadata"]
        self.client.delete("pods", meta["namespace"], meta["name"], grace=0, uid=uid)

    def _new(self, uid: str, entry: _Pod) -> None:
        pod = entry.pod
        entry.started = rfc3339(self.clock.now())
        containers = pod["spec"]["containers"]
        for init in pod["spec"].get("initContainers") or ():
            if init.get("restartPolicy") != "Always" and behaviour(init) in (*ENDS_BADLY, "nosuch"):
                waiting = {c["name"]: ("waiting", "PodInitializing") for c in containers}
                entry.stage = "stuck"
                self._put(pod, self._status(entry, waiting, failed_init=init["name"]))
                return
        plans = {c["name"]: behaviour(c) for c in containers}
        states = {
            n: ("waiting", "ImagePullBackOff") if b == "nosuch" else ("running", b not in ("notready", "slow"))
            for n, b in plans.items()
        }
        entry.stage = "running"
        if "slow" in plans.values():
            entry.stage = "slow"
            self._plan(uid, SLOW_SECONDS)
        elif any(b in ENDS for b in plans.values()):
            entry.stage = "ending"
            annotations = pod["metadata"].get("annotations") or {}
            self._plan(uid, float(annotations.get("oracle.test/run-seconds", RUN_SECONDS)))
        self._put(pod, self._status(entry, states))

    def _slow(self, uid: str, entry: _Pod) -> None:
        entry.stage = "running"
        self._put(
            entry.pod, self._status(entry, {c["name"]: ("running", True) for c in entry.pod["spec"]["containers"]})
        )

    def _ending(self, uid: str, entry: _Pod) -> None:
        policy = entry.pod["spec"].get("restartPolicy", "Always")
        states: dict[str, tuple[Any, ...]] = {}
        for container in entry.pod["spec"]["containers"]:
            name, plan = container["name"], behaviour(container)
            if plan not in ENDS:
                states[name] = ("running", True)
                continue
            code = 1 if plan == "crash" else plan
            if policy == "Always" or (policy == "OnFailure" and code):
                entry.restarts[name] = entry.restarts.get(name, 0) + 1
                states[name] = ("waiting", "CrashLoopBackOff", code)
            else:
                states[name] = ("terminated", code)
        entry.stage = "ended"
        if policy == "OnFailure" and any(s[0] == "waiting" for s in states.values()):
            entry.stage = "ending"
            self._plan(uid, 1.0)
        self._put(entry.pod, self._status(entry, states))

    def _put(self, pod: Object, status: Object) -> None:
        meta = pod["metadata"]
        body = {"metadata": {"uid": meta["uid"]}, "status": status}
        self.client.patch("pods", meta["namespace"], meta["name"], body, subresource="status")

    # ---- status ----------------------------------------------------------------
    def _status(self, entry: _Pod, states: dict[str, tuple[Any, ...]], failed_init: str = "") -> Object:
        pod, now = entry.pod, rfc3339(self.clock.now())
        old = pod.get("status") or {}
        address = self._address(pod["metadata"]["uid"])
        host = f"172.18.0.{self.nodes.index(pod['spec']['nodeName']) + 2}"
        containers = [self._container(entry, c, states[c["name"]], now) for c in pod["spec"]["containers"]]
        inits = [_init(c, failed_init, now) for c in pod["spec"].get("initContainers") or ()]
        kinds = [s[0] for s in states.values()]
        ended = all(kind == "terminated" for kind in kinds)
        failed = ended and any(s[1] for s in states.values())
        pulling = any(s[0] == "waiting" and s[1] in ("ImagePullBackOff", "PodInitializing") for s in states.values())
        phase = "Pending" if failed_init or pulling else ("Failed" if failed else "Succeeded") if ended else "Running"
        ready = all(c["ready"] for c in containers)
        out: Object = {
            "phase": phase,
            "conditions": _conditions(old, containers, ready, ended, failed, bool(failed_init), now),
            "hostIP": host,
            "hostIPs": [{"ip": host}],
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": old.get("startTime") or entry.started or now,
            "containerStatuses": containers,
            "qosClass": old.get("qosClass"),
        }
        return out | ({"initContainerStatuses": inits} if inits else {})

    def _address(self, uid: str) -> str:
        number = len(self.addresses) + 1
        return self.addresses.setdefault(uid, f"10.244.{number // 250}.{number % 250 + 1}")

    def _container(self, entry: _Pod, container: Object, state: tuple[Any, ...], now: str) -> Object:
        name, started = container["name"], entry.started or now
        out: Object = {
            "name": name,
            "image": container["image"],
            "imageID": "",
            "ready": False,
            "started": False,
            "restartCount": entry.restarts.get(name, 0),
        }
        if state[0] == "running":
            running = {"running": {"startedAt": started}}
            out |= {"ready": bool(state[1]), "started": True, "state": running}
            out |= {"imageID": "sha256:fake", "containerID": "fake://" + name}
        elif state[0] == "waiting":
            why: Object = {"reason": state[1]}
            if state[1] == "CrashLoopBackOff":
                why["message"] = "back-off 10s restarting failed container"
                out["lastState"] = {"terminated": _terminated(state[2], started, now)}
            elif state[1] == "ImagePullBackOff":
                why["message"] = f'Back-off pulling image "{container["image"]}"'
            out["state"] = {"waiting": why}
        else:
            out["state"] = {"terminated": _terminated(state[1], started, now)}
        return out


def _terminated(code: int, started: str, now: str) -> Object:
    return {"exitCode": code, "reason": "Error" if code else "Completed", "startedAt": started, "finishedAt": now}


def _init(container: Object, failed: str, now: str) -> Object:
    out: Object = {
        "name": container["name"],
        "image": container["image"],
        "imageID": "sha256:fake",
        "restartCount": 0,
        "ready": True,
        "started": False,
    }
    if container["name"] == failed:
        return out | {"ready": False, "restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    if container.get("restartPolicy") == "Always":
        return out | {"started": True, "state": {"running": {"startedAt": now}}}
    return out | {"state": {"terminated": _terminated(0, now, now)}}


def _conditions(
    old: Object, containers: list[Object], ready: bool, ended: bool, failed: bool, init_failed: bool, now: str
) -> list[Object]:
    why = None if ready else "PodFailed" if failed else "PodCompleted" if ended else "ContainersNotReady"
    unready = " ".join(c["name"] for c in containers if not c["ready"])
    message = None if ready or ended else f"containers with unready status: [{unready}]"
    done = "PodCompleted" if ended and not failed else None
    rows = (
        ("PodReadyToStartContainers", not ended, None, None),
        ("Initialized", not init_failed, done, None),
        ("Ready", ready, why, message),
        ("ContainersReady", ready, why, message),
    )
    out: list[Object] = []
    for kind, value, reason, text in rows:
        row: Object = {"type": kind, "status": "True" if value else "False", "lastProbeTime": None}
        row["lastTransitionTime"] = now
        out.append(row | ({"reason": reason} if reason else {}) | ({"message": text} if text else {}))
    mine = {row["type"] for row in out}
    return out + [dict(c) for c in old.get("conditions") or () if c["type"] not in mine]
