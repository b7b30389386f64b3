"""A Deployment's ReplicaSets: which is the new one, making it, numbering revisions (deployment/sync.go)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minik8s.client.controller import Context
from minik8s.controllers.deployment_math import DESIRED_REPLICAS, MAX_REPLICAS, max_surge, new_size, replicas
from minik8s.controllers.deployment_status import (
    PROGRESSING,
    has_deadline,
    new_condition,
    set_condition,
)
from minik8s.controllers.hashing import compute_hash
from minik8s.controllers.podcontrol import namespace_terminating
from minik8s.controllers.podutil import condition, oldest_first
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of, controller_of, owner_ref
from minik8s.wire import StatusError

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
MAX_HISTORY_CHARS = 2000
NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        HISTORY,
        DESIRED_REPLICAS,
        MAX_REPLICAS,
        "deprecated.deployment.rollback.to",
    }
)
UpdateStatus = Callable[[Object], Object]


def same_template(one: Object, other: Object) -> bool:
    """Whether two pod templates are equal apart from the pod-template-hash label."""
    return one is other or _plain(one) == _plain(other)


def _plain(template: Object) -> Object:
    meta = template.get("metadata") or {}
    kept = {label: value for label, value in (meta.get("labels") or {}).items() if label != HASH_LABEL}
    rest = {f: v for f, v in meta.items() if f != "labels" and not (f == "creationTimestamp" and v is None)}
    return {**template, "metadata": {**rest, "labels": kept}}


def find_new(deployment: Object, sets: Sequence[Object]) -> Object | None:
    """The oldest ReplicaSet with the Deployment's template: it is "new" again after a rollback."""
    for rs in oldest_first(sets):
        if same_template(rs["spec"]["template"], deployment["spec"]["template"]):
            return rs
    return None


def revision(obj: Object) -> int:
    try:
        return int(annotations_of(obj).get(REVISION) or 0)
    except ValueError:
        return 0


def replica_annotations(deployment: Object) -> dict[str, str]:
    desired = replicas(deployment)
    return {DESIRED_REPLICAS: str(desired), MAX_REPLICAS: str(desired + max_surge(deployment))}


def new_annotations(deployment: Object, current: dict[str, str], number: int, *, exists: bool) -> dict[str, str]:
    """The annotations of the new ReplicaSet: the Deployment's own, its revision number, and those it had before."""
    out = {**current, **{k: v for k, v in annotations_of(deployment).items() if k not in NOT_COPIED}}
    try:
        old = int(current.get(REVISION) or 0)
    except ValueError:
        return out
    if old < number:
        out[REVISION] = str(number)
        if REVISION in current:
            out[HISTORY] = _history(current.get(HISTORY, ""), current[REVISION])
    if not exists:
        out |= replica_annotations(deployment)
    return out


def _history(history: str, old: str) -> str:
    entries = [*history.split(","), old] if history else [old]
    while len(entries) > 1 and len(",".join(entries)) > MAX_HISTORY_CHARS:
        entries.pop(0)
    return ",".join(entries)


class ReplicaSets:
    """Finds, makes and renumbers the new ReplicaSet of a Deployment. `update_status` writes a Deployment's status."""

    def __init__(self, ctx: Context, update_status: UpdateStatus):
        self._ctx, self._update_status = ctx, update_status

    def sync(self, deployment: Object, sets: Sequence[Object], *, create: bool) -> tuple[Object | None, list[Object]]:
        """(the new ReplicaSet or None, the old ones), revision annotations brought up to date."""
        new = find_new(deployment, sets)
        old = [rs for rs in sets if new is None or rs["metadata"]["uid"] != new["metadata"]["uid"]]
        number = max((revision(rs) for rs in old), default=0) + 1
        if new is not None:
            return self._refresh(deployment, new, number), old
        return (self._create(deployment, old, number) if create else None), old

    def _refresh(self, deployment: Object, new: Object, number: int) -> Object:
        wanted = new_annotations(deployment, dict(annotations_of(new)), number, exists=True)
        minimum = deployment["spec"].get("minReadySeconds", 0)
        if wanted != annotations_of(new) or new["spec"].get("minReadySeconds", 0) != minimum:
            spec = {**new["spec"], "minReadySeconds": minimum}
            changed = {**new, "metadata": {**new["metadata"], "annotations": wanted}, "spec": spec}
            return self._ctx.client.update("replicasets.apps", changed)
        name = new["metadata"]["name"]
        self._note(
            deployment, annotations_of(new).get(REVISION, ""), "FoundNewReplicaSet", f'Found new replica set "{name}"'
        )
        return new

    def _note(self, deployment: Object, number: str, reason: str, message: str) -> None:
        """Put the revision on the Deployment and, when nothing is known of its progress, the condition."""
        meta, status = deployment["metadata"], deployment.get("status") or {}
        changed = deployment
        if annotations_of(deployment).get(REVISION) != number:
            changed = {**changed, "metadata": {**meta, "annotations": {**annotations_of(deployment), REVISION: number}}}
        created = reason == "NewReplicaSetCreated"
        if has_deadline(deployment) and (created or condition(deployment, PROGRESSING) is None):
            fresh = new_condition(PROGRESSING, "True", reason, message, self._ctx.clock.now())
            changed = {**changed, "status": set_condition(status, fresh)}
        if changed is not deployment:
            self._update_status(changed)

    def _create(self, deployment: Object, old: Sequence[Object], number: int) -> Object | None:
        wanted = self._new_set(deployment, old, number)
        name, size = wanted["metadata"]["name"], wanted["spec"]["replicas"]
        try:
            made = self._ctx.client.create("replicasets.apps", wanted)
        except StatusError as error:
            if error.reason != "AlreadyExists":
                self._failed(deployment, name, error)
                raise
            return self._existing(deployment, wanted, error)
        if size > 0:
            message = f"Scaled up replica set {name} from 0 to {size}"
            self._ctx.recorder.event(deployment, "Normal", "ScalingReplicaSet", message)
        self._note(deployment, str(number), "NewReplicaSetCreated", f'Created new replica set "{name}"')
        return made

    def _new_set(self, deployment: Object, old: Sequence[Object], number: int) -> Object:
        meta, spec = deployment["metadata"], deployment["spec"]
        template = spec["template"]
        digest = compute_hash(template, (deployment.get("status") or {}).get("collisionCount"))
        template_meta = template.get("metadata") or {}
        marked = {**(template_meta.get("labels") or {}), HASH_LABEL: digest}
        selector = spec["selector"]
        return {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{meta['name']}-{digest}",
                "namespace": meta["namespace"],
                "labels": marked,
                "annotations": new_annotations(deployment, {}, number, exists=False),
                "ownerReferences": [owner_ref(deployment)],
            },
            "spec": {
                "replicas": new_size(deployment, old, None),
                "minReadySeconds": spec.get("minReadySeconds", 0),
                "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}},
                "template": {**template, "metadata": {**template_meta, "labels": marked}},
            },
        }

    def _existing(self, deployment: Object, wanted: Object, error: StatusError) -> Object:
        """Somebody has the name: us, a moment ago, or another template with the same hash (then count a collision)."""
        meta = wanted["metadata"]
        found = self._ctx.client.get("replicasets.apps", meta["namespace"], meta["name"])
        owner = controller_of(found)
        ours = owner is not None and owner["uid"] == deployment["metadata"]["uid"]
        if ours and same_template(found["spec"]["template"], deployment["spec"]["template"]):
            self._note(
                deployment,
                annotations_of(wanted)[REVISION],
                "FoundNewReplicaSet",
                f'Found new replica set "{meta["name"]}"',
            )
            return found
        status = deployment.get("status") or {}
        count = (status.get("collisionCount") or 0) + 1
        self._update_status({**deployment, "status": {**status, "collisionCount": count}})
        raise error

    def _failed(self, deployment: Object, name: str, error: StatusError) -> None:
        if namespace_terminating(error):
            return
        message = f'Failed to create new replica set "{name}": {error.message}'
        if has_deadline(deployment):
            status = deployment.get("status") or {}
            fresh = new_condition(PROGRESSING, "False", "ReplicaSetCreateError", message, self._ctx.clock.now())
            self._update_status({**deployment, "status": set_condition(status, fresh)})
        self._ctx.recorder.event(deployment, "Warning", "ReplicaSetCreateError", message)
