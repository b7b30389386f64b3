"""replicaset-controller: as many pods as `spec.replicas` says (pkg/controller/replicaset)."""

from __future__ import annotations

from minik8s.client.controller import Context
from minik8s.controllers.owners import index_by_controller, owned
from minik8s.controllers.replicas import ReplicaManager
from minik8s.objects import Object
from minik8s.objects.meta import controller_of


class ReplicaSetController(ReplicaManager):
    name = "replicaset-controller"
    resource = "replicasets.apps"
    kind = "ReplicaSet"
    counts_terminating = True

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        index_by_controller(self.sets)

    def selector(self, owner: Object) -> Object:
        found: Object = owner["spec"]["selector"]
        return found

    def related(self, owner: Object) -> list[Object]:
        """The ReplicaSets of the same Deployment: during a rollout, pods beside their successors go first."""
        reference = controller_of(owner)
        if reference is None:
            return [owner]
        return owned(self.sets, {"metadata": {"uid": reference["uid"]}})
