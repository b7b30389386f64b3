"""The graph of owners and dependents (pkg/controller/garbagecollector/graph.go, graph_builder.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from minik8s.controllers.resources import Resource
from minik8s.objects import Object

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


@dataclass(eq=False)
class Node:
    """An object as far as ownership goes.

    virtual              known only from a dependent's reference; nobody has seen it yet
    being_deleted        it has a deletionTimestamp
    deleting_dependents  it waits in foreground deletion for its dependents
    """

    uid: str
    resource: Resource
    namespace: str
    name: str
    owners: list[Object] = field(default_factory=list)
    dependents: dict[str, Node] = field(default_factory=dict)
    virtual: bool = False
    being_deleted: bool = False
    deleting_dependents: bool = False

    def blocks(self, owner_uid: str) -> bool:
        """Whether the owner must wait for this dependent when it is deleted in the foreground."""
        return any(r["uid"] == owner_uid and r.get("blockOwnerDeletion") for r in self.owners)

    def blocking_dependents(self) -> list[Node]:
        return [d for d in self.dependents.values() if d.blocks(self.uid)]


class Graph:
    """Nodes by uid, linked from owner to dependent."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    def __contains__(self, uid: str) -> bool:
        return uid in self._nodes

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def get(self, uid: str) -> Node | None:
        return self._nodes.get(uid)

    def add(self, node: Node) -> None:
        self._nodes[node.uid] = node

    def link(self, node: Node, reference: Object, resource: Resource | None) -> Node | None:
        """Make `node` a dependent of the owner that `reference` names. Returns the owner's node if it had to be
        invented: somebody must look whether it exists."""
        owner = self._nodes.get(reference["uid"])
        invented = None
        if owner is None:
            if resource is None:
                return None
            namespace = node.namespace if resource.namespaced else ""
            owner = invented = Node(reference["uid"], resource, namespace, reference["name"], virtual=True)
            self.add(owner)
        owner.dependents[node.uid] = node
        return invented

    def unlink(self, node: Node, reference: Object) -> None:
        owner = self._nodes.get(reference["uid"])
        if owner is not None:
            owner.dependents.pop(node.uid, None)

    def remove(self, node: Node) -> None:
        self._nodes.pop(node.uid, None)
        for reference in node.owners:
            self.unlink(node, reference)


def is_deleting(obj: Object) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def has_finalizer(obj: Object, finalizer: str) -> bool:
    return finalizer in (obj["metadata"].get("finalizers") or ())
