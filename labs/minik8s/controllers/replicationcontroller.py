"""replicationcontroller-controller: the ReplicaSet's ancestor (pkg/controller/replication)."""

from __future__ import annotations

from minik8s.controllers.replicas import ReplicaManager
from minik8s.objects import Object


class ReplicationController(ReplicaManager):
    name = "replicationcontroller-controller"
    resource = "replicationcontrollers"
    kind = "ReplicationController"

    def selector(self, owner: Object) -> Object:
        return {"matchLabels": owner["spec"].get("selector") or {}}
