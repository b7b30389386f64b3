"""The table of kinds: what the API serves, under which names, and what may be done with it.

Facts are those of the discovery documents of Kubernetes 1.36 (``/api/v1``, ``/apis/*``). ``KINDS`` is the built-in
table; an API server makes a :class:`Registry` of it and adds the kinds of its CustomResourceDefinitions at run time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
STATUS_VERBS = ("get", "patch", "update")
PROXY_VERBS = ("create", "delete", "get", "patch", "update")


@dataclass(frozen=True)
class Subresource:
    """One subresource of a kind; ``kind``/``group``/``version`` name what it exchanges ("" for group and version: the
    parent's own, as discovery leaves them out)."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind in one version.

    ``storage`` is (group, version) in which objects are kept and hashed for ``storageVersionHash``; it differs from the
    served one for ``events.k8s.io`` Events (kept as core Events) and HorizontalPodAutoscalers of v1.
    """

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()
    list_kind: str = ""
    storage: tuple[str, str] | None = None
    custom: bool = False

    def __hash__(self) -> int:
        # Enough to tell kinds apart, and quick: kinds are cache keys.
        return hash((self.group, self.version, self.kind))

    @cached_property
    def api_version(self) -> str:
        return api_version(self.group, self.version)

    @cached_property
    def resource_name(self) -> str:
        """``"plural"`` or ``"plural.group"``: how clients, the store and messages name the resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @cached_property
    def kind_name(self) -> str:
        """``"Kind"`` or ``"Kind.group"``: how messages name the kind (``schema.GroupKind.String``)."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @cached_property
    def storage_resource(self) -> str:
        """The resource name under which the store keeps objects of this kind."""
        group = self.storage[0] if self.storage else self.group
        return f"{self.plural}.{group}" if group else self.plural

    def subresource(self, name: str) -> Subresource | None:
        return self._subresources.get(name)

    @cached_property
    def _subresources(self) -> dict[str, Subresource]:
        return {s.name: s for s in self.subresources}

    @property
    def storable(self) -> bool:
        """False for kinds that are only answered (reviews, Bindings) or computed (metrics, ComponentStatus)."""
        return "delete" in self.verbs


def api_version(group: str, version: str) -> str:
    return f"{group}/{version}" if group else version


def split_api_version(text: str) -> tuple[str, str]:
    """``"apps/v1"`` -> ``("apps", "v1")``, ``"v1"`` -> ``("", "v1")``."""
    group, _, version = text.rpartition("/")
    return group, version


SCALE = Subresource("scale", "Scale", STATUS_VERBS, "autoscaling", "v1")


def _status(kind: str) -> Subresource:
    return Subresource("status", kind, STATUS_VERBS)


def _row(group: str, version: str, kind: str, plural: str, flags: str = "", short: str = "", categories: str = "",
         *, verbs: tuple[str, ...] = ALL_VERBS, more: tuple[Subresource, ...] = (), singular: str | None = None,
         list_kind: str = "", storage: tuple[str, str] | None = None) -> Kind:
    """One row; ``flags``: ``n`` namespaced, ``s`` has a status subresource."""
    subresources = more + ((_status(kind),) if "s" in flags else ())
    return Kind(
        group, version, kind, plural, kind.lower() if singular is None else singular, "n" in flags,
        tuple(short.split()), tuple(categories.split()), verbs,
        tuple(sorted(subresources, key=lambda s: s.name)), list_kind or f"{kind}List", storage)


_CREATE = ("create",)
_NO_COLLECTION = tuple(v for v in ALL_VERBS if v != "deletecollection")
_POD_MORE = (
    Subresource("attach", "PodAttachOptions", ("create", "get")),
    Subresource("binding", "Binding", _CREATE),
    Subresource("ephemeralcontainers", "Pod", STATUS_VERBS),
    Subresource("eviction", "Eviction", _CREATE, "policy", "v1"),
    Subresource("exec", "PodExecOptions", ("create", "get")),
    Subresource("log", "Pod", ("get",)),
    Subresource("portforward", "PodPortForwardOptions", ("create", "get")),
    Subresource("proxy", "PodProxyOptions", PROXY_VERBS),
    Subresource("resize", "Pod", STATUS_VERBS),
)
_NODE_PROXY = (Subresource("proxy", "NodeProxyOptions", PROXY_VERBS),)
_SERVICE_PROXY = (Subresource("proxy", "ServiceProxyOptions", PROXY_VERBS),)
_FINALIZE = (Subresource("finalize", "Namespace", ("update",)),)
_TOKEN = (Subresource("token", "TokenRequest", _CREATE, "authentication.k8s.io", "v1"),)
_APPROVAL = (Subresource("approval", "CertificateSigningRequest", STATUS_VERBS),)

_ADMISSION, _EXTENSIONS, _RBAC = "admissionregistration.k8s.io", "apiextensions.k8s.io", "rbac.authorization.k8s.io"
_AUTHN, _AUTHZ, _NET, _STORAGE = "authentication.k8s.io", "authorization.k8s.io", "networking.k8s.io", "storage.k8s.io"

KINDS: tuple[Kind, ...] = (
    _row("", "v1", "Binding", "bindings", "n", verbs=_CREATE),
    _row("", "v1", "ComponentStatus", "componentstatuses", "", "cs", verbs=("get", "list")),
    _row("", "v1", "ConfigMap", "configmaps", "n", "cm"),
    _row("", "v1", "Endpoints", "endpoints", "n", "ep"),
    _row("", "v1", "Event", "events", "n", "ev"),
    _row("", "v1", "LimitRange", "limitranges", "n", "limits"),
    _row("", "v1", "Namespace", "namespaces", "s", "ns", verbs=_NO_COLLECTION, more=_FINALIZE),
    _row("", "v1", "Node", "nodes", "s", "no", more=_NODE_PROXY),
    _row("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "ns", "pvc"),
    _row("", "v1", "PersistentVolume", "persistentvolumes", "s", "pv"),
    _row("", "v1", "Pod", "pods", "ns", "po", "all", more=_POD_MORE),
    _row("", "v1", "PodTemplate", "podtemplates", "n"),
    _row("", "v1", "ReplicationController", "replicationcontrollers", "ns", "rc", "all", more=(SCALE,)),
    _row("", "v1", "ResourceQuota", "resourcequotas", "ns", "quota"),
    _row("", "v1", "Secret", "secrets", "n"),
    _row("", "v1", "ServiceAccount", "serviceaccounts", "n", "sa", more=_TOKEN),
    _row("", "v1", "Service", "services", "ns", "svc", "all", more=_SERVICE_PROXY),

    _row("apiregistration.k8s.io", "v1", "APIService", "apiservices", "s", "", "api-extensions"),

    _row("apps", "v1", "ControllerRevision", "controllerrevisions", "n"),
    _row("apps", "v1", "DaemonSet", "daemonsets", "ns", "ds", "all"),
    _row("apps", "v1", "Deployment", "deployments", "ns", "deploy", "all", more=(SCALE,)),
    _row("apps", "v1", "ReplicaSet", "replicasets", "ns", "rs", "all", more=(SCALE,)),
    _row("apps", "v1", "StatefulSet", "statefulsets", "ns", "sts", "all", more=(SCALE,)),

    _row("events.k8s.io", "v1", "Event", "events", "n", "ev", storage=("", "v1")),

    _row(_AUTHN, "v1", "SelfSubjectReview", "selfsubjectreviews", verbs=_CREATE),
    _row(_AUTHN, "v1", "TokenReview", "tokenreviews", verbs=_CREATE),
    _row(_AUTHZ, "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", "n", verbs=_CREATE),
    _row(_AUTHZ, "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", verbs=_CREATE),
    _row(_AUTHZ, "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", verbs=_CREATE),
    _row(_AUTHZ, "v1", "SubjectAccessReview", "subjectaccessreviews", verbs=_CREATE),

    _row("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "ns", "hpa", "all"),
    _row("autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "ns", "hpa", "all",
         storage=("autoscaling", "v2")),

    _row("batch", "v1", "CronJob", "cronjobs", "ns", "cj", "all"),
    _row("batch", "v1", "Job", "jobs", "ns", "", "all"),

    _row("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests", "s", "csr",
         more=_APPROVAL),

    _row(_NET, "v1", "IngressClass", "ingressclasses"),
    _row(_NET, "v1", "Ingress", "ingresses", "ns", "ing"),
    _row(_NET, "v1", "IPAddress", "ipaddresses", "", "ip"),
    _row(_NET, "v1", "NetworkPolicy", "networkpolicies", "n", "netpol"),
    _row(_NET, "v1", "ServiceCIDR", "servicecidrs", "s"),

    _row("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "ns", "pdb"),

    _row(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings"),
    _row(_RBAC, "v1", "ClusterRole", "clusterroles"),
    _row(_RBAC, "v1", "RoleBinding", "rolebindings", "n"),
    _row(_RBAC, "v1", "Role", "roles", "n"),

    _row(_STORAGE, "v1", "CSIDriver", "csidrivers"),
    _row(_STORAGE, "v1", "CSINode", "csinodes"),
    _row(_STORAGE, "v1", "CSIStorageCapacity", "csistoragecapacities", "n"),
    _row(_STORAGE, "v1", "StorageClass", "storageclasses", "", "sc"),
    _row(_STORAGE, "v1", "VolumeAttachment", "volumeattachments", "s"),
    _row(_STORAGE, "v1", "VolumeAttributesClass", "volumeattributesclasses", "", "vac"),

    _row(_ADMISSION, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "", "", "api-extensions"),
    _row(_ADMISSION, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", "s", "", "api-extensions"),
    _row(_ADMISSION, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", "", "",
         "api-extensions"),
    _row(_ADMISSION, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", "", "",
         "api-extensions"),

    _row(_EXTENSIONS, "v1", "CustomResourceDefinition", "customresourcedefinitions", "s", "crd crds",
         "api-extensions"),
    _row("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", "", "pc"),
    _row("coordination.k8s.io", "v1", "Lease", "leases", "n"),
    _row("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses"),
    _row("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "n"),
    _row("resource.k8s.io", "v1", "DeviceClass", "deviceclasses"),
    _row("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims", "ns"),
    _row("resource.k8s.io", "v1", "ResourceClaimTemplate", "resourceclaimtemplates", "n"),
    _row("resource.k8s.io", "v1", "ResourceSlice", "resourceslices"),
    _row("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas", "s"),
    _row("flowcontrol.apiserver.k8s.io", "v1", "PriorityLevelConfiguration", "prioritylevelconfigurations", "s"),

    _row("metrics.k8s.io", "v1beta1", "NodeMetrics", "nodes", verbs=("get", "list"), singular=""),
    _row("metrics.k8s.io", "v1beta1", "PodMetrics", "pods", "n", verbs=("get", "list"), singular=""),
)

# The order in which /apis lists groups (by the priorities the aggregator gives them).
GROUP_ORDER: tuple[str, ...] = (
    "", "apiregistration.k8s.io", "apps", "events.k8s.io", _AUTHN, _AUTHZ, "autoscaling", "batch",
    "certificates.k8s.io", _NET, "policy", _RBAC, _STORAGE, _ADMISSION, _EXTENSIONS, "scheduling.k8s.io",
    "coordination.k8s.io", "node.k8s.io", "discovery.k8s.io", "resource.k8s.io", "flowcontrol.apiserver.k8s.io",
)


class Registry:
    """The kinds one API server knows: the built-in table, and what is added at run time."""

    def __init__(self, kinds: Iterable[Kind] = KINDS) -> None:
        self._by_resource: dict[tuple[str, str, str], Kind] = {}
        self._by_kind: dict[tuple[str, str], Kind] = {}
        for kind in kinds:
            self.add(kind)

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._by_resource.values())

    def __len__(self) -> int:
        return len(self._by_resource)

    def add(self, kind: Kind) -> None:
        """Add a kind, or replace the one served under the same group, version and plural."""
        if (old := self._by_resource.get((kind.group, kind.version, kind.plural))) is not None:
            self.remove(old)
        self._by_resource[kind.group, kind.version, kind.plural] = kind
        self._by_kind[kind.api_version, kind.kind] = kind

    def remove(self, kind: Kind) -> None:
        """Forget a kind; one that is not there is no error."""
        self._by_resource.pop((kind.group, kind.version, kind.plural), None)
        self._by_kind.pop((kind.api_version, kind.kind), None)

    def by_resource(self, group: str, version: str, plural: str) -> Kind | None:
        return self._by_resource.get((group, version, plural))

    def by_kind(self, apiversion: str, kind: str) -> Kind | None:
        return self._by_kind.get((apiversion, kind))

    def by_name(self, resource_name: str) -> Kind | None:
        """``"pods"`` or ``"deployments.apps"``: the kind in the group's preferred version."""
        plural, _, group = resource_name.partition(".")
        for (g, _version, p), kind in self._by_resource.items():
            if g == group and p == plural:
                return kind
        return None

    def find(self, name: str) -> Kind | None:
        """What a person types: plural, singular, kind or short name, each with or without ``.group``
        (``deploy``, ``deployments.apps``, ``Pod``); core comes first, then the order of the table."""
        word, _, group = name.lower().partition(".")
        for kind in self._by_resource.values():
            if group and not (kind.group == group or f"{kind.version}.{kind.group}" == group):
                continue
            if word in (kind.plural, kind.singular) or word in kind.short_names or word == kind.kind.lower():
                return kind
        return None

    def groups(self) -> list[str]:
        """Group names in the order of ``/apis`` ("" first); groups added at run time follow by name."""
        present = {k.group for k in self._by_resource.values()}
        known = [g for g in GROUP_ORDER if g in present]
        return known + sorted(present.difference(known))

    def versions(self, group: str) -> list[str]:
        """Versions of a group, the preferred one first."""
        return list(dict.fromkeys(k.version for k in self._by_resource.values() if k.group == group))

    def in_version(self, group: str, version: str) -> list[Kind]:
        """The kinds of one group and version, by plural name."""
        return sorted((k for k in self._by_resource.values() if (k.group, k.version) == (group, version)),
                      key=lambda k: k.plural)

    def copy(self) -> Registry:
        return Registry(self)


BUILTIN = Registry()
"""The built-in kinds, for those who need no run-time additions. Do not add to it."""


def custom_kind(group: str, version: str, names: dict[str, object], namespaced: bool,
                subresources: tuple[Subresource, ...] = ()) -> Kind:
    """The kind that a CustomResourceDefinition's ``spec.names`` (accepted names) describes in one version."""
    kind = str(names["kind"])
    short, categories = names.get("shortNames") or (), names.get("categories") or ()
    assert isinstance(short, list | tuple) and isinstance(categories, list | tuple)
    return Kind(
        group, version, kind, str(names["plural"]), str(names.get("singular") or kind.lower()), namespaced,
        tuple(map(str, short)), tuple(map(str, categories)), ALL_VERBS, subresources,
        str(names.get("listKind") or f"{kind}List"), custom=True)
