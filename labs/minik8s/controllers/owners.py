"""Who owns what: adoption and release by selector, and the indexes for it (controller_ref_manager.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from minik8s.client.controller import Context
from minik8s.client.informer import Informer
from minik8s.objects import Object
from minik8s.objects.meta import controller_of, labels, owner_ref
from minik8s.objects.selectors import from_label_selector
from minik8s.wire import StatusError

BY_CONTROLLER = "controller-uid"
ORPHANS = "orphans"


def index_by_controller(informer: Informer) -> Informer:
    """Make `owned` and `orphans` look-ups of `informer` cheap."""
    informer.add_index(BY_CONTROLLER, _controller_uid)
    informer.add_index(ORPHANS, _orphan_namespace)
    return informer


def _controller_uid(obj: Object) -> list[str]:
    reference = controller_of(obj)
    return [reference["uid"]] if reference is not None else []


def _orphan_namespace(obj: Object) -> list[str]:
    return [] if controller_of(obj) is not None else [obj["metadata"].get("namespace", "")]


def owned(informer: Informer, owner: Object) -> list[Object]:
    """The objects whose controller is `owner`."""
    return informer.by_index(BY_CONTROLLER, owner["metadata"]["uid"])


def orphans(informer: Informer, namespace: str) -> list[Object]:
    """The objects of a namespace that no controller owns."""
    return informer.by_index(ORPHANS, namespace)


class Claims:
    """Adopts matching orphans for `owner` and releases what it owns but no longer selects.

    resource        of the owned objects, `pods`
    owner_resource  of the owner, read afresh before the first adoption: a cached owner may be gone
    """

    def __init__(self, ctx: Context, resource: str, owner_resource: str):
        self._ctx, self._resource, self._owner_resource = ctx, resource, owner_resource

    def claim(
        self,
        owner: Object,
        mine: Iterable[Object],
        loose: Iterable[Object],
        matches: Callable[[Object], bool],
        extra: Object | None = None,
    ) -> list[Object]:
        """The objects that belong to `owner` now. `extra` is merged into the patch of an adoption (finalizers)."""
        deleting = "deletionTimestamp" in owner["metadata"]
        claimed, fresh = [], False
        for obj in mine:
            if matches(obj):
                claimed.append(obj)
            elif not deleting:
                self.release(owner, obj)
        if deleting:
            return claimed
        for obj in loose:
            if "deletionTimestamp" in obj["metadata"] or not matches(obj):
                continue
            if not fresh:
                self._check(owner)
                fresh = True
            if self._adopt(owner, obj, extra):
                claimed.append(obj)
        return claimed

    def _check(self, owner: Object) -> None:
        meta = owner["metadata"]
        live = self._ctx.client.get(self._owner_resource, meta["namespace"], meta["name"])
        if live["metadata"]["uid"] != meta["uid"]:
            raise StatusError(409, "Conflict", f"original {owner['kind']} {meta['namespace']}/{meta['name']} is gone")
        if "deletionTimestamp" in live["metadata"]:
            raise StatusError(409, "Conflict", f"{meta['namespace']}/{meta['name']} has just been deleted")

    def _adopt(self, owner: Object, obj: Object, extra: Object | None) -> bool:
        others = [dict(r) for r in obj["metadata"].get("ownerReferences") or ()]
        meta = {"uid": obj["metadata"]["uid"], "ownerReferences": [*others, owner_ref(owner)], **(extra or {})}
        return self._patch(obj, {"metadata": meta})

    def release(self, owner: Object, obj: Object) -> None:
        """Take `owner`'s reference off `obj`."""
        uid = owner["metadata"]["uid"]
        rest = [dict(r) for r in obj["metadata"].get("ownerReferences") or () if r["uid"] != uid]
        self._patch(obj, {"metadata": {"uid": obj["metadata"]["uid"], "ownerReferences": rest or None}})

    def _patch(self, obj: Object, body: Object) -> bool:
        meta = obj["metadata"]
        try:
            self._ctx.client.patch(self._resource, meta["namespace"], meta["name"], body)
        except StatusError as error:
            if error.code in (404, 422):  # gone, or another object of that name: not ours any more
                return False
            raise
        return True


def selecting(selector: Object) -> Callable[[Object], bool]:
    """A test of labels against a LabelSelector, to be used for many objects."""
    if not selector.get("matchExpressions"):
        wanted = (selector.get("matchLabels") or {}).items()
        return lambda obj: wanted <= labels(obj).items()
    compiled = from_label_selector(selector)
    return lambda obj: compiled.matches(labels(obj))


BY_LABEL = "label"


def index_by_label(informer: Informer) -> Informer:
    """Make `with_labels` cheap."""
    informer.add_index(BY_LABEL, _label_pairs)
    return informer


def _label_pairs(obj: Object) -> list[str]:
    namespace = obj["metadata"].get("namespace", "")
    return [f"{namespace}/{name}={value}" for name, value in labels(obj).items()]


def with_labels(informer: Informer, namespace: str, selector: Object) -> list[Object]:
    """The objects of a namespace that a LabelSelector selects: by its first label, if it names any."""
    test = selecting(selector)
    for name, value in (selector.get("matchLabels") or {}).items():
        return [obj for obj in informer.by_index(BY_LABEL, f"{namespace}/{name}={value}") if test(obj)]
    return [obj for obj in in_namespace(informer, namespace) if test(obj)]


BY_NAMESPACE = "namespace"


def index_by_namespace(informer: Informer) -> Informer:
    """Make `in_namespace` cheap."""
    informer.add_index(BY_NAMESPACE, _namespace)
    return informer


def _namespace(obj: Object) -> list[str]:
    return [obj["metadata"].get("namespace", "")]


def in_namespace(informer: Informer, namespace: str) -> list[Object]:
    return informer.by_index(BY_NAMESPACE, namespace)


Seen = Callable[[str, Object | None, Object | None], None]

SMALL, CHILDREN_PER_SECOND = 20, 1000.0


def gathering_time(children: int) -> float:
    """Seconds for which changes of children gather before their owner is looked at: the work of a look grows with
    their number. Up to SMALL children every change is looked at at once."""
    return 0.0 if children <= SMALL else min(children / CHILDREN_PER_SECOND, 1.0)


class ChildWatch:
    """Rings the keys of the owners that a changed child concerns.

    owners    the informer of the owning kind
    kind      of the owners, as owner references name it
    ring      called with `namespace/name` of an owner
    selects   (owner, child) -> whether an orphan could be adopted; None: orphans concern nobody
    seen      called with (owner key, old child, new child) before the ring: expectations are kept there
    matters   (old child, new child) -> whether an update of a child concerns its owner; None: every one does
    """

    def __init__(
        self,
        owners: Informer,
        kind: str,
        ring: Callable[[str], None],
        selects: Callable[[Object, Object], bool] | None = None,
        seen: Seen | None = None,
        matters: Callable[[Object, Object], bool] | None = None,
    ):
        self._owners, self._kind, self._ring = index_by_namespace(owners), kind, ring
        self._selects, self._seen, self._matters = selects, seen, matters

    def __call__(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and old["metadata"]["uid"] != new["metadata"]["uid"]:
            self(old, None)  # deleted and made anew between two looks
            old = None
        if self._matters is not None and old is not None and new is not None and not self._matters(old, new):
            return
        before = self._owner(old) if old is not None else None
        after = self._owner(new) if new is not None else None
        if before is not None and before != after:
            self._notify(before, old, None)
        if after is not None:
            self._notify(after, old if before == after else None, new)
        elif new is not None and self._selects is not None and controller_of(new) is None:
            self._ring_adopters(old, new)

    def _owner(self, child: Object) -> str | None:
        reference = controller_of(child)
        if reference is None or reference["kind"] != self._kind:
            return None
        namespace = child["metadata"].get("namespace", "")
        owner = self._owners.get(namespace, reference["name"])
        if owner is None or owner["metadata"]["uid"] != reference["uid"]:
            return None
        return f"{namespace}/{reference['name']}"

    def _notify(self, key: str, old: Object | None, new: Object | None) -> None:
        if self._seen is not None:
            self._seen(key, old, new)
        self._ring(key)

    def _ring_adopters(self, old: Object | None, new: Object) -> None:
        if "deletionTimestamp" in new["metadata"]:
            return
        was_loose = old is not None and controller_of(old) is None
        if old is not None and was_loose and old["metadata"].get("labels") == new["metadata"].get("labels"):
            return
        assert self._selects is not None
        for owner in in_namespace(self._owners, new["metadata"].get("namespace", "")):
            if self._selects(owner, new):
                self._ring(f"{owner['metadata']['namespace']}/{owner['metadata']['name']}")
