"""statefulset-controller: pods with a stable name, order and storage (pkg/controller/statefulset).

OrderedReady creates from ordinal 0 upwards, each only when all before it are available, and removes from the top;
Parallel does not wait. A rolling update replaces from the top down to `partition`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minik8s.client.controller import Context, Controller
from minik8s.controllers import statefulset_pods as members
from minik8s.controllers.history import HASH_LABEL, History
from minik8s.controllers.owners import ChildWatch, Claims, index_by_controller, orphans, owned
from minik8s.controllers.podcontrol import namespace_terminating, slow_start
from minik8s.controllers.podutil import available_in, is_finished, phase
from minik8s.objects import Object
from minik8s.objects.meta import key, labels, split_key
from minik8s.objects.selectors import matches
from minik8s.wire import StatusError

CLAIMS = "persistentvolumeclaims"
_Step = Callable[[Object], bool]


class StatefulSetController(Controller):
    name = "statefulset-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.sets = ctx.informers("statefulsets.apps")
        self.pods = index_by_controller(ctx.informers("pods"))
        self.volume_claims = ctx.informers(CLAIMS)
        self.claims = Claims(ctx, "pods", "statefulsets.apps")
        self.history = History(ctx, "statefulsets.apps", HASH_LABEL)
        self.sets.on_change(lambda old, new: self.enqueue(key(new or old or {})))
        self.pods.on_change(ChildWatch(self.sets, "StatefulSet", self.enqueue, _selects))

    def reconcile(self, name: str) -> float | None:
        namespace, short = split_key(name)
        owner = self.sets.get(namespace, short)
        if owner is None:
            return None
        pods = self.claims.claim(
            owner, owned(self.pods, owner), orphans(self.pods, namespace), lambda pod: _selects(owner, pod)
        )
        pods = [pod for pod in pods if members.is_member(owner, pod)]
        revisions = self.history.of(owner)
        collisions = int((owner.get("status") or {}).get("collisionCount") or 0)
        update, collisions = self.history.current(owner, revisions, collisions)
        wanted = (owner.get("status") or {}).get("currentRevision")
        current = next((r for r in revisions if r["metadata"]["name"] == wanted), update)
        round_ = _Round(self, owner, pods, current, update, collisions)
        try:
            round_.run()
        finally:
            self._write_status(owner, round_.complete())
        self._truncate(owner, revisions, round_, pods)
        return available_in(pods, owner["spec"].get("minReadySeconds", 0), self.clock.now())

    def _truncate(self, owner: Object, revisions: Sequence[Object], round_: _Round, pods: Sequence[Object]) -> None:
        live = {members.revision_of(pod) for pod in pods}
        live |= {round_.current["metadata"]["name"], round_.update["metadata"]["name"]}
        limit = owner["spec"].get("revisionHistoryLimit", 10)
        self.history.truncate(revisions, live, limit)

    def _write_status(self, owner: Object, status: Object) -> None:
        if status == (owner.get("status") or {}):
            return
        try:
            self.client.update("statefulsets.apps", {**owner, "status": status}, subresource="status")
        except StatusError as error:
            if error.code != 404:
                raise

    # ---- what a round does to pods and claims ---------------------------------------
    def create_pod(self, owner: Object, pod: Object) -> None:
        try:
            self.create_claims(owner, pod)
            self.client.create("pods", pod, namespace=owner["metadata"]["namespace"])
        except StatusError as error:
            if error.reason == "AlreadyExists" or namespace_terminating(error):
                raise  # the cache will show it in a moment
            self.tell(owner, pod, "Create", error)
            raise
        self.tell(owner, pod, "Create")

    def delete_pod(self, owner: Object, pod: Object) -> None:
        meta = pod["metadata"]
        try:
            self.client.delete("pods", meta["namespace"], meta["name"])
        except StatusError as error:
            if error.code != 404:
                self.tell(owner, pod, "Delete", error)
                raise
        self.tell(owner, pod, "Delete")

    def create_claims(self, owner: Object, pod: Object) -> None:
        """Make the pod's claims that are missing; a pod is not made while one of them fails or goes away."""
        failures: list[str] = []
        for claim in members.claims_of(owner, pod):
            meta = claim["metadata"]
            found = self.volume_claims.get(meta["namespace"], meta["name"])
            if found is None:
                self._create_claim(owner, pod, claim, failures)
            elif "deletionTimestamp" in found["metadata"]:
                failures.append(f"pvc {meta['name']} is being deleted")
        if failures:
            message = failures[0] if len(failures) == 1 else f"[{', '.join(failures)}]"
            raise StatusError(500, "InternalError", message)

    def _create_claim(self, owner: Object, pod: Object, claim: Object, failures: list[str]) -> None:
        meta = claim["metadata"]
        if references := members.claim_owners(owner, pod, claim, condemned=False):
            meta["ownerReferences"] = references
        who = f"Claim {meta['name']}"
        where = f"Pod {pod['metadata']['name']} in StatefulSet {owner['metadata']['name']}"
        try:
            self.client.create(CLAIMS, claim)
        except StatusError as error:
            failures.append(f"failed to create PVC {meta['name']}: {error.message}")
            if error.reason != "AlreadyExists":
                message = f"Create {who} for {where} failed error: {error.message}"
                self.ctx.recorder.event(owner, "Warning", "FailedCreate", message)
            return
        self.ctx.recorder.event(owner, "Normal", "SuccessfulCreate", f"Create {who} {where} success")

    def fix_claims(self, owner: Object, pod: Object, *, condemned: bool) -> None:
        """Give the pod's claims the owners that the retention policy asks for."""
        for wanted in members.claims_of(owner, pod):
            meta = wanted["metadata"]
            claim = self.volume_claims.get(meta["namespace"], meta["name"])
            if claim is None or members.claim_is_stale(claim, pod):
                continue
            references = members.claim_owners(owner, pod, claim, condemned=condemned)
            if references != [dict(r) for r in claim["metadata"].get("ownerReferences") or ()]:
                changed = {**claim, "metadata": {**claim["metadata"], "ownerReferences": references}}
                self.client.update(CLAIMS, changed)

    def fix_pod(self, owner: Object, pod: Object) -> None:
        """Correct the identity labels of a pod, and its claims."""
        self.fix_claims(owner, pod, condemned=False)
        if not members.identity_matches(owner, pod):
            self.client.update("pods", members.with_identity(pod))
            self.tell(owner, pod, "Update")

    def tell(self, owner: Object, pod: Object, verb: str, error: StatusError | None = None) -> None:
        what = f"{verb} Pod {pod['metadata']['name']} in StatefulSet {owner['metadata']['name']}"
        if error is None:
            self.ctx.recorder.event(owner, "Normal", f"Successful{verb}", f"{what} successful")
        else:
            self.ctx.recorder.event(owner, "Warning", f"Failed{verb}", f"{what} failed error: {error.message}")


class _Round:
    """One look at one StatefulSet: what to create, delete or wait for, and the status afterwards."""

    def __init__(
        self,
        controller: StatefulSetController,
        owner: Object,
        pods: Sequence[Object],
        current: Object,
        update: Object,
        collisions: int,
    ):
        self.controller, self.owner, self.pods = controller, owner, list(pods)
        self.current, self.update, self.collisions = current, update, collisions
        self.now, self.minimum = controller.clock.now(), owner["spec"].get("minReadySeconds", 0)
        self.ordered = owner["spec"].get("podManagementPolicy", "OrderedReady") != "Parallel"
        strategy = owner["spec"].get("updateStrategy") or {}
        self.rolling = strategy.get("type", "RollingUpdate") == "RollingUpdate"
        self.limits = strategy.get("rollingUpdate") or {}
        self.partition = int(self.limits.get("partition", 0))
        self.made: set[str] = set()
        self.gone: set[str] = set()
        self._place()

    def _place(self) -> None:
        start, count = members.start_ordinal(self.owner), int(self.owner["spec"].get("replicas", 1))
        by_ordinal = {members.ordinal(pod): pod for pod in self.pods}
        wanted = range(start, start + count)
        self.replicas = [by_ordinal.get(n) or members.new_pod(self.owner, self._revision_for(n), n) for n in wanted]
        rest = [pod for n, pod in by_ordinal.items() if n >= 0 and n not in wanted]
        self.condemned = sorted(rest, key=members.ordinal, reverse=True)
        broken = [pod for pod in [*self.replicas, *reversed(self.condemned)] if self._unavailable(pod)]
        self.first_broken = broken[0] if broken else None

    def _revision_for(self, number: int) -> Object:
        """New pods below the partition (or below those already updated) still get the current revision."""
        if not self.rolling:
            return self.update
        start = members.start_ordinal(self.owner)
        if not self.limits:
            held = int((self.owner.get("status") or {}).get("currentReplicas") or 0)
        else:
            held = self.partition
        return self.current if number < start + held else self.update

    def _unavailable(self, pod: Object) -> bool:
        return members.is_unavailable(pod, self.minimum, self.now)

    def _exists(self, pod: Object) -> bool:
        return "uid" in pod["metadata"]

    # ---- the steps --------------------------------------------------------------------
    def run(self) -> None:
        """Take the next step."""
        if "deletionTimestamp" in self.owner["metadata"] or not self._all(self.replicas, self._replica):
            return
        for pod in self.condemned:
            self.controller.fix_claims(self.owner, pod, condemned=True)
        if self._all(self.condemned, self._condemn) and self.rolling:
            self._roll()

    def _all(self, pods: Sequence[Object], step: _Step) -> bool:
        """Do `step` for each: in order until one says wait, or (Parallel) for all in growing batches."""
        if self.ordered:
            return all(step(pod) for pod in pods)
        waiting = iter(pods)
        _, error = slow_start(len(pods), lambda: step(next(waiting)))
        if error is not None:
            raise error
        return True

    def _replica(self, pod: Object) -> bool:
        owner, controller = self.owner, self.controller
        if is_finished(pod):
            if "deletionTimestamp" not in pod["metadata"]:
                self._delete(pod)
            return False
        if not self._exists(pod):
            if self._stale_claim(pod):
                return False
            controller.create_pod(owner, pod)
            self.made.add(pod["metadata"]["name"])
            return not self.ordered
        if phase(pod) == "Pending":
            controller.create_claims(owner, pod)
        terminating = "deletionTimestamp" in pod["metadata"]
        if self.ordered and (terminating or self._unavailable(pod) or not members.is_running_and_ready(pod)):
            return False
        if not terminating:
            controller.fix_pod(owner, pod)
        return True

    def _stale_claim(self, pod: Object) -> bool:
        for wanted in members.claims_of(self.owner, pod):
            meta = wanted["metadata"]
            claim = self.controller.volume_claims.get(meta["namespace"], meta["name"])
            if members.claim_is_stale(claim, pod):
                return True
        return False

    def _condemn(self, pod: Object) -> bool:
        if "deletionTimestamp" in pod["metadata"]:
            return not self.ordered
        if self.ordered and self._unavailable(pod) and pod is not self.first_broken:
            return False
        self._delete(pod)
        return not self.ordered

    def _delete(self, pod: Object) -> None:
        self.controller.delete_pod(self.owner, pod)
        self.gone.add(pod["metadata"]["name"])

    def _roll(self) -> None:
        """Replace outdated pods from the highest ordinal down to the partition."""
        start, newest = members.start_ordinal(self.owner), self.update["metadata"]["name"]
        targets = [pod for pod in reversed(self.replicas) if members.ordinal(pod) >= start + self.partition]
        for pod in targets:
            if members.revision_of(pod) != newest and "deletionTimestamp" not in pod["metadata"]:
                self._delete(pod)
                return
            if self._unavailable(pod):
                return

    # ---- status ------------------------------------------------------------------------
    def complete(self) -> Object:
        """The status after this round; a finished rolling update makes the update revision the current one."""
        current, update = self.current["metadata"]["name"], self.update["metadata"]["name"]
        counts = {"replicas": 0, "readyReplicas": 0, "availableReplicas": 0, "currentReplicas": 0, "updatedReplicas": 0}
        for pod in [*self.replicas, *self.condemned]:
            self._count(pod, counts, current, update)
        wanted = int(self.owner["spec"].get("replicas", 1))
        whole = wanted == counts["updatedReplicas"] == counts["replicas"] == counts["readyReplicas"]
        if whole and self.rolling and "deletionTimestamp" not in self.owner["metadata"]:
            counts["currentReplicas"], current = counts["updatedReplicas"], update
        status: Object = {**(self.owner.get("status") or {})}
        for field, value in counts.items():
            if value or field in ("replicas", "availableReplicas"):
                status[field] = value
            else:
                status.pop(field, None)
        generation = self.owner["metadata"].get("generation", 0)
        status |= {"observedGeneration": generation, "currentRevision": current, "updateRevision": update}
        status["collisionCount"] = self.collisions
        return status

    def _count(self, pod: Object, counts: dict[str, int], current: str, update: str) -> None:
        name = pod["metadata"]["name"]
        if not self._exists(pod) and name not in self.made:
            return
        counts["replicas"] += 1
        if self._exists(pod) and members.is_running_and_ready(pod):
            counts["readyReplicas"] += 1
            if members.is_running_and_available(pod, self.minimum, self.now):
                counts["availableReplicas"] += 1
        if "deletionTimestamp" in pod["metadata"] or name in self.gone:
            return
        revision = members.revision_of(pod)
        counts["currentReplicas"] += revision == current
        counts["updatedReplicas"] += revision == update


def _selects(owner: Object, pod: Object) -> bool:
    return matches(owner["spec"]["selector"], labels(pod)) and members.is_member(owner, pod)
