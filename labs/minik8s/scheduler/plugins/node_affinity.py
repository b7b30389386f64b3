"""NodeAffinity: nodeSelector, required node affinity (filter) and preferred node affinity (score)."""

from __future__ import annotations

from dataclasses import dataclass

from minik8s.objects import Object
from minik8s.objects.selectors import NodeSelectorTerm, match_labels, node_selector_terms
from minik8s.scheduler.framework import SKIP, CycleState, Plugin, Status, normalized, unresolvable
from minik8s.scheduler.snapshot import NodeInfo, PodInfo, Snapshot

REASON = "node(s) didn't match Pod's node affinity/selector"
REASON_ADDED = "node(s) didn't match scheduler-enforced node affinity"
REASON_CONFLICT = "pod affinity terms conflict"


@dataclass(frozen=True, slots=True)
class Required:
    """What a pod demands of its node: all of nodeSelector, and one of the affinity terms (None: no such demand)."""

    labels: dict[str, str]
    terms: list[NodeSelectorTerm] | None

    def matches(self, node: Object) -> bool:
        if self.labels and not match_labels(self.labels, node["metadata"].get("labels")):
            return False
        return self.terms is None or any(term.matches(node) for term in self.terms)


def required(spec: Object) -> Required:
    selector = _node_affinity(spec).get("requiredDuringSchedulingIgnoredDuringExecution")
    terms = None if selector is None else node_selector_terms(selector)
    return Required(spec.get("nodeSelector") or {}, terms)


def only_nodes(selector: Object | None) -> set[str] | None:
    """The node names to which `matchFields: metadata.name In [...]` narrows the search; None when it does not."""
    terms = (selector or {}).get("nodeSelectorTerms") or ()
    named = [_names(term) for term in terms]
    if not named or any(names is None for names in named):
        return None
    return set().union(*(names for names in named if names is not None))


def _names(term: Object) -> set[str] | None:
    found: set[str] | None = None
    for wanted in term.get("matchFields") or ():
        if wanted["key"] == "metadata.name" and wanted["operator"] == "In":
            values = set(wanted.get("values") or ())
            found = values if found is None else found & values
    return found


def _node_affinity(spec: Object) -> Object:
    return (spec.get("affinity") or {}).get("nodeAffinity") or {}


Preferred = list[tuple[int, NodeSelectorTerm]]


def preferred(affinity: Object) -> Preferred:
    """(weight, term) of each preference that can score."""
    found = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    terms = [(entry["weight"], NodeSelectorTerm(entry["preference"])) for entry in found]
    return [(weight, term) for weight, term in terms if weight and not term.empty]


class NodeAffinity(Plugin):
    name = "NodeAffinity"
    events = ("node/add", "node/label", "pod/label")

    @property
    def added(self) -> Object:
        """Affinity that the configuration adds to every pod of the profile."""
        found: Object = self.args.get("addedAffinity") or {}
        return found

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Status | set[str] | None:
        selector = _node_affinity(pod.spec).get("requiredDuringSchedulingIgnoredDuringExecution")
        if selector is None and not pod.spec.get("nodeSelector") and not self.added:
            return SKIP
        state["Filter" + self.name] = required(pod.spec)
        names = only_nodes(selector)
        return unresolvable(REASON_CONFLICT) if names is not None and not names else names

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        enforced = self.added.get("requiredDuringSchedulingIgnoredDuringExecution")
        if enforced and not any(term.matches(node.node) for term in node_selector_terms(enforced)):
            return unresolvable(REASON_ADDED)
        return None if state["Filter" + self.name].matches(node.node) else unresolvable(REASON)

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]) -> Status | None:
        own = _node_affinity(pod.spec).get("preferredDuringSchedulingIgnoredDuringExecution")
        if not own and not self.added.get("preferredDuringSchedulingIgnoredDuringExecution"):
            return SKIP
        state[self.name] = [*preferred(self.added), *preferred(_node_affinity(pod.spec))]
        return None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        terms: Preferred = state[self.name]
        return sum(weight for weight, term in terms if term.matches(node.node))

    def normalize(self, state: CycleState, pod: PodInfo, scores: dict[str, int]) -> dict[str, int]:
        return normalized(scores)

    def hint(self, event: str, pod: PodInfo, old: Object | None, new: Object | None) -> bool:
        return not event.startswith("node/") or new is None or required(pod.spec).matches(new)
