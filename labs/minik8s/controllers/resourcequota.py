"""resourcequota-controller: recounts what is used (pkg/controller/resourcequota).

Admission counts upwards when objects are made; this controller sees what goes away, and corrects.
"""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.owners import in_namespace, index_by_namespace
from minik8s.controllers.podutil import is_finished
from minik8s.controllers.quota_usage import Usage, add, in_scope, resources_of, usage_of
from minik8s.objects import Object
from minik8s.objects.meta import key
from minik8s.objects.quantity import canonical, parse_quantity
from minik8s.wire import StatusError

RESYNC = 300.0
WATCHED = ("pods", "services", "persistentvolumeclaims")


class ResourceQuotaController(Controller):
    name = "resourcequota-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.quotas = index_by_namespace(ctx.informers("resourcequotas"))
        self.quotas.on_change(self._quota_changed)
        for resource in WATCHED:
            ctx.informers(resource).on_change(self._freed)

    def _quota_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None and (old is None or old["spec"] != new["spec"]):
            self.enqueue(key(new))

    def _freed(self, old: Object | None, new: Object | None) -> None:
        """Something that used quota is gone, or a pod has ended."""
        if old is None or (new is not None and not (old["kind"] == "Pod" and is_finished(new) > is_finished(old))):
            return
        for quota in in_namespace(self.quotas, old["metadata"]["namespace"]):
            self.enqueue(key(quota))

    def reconcile(self, name: str) -> float | None:
        namespace, _, short = name.partition("/")
        quota = self.quotas.get(namespace, short)
        if quota is None:
            return None
        hard = {n: canonical(v) for n, v in (quota["spec"].get("hard") or {}).items()}
        status = {"hard": hard, "used": self._used(quota, namespace, hard)}
        old = quota.get("status") or {}
        if {f: old.get(f) or {} for f in status} != status:
            try:
                self.client.update("resourcequotas", {**quota, "status": status}, subresource="status")
            except StatusError as error:
                if error.code != 404:
                    raise
        return RESYNC

    def _used(self, quota: Object, namespace: str, hard: dict[str, str]) -> dict[str, str]:
        total: Usage = {}
        for resource in sorted(resources_of(hard)):
            try:
                objects = self.client.list(resource, namespace)
            except StatusError as error:
                if error.code != 404:
                    raise  # counting nothing would let everybody exceed the quota
                continue  # a count/RESOURCE that nobody serves
            for obj in objects:
                if resource != "pods" or in_scope(quota, obj):
                    usage = usage_of(resource, obj, self.clock.now())
                    total = add(total, {n: q for n, q in usage.items() if n in hard})
        zero = parse_quantity("0")
        return {n: canonical(total.get(n, zero)) for n in sorted(hard)}
