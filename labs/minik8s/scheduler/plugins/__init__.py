"""The default plugins of kube-scheduler 1.36, one file each, in the order in which the default profile runs them."""

from __future__ import annotations

from minik8s.scheduler.framework import Plugin
from minik8s.scheduler.plugins.balanced_allocation import NodeResourcesBalancedAllocation
from minik8s.scheduler.plugins.default_binder import DefaultBinder
from minik8s.scheduler.plugins.dynamic_resources import DynamicResources
from minik8s.scheduler.plugins.image_locality import ImageLocality
from minik8s.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from minik8s.scheduler.plugins.node_affinity import NodeAffinity
from minik8s.scheduler.plugins.node_name import NodeName
from minik8s.scheduler.plugins.node_ports import NodePorts
from minik8s.scheduler.plugins.node_resources_fit import NodeResourcesFit
from minik8s.scheduler.plugins.node_unschedulable import NodeUnschedulable
from minik8s.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from minik8s.scheduler.plugins.pod_topology_spread import PodTopologySpread
from minik8s.scheduler.plugins.priority_sort import PrioritySort
from minik8s.scheduler.plugins.scheduling_gates import SchedulingGates
from minik8s.scheduler.plugins.taint_toleration import TaintToleration
from minik8s.scheduler.plugins.volume_binding import VolumeBinding
from minik8s.scheduler.plugins.volume_restrictions import VolumeRestrictions
from minik8s.scheduler.plugins.volume_zone import VolumeZone
from minik8s.scheduler.preemption import DefaultPreemption

DEFAULTS: tuple[tuple[type[Plugin], int], ...] = (
    (SchedulingGates, 0),
    (PrioritySort, 0),
    (NodeUnschedulable, 0),
    (NodeName, 0),
    (TaintToleration, 3),
    (NodeAffinity, 2),
    (NodePorts, 0),
    (NodeResourcesFit, 1),
    (VolumeRestrictions, 0),
    (NodeVolumeLimits, 0),
    (VolumeBinding, 0),
    (VolumeZone, 0),
    (PodTopologySpread, 2),
    (InterPodAffinity, 2),
    (DynamicResources, 2),
    (DefaultPreemption, 0),
    (NodeResourcesBalancedAllocation, 1),
    (ImageLocality, 1),
    (DefaultBinder, 0),
)
"""(plugin, default weight of its score)"""

REGISTRY: dict[str, type[Plugin]] = {plugin.name: plugin for plugin, _ in DEFAULTS}
