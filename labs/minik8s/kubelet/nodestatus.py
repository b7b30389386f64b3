"""What the kubelet tells about its node: registration, status, and the Lease that says it lives.

Sources: pkg/kubelet/kubelet_node_status.go, pkg/kubelet/nodestatus/setters.go, KEP-589 (leases).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from minik8s.clock import Timer
from minik8s.kubelet.nodeconfig import VERSION
from minik8s.objects.frozen import Object, freeze
from minik8s.objects.meta import rfc3339, rfc3339_micro
from minik8s.wire import StatusError

if TYPE_CHECKING:
    from minik8s.kubelet.kubelet import Kubelet

LEASE_SECONDS = 40
LEASE_RENEW = 10.0
STATUS_CHECK = 10.0
STATUS_REPORT = 300.0
LEASE_NAMESPACE = "kube-node-lease"

FINE = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}
PRESSED = {
    "MemoryPressure": ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    "DiskPressure": ("KubeletHasDiskPressure", "kubelet has disk pressure"),
    "PIDPressure": ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
}


class NodeStatus:
    """Keeps the Node and its Lease in the API up to date."""

    def __init__(self, kubelet: Kubelet):
        self._kubelet = kubelet
        self._lease: Object | None = None
        self._timers: list[Timer] = []
        self._status_timer: Timer | None = None
        self._posted: Object = {}
        self._posted_at = float("-inf")
        self._since: dict[str, tuple[str, str]] = {}
        self.pressure: set[str] = set()
        self.not_ready = ""
        self._boot = 0
        self._registered = False

    def start(self) -> None:
        """Register (again), and keep reporting."""
        self.stop()
        self._boot += 1
        if not self._register():
            self._timers.append(self._kubelet.host.call_later(1.0, self.start))
            return
        self._renew()
        self._check()

    def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if self._status_timer is not None:
            self._status_timer.cancel()
            self._status_timer = None

    def changed(self) -> None:
        """Something in the status is new: report at the next check."""

    def report(self) -> None:
        """Report now, if anything is new."""
        self._post()

    # ---- node --------------------------------------------------------------------
    def _register(self) -> bool:
        kubelet = self._kubelet
        config = kubelet.config
        spec: Object = {"podCIDR": config.pod_cidr, "podCIDRs": [config.pod_cidr]}
        if config.taints:
            spec["taints"] = list(config.taints)
        status = self._status()
        body = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": kubelet.name, "labels": config.node_labels(),
                         "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true",
                                         **config.annotations}},
            "spec": spec,
            "status": status,
        }
        try:
            kubelet.client.create("nodes", body)
        except StatusError as error:
            if error.code != 409:
                return False
            self._posted = {}
            return True
        self._posted, self._posted_at = status, kubelet.host.true_now()
        if not self._registered:
            self._registered = True
        return True

    def _check(self) -> None:
        self._kubelet.evictions.synchronize()
        self._post()
        self._status_timer = self._kubelet.host.call_later(STATUS_CHECK, self._check)

    def _post(self) -> None:
        kubelet = self._kubelet
        status = self._status()
        now = kubelet.host.true_now()
        if _without_heartbeats(status) == _without_heartbeats(self._posted) and now - self._posted_at < STATUS_REPORT:
            return
        try:
            kubelet.client.patch("nodes", "", kubelet.name, {"status": status}, type="strategic", subresource="status")
        except StatusError as error:
            if error.code == 404:
                self._register()
            return
        self._posted, self._posted_at = status, now

    def _status(self) -> Object:
        kubelet = self._kubelet
        config = kubelet.config
        return {
            "capacity": dict(config.capacity),
            "allocatable": config.allocatable(),
            "conditions": self._conditions(),
            "addresses": [{"type": "InternalIP", "address": kubelet.address},
                          {"type": "Hostname", "address": kubelet.name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": self._node_info(),
            "images": kubelet.images.status(),
            "runtimeHandlers": [{"name": "", "features": {"recursiveReadOnlyMounts": True, "userNamespaces": True}}],
            "features": {"supplementalGroupsPolicy": True},
        }

    def _node_info(self) -> Object:
        return _node_info(self._kubelet.name, self._boot, self._kubelet.runtime.name)

    def _conditions(self) -> list[Object]:
        out = []
        for type in FINE:
            pressed = type in self.pressure
            reason, message = (PRESSED if pressed else FINE)[type]
            out.append(self._condition(type, "True" if pressed else "False", reason, message))
        if self.not_ready:
            out.append(self._condition("Ready", "False", "KubeletNotReady", self.not_ready))
        else:
            out.append(self._condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
        return out

    def _condition(self, type: str, status: str, reason: str, message: str) -> Object:
        now = rfc3339(self._kubelet.host.now())
        before = self._since.get(type)
        if before is None or before[0] != status:
            self._since[type] = before = (status, now)
        return {"type": type, "status": status, "lastHeartbeatTime": now, "lastTransitionTime": before[1],
                "reason": reason, "message": message}

    def reconsider(self) -> None:
        """The node's conditions may have been written by others (node lifecycle controller): tell them again."""
        self._since.clear()
        self._posted = {}

    # ---- lease -------------------------------------------------------------------
    def _renew(self) -> None:
        kubelet = self._kubelet
        self._timers[:] = [kubelet.host.call_later(LEASE_RENEW, self._renew)]
        spec = {"holderIdentity": kubelet.name, "leaseDurationSeconds": LEASE_SECONDS,
                "renewTime": rfc3339_micro(kubelet.host.now())}
        try:
            if self._lease is None:
                self._lease = kubelet.client.find("leases.coordination.k8s.io", LEASE_NAMESPACE, kubelet.name)
            if self._lease is None:
                self._lease = self._new_lease(spec)
            else:
                self._lease = kubelet.client.update("leases.coordination.k8s.io", {**self._lease, "spec": spec})
        except StatusError as error:
            if error.code in (404, 409):
                self._lease = None

    def _new_lease(self, spec: Object) -> Object:
        kubelet = self._kubelet
        meta: Object = {"name": kubelet.name, "namespace": LEASE_NAMESPACE}
        node = kubelet.client.find("nodes", "", kubelet.name)
        if node is not None:
            meta["ownerReferences"] = [{"apiVersion": "v1", "kind": "Node", "name": kubelet.name,
                                        "uid": node["metadata"]["uid"]}]
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
        return kubelet.client.create("leases.coordination.k8s.io", body)


@lru_cache(maxsize=4096)
def _node_info(name: str, boot: int, runtime: str) -> Object:
    info: Object = freeze({
        "machineID": _digest("machine", name)[:32],
        "systemUUID": _uuid(_digest("system", name)),
        "bootID": _uuid(_digest(f"boot-{boot}", name)),
        "kernelVersion": "6.12.0-minik8s",
        "osImage": "minik8s virtual machine",
        "containerRuntimeVersion": f"{runtime}://2.2.0",
        "kubeletVersion": VERSION,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": "amd64",
    })
    return info


def _without_heartbeats(status: Object) -> Object:
    conditions = [{k: v for k, v in c.items() if k != "lastHeartbeatTime"} for c in status.get("conditions") or ()]
    return {**status, "conditions": conditions}


def _digest(what: str, name: str) -> str:
    return hashlib.sha256(f"{what}/{name}".encode()).hexdigest()


def _uuid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"
