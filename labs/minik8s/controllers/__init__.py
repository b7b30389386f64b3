"""The controllers of kube-controller-manager, one file each.

`CONTROLLERS` is the one list of them, by the names that kube-controller-manager's --controllers flag takes. A new
controller is one file and one line here.
"""

from __future__ import annotations

from minik8s.client.controller import Controller
from minik8s.controllers.attachdetach import AttachDetachController
from minik8s.controllers.clusterroleaggregation import ClusterRoleAggregationController
from minik8s.controllers.cronjob import CronJobController
from minik8s.controllers.daemonset import DaemonSetController
from minik8s.controllers.deployment import DeploymentController
from minik8s.controllers.disruption import DisruptionController
from minik8s.controllers.endpoints import EndpointsController
from minik8s.controllers.endpointslice import EndpointSliceController
from minik8s.controllers.endpointslicemirroring import EndpointSliceMirroringController
from minik8s.controllers.ephemeralvolume import EphemeralVolumeController
from minik8s.controllers.garbagecollector import GarbageCollector
from minik8s.controllers.horizontalpodautoscaler import HorizontalPodAutoscalerController
from minik8s.controllers.job import JobController
from minik8s.controllers.namespace import NamespaceController
from minik8s.controllers.nodelifecycle import NodeLifecycleController
from minik8s.controllers.persistentvolumebinder import PersistentVolumeBinder
from minik8s.controllers.persistentvolumeexpander import PersistentVolumeExpander
from minik8s.controllers.podgc import PodGarbageCollector
from minik8s.controllers.protection import ClaimProtectionController, VolumeProtectionController
from minik8s.controllers.provisioner import SimulatedProvisioner
from minik8s.controllers.replicaset import ReplicaSetController
from minik8s.controllers.replicationcontroller import ReplicationController
from minik8s.controllers.resourcequota import ResourceQuotaController
from minik8s.controllers.rootca import RootCAPublisher
from minik8s.controllers.serviceaccount import ServiceAccountController
from minik8s.controllers.servicelb import ServiceLBController
from minik8s.controllers.statefulset import StatefulSetController
from minik8s.controllers.tainteviction import TaintEvictionController
from minik8s.controllers.ttl import TTLController
from minik8s.controllers.ttlafterfinished import TTLAfterFinishedController

_ALL: tuple[type[Controller], ...] = (
    NamespaceController,
    ServiceAccountController,
    RootCAPublisher,
    GarbageCollector,
    ReplicaSetController,
    ReplicationController,
    DeploymentController,
    StatefulSetController,
    DaemonSetController,
    JobController,
    TTLAfterFinishedController,
    CronJobController,
    DisruptionController,
    EndpointsController,
    EndpointSliceController,
    EndpointSliceMirroringController,
    ResourceQuotaController,
    HorizontalPodAutoscalerController,
    NodeLifecycleController,
    TaintEvictionController,
    PodGarbageCollector,
    TTLController,
    PersistentVolumeBinder,
    ClaimProtectionController,
    VolumeProtectionController,
    EphemeralVolumeController,
    AttachDetachController,
    PersistentVolumeExpander,
    ServiceLBController,
    ClusterRoleAggregationController,
    SimulatedProvisioner,
)

CONTROLLERS: dict[str, type[Controller]] = {controller.name: controller for controller in _ALL}
"""Name -> class, in the order in which they are started."""

__all__ = ["CONTROLLERS", "component"]


def component(controller: type[Controller]) -> str:
    """The name under which a controller's Events are written; for a few it differs from the controller's name."""
    return str(getattr(controller, "component", controller.name))
