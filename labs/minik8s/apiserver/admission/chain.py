"""The admission chain: kube-apiserver's default plugins, in its order (pkg/kubeapiserver/options/plugins.go)."""

from __future__ import annotations

from collections.abc import Iterable

from minik8s.apiserver.admission.attributes import Attributes, Server
from minik8s.apiserver.admission.defaultingressclass import DefaultIngressClass
from minik8s.apiserver.admission.defaultstorageclass import DefaultStorageClass
from minik8s.apiserver.admission.defaulttolerationseconds import DefaultTolerationSeconds
from minik8s.apiserver.admission.limitranger import LimitRanger
from minik8s.apiserver.admission.namespacelifecycle import NamespaceLifecycle
from minik8s.apiserver.admission.nodetaint import TaintNodesByCondition
from minik8s.apiserver.admission.persistentvolumeclaimresize import PersistentVolumeClaimResize
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.apiserver.admission.podsecurity import PodSecurity
from minik8s.apiserver.admission.podtopologylabels import PodTopologyLabels
from minik8s.apiserver.admission.priority import Priority
from minik8s.apiserver.admission.rbacescalation import RBACEscalation
from minik8s.apiserver.admission.resourcequota import ResourceQuota
from minik8s.apiserver.admission.runtimeclass import RuntimeClass
from minik8s.apiserver.admission.serviceaccount import ServiceAccount
from minik8s.apiserver.admission.storageobjectinuseprotection import StorageObjectInUseProtection
from minik8s.apiserver.admission.validatingadmissionpolicy import ValidatingAdmissionPolicy


def default_plugins() -> list[Plugin]:
    """The plugins that are on by default, in the order in which they run."""
    return [
        NamespaceLifecycle(),
        LimitRanger(),
        ServiceAccount(),
        TaintNodesByCondition(),
        PodSecurity(),
        Priority(),
        DefaultTolerationSeconds(),
        DefaultStorageClass(),
        StorageObjectInUseProtection(),
        PersistentVolumeClaimResize(),
        RuntimeClass(),
        DefaultIngressClass(),
        PodTopologyLabels(),
        RBACEscalation(),
        ValidatingAdmissionPolicy(),
        ResourceQuota(),
    ]


class AdmissionChain:
    """Runs the plugins that concern a write. Which ones these are is worked out once per operation and resource."""

    def __init__(self, server: Server, plugins: Iterable[Plugin] | None = None):
        self.server = server
        self.plugins = list(default_plugins() if plugins is None else plugins)
        self._mutating: dict[tuple[str, str], list[Plugin]] = {}
        self._validating: dict[tuple[str, str], list[Plugin]] = {}

    def insert(self, plugin: Plugin) -> None:
        """Add a plugin just before ResourceQuota, which must come last (as webhooks and policies do)."""
        self.plugins.insert(len(self.plugins) - 1, plugin)
        self._mutating.clear()
        self._validating.clear()

    def mutate(self, a: Attributes) -> None:
        """Let the mutating plugins change `a.object`. Raises StatusError."""
        key = (a.operation, a.resource)
        plugins = self._mutating.get(key)
        if plugins is None:
            plugins = self._mutating[key] = [p for p in self.plugins if p.mutates and p.concerns(*key)]
        for plugin in plugins:
            plugin.mutate(a, self.server)

    def validate(self, a: Attributes) -> None:
        """Let the validating plugins judge the write. Raises StatusError."""
        key = (a.operation, a.resource)
        plugins = self._validating.get(key)
        if plugins is None:
            plugins = self._validating[key] = [p for p in self.plugins if p.validates and p.concerns(*key)]
        for plugin in plugins:
            plugin.validate(a, self.server)
