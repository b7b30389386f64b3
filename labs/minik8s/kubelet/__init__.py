"""The kubelet: pods made real on their nodes, with probes, restarts, volumes and logs."""

from minik8s.kubelet.fleet import Fleet, World
from minik8s.kubelet.images import Registry
from minik8s.kubelet.kubelet import Kubelet
from minik8s.kubelet.nodeconfig import NodeConfig

__all__ = ["Fleet", "Kubelet", "NodeConfig", "Registry", "World"]
