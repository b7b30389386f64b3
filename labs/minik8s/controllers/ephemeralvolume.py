"""ephemeral-volume-controller: claims for the generic ephemeral volumes of pods (pkg/controller/volume/ephemeral)."""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.podutil import is_finished
from minik8s.objects import Object
from minik8s.objects.meta import key, owner_ref
from minik8s.wire import StatusError

CLAIMS = "persistentvolumeclaims"


class EphemeralVolumeController(Controller):
    name = "ephemeral-volume-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.pods = ctx.informers("pods")
        self.claims = ctx.informers(CLAIMS)
        self.pods.on_change(self._pod_changed)
        self.claims.on_change(self._claim_changed)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None and any(v.get("ephemeral") for v in new["spec"].get("volumes") or ()):
            self.enqueue(key(new))

    def _claim_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None and old is not None:
            for reference in old["metadata"].get("ownerReferences") or ():
                if reference["kind"] == "Pod":
                    self.enqueue(f"{old['metadata']['namespace']}/{reference['name']}")

    def reconcile(self, name: str) -> float | None:
        namespace, _, short = name.partition("/")
        pod = self.pods.get(namespace, short)
        if pod is None or "deletionTimestamp" in pod["metadata"] or is_finished(pod):
            return None
        for volume in pod["spec"].get("volumes") or ():
            if volume.get("ephemeral"):
                self._ensure(pod, volume)
        return None

    def _ensure(self, pod: Object, volume: Object) -> None:
        namespace, claim_name = pod["metadata"]["namespace"], f"{pod['metadata']['name']}-{volume['name']}"
        claim = self.claims.get(namespace, claim_name)
        if claim is not None:
            owners = claim["metadata"].get("ownerReferences") or ()
            if not any(r["uid"] == pod["metadata"]["uid"] for r in owners):
                message = f'PVC "{claim_name}" was not created for pod "{pod["metadata"]["name"]}"'
                raise StatusError(409, "Conflict", message)
            return
        template = volume["ephemeral"]["volumeClaimTemplate"]
        meta = {k: v for k, v in (template.get("metadata") or {}).items() if k in ("labels", "annotations")}
        meta |= {"name": claim_name, "namespace": namespace, "ownerReferences": [owner_ref(pod)]}
        wanted = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": template["spec"]}
        try:
            self.client.create(CLAIMS, wanted)
        except StatusError as error:
            message = f"ephemeral volume controller: create PVC {claim_name}: {error.message}"
            self.ctx.recorder.event(pod, "Warning", "FailedBinding", message)
            raise
