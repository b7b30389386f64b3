"""root-ca-certificate-publisher-controller: ConfigMap kube-root-ca.crt in every namespace (rootcacertpublisher)."""

from __future__ import annotations

from minik8s.controllers.serviceaccount import PerNamespace
from minik8s.objects import Object

DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)
PLACEHOLDER = (
    "-----BEGIN CERTIFICATE-----\n"
    "bWluaWs4cyBpbi1wcm9jZXNzIGNsdXN0ZXI6IHRoaXMgY2x1c3RlciBoYXMgbm8gVExTIGVuZHBvaW50LCBzbyBpdHMg\n"
    "Q0EgYnVuZGxlIGNhcnJpZXMgbm8ga2V5Lg==\n"
    "-----END CERTIFICATE-----\n"
)
"""What is published while the cluster listens nowhere; the edge passes its real CA as option `root_ca`."""


class RootCAPublisher(PerNamespace):
    name = "root-ca-certificate-publisher-controller"
    resource = "configmaps"
    object_name = "kube-root-ca.crt"

    def wanted(self, space: str) -> Object:
        annotations = {"kubernetes.io/description": DESCRIPTION}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self.object_name, "namespace": space, "annotations": annotations},
            "data": {"ca.crt": self.ctx.options.get("root_ca", PLACEHOLDER)},
        }

    def repair(self, found: Object, wanted: Object) -> None:
        if found.get("data") != wanted["data"]:
            meta = {
                **found["metadata"],
                "annotations": {**(found["metadata"].get("annotations") or {}), **wanted["metadata"]["annotations"]},
            }
            self.client.update(self.resource, {**found, "metadata": meta, "data": wanted["data"]})
