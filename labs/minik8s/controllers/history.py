"""ControllerRevisions: the history of StatefulSets and DaemonSets (pkg/controller/history)."""

from __future__ import annotations

from collections.abc import Sequence

from minik8s.client.controller import Context
from minik8s.controllers.hashing import compute_hash
from minik8s.controllers.owners import Claims, index_by_controller, orphans, owned
from minik8s.objects import Object, thaw
from minik8s.objects.meta import labels, owner_ref
from minik8s.objects.selectors import matches
from minik8s.wire import StatusError

RESOURCE = "controllerrevisions.apps"
HASH_LABEL = "controller.kubernetes.io/hash"
REVISION_LABEL = "controller-revision-hash"


def template_patch(owner: Object) -> Object:
    """What a revision stores: a strategic merge patch that puts the pod template back."""
    return {"spec": {"template": {**thaw(owner["spec"]["template"]), "$patch": "replace"}}}


def template_of(revision: Object) -> Object:
    """The pod template that a revision stores."""
    template = revision["data"]["spec"]["template"]
    return {field: value for field, value in template.items() if field != "$patch"}


def ordered(revisions: Sequence[Object]) -> list[Object]:
    """By number, then by age."""
    return sorted(
        revisions, key=lambda r: (r["revision"], r["metadata"].get("creationTimestamp") or "", r["metadata"]["name"])
    )


def next_number(revisions: Sequence[Object]) -> int:
    return max((int(r["revision"]) for r in revisions), default=0) + 1


class History:
    """The revisions of one kind of owner. `hash_label` is the label that carries the hash on the revision."""

    def __init__(self, ctx: Context, owner_resource: str, hash_label: str):
        self._ctx, self._hash_label = ctx, hash_label
        self._cache = index_by_controller(ctx.informers(RESOURCE))
        self._claims = Claims(ctx, RESOURCE, owner_resource)

    def of(self, owner: Object) -> list[Object]:
        """The owner's revisions, orphans that match adopted, oldest first."""
        namespace, selector = owner["metadata"]["namespace"], owner["spec"]["selector"]
        mine = owned(self._cache, owner)
        loose = orphans(self._cache, namespace)
        return ordered(self._claims.claim(owner, mine, loose, lambda r: matches(selector, labels(r))))

    def make(self, owner: Object, number: int, collisions: int | None) -> Object:
        """A revision of the owner's present template, not yet written."""
        data = template_patch(owner)
        digest = compute_hash(data, collisions)
        meta = owner["metadata"]
        template_labels = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
        wanted: Object = {
            "name": f"{meta['name']}-{digest}",
            "namespace": meta["namespace"],
            "labels": {**template_labels, self._hash_label: digest},
            "ownerReferences": [owner_ref(owner)],
        }
        if meta.get("annotations"):
            wanted["annotations"] = meta["annotations"]
        return {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": wanted,
            "data": data,
            "revision": number,
        }

    def current(self, owner: Object, revisions: list[Object], collisions: int) -> tuple[Object, int]:
        """(the revision of the owner's present template, the collision count).

        An equal older revision gets the next number (that is what a rollback is); otherwise one is made.
        """
        number = next_number(revisions)
        wanted = self.make(owner, number, collisions)
        equal = [r for r in revisions if r["data"] == wanted["data"]]
        if equal and equal[-1] is revisions[-1]:
            return equal[-1], collisions
        if equal:
            return self.renumber(equal[-1], number), collisions
        while True:
            try:
                return self._ctx.client.create(RESOURCE, wanted), collisions
            except StatusError as error:
                if error.reason != "AlreadyExists":
                    raise
            meta = wanted["metadata"]
            found = self._ctx.client.get(RESOURCE, meta["namespace"], meta["name"])
            if found["data"] == wanted["data"]:
                return found, collisions
            collisions += 1
            wanted = self.make(owner, number, collisions)

    def renumber(self, revision: Object, number: int) -> Object:
        if revision["revision"] == number:
            return revision
        return self._ctx.client.update(RESOURCE, {**revision, "revision": number})

    def truncate(self, revisions: Sequence[Object], live: set[str], limit: int) -> None:
        """Delete the oldest revisions that nobody uses, beyond `limit`."""
        idle = [r for r in revisions if r["metadata"]["name"] not in live]
        for revision in idle[: max(0, len(idle) - limit)]:
            meta = revision["metadata"]
            try:
                self._ctx.client.delete(RESOURCE, meta["namespace"], meta["name"])
            except StatusError as error:
                if error.code != 404:
                    raise
