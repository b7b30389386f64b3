"""Keeps N pods of one template alive: the common heart of ReplicaSet and ReplicationController.

pkg/controller/replicaset/replica_set.go and replica_set_utils.go.
"""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.expectations import Expectations
from minik8s.controllers.owners import (
    ChildWatch,
    Claims,
    gathering_time,
    index_by_controller,
    orphans,
    owned,
    selecting,
)
from minik8s.controllers.podcontrol import PodControl, namespace_terminating, pod_from_template, slow_start
from minik8s.controllers.podutil import available_in, condition, is_active, is_available, is_ready, is_terminating
from minik8s.controllers.ranking import deletion_order
from minik8s.objects import Object
from minik8s.objects.meta import key, labels, rfc3339, split_key
from minik8s.objects.selectors import matches
from minik8s.wire import StatusError

BURST_REPLICAS = 500
"""Pods created or deleted in one reconciliation at most."""


class ReplicaManager(Controller):
    """Reconciles one kind whose spec is `replicas`, `selector`, `template`, `minReadySeconds`."""

    resource = ""
    kind = ""
    counts_terminating = False

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.sets = ctx.informers(self.resource)
        self.pods = index_by_controller(ctx.informers("pods"))
        self.expectations = Expectations(ctx.clock)
        self.control = PodControl(ctx)
        self.claims = Claims(ctx, "pods", self.resource)
        self.sets.on_change(self._set_changed)
        self.pods.on_change(ChildWatch(self.sets, self.kind, self._ring, self.selects, self._pod_seen, _matters))

    # ---- what the two kinds differ in -----------------------------------------
    def selector(self, owner: Object) -> Object:
        """The owner's selector as a LabelSelector."""
        raise NotImplementedError

    def related(self, owner: Object) -> list[Object]:
        """All sets that share a purpose with `owner`, for the deletion order; `owner` among them."""
        return [owner]

    def selects(self, owner: Object, pod: Object) -> bool:
        return matches(self.selector(owner), labels(pod))

    # ---- events ----------------------------------------------------------------
    def _set_changed(self, old: Object | None, new: Object | None) -> None:
        changed = new if new is not None else old
        assert changed is not None
        if new is None or (old is not None and old["metadata"]["uid"] != new["metadata"]["uid"]):
            self.expectations.forget(key(changed))
        self.enqueue(key(changed))

    def _ring(self, name: str) -> None:
        namespace, _, short = name.partition("/")
        owner = self.sets.get(namespace, short)
        size = int(((owner or {}).get("status") or {}).get("replicas") or 0)
        self.queue.add_after(name, gathering_time(size))

    def _pod_seen(self, owner: str, old: Object | None, new: Object | None) -> None:
        if new is None:
            assert old is not None
            self.expectations.deletion_observed(owner, key(old))
        elif "deletionTimestamp" in new["metadata"]:
            self.expectations.deletion_observed(owner, key(new))
        elif old is None:
            self.expectations.creation_observed(owner)

    # ---- the loop ----------------------------------------------------------------
    def reconcile(self, name: str) -> float | None:
        namespace, _, short = name.rpartition("/")
        owner = self.sets.get(namespace, short)
        if owner is None:
            self.expectations.forget(name)
            return None
        ready_to_act = self.expectations.satisfied(name)
        mine = owned(self.pods, owner)
        active = self.claims.claim(
            owner,
            [pod for pod in mine if is_active(pod)],
            [pod for pod in orphans(self.pods, namespace) if is_active(pod)],
            selecting(self.selector(owner)),
        )
        failure: StatusError | None = None
        if ready_to_act and "deletionTimestamp" not in owner["metadata"]:
            failure = self._manage(name, owner, active)
        terminating = sum(1 for pod in mine if is_terminating(pod))
        self._update_status(owner, self._status(owner, active, terminating, failure))
        if failure is not None:
            raise failure
        waits = (available_in(active, owner["spec"].get("minReadySeconds", 0), self.clock.now()),
                 self.expectations.expires_in(name))
        return min((w for w in waits if w is not None), default=None)

    def _manage(self, name: str, owner: Object, active: list[Object]) -> StatusError | None:
        wanted = owner["spec"].get("replicas", 1)
        missing = wanted - len(active)
        if missing > 0:
            count = min(missing, BURST_REPLICAS)
            self.expectations.expect_creations(name, count)
            pod = pod_from_template(owner["spec"]["template"], owner)
            done, error = slow_start(count, lambda: self.control.create(owner, pod))
            if done < count:
                self.expectations.creation_observed(name, count - done)
            return None if error is not None and namespace_terminating(error) else error
        if missing < 0:
            return self._delete(name, owner, active, min(-missing, BURST_REPLICAS))
        return None

    def _delete(self, name: str, owner: Object, active: list[Object], count: int) -> StatusError | None:
        victims = self._victims(owner, active, count)
        self.expectations.expect_deletions(name, [key(pod) for pod in victims])
        error: StatusError | None = None
        for pod in victims:
            try:
                if not self.control.delete(owner, pod):
                    self.expectations.deletion_observed(name, key(pod))
            except StatusError as failure:
                self.expectations.deletion_observed(name, key(pod))
                error = error or failure
        return error

    def _victims(self, owner: Object, active: list[Object], count: int) -> list[Object]:
        if count >= len(active):
            return active
        rank: dict[str, int] = {}
        for one in self.related(owner):
            for pod in owned(self.pods, one):
                if is_active(pod) and pod["spec"].get("nodeName"):
                    rank[pod["spec"]["nodeName"]] = rank.get(pod["spec"]["nodeName"], 0) + 1
        return deletion_order(active, rank, self.clock.now())[:count]

    # ---- status --------------------------------------------------------------------
    def _status(self, owner: Object, active: list[Object], terminating: int, failure: StatusError | None) -> Object:
        spec, now = owner["spec"], self.clock.now()
        wanted = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
        minimum = spec.get("minReadySeconds", 0)
        ready = [pod for pod in active if is_ready(pod)]
        status: Object = {**(owner.get("status") or {}), "replicas": len(active)}
        counts = {
            "fullyLabeledReplicas": sum(1 for pod in active if wanted.items() <= labels(pod).items()),
            "readyReplicas": len(ready),
            "availableReplicas": sum(1 for pod in ready if is_available(pod, minimum, now)),
        }
        for field, count in counts.items():
            if count:
                status[field] = count
            else:
                status.pop(field, None)
        if self.counts_terminating:
            status["terminatingReplicas"] = terminating
        status["observedGeneration"] = owner["metadata"].get("generation", 0)
        conditions = self._conditions(owner, len(active) < spec.get("replicas", 1), failure)
        if conditions:
            status["conditions"] = conditions
        else:
            status.pop("conditions", None)
        return status

    def _conditions(self, owner: Object, short: bool, failure: StatusError | None) -> list[Object]:
        old = list((owner.get("status") or {}).get("conditions") or ())
        if failure is None:
            return [c for c in old if c["type"] != "ReplicaFailure"]
        if condition(owner, "ReplicaFailure") is not None:
            return old
        return [
            *old,
            {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate" if short else "FailedDelete",
                "message": failure.message,
                "lastTransitionTime": rfc3339(self.clock.now()),
            },
        ]

    def _update_status(self, owner: Object, status: Object) -> None:
        for _ in range(2):  # a stale owner is read again once, as upstream
            if (owner.get("status") or {}) == status:
                return
            try:
                self.client.update(self.resource, {**owner, "status": status}, subresource="status")
                return
            except StatusError as error:
                if error.code == 404:
                    return
                if error.code != 409:
                    raise
            namespace, name = split_key(key(owner))
            fresh = self.client.find(self.resource, namespace, name)
            if fresh is None or fresh["metadata"]["uid"] != owner["metadata"]["uid"]:
                return
            owner = fresh


def _matters(old: Object, new: Object) -> bool:
    """Whether an update of a pod can change what its set does or tells."""
    return _facts(old) != _facts(new)


def _facts(pod: Object) -> tuple[object, ...]:
    meta, status = pod["metadata"], pod.get("status") or {}
    ready = next((c for c in status.get("conditions") or () if c["type"] == "Ready"), None)
    state = (ready["status"], ready.get("lastTransitionTime")) if ready is not None else None
    return status.get("phase"), state, "deletionTimestamp" in meta, meta.get("labels"), meta.get("ownerReferences")
