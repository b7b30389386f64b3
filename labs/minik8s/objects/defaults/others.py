"""Defaults of the small groups: storage, scheduling, rbac, node, authentication, certificates, flowcontrol."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.objects.defaults.pods import default, resource_list
from minik8s.objects.frozen import Object

RBAC = "rbac.authorization.k8s.io"
FLOW = "flowcontrol.apiserver.k8s.io"


def _storage_class(obj: Object) -> None:
    default(obj, "reclaimPolicy", "Delete")
    default(obj, "volumeBindingMode", "Immediate")


def _csi_driver(obj: Object) -> None:
    spec = obj["spec"]
    default(spec, "attachRequired", True)
    default(spec, "podInfoOnMount", False)
    default(spec, "storageCapacity", False)
    default(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType")
    default(spec, "volumeLifecycleModes", ["Persistent"])
    default(spec, "requiresRepublish", False)
    default(spec, "seLinuxMount", False)


def _priority_class(obj: Object) -> None:
    default(obj, "preemptionPolicy", "PreemptLowerPriority")


def _binding(obj: Object) -> None:
    if not obj["roleRef"].get("apiGroup"):
        obj["roleRef"]["apiGroup"] = RBAC
    for subject in obj.get("subjects") or ():
        if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = RBAC


def _runtime_class(obj: Object) -> None:
    resource_list((obj.get("overhead") or {}).get("podFixed"))


def _token_request(obj: Object) -> None:
    if obj["spec"].get("expirationSeconds") is None:
        obj["spec"]["expirationSeconds"] = 3600


def _certificate_request(obj: Object) -> None:
    default(obj["spec"], "usages", ["digital signature", "key encipherment"])


def _flow_schema(obj: Object) -> None:
    if not obj["spec"].get("matchingPrecedence"):
        obj["spec"]["matchingPrecedence"] = 1000


def _priority_level(obj: Object) -> None:
    limited = obj["spec"].get("limited")
    if limited is not None:
        if limited.get("nominalConcurrencyShares") is None:
            limited["nominalConcurrencyShares"] = 30
        default(limited, "lendablePercent", 0)
        queuing = limited["limitResponse"].get("queuing")
        for key, value in (("queues", 64), ("handSize", 8), ("queueLengthLimit", 50)):
            if queuing is not None and not queuing.get(key):
                queuing[key] = value


DEFAULTS: dict[tuple[str, str, str], Callable[[Object], None]] = {
    ("storage.k8s.io", "v1", "StorageClass"): _storage_class,
    ("storage.k8s.io", "v1", "CSIDriver"): _csi_driver,
    ("scheduling.k8s.io", "v1", "PriorityClass"): _priority_class,
    (RBAC, "v1", "RoleBinding"): _binding, (RBAC, "v1", "ClusterRoleBinding"): _binding,
    ("node.k8s.io", "v1", "RuntimeClass"): _runtime_class,
    ("authentication.k8s.io", "v1", "TokenRequest"): _token_request,
    ("certificates.k8s.io", "v1", "CertificateSigningRequest"): _certificate_request,
    (FLOW, "v1", "FlowSchema"): _flow_schema, (FLOW, "v1", "PriorityLevelConfiguration"): _priority_level}
