"""All kubelets of a cluster, and the world that their machines stand in.

One watch on pods serves every node: a change is handed to the kubelet whose node it names,
so that a thousand nodes cost no more than the pods that change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from minik8s.client import Context
from minik8s.clock import Clock
from minik8s.dataplane import Fabric
from minik8s.kubelet.hostclock import HostClock
from minik8s.kubelet.images import Registry
from minik8s.kubelet.kubelet import Kubelet
from minik8s.kubelet.nodeconfig import NodeConfig
from minik8s.kubelet.pod import PodWorker
from minik8s.kubelet.runtime import Runtime
from minik8s.kubelet.servicelinks import INDEX
from minik8s.kubelet.simulated import SimulatedRuntime
from minik8s.kubelet.staticpods import StaticPods
from minik8s.kubelet.volumes import Storage
from minik8s.objects.frozen import Object

Kubelets = list[Kubelet]

RuntimeFactory = Callable[[Clock, HostClock, str, Fabric | None], Runtime]
"""Makes the runtime of a node: (the cluster's clock, the machine's clock, the node's name, the network)."""


@dataclass
class World:
    """What lies outside of the API: the network, image registries, storage systems, and what runs containers."""

    fabric: Fabric | None = None
    registry: Registry = field(default_factory=Registry)
    storage: Storage = field(default_factory=Storage)
    static: StaticPods = field(default_factory=StaticPods)
    runtime: RuntimeFactory = SimulatedRuntime

    def static_pod_gone(self, kubelet: Kubelet, worker: PodWorker) -> None:
        self.static.mirror_gone(kubelet, worker.pod)


class Fleet:
    """The kubelets by node name."""

    def __init__(self, ctx: Context, world: World | None = None):
        self.ctx, self.world = ctx, world or World()
        self._kubelets: dict[str, Kubelet] = {}
        self._started = False
        informers = ctx.informers
        pods = informers("pods")
        pods.add_index("spec.nodeName", _node_name)
        informers("services").add_index(INDEX, lambda o: [o["metadata"].get("namespace", "")])
        pods.on_change(self._pod_changed)
        for kind in ("configmap", "secret"):
            informers(f"{kind}s").on_change(partial(self._source_changed, kind))
        for resource in ("nodes", "persistentvolumeclaims", "volumeattachments.storage.k8s.io"):
            informers(resource)
        informers("persistentvolumes").on_change(self._volume_changed)

    def __getitem__(self, name: str) -> Kubelet:
        return self._kubelets[name]

    def __contains__(self, name: str) -> bool:
        return name in self._kubelets

    def names(self) -> list[str]:
        return list(self._kubelets)

    def all(self) -> Kubelets:
        return list(self._kubelets.values())

    def add(self, config: NodeConfig, runtime: Runtime | None = None) -> Kubelet:
        """Make a node's kubelet. It registers when the fleet starts, or at once when it has."""
        kubelet = self._kubelets[config.name] = Kubelet(self.ctx, self.world, config, runtime)
        self.world.static.add(kubelet, config.static_pods)
        if self._started:
            self._start(kubelet)
        return kubelet

    def remove(self, name: str) -> None:
        """Take a machine away for good."""
        self._kubelets.pop(name).power_off()

    def start(self) -> None:
        self._started = True
        for kubelet in self._kubelets.values():
            self._start(kubelet)

    def stop(self) -> None:
        for kubelet in self._kubelets.values():
            kubelet.stop()

    def find(self, namespace: str, name: str) -> PodWorker | None:
        """The worker of a pod, on whatever node it is."""
        pod = self.ctx.informers("pods").get(namespace, name)
        node = pod["spec"].get("nodeName") if pod is not None else None
        kubelet = self._kubelets.get(node or "")
        return kubelet.pods.get(pod["metadata"]["uid"]) if kubelet is not None and pod is not None else None

    def _start(self, kubelet: Kubelet) -> None:
        kubelet.start()
        self.world.static.start(kubelet)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        replaced = old is not None and new is not None and old["metadata"]["uid"] != new["metadata"]["uid"]
        if old is not None and (new is None or replaced):
            kubelet = self._kubelets.get(old["spec"].get("nodeName") or "")
            if kubelet is not None:
                kubelet.pod_gone(old)
        if new is not None:
            kubelet = self._kubelets.get(new["spec"].get("nodeName") or "")
            if kubelet is not None:
                kubelet.pod_changed(new)

    def _source_changed(self, kind: str, old: Object | None, new: Object | None) -> None:
        if old is None or new is None:
            return
        meta = new["metadata"]
        for kubelet in self._kubelets.values():
            kubelet.source_changed(kind, meta["namespace"], meta["name"])

    def _volume_changed(self, old: Object | None, new: Object | None) -> None:
        """A dynamically provisioned volume with reclaim policy Delete takes its data along."""
        if new is None and old is not None:
            dynamic = "pv.kubernetes.io/provisioned-by" in (old["metadata"].get("annotations") or {})
            if dynamic and old["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
                csi = old["spec"].get("csi")
                handle = f"csi:{csi['driver']}:{csi['volumeHandle']}" if csi else f"pv:{old['metadata']['uid']}"
                self.world.storage.delete(handle)


def _node_name(pod: Object) -> list[str]:
    name = pod["spec"].get("nodeName")
    return [name] if name else []
