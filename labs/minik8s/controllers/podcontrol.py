"""Creating and deleting the pods of a controller, with the events that tell of it.

pkg/controller/controller_utils.go: RealPodControl, GetPodFromTemplate, slowStartBatch.
"""

from __future__ import annotations

from collections.abc import Callable

from minik8s.client.controller import Context
from minik8s.objects import Object
from minik8s.objects.meta import owner_ref
from minik8s.wire import StatusError

TERMINATING_CAUSE = "NamespaceTerminating"


def pod_from_template(template: Object, owner: Object) -> Object:
    """A pod as `template` wants it, named after its owner and owned by it."""
    meta = template.get("metadata") or {}
    prefix = owner["metadata"]["name"] + "-"
    wanted: Object = {"generateName": prefix, "namespace": owner["metadata"]["namespace"]}
    for field in ("labels", "annotations", "finalizers"):
        if meta.get(field):
            wanted[field] = meta[field]
    wanted["ownerReferences"] = [owner_ref(owner)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": wanted, "spec": template["spec"]}


def namespace_terminating(error: Exception) -> bool:
    """Whether a create was refused because its namespace is going away: nothing to report, nothing to retry."""
    if not isinstance(error, StatusError) or not error.details:
        return False
    return any(cause.get("reason") == TERMINATING_CAUSE for cause in error.details.get("causes") or ())


class PodControl:
    """Creates and deletes pods for `owner`s, and records SuccessfulCreate, FailedCreate and their like."""

    def __init__(self, ctx: Context):
        self._ctx = ctx

    def create(self, owner: Object, pod: Object) -> Object:
        """Create `pod`; raises StatusError after recording why it failed."""
        ctx = self._ctx
        try:
            made = ctx.client.create("pods", pod, namespace=owner["metadata"]["namespace"])
        except StatusError as error:
            if not namespace_terminating(error):
                ctx.recorder.event(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
            raise
        ctx.recorder.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
        return made

    def delete(self, owner: Object, pod: Object) -> bool:
        """Delete `pod`; False when it is gone already. Other failures are recorded and raised."""
        ctx, meta = self._ctx, pod["metadata"]
        try:
            ctx.client.delete("pods", meta["namespace"], meta["name"])
        except StatusError as error:
            if error.code == 404:
                return False
            ctx.recorder.event(owner, "Warning", "FailedDelete", f"Error deleting: {error.message}")
            raise
        ctx.recorder.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {meta['name']}")
        return True

    def patch(self, pod: Object, body: Object) -> Object:
        """Merge-patch the pod."""
        meta = pod["metadata"]
        return self._ctx.client.patch("pods", meta["namespace"], meta["name"], body)


def slow_start(count: int, act: Callable[[], object], first: int = 1) -> tuple[int, StatusError | None]:
    """Call `act` up to `count` times in batches of 1, 2, 4, ...; a batch with a failure is the last one.

    A quota or an admission rule that refuses every pod is thus asked once, not five hundred times.
    Returns how many calls succeeded, and the first error.
    """
    left, done, size = count, 0, min(count, first)
    while size > 0:
        error: StatusError | None = None
        for _ in range(size):
            try:
                act()
                done += 1
            except StatusError as failure:
                error = error or failure
        if error is not None:
            return done, error
        left -= size
        size = min(2 * size, left)
    return done, None
