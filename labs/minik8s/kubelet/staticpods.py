"""Static pods: run from files on the node, shown in the API as mirror pods (pkg/kubelet/pod/mirror_client.go)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from minik8s.objects.frozen import Object
from minik8s.wire import StatusError

if TYPE_CHECKING:
    from minik8s.kubelet.kubelet import Kubelet

MIRROR = "kubernetes.io/config.mirror"
RETRY_SECONDS = 2.0


class StaticPods:
    """Manifests by node; the mirror pod is made anew whenever it goes."""

    def __init__(self) -> None:
        self._manifests: dict[str, dict[str, Object]] = {}

    def add(self, kubelet: Kubelet, manifests: tuple[Object, ...]) -> None:
        """What lies in the node's manifest directory. `name` gets the node's name appended."""
        for manifest in manifests:
            self._manifests.setdefault(kubelet.name, {})[f"{manifest['metadata']['name']}-{kubelet.name}"] = manifest

    def put(self, kubelet: Kubelet, manifest: Object) -> None:
        """Write a manifest to the running node."""
        self.add(kubelet, (manifest,))
        self._create(kubelet, f"{manifest['metadata']['name']}-{kubelet.name}")

    def take_away(self, kubelet: Kubelet, name: str) -> None:
        """Remove the manifest: its pod ends."""
        full = f"{name}-{kubelet.name}"
        manifest = self._manifests.get(kubelet.name, {}).pop(full)
        kubelet.client.delete("pods", manifest["metadata"].get("namespace") or "default", full)

    def start(self, kubelet: Kubelet) -> None:
        for name in self._manifests.get(kubelet.name, {}):
            self._create(kubelet, name)

    def mirror_gone(self, kubelet: Kubelet, pod: Object) -> None:
        name = pod["metadata"]["name"]
        if name in self._manifests.get(kubelet.name, {}):
            kubelet.host.call_later(RETRY_SECONDS, self._create, kubelet, name)

    def _create(self, kubelet: Kubelet, name: str) -> None:
        manifest = self._manifests.get(kubelet.name, {}).get(name)
        if manifest is None:
            return
        mark = hashlib.md5(json.dumps(manifest, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
        meta = manifest["metadata"]
        annotations = {**(meta.get("annotations") or {}), MIRROR: mark, "kubernetes.io/config.hash": mark,
                       "kubernetes.io/config.source": "file"}
        owner = kubelet.client.find("nodes", "", kubelet.name) if kubelet.connected else None
        references = [{"apiVersion": "v1", "kind": "Node", "name": kubelet.name, "controller": True,
                       "uid": owner["metadata"]["uid"]}] if owner else []
        spec = {**manifest["spec"], "nodeName": kubelet.name,
                "tolerations": [{"operator": "Exists", "effect": "NoExecute"}]}
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**meta, "name": name, "namespace": meta.get("namespace") or "default",
                         "annotations": annotations, "ownerReferences": references},
            "spec": spec,
        }
        try:
            kubelet.client.create("pods", body)
        except StatusError as error:
            if error.code != 409:
                kubelet.host.call_later(RETRY_SECONDS, self._create, kubelet, name)
