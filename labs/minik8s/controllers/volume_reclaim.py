"""What happens to a volume whose claim is gone (pv_controller.go reclaimVolume, pkg/volume/hostpath).

Retain: a person decides. Delete: whoever provisioned it removes it; of hand-made ones only host paths below /tmp can
be removed. Recycle (deprecated): a pod in `default` empties it, then it is free again.
"""

from __future__ import annotations

import re

from minik8s.client.controller import Context
from minik8s.controllers.podutil import is_finished, phase
from minik8s.controllers.protection import BY_CLAIM, claims_of_pod
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of, key, name
from minik8s.wire import StatusError

VOLUMES = "persistentvolumes"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
RETRY = 15.0
RECYCLER_IMAGE = "registry.k8s.io/build-image/debian-base:bookworm-v1.0.6"
_SCRUB = 'test -e /scrub && find /scrub -mindepth 1 -delete && test -z "$(ls -A /scrub)" || exit 1'
_RECYCLED = {"hostPath": 60, "nfs": 300}
"""Sources that can be emptied, with the seconds that may take at least."""


class Failure(Exception):
    """The volume cannot be reclaimed: reason of the event, and message."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason, self.message = reason, message


class Reclaimer:
    """Carries out reclaim policies for the binder."""

    def __init__(self, ctx: Context):
        self._client, self._recorder = ctx.client, ctx.recorder
        self._pods = ctx.informers("pods")
        self._pods.add_index(BY_CLAIM, claims_of_pod)

    def delete(self, volume: Object) -> None:
        """Remove the volume, if that is for us to do. Failure when nobody can."""
        spec = volume["spec"]
        if annotations_of(volume).get(PROVISIONED_BY) or "csi" in spec:
            return  # its provisioner sees to it
        if "hostPath" not in spec:
            which = f'error getting deleter volume plugin for volume "{name(volume)}"'
            raise Failure("VolumeFailedDelete", f"{which}: no deletable volume plugin matched")
        path = spec["hostPath"]["path"]
        if not re.search("/tmp/.+", path):
            message = f"host_path deleter only supports /tmp/.+ but received provided {path}"
            raise Failure("VolumeFailedDelete", message)
        try:
            self._client.delete(VOLUMES, "", name(volume))
        except StatusError as error:
            if error.code != 404:
                raise

    def recycle(self, volume: Object) -> bool:
        """Take the next step of emptying the volume. True when it is empty. Failure when it cannot be emptied."""
        source = next((s for s in _RECYCLED if s in volume["spec"]), None)
        if source is None:
            raise Failure("VolumeFailedRecycle", "No recycler plugin found for the volume!")
        reference = volume["spec"]["claimRef"]
        users = self._pods.by_index(BY_CLAIM, f"{reference['namespace']}/{reference['name']}")
        if using := sorted(key(pod) for pod in users if not is_finished(pod)):
            message = f"Volume is used by pods: {','.join(using)}"
            self._recorder.event(volume, "Normal", "VolumeFailedRecycle", message)
            return False
        pod = self._pods.get("default", f"recycler-for-{name(volume)}")
        if pod is None:
            self._client.create("pods", _recycler(volume, source))
            return False
        if not is_finished(pod) or "deletionTimestamp" in pod["metadata"]:
            return False
        self._client.delete("pods", "default", name(pod))
        if phase(pod) == "Failed":
            why = (pod.get("status") or {}).get("message") or "pod failed, pod.Status.Message unknown"
            raise Failure("VolumeFailedRecycle", f"Recycle failed: failed to recycle volume: {why}")
        self._recorder.event(volume, "Normal", "VolumeRecycled", "Volume recycled")
        return True


def _recycler(volume: Object, source: str) -> Object:
    container = {
        "name": "pv-recycler",
        "image": RECYCLER_IMAGE,
        "command": ["/bin/sh"],
        "args": ["-c", _SCRUB],
        "volumeMounts": [{"name": "vol", "mountPath": "/scrub"}],
    }
    given = volume["spec"][source]
    spec = {
        "activeDeadlineSeconds": _RECYCLED[source],
        "restartPolicy": "Never",
        "volumes": [{"name": "vol", source: {"path": given["path"]} if source == "hostPath" else given}],
        "containers": [container],
    }
    meta = {"name": f"recycler-for-{name(volume)}", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
