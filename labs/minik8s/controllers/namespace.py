"""namespace-controller: empties a namespace that is being deleted (pkg/controller/namespace/deletion).

Pods go first (OrderedNamespaceDeletion), so that nothing they need disappears under them; then everything else; then
the `kubernetes` finalizer is removed, and with it the namespace.
"""

from __future__ import annotations

from collections.abc import Sequence

from minik8s.client.controller import Context, Controller
from minik8s.controllers.podutil import set_condition
from minik8s.controllers.resources import Resource, Resources
from minik8s.objects import Object
from minik8s.objects.meta import name, rfc3339
from minik8s.wire import StatusError

FINALIZER = "kubernetes"
ESTIMATE_SECONDS = 15
"""How long content with finalizers is expected to stay, when nothing says better."""

CONDITIONS = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
}
"""Condition types with the reason and message of the good case (status False)."""


DELETION_DELAY = 5.0
"""Seconds that a deleted namespace is left alone: last creations in it are seen (namespaceDeletionGracePeriod)."""


class NamespaceController(Controller):
    name = "namespace-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.resources = Resources(ctx.informers("customresourcedefinitions.apiextensions.k8s.io"))
        self.namespaces = ctx.informers("namespaces")
        self.namespaces.on_change(self._changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None and "deletionTimestamp" in new["metadata"]:
            self.queue.add_after(name(new), DELETION_DELAY)

    def reconcile(self, key: str) -> float | None:
        cached = self.namespaces.get("", key)
        if cached is None or "deletionTimestamp" not in cached["metadata"]:
            return None
        namespace = self.client.find("namespaces", "", key)
        if namespace is None or namespace["metadata"]["uid"] != cached["metadata"]["uid"]:
            return None
        if (namespace.get("status") or {}).get("phase") != "Terminating":
            status = {**(namespace.get("status") or {}), "phase": "Terminating"}
            namespace = self.client.update("namespaces", {**namespace, "status": status}, subresource="status")
        finalizers = namespace["spec"].get("finalizers") or []
        if FINALIZER not in finalizers:
            return None
        remaining, failures, pods_first = self._delete_content(key)
        # While pods are left upstream returns before it counts the content (deleteAllContent): all looks well.
        self._tell(namespace, {} if pods_first else remaining, failures)
        if failures:
            raise StatusError(500, "InternalError", failures[0])
        if remaining:
            return self._estimate(key) / 2 + 1
        self._finalize(key)
        return None

    # ---- content -------------------------------------------------------------------
    def _delete_content(self, namespace: str) -> tuple[dict[Resource, list[Object]], list[str], bool]:
        """Delete what may be deleted now. (what remains by resource, messages of failures, whether pods hold it up)"""
        everything = [r for r in self.resources if r.namespaced]
        pods = [r for r in everything if r.name == "pods"]
        remaining, failures = self._delete_all(namespace, pods)
        if remaining or failures:
            return remaining, failures, True
        events = Resource("events", "v1", "Event", True)
        return *self._delete_all(namespace, [*(r for r in everything if r.name != "pods"), events]), False

    def _delete_all(
        self, namespace: str, resources: Sequence[Resource]
    ) -> tuple[dict[Resource, list[Object]], list[str]]:
        remaining: dict[Resource, list[Object]] = {}
        failures: list[str] = []
        for resource in resources:
            try:
                for obj in self.client.list(resource.name, namespace):
                    if "deletionTimestamp" not in obj["metadata"]:
                        self._delete(resource, namespace, obj)
                left = self.client.list(resource.name, namespace)
            except StatusError as error:
                failures.append(error.message)
                continue
            if left:
                remaining[resource] = left
        return remaining, failures

    def _delete(self, resource: Resource, namespace: str, obj: Object) -> None:
        try:
            self.client.delete(resource.name, namespace, name(obj), propagation="Background")
        except StatusError as error:
            if error.code not in (404, 405):
                raise

    def _estimate(self, namespace: str) -> float:
        """The longest termination grace among the pods that are left."""
        pods = self.client.list("pods", namespace)
        graces = [float(pod["metadata"].get("deletionGracePeriodSeconds") or 0) for pod in pods]
        return max(graces) if graces else ESTIMATE_SECONDS

    def _finalize(self, key: str) -> None:
        namespace = self.client.find("namespaces", "", key)
        if namespace is None:
            return
        left = [f for f in namespace["spec"].get("finalizers") or () if f != FINALIZER]
        self.client.update(
            "namespaces", {**namespace, "spec": {**namespace["spec"], "finalizers": left}}, subresource="finalize"
        )

    # ---- conditions ----------------------------------------------------------------
    def _tell(self, namespace: Object, remaining: dict[Resource, list[Object]], failures: list[str]) -> None:
        bad: dict[str, tuple[str, str]] = {}
        if failures:
            message = "Failed to delete all resource types, {} remaining: {}".format(
                len(failures), ", ".join(sorted(failures))
            )
            bad["NamespaceDeletionContentFailure"] = ("ContentDeletionFailed", message)
        if remaining:
            counts = sorted(
                f"{r.name if r.group else r.name + '.'} has {len(left)} resource instances"
                for r, left in remaining.items()
            )
            bad["NamespaceContentRemaining"] = (
                "SomeResourcesRemain",
                "Some resources are remaining: " + ", ".join(counts),
            )
        finalizers: dict[str, int] = {}
        for left in remaining.values():
            for obj in left:
                for finalizer in obj["metadata"].get("finalizers") or ():
                    finalizers[finalizer] = finalizers.get(finalizer, 0) + 1
        if finalizers:
            counts = [f"{f} in {n} resource instances" for f, n in sorted(finalizers.items())]
            message = "Some content in the namespace has finalizers remaining: " + ", ".join(counts)
            bad["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", message)
        self._write(namespace, bad)

    def _write(self, namespace: Object, bad: dict[str, tuple[str, str]]) -> None:
        status = namespace.get("status") or {}
        conditions: list[Object] = list(status.get("conditions") or ())
        for kind, good in CONDITIONS.items():
            value, (reason, message) = ("True", bad[kind]) if kind in bad else ("False", good)
            old = next((c for c in conditions if c["type"] == kind), None)
            if old is not None and (old["status"], old.get("reason"), old.get("message")) == (value, reason, message):
                continue
            stamp = rfc3339(self.clock.now())
            if old is not None and old["status"] == value:
                stamp = old["lastTransitionTime"]
            fresh = {"type": kind, "status": value, "lastTransitionTime": stamp, "reason": reason, "message": message}
            conditions = set_condition(conditions, fresh)
        if conditions != list(status.get("conditions") or ()):
            changed = {**namespace, "status": {**status, "conditions": conditions}}
            try:
                self.client.update("namespaces", changed, subresource="status")
            except StatusError as error:
                if error.code not in (404, 409):
                    raise
