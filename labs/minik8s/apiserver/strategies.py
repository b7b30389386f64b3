"""What a kind's storage does differently from the others (the `Strategy` types in kubernetes/pkg/registry)."""

from __future__ import annotations

from minik8s.objects.kinds import Kind

RETURNS_DELETED = frozenset(
    {
        "pods", "podtemplates", "services", "serviceaccounts", "persistentvolumes", "persistentvolumeclaims",
        "resourcequotas", "namespaces", "storageclasses.storage.k8s.io", "csidrivers.storage.k8s.io",
        "csinodes.storage.k8s.io", "volumeattachments.storage.k8s.io", "volumeattributesclasses.storage.k8s.io",
    }
)  # fmt: skip
"""Deleting one answers the object instead of a Status (ReturnDeletedObject)."""

NEEDS_VERSION = frozenset(
    {
        "leases.coordination.k8s.io", "poddisruptionbudgets.policy", "runtimeclasses.node.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io", "apiservices.apiregistration.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io", "flowschemas.flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", "volumeattachments.storage.k8s.io",
        "csinodes.storage.k8s.io", "csidrivers.storage.k8s.io", "csistoragecapacities.storage.k8s.io",
    }
)  # fmt: skip
"""An update must carry the resourceVersion that it read (AllowUnconditionalUpdate is false)."""

CREATED_BY_UPDATE = frozenset(
    {
        "endpoints", "events", "events.events.k8s.io", "limitranges", "services", "leases.coordination.k8s.io",
        "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io",
        "clusterroles.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io",
    }
)  # fmt: skip
"""PUT to a name that is free creates the object (AllowCreateOnUpdate)."""

ORPHANS_BY_DEFAULT = frozenset({"jobs.batch", "replicationcontrollers"})
"""Deleting one without a propagation policy keeps its dependents (DefaultGarbageCollectionPolicy)."""

UNCOLLECTED = frozenset({"events", "events.events.k8s.io"})
"""The garbage collector does not know them."""

_DEPRECATED = {
    "endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    "componentstatuses": "v1 ComponentStatus is deprecated in v1.19+",
}


def needs_version(kind: Kind) -> bool:
    return kind.custom or kind.resource_name in NEEDS_VERSION


def deprecation(kind: Kind) -> str:
    """The warning that every request for the kind carries, or ""."""
    return getattr(kind, "deprecation", "") or _DEPRECATED.get(kind.resource_name, "")


def generate_name(base: str, suffix: str) -> str:
    """`base` cut to 58 letters, and the suffix (k8s.io/apiserver/pkg/storage/names)."""
    return base[:58] + suffix
