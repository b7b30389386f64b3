"""garbage-collector-controller: deletes what no living owner wants (pkg/controller/garbagecollector).

Keys are `delete/UID` (should this object go?) and `orphan/UID` (let this owner's dependents go free).
"""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.gcgraph import FOREGROUND, ORPHAN, Graph, Node, has_finalizer, is_deleting
from minik8s.controllers.resources import Resource, Resources
from minik8s.objects import Object
from minik8s.wire import StatusError

ABSENT_REMEMBERED = 500


class GarbageCollector(Controller):
    name = "garbage-collector-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.graph = Graph()
        self._watched: set[str] = set()
        self._absent: dict[str, None] = {}
        definitions = ctx.informers("customresourcedefinitions.apiextensions.k8s.io")
        self.resources = Resources(definitions, self._watch)
        for resource in self.resources:
            self._watch(resource)

    def _watch(self, resource: Resource) -> None:
        if resource.name not in self._watched:
            self._watched.add(resource.name)
            self.ctx.informers(resource.name).on_change(lambda old, new: self._changed(resource, old, new))

    # ---- the graph follows the cluster -------------------------------------------
    def _changed(self, resource: Resource, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None:
            before, after = old["metadata"], new["metadata"]
            if before["uid"] != after["uid"]:
                self._gone(old)
            elif (
                before.get("ownerReferences") == after.get("ownerReferences")
                and before.get("finalizers") == after.get("finalizers")
                and before.get("deletionTimestamp") == after.get("deletionTimestamp")
            ):
                return
        if new is None:
            assert old is not None
            self._gone(old)
        else:
            self._seen(resource, new)

    def _seen(self, resource: Resource, obj: Object) -> None:
        meta = obj["metadata"]
        node = self.graph.get(meta["uid"])
        if node is None:
            node = Node(meta["uid"], resource, meta.get("namespace", ""), meta["name"])
            self.graph.add(node)
        node.resource, node.namespace, node.name, node.virtual = (
            resource,
            meta.get("namespace", ""),
            meta["name"],
            False,
        )
        self._relink(node, list(meta.get("ownerReferences") or ()))
        if not is_deleting(obj):
            return
        node.being_deleted = True
        if has_finalizer(obj, ORPHAN):
            self.enqueue("orphan/" + node.uid)
        elif has_finalizer(obj, FOREGROUND):
            node.deleting_dependents = True
            for dependent in node.dependents.values():
                self.enqueue("delete/" + dependent.uid)
            self.enqueue("delete/" + node.uid)

    def _relink(self, node: Node, owners: list[Object]) -> None:
        before = {r["uid"]: r for r in node.owners}
        after = {r["uid"]: r for r in owners}
        node.owners = owners
        for uid, reference in before.items():
            if uid not in after:
                self.graph.unlink(node, reference)
                self._recheck(uid)
            elif reference.get("blockOwnerDeletion") and not after[uid].get("blockOwnerDeletion"):
                self._recheck(uid)
        for uid, reference in after.items():
            if uid in before:
                continue
            invented = self.graph.link(node, reference, self.resources.of_reference(reference))
            owner = self.graph.get(uid)
            if invented is not None:
                self.enqueue("delete/" + invented.uid)
            misplaced = owner is not None and owner.resource.namespaced and owner.namespace != node.namespace
            if misplaced and owner is not None and not owner.virtual:
                self._invalid_namespace(node, reference)
            if (
                uid in self._absent
                or (owner is not None and self._misplaced(node, owner))
                or (owner is not None and owner.deleting_dependents)
            ):
                self.enqueue("delete/" + node.uid)
        if before.keys() != after.keys() and before:
            self.enqueue("delete/" + node.uid)

    def _misplaced(self, node: Node, owner: Node) -> bool:
        """Whether the reference cannot hold: another namespace, name or kind than the owner of that uid has."""
        reference = next(r for r in node.owners if r["uid"] == owner.uid)
        elsewhere = owner.resource.namespaced and owner.namespace != node.namespace
        return elsewhere or reference["name"] != owner.name or reference["kind"] != owner.resource.kind

    def _recheck(self, owner_uid: str) -> None:
        owner = self.graph.get(owner_uid)
        if owner is not None and owner.deleting_dependents:
            self.enqueue("delete/" + owner_uid)

    def _gone(self, obj: Object) -> None:
        node = self.graph.get(obj["metadata"]["uid"])
        if node is not None:
            self._forget(node)

    def _forget(self, node: Node) -> None:
        self.graph.remove(node)
        if node.dependents:
            self._note_absent(node.uid)
        for dependent in node.dependents.values():
            self.enqueue("delete/" + dependent.uid)
        for reference in node.owners:
            self._recheck(reference["uid"])

    def _note_absent(self, uid: str) -> None:
        """Remember an owner that is no more, so that its many dependents need not ask for it one by one."""
        self._absent[uid] = None
        if len(self._absent) > ABSENT_REMEMBERED:
            del self._absent[next(iter(self._absent))]

    # ---- the decisions -------------------------------------------------------------
    def reconcile(self, key: str) -> None:
        verb, _, uid = key.partition("/")
        node = self.graph.get(uid)
        if node is None:
            return
        if verb == "orphan":
            self._orphan_dependents(node)
        else:
            self._attempt_to_delete(node)

    def _attempt_to_delete(self, node: Node) -> None:
        if node.being_deleted and not node.deleting_dependents:
            return
        live = self._read(node)
        if live is None or live["metadata"]["uid"] != node.uid:
            self._forget(node)  # a reference to nothing, or an event that is still on its way
            return
        node.virtual = False
        if node.deleting_dependents:
            self._finish_foreground(node, live)
            return
        references = live["metadata"].get("ownerReferences") or []
        if not references:
            return
        solid, dangling, waiting = self._classify(node, references)
        if solid:
            if dangling or waiting:
                self._drop_references(node, live, {r["uid"] for r in (*dangling, *waiting)})
        elif waiting and node.dependents:
            # Our dependents must go before us, and we before the owner that waits: hand the waiting down.
            if any(d.deleting_dependents for d in node.dependents.values()):
                self._unblock(node, live)
            self._delete(node, live, "Foreground")
        else:
            self._delete(node, live, self._policy(live))

    def _policy(self, live: Object) -> str:
        if has_finalizer(live, ORPHAN):
            return "Orphan"
        return "Foreground" if has_finalizer(live, FOREGROUND) else "Background"

    def _classify(self, node: Node, references: list[Object]) -> tuple[list[Object], list[Object], list[Object]]:
        """Owner references as (solid, dangling, waiting for their dependents to go)."""
        solid: list[Object] = []
        dangling: list[Object] = []
        waiting: list[Object] = []
        for reference in references:
            if reference["uid"] in self._absent:
                dangling.append(reference)
                continue
            resource = self.resources.of_reference(reference)
            if resource is None:
                solid.append(reference)  # an unknown kind may exist: never delete on a guess
                continue
            if resource.namespaced and not node.namespace:
                self._invalid_namespace(node, reference)
                solid.append(reference)
                continue
            owner = self.client.find(resource.name, node.namespace if resource.namespaced else "", reference["name"])
            if owner is None or owner["metadata"]["uid"] != reference["uid"]:
                self._note_absent(reference["uid"])
                dangling.append(reference)
            elif is_deleting(owner) and has_finalizer(owner, FOREGROUND):
                waiting.append(reference)
            else:
                solid.append(reference)
        return solid, dangling, waiting

    def _invalid_namespace(self, node: Node, reference: Object) -> None:
        about: Object = {
            "apiVersion": node.resource.api_version,
            "kind": node.resource.kind,
            "metadata": {"namespace": node.namespace, "name": node.name, "uid": node.uid},
        }
        what = f"[{reference['apiVersion']}/{reference['kind']}, namespace: {node.namespace}, name: {reference['name']}"
        message = f'ownerRef {what}, uid: {reference["uid"]}] does not exist in namespace "{node.namespace}"'
        self.ctx.recorder.event(about, "Warning", "OwnerRefInvalidNamespace", message)

    def _finish_foreground(self, node: Node, live: Object) -> None:
        blocking = node.blocking_dependents()
        if not blocking:
            self._remove_finalizer(node, live, FOREGROUND)
            return
        for dependent in blocking:
            if not dependent.deleting_dependents:
                self.enqueue("delete/" + dependent.uid)

    def _orphan_dependents(self, node: Node) -> None:
        for dependent in list(node.dependents.values()):
            found = self._read(dependent)
            if found is not None and found["metadata"]["uid"] == dependent.uid:
                self._drop_references(dependent, found, {node.uid})
        live = self._read(node)
        if live is not None and live["metadata"]["uid"] == node.uid:
            self._remove_finalizer(node, live, ORPHAN)

    # ---- calls ---------------------------------------------------------------------
    def _read(self, node: Node) -> Object | None:
        return self.client.find(node.resource.name, node.namespace, node.name)

    def _delete(self, node: Node, live: Object, policy: str) -> None:
        version = live["metadata"]["resourceVersion"]
        try:
            self.client.delete(
                node.resource.name,
                node.namespace,
                node.name,
                propagation=policy,
                uid=node.uid,
                resource_version=version,
            )
        except StatusError as error:
            if error.code != 404:
                raise

    def _drop_references(self, node: Node, live: Object, uids: set[str]) -> None:
        rest = [dict(r) for r in live["metadata"].get("ownerReferences") or () if r["uid"] not in uids]
        self._patch(node, live, {"ownerReferences": rest or None})

    def _unblock(self, node: Node, live: Object) -> None:
        references = live["metadata"].get("ownerReferences") or ()
        self._patch(node, live, {"ownerReferences": [{**r, "blockOwnerDeletion": False} for r in references]})

    def _remove_finalizer(self, node: Node, live: Object, finalizer: str) -> None:
        left = [f for f in live["metadata"].get("finalizers") or () if f != finalizer]
        if len(left) != len(live["metadata"].get("finalizers") or ()):
            self._patch(node, live, {"finalizers": left or None})

    def _patch(self, node: Node, live: Object, meta: Object) -> None:
        body = {"metadata": {"uid": node.uid, "resourceVersion": live["metadata"]["resourceVersion"], **meta}}
        try:
            self.client.patch(node.resource.name, node.namespace, node.name, body)
        except StatusError as error:
            if error.code not in (404, 422):
                raise
