"""daemonset-controller: one pod on every node that fits (pkg/controller/daemon)."""

from __future__ import annotations

from collections.abc import Sequence

from minik8s.client.controller import Context, Controller
from minik8s.controllers import daemon_pods as daemons
from minik8s.controllers.daemon_update import pods_to_replace
from minik8s.controllers.expectations import Expectations
from minik8s.controllers.history import REVISION_LABEL, History
from minik8s.controllers.owners import ChildWatch, Claims, gathering_time, index_by_controller, orphans, owned
from minik8s.controllers.podcontrol import PodControl, namespace_terminating, slow_start
from minik8s.controllers.podutil import available_in, is_available, is_ready, phase
from minik8s.controllers.taints import taints_of
from minik8s.objects import Object
from minik8s.objects.meta import annotations_of, key, labels, name
from minik8s.objects.selectors import matches
from minik8s.wire import StatusError

BURST = 250
FIRST_BACKOFF, MAX_BACKOFF = 1.0, 900.0
ByNode = dict[str, list[Object]]


class DaemonSetController(Controller):
    name = "daemonset-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.sets = ctx.informers("daemonsets.apps")
        self.pods = index_by_controller(ctx.informers("pods"))
        self.nodes = ctx.informers("nodes")
        self.claims = Claims(ctx, "pods", "daemonsets.apps")
        self.control = PodControl(ctx)
        self.expectations = Expectations(ctx.clock)
        self.history = History(ctx, "daemonsets.apps", REVISION_LABEL)
        self._backoff: dict[str, tuple[float, float]] = {}
        self.sets.on_change(self._set_changed)
        self.pods.on_change(ChildWatch(self.sets, "DaemonSet", self._ring, _selects, self._pod_seen))
        self.nodes.on_change(self._node_changed)

    # ---- events ----------------------------------------------------------------
    def _set_changed(self, old: Object | None, new: Object | None) -> None:
        changed = new or old
        assert changed is not None
        if new is None or (old is not None and old["metadata"]["uid"] != new["metadata"]["uid"]):
            self.expectations.forget(key(changed))
        self.enqueue(key(changed))

    def _ring(self, name: str) -> None:
        self.queue.add_after(name, gathering_time(len(self.nodes)))

    def _pod_seen(self, owner: str, old: Object | None, new: Object | None) -> None:
        if new is None or "deletionTimestamp" in new["metadata"]:
            self.expectations.deletion_observed(owner, key(new or old or {}))
        elif old is None:
            self.expectations.creation_observed(owner)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        """Look again only where a pod is missing or must go: a NoSchedule taint does not even renew the status."""
        if new is None or (old is not None and labels(old) == labels(new) and taints_of(old) == taints_of(new)):
            return
        for owner in self.sets.list():
            should, may_stay = daemons.belongs(owner, new)
            has = any(pod["spec"].get("nodeName") == name(new) for pod in owned(self.pods, owner))
            misplaced = (owner.get("status") or {}).get("numberMisscheduled", 0) > 0
            if (should and not has) or (has and (not may_stay or misplaced)):
                self.enqueue(key(owner))

    # ---- the loop ----------------------------------------------------------------
    def reconcile(self, work: str) -> float | None:
        namespace, _, short = work.partition("/")
        owner = self.sets.get(namespace, short)
        if owner is None:
            self.expectations.forget(work)
            return None
        if not any(owner["spec"]["selector"].values()):
            message = "This daemon set is selecting all pods. A non-empty selector is required."
            self.ctx.recorder.event(owner, "Warning", "SelectingAll", message)
            return None
        if "deletionTimestamp" in owner["metadata"]:
            return None
        revisions = self.history.of(owner)
        current, collisions = self._current_revision(owner, revisions)
        digest = labels(current).get(REVISION_LABEL, "")
        pods = self._claim(owner)
        wait: float | None = None
        acted = self.expectations.satisfied(work)
        try:
            if acted:
                wait = self._manage(work, owner, pods, digest)
                strategy = (owner["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate")
                if strategy == "RollingUpdate" and self.expectations.satisfied(work):
                    self._roll(work, owner, self._by_node(pods), digest)
                self._clean_history(owner, revisions, current, pods)
        finally:  # a pod that is refused must not hide the others
            self._update_status(
                owner, self._by_node(pods), digest, collisions, seen=acted and self.expectations.satisfied(work)
            )
        ready = available_in(pods, owner["spec"].get("minReadySeconds", 0), self.clock.now())
        waits = (wait, ready, self.expectations.expires_in(work))
        return min((w for w in waits if w is not None), default=None)

    def _current_revision(self, owner: Object, revisions: list[Object]) -> tuple[Object, int]:
        collisions = int((owner.get("status") or {}).get("collisionCount") or 0)
        return self.history.current(owner, revisions, collisions)

    def _claim(self, owner: Object) -> list[Object]:
        loose = orphans(self.pods, owner["metadata"]["namespace"])
        return self.claims.claim(owner, owned(self.pods, owner), loose, lambda pod: _selects(owner, pod))

    def _by_node(self, pods: Sequence[Object]) -> ByNode:
        out: ByNode = {}
        for pod in pods:
            if "deletionTimestamp" in pod["metadata"] and phase(pod) in ("Succeeded", "Failed"):
                continue
            out.setdefault(daemons.target_node(pod), []).append(pod)
        return out

    # ---- which pods to make, which to remove ------------------------------------------
    def _manage(self, work: str, owner: Object, pods: Sequence[Object], digest: str) -> float | None:
        by_node, needing, doomed = self._by_node(pods), [], []
        waits: list[float] = []
        nodes = self.nodes.list()
        for node in nodes:
            here = by_node.get(name(node), [])
            should, may_stay = daemons.belongs(owner, node)
            if should and not here:
                needing.append(name(node))
            elif may_stay and here:
                running, ended, wait = self._ended(owner, here)
                doomed += ended + self._surplus(owner, running, digest)
                waits += [wait] if wait is not None else []
                if should and not running and self._surges(owner):
                    needing.append(name(node))
            elif here:
                doomed += [pod for pod in here if "deletionTimestamp" not in pod["metadata"]]
        known = {name(node) for node in nodes}
        for pod in pods:  # meant for a node that is gone: nobody will ever run it
            if not pod["spec"].get("nodeName") and daemons.target_node(pod) not in known:
                doomed.append(pod)
        self._sync(work, owner, needing, doomed, digest)
        return min(waits, default=None)

    def _ended(self, owner: Object, here: list[Object]) -> tuple[list[Object], list[Object], float | None]:
        """(pods of one node that run, ended ones that must go, seconds until a failed one may)."""
        running, doomed, wait = [], [], None
        for pod in here:
            if "deletionTimestamp" in pod["metadata"]:
                continue
            if phase(pod) == "Failed":
                wait = self._back_off(owner, pod)
                if wait is None:
                    self._tell(owner, pod, "Warning", "FailedDaemonPod", "failed", "kill")
                    doomed.append(pod)
            elif phase(pod) == "Succeeded":
                self._tell(owner, pod, "Normal", "SucceededDaemonPod", "succeeded", "delete")
                doomed.append(pod)
            else:
                running.append(pod)
        return running, doomed, wait

    def _surplus(self, owner: Object, running: list[Object], digest: str) -> list[Object]:
        """All but the oldest pod of a node; a surging update keeps one of each revision until the new one serves."""
        if len(running) <= 1:
            return []
        by_age = daemons.oldest_scheduled_first(running)
        if not self._surges(owner):
            return by_age[1:]
        new = next((p for p in by_age if labels(p).get(REVISION_LABEL) == digest), None)
        old = next((p for p in by_age if labels(p).get(REVISION_LABEL) != digest), None)
        doomed = [pod for pod in by_age if pod is not new and pod is not old]
        if old is not None and new is not None:
            minimum = owner["spec"].get("minReadySeconds", 0)
            if not is_ready(old) or is_available(new, minimum, self.clock.now()):
                doomed.append(old)
        return doomed

    def _surges(self, owner: Object) -> bool:
        rolling = (owner["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        return rolling.get("maxSurge") not in (None, 0, "0%")

    def _back_off(self, owner: Object, pod: Object) -> float | None:
        """Seconds that a failed pod of this node must still wait, or None: it may be replaced now."""
        generation = (owner.get("status") or {}).get("observedGeneration", 0)
        place, now = f"{owner['metadata']['uid']}/{generation}/{daemons.target_node(pod)}", self.clock.now()
        delay, until = self._backoff.get(place, (0.0, 0.0))
        if now < until:
            return until - now
        if now > until + 2 * MAX_BACKOFF:
            delay = 0.0
        delay = min(delay * 2, MAX_BACKOFF) if delay else FIRST_BACKOFF
        self._backoff[place] = delay, now + delay
        return None

    def _tell(self, owner: Object, pod: Object, type: str, reason: str, found: str, verb: str) -> None:
        where = f"{key(pod)} on node {pod['spec'].get('nodeName', '')}"
        self.ctx.recorder.event(owner, type, reason, f"Found {found} daemon pod {where}, will try to {verb} it")

    def _sync(self, work: str, owner: Object, needing: Sequence[str], doomed: Sequence[Object], digest: str) -> None:
        needing, doomed = list(needing)[:BURST], list(doomed)[:BURST]
        if not needing and not doomed:
            return
        self.expectations.expect(work, len(needing), [key(pod) for pod in doomed])
        nodes = iter(needing)
        done, error = slow_start(
            len(needing), lambda: self.control.create(owner, daemons.new_pod(owner, next(nodes), digest))
        )
        if done < len(needing):
            self.expectations.creation_observed(work, len(needing) - done)
        for pod in doomed:
            try:
                if not self.control.delete(owner, pod):
                    self.expectations.deletion_observed(work, key(pod))
            except StatusError as failure:
                self.expectations.deletion_observed(work, key(pod))
                error = error or failure
        if error is not None and not namespace_terminating(error):
            raise error

    def _roll(self, work: str, owner: Object, by_node: ByNode, digest: str) -> None:
        wanted = [name(n) for n in self.nodes.list() if daemons.belongs(owner, n)[0]]
        doomed, surging = pods_to_replace(owner, by_node, wanted, digest, self.clock.now())
        self._sync(work, owner, surging, doomed, digest)

    # ---- history and status ----------------------------------------------------------
    def _clean_history(self, owner: Object, revisions: list[Object], current: Object, pods: Sequence[Object]) -> None:
        used = {labels(pod).get(REVISION_LABEL, "") for pod in pods}
        live = {r["metadata"]["name"] for r in revisions if labels(r).get(REVISION_LABEL) in used}
        live.add(current["metadata"]["name"])
        self.history.truncate(revisions, live, owner["spec"].get("revisionHistoryLimit", 10))

    def _update_status(self, owner: Object, by_node: ByNode, digest: str, collisions: int, *, seen: bool) -> None:
        """`seen`: the present generation has been acted upon, and no pod of that is awaited any more."""
        counts = self._counts(owner, by_node, digest)
        old = owner.get("status") or {}
        status: Object = {**old}
        if seen:
            status["observedGeneration"] = owner["metadata"].get("generation", 0)
        required = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
        for field, count in counts.items():
            if count or field in required:
                status[field] = count
            else:
                status.pop(field, None)
        if collisions:
            status["collisionCount"] = collisions
        if status != old:
            self.client.update("daemonsets.apps", {**owner, "status": status}, subresource="status")

    def _counts(self, owner: Object, by_node: ByNode, digest: str) -> dict[str, int]:
        generation = annotations_of(owner).get(daemons.GENERATION_ANNOTATION)
        minimum, now = owner["spec"].get("minReadySeconds", 0), self.clock.now()
        names = ("desiredNumberScheduled", "currentNumberScheduled", "numberMisscheduled", "numberReady")
        out = dict.fromkeys((*names, "numberAvailable", "numberUnavailable", "updatedNumberScheduled"), 0)
        for node in self.nodes.list():
            here = by_node.get(node["metadata"]["name"], [])
            if not daemons.belongs(owner, node)[0]:
                out["numberMisscheduled"] += bool(here)
                continue
            out["desiredNumberScheduled"] += 1
            if not here:
                continue
            pod = daemons.oldest_scheduled_first(here)[0]
            out["currentNumberScheduled"] += 1
            out["numberReady"] += is_ready(pod)
            out["numberAvailable"] += is_available(pod, minimum, now)
            out["updatedNumberScheduled"] += daemons.is_updated(pod, digest, generation)
        out["numberUnavailable"] = out["desiredNumberScheduled"] - out["numberAvailable"]
        return out


def _selects(owner: Object, pod: Object) -> bool:
    return matches(owner["spec"]["selector"], labels(pod))
