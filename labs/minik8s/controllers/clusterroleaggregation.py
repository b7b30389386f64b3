"""clusterrole-aggregation-controller: ClusterRoles that are sums of others (pkg/controller/clusterroleaggregation)."""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.objects import Object
from minik8s.objects.meta import labels, name
from minik8s.objects.selectors import matches

ROLES = "clusterroles.rbac.authorization.k8s.io"


class ClusterRoleAggregationController(Controller):
    name = "clusterrole-aggregation-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.roles = ctx.informers(ROLES)
        self.roles.on_change(self._changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and _parts(old) == _parts(new):
            return
        for role in self.roles.list():
            if role.get("aggregationRule"):
                self.enqueue(name(role))

    def reconcile(self, key: str) -> float | None:
        role = self.roles.get("", key)
        if role is None or not role.get("aggregationRule"):
            return None
        rules: list[Object] = []
        for selector in role["aggregationRule"].get("clusterRoleSelectors") or ():
            for other in self.roles.list():
                if name(other) != key and matches(selector, labels(other)):
                    rules += [rule for rule in other.get("rules") or () if rule not in rules]
        if rules != (role.get("rules") or []):
            self.client.update(ROLES, {**role, "rules": rules})
        return None


def _parts(role: Object) -> tuple[object, ...]:
    return role.get("rules"), labels(role), role.get("aggregationRule")
