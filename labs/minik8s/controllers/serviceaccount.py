"""serviceaccount-controller: every namespace has a `default` ServiceAccount (pkg/controller/serviceaccount)."""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.podcontrol import namespace_terminating
from minik8s.objects import Object
from minik8s.objects.meta import name, namespace
from minik8s.wire import StatusError


class PerNamespace(Controller):
    """Keeps one object of a fixed name in every active namespace."""

    resource = ""
    object_name = ""

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.namespaces = ctx.informers("namespaces")
        self.objects = ctx.informers(self.resource)
        self.namespaces.on_change(lambda old, new: self.enqueue(name(new)) if new is not None else None)
        self.objects.on_change(self._object_changed)

    def _object_changed(self, old: Object | None, new: Object | None) -> None:
        changed = new or old
        if changed is not None and name(changed) == self.object_name:
            self.enqueue(namespace(changed))

    def wanted(self, space: str) -> Object:
        """The object as it must be in namespace `space`."""
        raise NotImplementedError

    def repair(self, found: Object, wanted: Object) -> None:
        """Correct an object that exists."""

    def reconcile(self, key: str) -> float | None:
        space = self.namespaces.get("", key)
        if space is None or (space.get("status") or {}).get("phase") == "Terminating":
            return None
        if "deletionTimestamp" in space["metadata"]:
            return None
        found = self.objects.get(key, self.object_name)
        if found is not None:
            self.repair(found, self.wanted(key))
            return None
        try:
            self.client.create(self.resource, self.wanted(key))
        except StatusError as error:
            if error.reason != "AlreadyExists" and not namespace_terminating(error):
                raise
        return None


class ServiceAccountController(PerNamespace):
    name = "serviceaccount-controller"
    resource = "serviceaccounts"
    object_name = "default"

    def wanted(self, space: str) -> Object:
        return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": space}}
