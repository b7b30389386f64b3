"""job-controller: runs pods to completion (pkg/controller/job).

Every reconciliation looks at the Job's pods, decides whether the Job has to end, otherwise makes or removes pods,
and then counts the pods that ended.
"""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.expectations import Expectations
from minik8s.controllers.job_pods import FINALIZER, Backoff, selects, tracked
from minik8s.controllers.job_round import Round
from minik8s.controllers.job_status import finished
from minik8s.controllers.owners import ChildWatch, Claims, gathering_time, index_by_controller, orphans, owned
from minik8s.controllers.podcontrol import PodControl
from minik8s.objects import Object
from minik8s.objects.meta import controller_of, key
from minik8s.wire import StatusError

JOBS = "jobs.batch"
MANAGED_BY = "kubernetes.io/job-controller"


class JobController(Controller):
    name = "job-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.jobs = ctx.informers(JOBS)
        self.pods = index_by_controller(ctx.informers("pods"))
        self.claims = Claims(ctx, "pods", JOBS)
        self.control = PodControl(ctx)
        self.expectations = Expectations(ctx.clock)
        self.released: dict[str, set[str]] = {}
        self.backoffs: dict[str, Backoff] = {}
        self.jobs.on_change(self._job_changed)
        self.pods.on_change(ChildWatch(self.jobs, "Job", self._ring, selects, self._pod_seen))
        self.pods.on_change(self._orphaned_pod)

    # ---- events ----------------------------------------------------------------
    def _job_changed(self, old: Object | None, new: Object | None) -> None:
        changed = new or old
        assert changed is not None
        if new is None or (old is not None and old["metadata"]["uid"] != new["metadata"]["uid"]):
            self._forget(key(changed))
            # The last word of its pods may have come before that of the Job (upstream's deleteJob).
            for pod in filter(tracked, owned(self.pods, old or changed)):
                self.enqueue("orphan:" + key(pod))
        self.enqueue(key(changed))

    def _ring(self, name: str) -> None:
        namespace, _, short = name.partition("/")
        job = self.jobs.get(namespace, short)
        self.queue.add_after(name, gathering_time(((job or {}).get("status") or {}).get("active") or 0))

    def _pod_seen(self, job: str, old: Object | None, new: Object | None) -> None:
        pod = new or old
        assert pod is not None
        if new is None or "deletionTimestamp" in new["metadata"]:
            self.expectations.deletion_observed(job, key(pod))
        elif old is None:
            self.expectations.creation_observed(job)
        if new is None or not tracked(new):
            self.released.get(job, set()).discard(pod["metadata"]["uid"])

    def _orphaned_pod(self, old: Object | None, new: Object | None) -> None:
        """A pod whose Job is gone keeps its finalizer, and so itself, until somebody takes it off."""
        if new is None or not tracked(new):
            return
        owner = controller_of(new)
        job = self.jobs.get(new["metadata"]["namespace"], owner["name"]) if owner is not None else None
        if owner is None or (owner["kind"] == "Job" and (job is None or job["metadata"]["uid"] != owner["uid"])):
            self.enqueue("orphan:" + key(new))

    # ---- the loop ----------------------------------------------------------------
    def reconcile(self, name: str) -> float | None:
        if name.startswith("orphan:"):
            self._release_orphan(*name.removeprefix("orphan:").split("/"))
            return None
        namespace, _, short = name.partition("/")
        job = self.jobs.get(namespace, short)
        if job is None:
            self._forget(name)
            return None
        if job["spec"].get("managedBy") not in (None, MANAGED_BY):
            return None
        if finished(job) is not None:
            self.backoffs.pop(name, None)
            self._release_rest(job)
            return None
        pods = self.claims.claim(
            job,
            owned(self.pods, job),
            orphans(self.pods, namespace),
            lambda pod: selects(job, pod),
            {"finalizers": [FINALIZER]},
        )
        return Round(self, name, job, pods).run()

    def _forget(self, name: str) -> None:
        self.expectations.forget(name)
        self.released.pop(name, None)
        self.backoffs.pop(name, None)

    def _release_rest(self, job: Object) -> None:
        """Pods that came to light after the end must not be held."""
        for pod in owned(self.pods, job):
            if tracked(pod):
                self.release(pod)

    def _release_orphan(self, namespace: str, pod_name: str) -> None:
        pod = self.client.find("pods", namespace, pod_name)
        if pod is None or not tracked(pod):
            return
        owner = controller_of(pod)
        if owner is not None and owner["kind"] == "Job":
            job = self.client.find(JOBS, namespace, owner["name"])
            if job is not None and job["metadata"]["uid"] == owner["uid"]:
                return
        self.release(pod)

    def release(self, pod: Object) -> bool:
        """Take the tracking finalizer off a pod; True also when the pod is gone."""
        left = [f for f in pod["metadata"].get("finalizers") or () if f != FINALIZER]
        try:
            self.control.patch(pod, {"metadata": {"uid": pod["metadata"]["uid"], "finalizers": left or None}})
        except StatusError as error:
            if error.code not in (404, 409):
                raise
            return error.code == 404
        return True
