"""deployment-controller: rolls out pod templates through ReplicaSets (pkg/controller/deployment).

One reconciliation takes one step: scale the new ReplicaSet up as far as maxSurge allows, or the old ones down as far
as maxUnavailable allows, then tell the status. The change it makes rings the bell for the next step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minik8s.client.controller import Context, Controller
from minik8s.controllers import deployment_math as sums
from minik8s.controllers import deployment_status as conditions
from minik8s.controllers.deployment_sets import ReplicaSets, replica_annotations, revision
from minik8s.controllers.owners import ChildWatch, Claims, index_by_controller, orphans, owned
from minik8s.controllers.podutil import condition, created, is_finished, oldest_first
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of, controller_of, key, labels
from minik8s.objects.selectors import matches
from minik8s.wire import StatusError

SETS = "replicasets.apps"
_Count = Callable[[Object], int]


class DeploymentController(Controller):
    name = "deployment-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.deployments = ctx.informers("deployments.apps")
        self.sets = index_by_controller(ctx.informers(SETS))
        self.pods = index_by_controller(ctx.informers("pods"))
        self.claims = Claims(ctx, SETS, "deployments.apps")
        self.replica_sets = ReplicaSets(ctx, self._write_status)
        self.deployments.on_change(lambda old, new: self.enqueue(key(new or old or {})))
        self.sets.on_change(ChildWatch(self.deployments, "Deployment", self.enqueue, _selects))
        self.pods.on_change(self._pod_changed)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        """A Recreate rollout goes on when the last old pod is gone."""
        if new is not None or old is None:
            return
        reference = controller_of(old)
        if reference is None or reference["kind"] != "ReplicaSet":
            return
        namespace = old["metadata"]["namespace"]
        rs = self.sets.get(namespace, reference["name"])
        owner = controller_of(rs) if rs is not None else None
        found = self.deployments.get(namespace, owner["name"]) if owner is not None else None
        if found is not None and not sums.is_rolling_update(found):
            self.enqueue(key(found))

    # ---- the loop ----------------------------------------------------------------
    def reconcile(self, name: str) -> float | None:
        namespace, _, short = name.rpartition("/")
        deployment = self.deployments.get(namespace, short)
        if deployment is None:
            return None
        if not any(deployment["spec"]["selector"].values()):
            self._selects_all(deployment)
            return None
        selector = deployment["spec"]["selector"]
        mine, loose = owned(self.sets, deployment), orphans(self.sets, namespace)
        sets = self.claims.claim(deployment, mine, loose, lambda rs: matches(selector, labels(rs)))
        if "deletionTimestamp" in deployment["metadata"]:
            new, old = self.replica_sets.sync(deployment, sets, create=False)
            self._sync_status(deployment, _all(old, new), new)
            return None
        deployment = self._check_paused(deployment)
        if deployment["spec"].get("paused") or self._is_scaling(deployment, sets):
            self._sync(deployment, sets)
            return None
        if sums.is_rolling_update(deployment):
            return self._roll(deployment, sets)
        return self._recreate(deployment, sets)

    def _selects_all(self, deployment: Object) -> None:
        message = "This deployment is selecting all pods. A non-empty selector is required."
        self.ctx.recorder.event(deployment, "Warning", "SelectingAll", message)
        generation = deployment["metadata"].get("generation", 0)
        status = deployment.get("status") or {}
        if status.get("observedGeneration", 0) < generation:
            self._write_status({**deployment, "status": {**status, "observedGeneration": generation}})

    def _check_paused(self, deployment: Object) -> Object:
        """Tell in the Progressing condition that a rollout was paused or resumed."""
        current = condition(deployment, conditions.PROGRESSING)
        reason = current.get("reason") if current is not None else None
        if not conditions.has_deadline(deployment) or reason == conditions.TIMED_OUT:
            return deployment
        paused, known = bool(deployment["spec"].get("paused")), reason == conditions.PAUSED
        if paused == known:
            return deployment
        why = (conditions.PAUSED, "Deployment is paused") if paused else (conditions.RESUMED, "Deployment is resumed")
        fresh = conditions.new_condition(conditions.PROGRESSING, "Unknown", *why, self.clock.now())
        status = conditions.set_condition(deployment.get("status") or {}, fresh)
        return self._write_status({**deployment, "status": status})

    def _is_scaling(self, deployment: Object, sets: Sequence[Object]) -> bool:
        """Whether somebody changed spec.replicas: an active ReplicaSet remembers another number."""
        desired = sums.replicas(deployment)
        remembered = (sums.number_annotation(rs, sums.DESIRED_REPLICAS) for rs in sums.active(sets))
        return any(number is not None and number != desired for number in remembered)

    # ---- scaling, while paused or not ----------------------------------------------
    def _sync(self, deployment: Object, sets: Sequence[Object]) -> None:
        new, old = self.replica_sets.sync(deployment, sets, create=False)
        new, old = self._scale(deployment, new, old)
        if deployment["spec"].get("paused"):
            self._clean_up(deployment, old)
        self._sync_status(deployment, _all(old, new), new)

    def _scale(self, deployment: Object, new: Object | None, old: list[Object]) -> tuple[Object | None, list[Object]]:
        only = _active_or_latest(new, old)
        sizes: dict[str, int] = {}
        if only is not None:
            if sums.replicas(only) == sums.replicas(deployment):
                return new, old
            sizes = {only["metadata"]["name"]: sums.replicas(deployment)}
        elif sums.is_saturated(deployment, new):
            sizes = {rs["metadata"]["name"]: 0 for rs in sums.active(old)}
        elif sums.is_rolling_update(deployment):
            sizes = sums.proportions(deployment, sums.active(_all(old, new)))

        def scaled(rs: Object) -> Object:
            size = sizes.get(rs["metadata"]["name"])
            return rs if size is None else self._resize(deployment, rs, size)

        scaled_new = scaled(new) if new is not None else None
        return scaled_new, [scaled(rs) for rs in old]

    def _resize(self, deployment: Object, rs: Object, size: int) -> Object:
        """Write a ReplicaSet's size and the annotations that remember the Deployment's."""
        before, wanted = sums.replicas(rs), replica_annotations(deployment)
        if before == size and wanted.items() <= annotations_of(rs).items():
            return rs
        meta = {**rs["metadata"], "annotations": {**annotations_of(rs), **wanted}}
        out = self.client.update(SETS, {**rs, "metadata": meta, "spec": {**rs["spec"], "replicas": size}})
        if before != size:
            name, way = rs["metadata"]["name"], "up" if size > before else "down"
            message = f"Scaled {way} replica set {name} from {before} to {size}"
            self.ctx.recorder.event(deployment, "Normal", "ScalingReplicaSet", message)
        return out

    # ---- RollingUpdate ---------------------------------------------------------------
    def _roll(self, deployment: Object, sets: Sequence[Object]) -> float | None:
        new, old = self.replica_sets.sync(deployment, sets, create=True)
        if new is None:
            return None
        bigger = self._grow(deployment, new, old)
        if bigger is not None:
            return self._rollout_status(deployment, _all(old, bigger), bigger)
        smaller = self._shrink(deployment, new, old)
        if smaller is not None:
            return self._rollout_status(deployment, _all(smaller, new), new)
        self._finish(deployment, old)
        return self._rollout_status(deployment, _all(old, new), new)

    def _grow(self, deployment: Object, new: Object, old: list[Object]) -> Object | None:
        """The new ReplicaSet one step larger (or smaller, when it is too large), or None."""
        size, desired = sums.replicas(new), sums.replicas(deployment)
        target = desired if size > desired else sums.new_size(deployment, _all(old, new), new)
        if size == desired or target == size:
            return None
        return self._resize(deployment, new, target)

    def _shrink(self, deployment: Object, new: Object, old: list[Object]) -> list[Object] | None:
        """The old ReplicaSets one step smaller, or None. Unhealthy old pods go first: they serve nobody."""
        if not sums.total_replicas(old):
            return None
        least = sums.replicas(deployment) - sums.max_unavailable(deployment)
        unavailable = sums.replicas(new) - sums.status_sum([new], "availableReplicas")
        room = sums.total_replicas([*old, new]) - least - unavailable
        if room <= 0:
            return None
        by_age = oldest_first(sums.active(old))  # pods of a set that wants none are on their way out
        cleaned = self._shrink_by(deployment, by_age, room, _unhealthy)
        spare = sums.status_sum([*cleaned, new], "availableReplicas") - least
        shrunk = self._shrink_by(deployment, cleaned, spare, sums.replicas)
        if sums.total_replicas(shrunk) == sums.total_replicas(old):
            return None
        return [*(rs for rs in old if not sums.replicas(rs)), *shrunk]

    def _shrink_by(self, deployment: Object, sets: list[Object], budget: int, most: _Count) -> list[Object]:
        out = []
        for rs in sets:
            count = min(budget, most(rs), sums.replicas(rs)) if budget > 0 else 0
            if count > 0:
                rs = self._resize(deployment, rs, sums.replicas(rs) - count)
                budget -= count
            out.append(rs)
        return out

    # ---- Recreate ----------------------------------------------------------------------
    def _recreate(self, deployment: Object, sets: Sequence[Object]) -> float | None:
        new, old = self.replica_sets.sync(deployment, sets, create=False)
        if sums.active(old):
            old = [self._resize(deployment, rs, 0) if sums.replicas(rs) else rs for rs in old]
            return self._rollout_status(deployment, _all(old, new), new)
        if self._old_pods_run(old):
            return self._rollout_status(deployment, _all(old, new), new)
        if new is None:
            new, old = self.replica_sets.sync(deployment, sets, create=True)
        if new is not None and sums.replicas(new) != sums.replicas(deployment):
            new = self._resize(deployment, new, sums.replicas(deployment))
        self._finish(deployment, old)
        return self._rollout_status(deployment, _all(old, new), new)

    def _old_pods_run(self, old: Sequence[Object]) -> bool:
        if sums.status_sum(old, "replicas"):
            return True
        return any(not is_finished(pod) for rs in old for pod in owned(self.pods, rs))

    # ---- status and history ----------------------------------------------------------------
    def _rollout_status(self, deployment: Object, sets: list[Object], new: Object | None) -> float | None:
        now = self.clock.now()
        deployment = self._latest_status(deployment)
        status = conditions.rollout_status(deployment, sets, new, now)
        if status != (deployment.get("status") or {}):
            self._write_status({**deployment, "status": status})
        return conditions.stuck_check(deployment, status, now)

    def _sync_status(self, deployment: Object, sets: list[Object], new: Object | None) -> None:
        deployment = self._latest_status(deployment)
        status = conditions.calculate(deployment, sets, new, self.clock.now())
        if status != (deployment.get("status") or {}):
            self._write_status({**deployment, "status": status})

    def _write_status(self, deployment: Object) -> Object:
        written = self.client.update("deployments.apps", deployment, subresource="status")
        self._written = written
        return written

    def _latest_status(self, deployment: Object) -> Object:
        """What this reconciliation wrote itself, if it did: the cache will show it only later."""
        written = self._written
        if written is None:
            return deployment
        ours, cached = written["metadata"], deployment["metadata"]
        same = ours["uid"] == cached["uid"] and ours.get("generation") == cached.get("generation")
        return written if same and int(ours["resourceVersion"]) > int(cached["resourceVersion"]) else deployment

    _written: Object | None = None

    def _finish(self, deployment: Object, old: Sequence[Object]) -> None:
        if conditions.is_complete(deployment, deployment.get("status") or {}):
            self._clean_up(deployment, old)

    def _clean_up(self, deployment: Object, old: Sequence[Object]) -> None:
        """Delete the oldest empty ReplicaSets beyond revisionHistoryLimit."""
        limit = deployment["spec"].get("revisionHistoryLimit")
        if limit is None or limit == 2**31 - 1:
            return
        idle = [rs for rs in old if "deletionTimestamp" not in rs["metadata"]]
        for rs in sorted(idle, key=lambda rs: (revision(rs), created(rs)))[: max(0, len(idle) - limit)]:
            status = rs.get("status") or {}
            stale = rs["metadata"].get("generation", 0) > status.get("observedGeneration", 0)
            if status.get("replicas") or sums.replicas(rs) or stale:
                continue
            try:
                self.client.delete(SETS, rs["metadata"]["namespace"], rs["metadata"]["name"])
            except StatusError as error:
                if error.code != 404:
                    raise


def _selects(deployment: Object, rs: Object) -> bool:
    return matches(deployment["spec"]["selector"], labels(rs))


def _all(old: list[Object], new: Object | None) -> list[Object]:
    return [*old, new] if new is not None else list(old)


def _unhealthy(rs: Object) -> int:
    return max(0, sums.replicas(rs) - sums.status_sum([rs], "availableReplicas"))


def _active_or_latest(new: Object | None, old: list[Object]) -> Object | None:
    """The only ReplicaSet with pods; without any, the new one or the latest. None when several have pods."""
    if new is None and not old:
        return None
    running = sums.active(_all(old, new))
    if len(running) > 1:
        return None
    if running:
        return running[0]
    return new if new is not None else oldest_first(old)[-1]
