"""ttl-after-finished-controller: deletes Jobs ttlSecondsAfterFinished after their end (ttlafterfinished)."""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.job_status import finished
from minik8s.objects import Object
from minik8s.objects.meta import key, parse_time
from minik8s.wire import StatusError


class TTLAfterFinishedController(Controller):
    name = "ttl-after-finished-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.jobs = ctx.informers("jobs.batch")
        self.jobs.on_change(lambda old, new: self.enqueue(key(new)) if new is not None else None)

    def reconcile(self, name: str) -> float | None:
        namespace, _, short = name.partition("/")
        left = self._left(self.jobs.get(namespace, short))
        if left is None or left > 0:
            return left
        # The cached Job may be old: its TTL may have been taken off since.
        live = self.client.find("jobs.batch", namespace, short)
        left = self._left(live)
        if live is None or left is None or left > 0:
            return left
        try:
            self.client.delete("jobs.batch", namespace, short, propagation="Foreground", uid=live["metadata"]["uid"])
        except StatusError as error:
            if error.code != 404:
                raise
        return None

    def _left(self, job: Object | None) -> float | None:
        """Seconds until the Job expires (0 or less: now); None when it never does."""
        if job is None or "deletionTimestamp" in job["metadata"]:
            return None
        ttl, end = job["spec"].get("ttlSecondsAfterFinished"), finished(job)
        if ttl is None or end is None:
            return None
        return parse_time(end["lastTransitionTime"]) + float(ttl) - self.clock.now()
