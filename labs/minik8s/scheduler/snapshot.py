"""What the scheduler knows of pods and nodes while it decides: parsed once, kept up to date in small steps.

Source: kube-scheduler `framework/types.go` (PodInfo, NodeInfo), `backend/cache` (node tree, snapshot).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from minik8s.objects import Object
from minik8s.objects.meta import parse_time
from minik8s.objects.selectors import NOTHING, Selector, from_label_selector
from minik8s.scheduler import resources
from minik8s.scheduler.resources import CPU, MEMORY, PODS, Amounts

ZONE, BETA_ZONE = "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"
REGION, BETA_REGION = "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"
HOSTNAME = "kubernetes.io/hostname"


MAX_CHANGES = 100_000
"""How many changes a snapshot keeps for those who follow along."""


class AffinityTerm:
    """One (anti-)affinity term of a pod: whom it means (selector, namespaces), in which topology, how much."""

    __slots__ = ("namespace_selector", "namespaces", "selector", "topology_key", "weight")

    def __init__(self, term: Object, namespace: str, weight: int = 0) -> None:
        self.selector = from_label_selector(term.get("labelSelector"))
        self.namespace_selector: Selector = from_label_selector(term.get("namespaceSelector"))
        stated = term.get("namespaces") or ()
        own = not stated and term.get("namespaceSelector") is None
        self.namespaces = frozenset([namespace] if own else stated)
        self.topology_key: str = term.get("topologyKey", "")
        self.weight = weight

    def matches(self, pod: PodInfo, namespace_labels: dict[str, str] | None) -> bool:
        """Whether the term means `pod`, which lives in a namespace with these labels."""
        if pod.namespace not in self.namespaces and not self.namespace_selector.matches(namespace_labels):
            return False
        return self.selector.matches(pod.labels)

    def resolved(self, namespaces: Iterable[Object]) -> AffinityTerm:
        """The same term with its namespace selector replaced by the namespaces that meet it now."""
        if self.namespace_selector is NOTHING or self.namespace_selector.empty:
            return self
        copy = object.__new__(AffinityTerm)
        found = (n["metadata"] for n in namespaces)
        met = [m["name"] for m in found if self.namespace_selector.matches(m.get("labels"))]
        copy.selector, copy.topology_key, copy.weight = self.selector, self.topology_key, self.weight
        copy.namespaces, copy.namespace_selector = self.namespaces.union(met), NOTHING
        return copy


class PodInfo:
    """A pod with what the plugins ask of it, each worked out when first asked for."""

    def __init__(self, pod: Object) -> None:
        self.pod = pod
        meta = pod["metadata"]
        self.spec: Object = pod["spec"]
        self.name: str = meta["name"]
        self.namespace: str = meta.get("namespace", "default")
        self.key = f"{self.namespace}/{self.name}"
        self.labels: dict[str, str] = meta.get("labels") or {}
        self.priority: int = self.spec.get("priority") or 0
        self.node_name: str = self.spec.get("nodeName") or ""
        self.terminating: bool = meta.get("deletionTimestamp") is not None

    def __repr__(self) -> str:
        return f"PodInfo({self.key!r})"

    def on(self, node: str) -> PodInfo:
        """The same pod, assumed to be on a node; what was worked out about it is kept."""
        twin = object.__new__(PodInfo)
        twin.__dict__.update(self.__dict__)
        twin.node_name = node
        return twin

    @cached_property
    def signature(self) -> tuple[Any, ...]:
        """All that scheduling looks at, name and priority apart: pods of equal signature get equal answers."""
        spec, meta = self.spec, self.pod["metadata"]
        containers = [
            (c.get("image"), repr(c.get("resources")), repr(c.get("ports")), c.get("restartPolicy"))
            for c in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
        ]
        volumes = [repr(v) for v in spec.get("volumes") or () if not harmless(v)]
        stated = [repr(spec[key]) if key in spec else None for key in _SIGNED]
        owners = meta.get("ownerReferences")
        inits = len(spec.get("initContainers") or ())
        return (self.namespace, repr(self.labels), repr(owners), inits, *containers, *stated, *volumes)

    @property
    def status(self) -> Object:
        return self.pod.get("status") or {}

    @property
    def nominated(self) -> str:
        """The node that preemption made room on, or ""."""
        return self.status.get("nominatedNodeName") or ""

    @cached_property
    def _nanos(self) -> Amounts:
        return resources.pod_requests(self.pod)

    @cached_property
    def requests(self) -> Amounts:
        """What it asks for: cpu in thousandths, the rest in units."""
        return resources.rounded(self._nanos)

    @cached_property
    def counted(self) -> Amounts:
        """What it counts for on its node when scores are made: containers that ask for nothing count as small ones."""
        defaults = resources.scoring_defaults(self.pod, self._nanos)
        return resources.rounded(resources.pod_requests(self.pod, defaults)) if defaults else self.requests

    @cached_property
    def asked(self) -> Amounts:
        """The same while it is being placed; the 1.36 scorer does not look at pod-level resources here."""
        if not self.spec.get("resources"):
            return self.counted
        nanos = resources.pod_requests(self.pod, resources.DEFAULT_REQUESTS, pod_level=False)
        return resources.rounded(nanos)

    @cached_property
    def ports(self) -> tuple[tuple[str, str, int], ...]:
        return tuple(resources.host_ports(self.spec))

    @cached_property
    def claim_names(self) -> tuple[str, ...]:
        """Names of the PersistentVolumeClaims that its volumes name (generic ephemeral volumes not included)."""
        volumes = self.spec.get("volumes") or ()
        return tuple(v["persistentVolumeClaim"]["claimName"] for v in volumes if v.get("persistentVolumeClaim"))

    @cached_property
    def has_affinity(self) -> bool:
        affinity = self.spec.get("affinity") or {}
        return affinity.get("podAffinity") is not None or affinity.get("podAntiAffinity") is not None

    @cached_property
    def required_affinity(self) -> tuple[AffinityTerm, ...]:
        return self._terms("podAffinity")

    @cached_property
    def required_anti_affinity(self) -> tuple[AffinityTerm, ...]:
        return self._terms("podAntiAffinity")

    @cached_property
    def preferred_affinity(self) -> tuple[AffinityTerm, ...]:
        return self._weighted_terms("podAffinity")

    @cached_property
    def preferred_anti_affinity(self) -> tuple[AffinityTerm, ...]:
        return self._weighted_terms("podAntiAffinity")

    def _terms(self, kind: str) -> tuple[AffinityTerm, ...]:
        rules = (self.spec.get("affinity") or {}).get(kind) or {}
        found = rules.get("requiredDuringSchedulingIgnoredDuringExecution")
        return tuple(AffinityTerm(term, self.namespace) for term in found or ())

    def _weighted_terms(self, kind: str) -> tuple[AffinityTerm, ...]:
        rules = (self.spec.get("affinity") or {}).get(kind) or {}
        found = rules.get("preferredDuringSchedulingIgnoredDuringExecution")
        return tuple(AffinityTerm(t["podAffinityTerm"], self.namespace, t["weight"]) for t in found or ())

    @cached_property
    def start_time(self) -> float:
        """status.startTime; a pod that has not started counts as started last."""
        text = self.status.get("startTime")
        return parse_time(text) if text else float("inf")


_SIGNED = (
    "schedulerName",
    "nodeSelector",
    "affinity",
    "tolerations",
    "topologySpreadConstraints",
    "overhead",
    "resources",
    "resourceClaims",
)
_HARMLESS = ("projected", "emptyDir", "configMap", "secret", "downwardAPI", "hostPath", "nfs")


def harmless(volume: Object) -> bool:
    """A volume that no plugin looks at."""
    return any(kind in volume for kind in _HARMLESS)


class NodeInfo:
    """A node, the pods on it, and sums over them that are kept as pods come and go."""

    def __init__(self, node: Object) -> None:
        self.pods: dict[str, PodInfo] = {}
        self.with_affinity: dict[str, PodInfo] = {}
        self.with_anti_affinity: dict[str, PodInfo] = {}
        self.requested: Amounts = {}
        self.counted_cpu = 0
        self.counted_memory = 0
        self.ports: dict[tuple[str, str, int], int] = {}
        self.claims: dict[str, int] = {}
        self.set_node(node)

    def set_node(self, node: Object) -> None:
        """Take a new version of the Node object; the pods stay."""
        self.node = node
        self.name: str = node["metadata"]["name"]
        self.labels: dict[str, str] = node["metadata"].get("labels") or {}
        spec = node.get("spec") or {}
        self.taints: tuple[Object, ...] = tuple(spec.get("taints") or ())
        self.unschedulable: bool = bool(spec.get("unschedulable"))
        self.allocatable = resources.allocatable(node)
        self.max_pods = self.allocatable[PODS]
        self.images = dict(_images(node))

    def add(self, pod: PodInfo) -> None:
        """Count a pod in, in place of one of the same key."""
        known = self.pods.get(pod.key)
        if known is not None:
            self.remove(known)
        self.pods[pod.key] = pod
        if pod.has_affinity:
            self.with_affinity[pod.key] = pod
            if pod.required_anti_affinity:
                self.with_anti_affinity[pod.key] = pod
        self._count(pod, 1)

    def remove(self, pod: PodInfo) -> None:
        """Count a pod out."""
        known = self.pods.pop(pod.key, None)
        if known is None:
            return
        self.with_affinity.pop(pod.key, None)
        self.with_anti_affinity.pop(pod.key, None)
        self._count(known, -1)

    def _count(self, pod: PodInfo, sign: int) -> None:
        for name, amount in pod.requests.items():
            self.requested[name] = self.requested.get(name, 0) + sign * amount
        self.counted_cpu += sign * pod.counted.get(CPU, 0)
        self.counted_memory += sign * pod.counted.get(MEMORY, 0)
        for port in pod.ports:
            _tally(self.ports, port, sign)
        for claim in pod.claim_names:
            _tally(self.claims, f"{pod.namespace}/{claim}", sign)

    def clone(self) -> NodeInfo:
        """A copy to try things on: same Node and pods, own sums."""
        copy = object.__new__(NodeInfo)
        copy.__dict__.update(self.__dict__)
        for name in ("pods", "with_affinity", "with_anti_affinity", "requested", "ports", "claims"):
            setattr(copy, name, dict(getattr(self, name)))
        return copy


def _tally(counts: dict[Any, int], key: Any, sign: int) -> None:
    left = counts.get(key, 0) + sign
    if left:
        counts[key] = left
    else:
        counts.pop(key, None)


def _images(node: Object) -> Iterator[tuple[str, int]]:
    for image in (node.get("status") or {}).get("images") or ():
        for name in image.get("names") or ():
            yield name, image.get("sizeBytes", 0)


def zone_of(node: Object) -> str:
    """The zone under which the node tree keeps a node: region and zone together, or "" where it has neither."""
    labels = node["metadata"].get("labels") or {}
    zone = labels.get(BETA_ZONE, labels.get(ZONE, ""))
    region = labels.get(BETA_REGION, labels.get(REGION, ""))
    return f"{region}:\x00:{zone}" if region or zone else ""


class Snapshot:
    """All nodes in the order of the scan: round-robin over the zones, in each in order of arrival."""

    def __init__(self) -> None:
        self.by_name: dict[str, NodeInfo] = {}
        self.image_nodes: dict[str, int] = {}
        self._zones: dict[str, dict[str, NodeInfo]] = {}
        self._order: list[NodeInfo] | None = None
        self._waiting: dict[str, dict[str, PodInfo]] = {}
        self.version = 0
        """Changes whenever a node comes, goes or changes."""
        self.changes: list[tuple[NodeInfo, PodInfo, int]] = []
        """Pods counted in (1) and out (-1) of nodes since the last `forget_changes`, for those who follow along."""

    def __len__(self) -> int:
        return len(self.by_name)

    @property
    def nodes(self) -> list[NodeInfo]:
        """The nodes in scanning order."""
        if self._order is None:
            zones = [list(zone.values()) for zone in self._zones.values()]
            longest = max(map(len, zones), default=0)
            self._order = [zone[i] for i in range(longest) for zone in zones if i < len(zone)]
        return self._order

    def set_node(self, node: Object) -> NodeInfo:
        """Add a node or take its new version; pods that were seen on it before it was known are counted now."""
        name, zone = node["metadata"]["name"], zone_of(node)
        self.version += 1
        info = self.by_name.get(name)
        if info is None:
            info = self.by_name[name] = NodeInfo(node)
            self._place(info, zone)
            for pod in self._waiting.pop(name, {}).values():
                info.add(pod)
        else:
            self._count_images(info, -1)
            if zone_of(info.node) != zone:
                self._displace(info)
                self._place(info, zone)
            info.set_node(node)
        self._count_images(info, 1)
        return info

    def remove_node(self, name: str) -> None:
        """Forget a node; its pods wait for it to come back."""
        info = self.by_name.pop(name, None)
        if info is None:
            return
        self.version += 1
        self._displace(info)
        self._count_images(info, -1)
        if info.pods:
            self._waiting[name] = dict(info.pods)

    def add_pod(self, pod: PodInfo) -> None:
        """Count a pod on the node that its spec names."""
        node = self.by_name.get(pod.node_name)
        if node is None:
            self._waiting.setdefault(pod.node_name, {})[pod.key] = pod
            return
        known = node.pods.get(pod.key)
        if known is not None:
            self.remove_pod(known)
        node.add(pod)
        self.changes.append((node, pod, 1))
        if len(self.changes) > MAX_CHANGES:
            self.forget_changes()

    def remove_pod(self, pod: PodInfo) -> None:
        """Count a pod out of its node."""
        node = self.by_name.get(pod.node_name)
        if node is None:
            self._waiting.get(pod.node_name, {}).pop(pod.key, None)
            return
        known = node.pods.get(pod.key)
        if known is not None:
            node.remove(known)
            self.changes.append((node, known, -1))

    def forget_changes(self) -> None:
        """Empty the list of changes; whoever followed it must look at everything again."""
        self.changes.clear()
        self.version += 1

    def _place(self, info: NodeInfo, zone: str) -> None:
        self._zones.setdefault(zone, {})[info.name] = info
        self._order = None

    def _displace(self, info: NodeInfo) -> None:
        zone = zone_of(info.node)
        del self._zones[zone][info.name]
        if not self._zones[zone]:
            del self._zones[zone]
        self._order = None

    def _count_images(self, info: NodeInfo, sign: int) -> None:
        for image in info.images:
            _tally(self.image_nodes, image, sign)
