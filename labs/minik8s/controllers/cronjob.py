"""cronjob-controller: makes Jobs when their time comes (pkg/controller/cronjob)."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from email.utils import format_datetime

from minik8s.client.controller import Context, Controller
from minik8s.controllers.cron import Every, Schedule, ScheduleError, parse_schedule
from minik8s.controllers.job_status import COMPLETE, find, finished
from minik8s.controllers.owners import ChildWatch, index_by_controller, owned
from minik8s.controllers.podcontrol import namespace_terminating
from minik8s.controllers.podutil import created
from minik8s.objects import Object
from minik8s.objects.meta import controller_of, key, owner_ref, parse_time, rfc3339
from minik8s.wire import StatusError

JOBS, CRON_JOBS = "jobs.batch", "cronjobs.batch"
SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
DELTA = 0.1
"""Added to the time of the next look, so that it does not come a moment early."""
MANY_MISSED = 100


class CronJobController(Controller):
    name = "cronjob-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.cron_jobs = ctx.informers(CRON_JOBS)
        self.jobs = index_by_controller(ctx.informers(JOBS))
        self.cron_jobs.on_change(self._changed)
        self.jobs.on_change(ChildWatch(self.cron_jobs, "CronJob", self.enqueue))

    def _changed(self, old: Object | None, new: Object | None) -> None:
        """A changed schedule is looked at when it next comes due: what it would have missed is not made up for."""
        if old is None or new is None or _timing(old) == _timing(new):
            self.enqueue(key(new or old or {}))
            return
        now = self.clock.now()
        try:
            upcoming = parse_schedule(new["spec"]["schedule"]).next(now, time_zone(new["spec"].get("timeZone")))
        except (ScheduleError, ValueError):
            message = f"unparseable schedule for cronjob: {new['spec']['schedule']}"
            self._tell(new, "Warning", "UnParseableCronJobSchedule", message)
            return
        if upcoming is not None:
            self.queue.add_after(key(new), upcoming + DELTA - now)

    def reconcile(self, name: str) -> float | None:
        namespace, _, short = name.partition("/")
        cron = self.cron_jobs.get(namespace, short)
        if cron is None:
            return None
        children = owned(self.jobs, cron)
        status: Object = dict(cron.get("status") or {})
        status["active"] = [dict(r) for r in status.get("active") or ()]
        self._update_active(cron, status, children)
        again = self._start(cron, status) if "deletionTimestamp" not in cron["metadata"] else None
        self._write(cron, status)
        self._clean_up(cron, children)
        return again

    def _write(self, cron: Object, status: Object) -> None:
        status = {field: value for field, value in status.items() if value != []}
        if status != (cron.get("status") or {}):
            self.client.update(CRON_JOBS, {**cron, "status": status}, subresource="status")

    def _tell(self, cron: Object, type: str, reason: str, message: str) -> None:
        self.ctx.recorder.event(cron, type, reason, message)

    # ---- the list of active jobs -----------------------------------------------------
    def _update_active(self, cron: Object, status: Object, children: list[Object]) -> None:
        for job in children:
            uid, end = job["metadata"]["uid"], finished(job)
            listed = any(r["uid"] == uid for r in status["active"])
            if end is None:
                if not listed:
                    self._unexpected(cron, status, job)
                continue
            if listed:
                status["active"] = [r for r in status["active"] if r["uid"] != uid]
                message = f"Saw completed job: {job['metadata']['name']}, condition: {end['type']}"
                self._tell(cron, "Normal", "SawCompletedJob", message)
            done = (job.get("status") or {}).get("completionTime")
            if find(job, COMPLETE) is not None and done:
                last = status.get("lastSuccessfulTime")
                if last is None or parse_time(last) < parse_time(done):
                    status["lastSuccessfulTime"] = done
        present = {job["metadata"]["uid"] for job in children}
        for reference in list(status["active"]):
            if reference["uid"] not in present:
                self._missing(cron, status, reference)

    def _unexpected(self, cron: Object, status: Object, job: Object) -> None:
        """A running job of ours that the status does not list; the cached status may only be late."""
        live = self.client.find(CRON_JOBS, cron["metadata"]["namespace"], cron["metadata"]["name"])
        active = ((live or {}).get("status") or {}).get("active") or ()
        if any(r["uid"] == job["metadata"]["uid"] for r in active):
            status["active"] = [dict(r) for r in active]
            return
        message = f"Saw a job that the controller did not create or forgot: {job['metadata']['name']}"
        self._tell(cron, "Warning", "UnexpectedJob", message)

    def _missing(self, cron: Object, status: Object, reference: Object) -> None:
        live = self.client.find(JOBS, cron["metadata"]["namespace"], reference["name"])
        if live is None or live["metadata"]["uid"] != reference["uid"]:
            self._tell(cron, "Normal", "MissingJob", f"Active job went missing: {reference['name']}")
            status["active"] = [r for r in status["active"] if r["uid"] != reference["uid"]]

    # ---- the schedule ----------------------------------------------------------------
    def _start(self, cron: Object, status: Object) -> float | None:
        """Make the job that is due, if one is. Returns the seconds until the next is."""
        spec, now = cron["spec"], self.clock.now()
        try:
            zone = time_zone(spec.get("timeZone"))
        except ValueError as error:
            message = f'invalid timeZone: "{spec["timeZone"]}": {error}'
            self._tell(cron, "Warning", "UnknownTimeZone", message)
            return None
        if spec.get("suspend"):
            return None
        try:
            schedule = parse_schedule(spec["schedule"])
        except ScheduleError as error:
            self._tell(cron, "Warning", "UnparseableSchedule", f'unparseable schedule: "{spec["schedule"]}" : {error}')
            return None
        due = self._due(cron, schedule, zone, now)
        upcoming = schedule.next(now, zone)
        again = upcoming + DELTA - now if upcoming is not None else None
        if due is None or not self._may_start(cron, status, due, now):
            return again
        self._create(cron, status, due)
        return again

    def _due(self, cron: Object, schedule: Schedule | Every, zone: tzinfo, now: float) -> float | None:
        """The latest time up to now that has not been served, or None."""
        last = (cron.get("status") or {}).get("lastScheduleTime")
        since = parse_time(last) if last else created(cron)
        deadline = cron["spec"].get("startingDeadlineSeconds")
        if deadline is not None:
            since = max(since, now - deadline)
        due, missed = schedule.next(since, zone), 0
        latest = None
        window = 1.0
        while due is not None and due <= now:
            latest, missed = due, missed + 1
            if missed > MANY_MISSED:  # far behind: look for the latest only
                while (found := schedule.next(now - window, zone)) is None or found > now:
                    window *= 2
                latest = found
                while (found := schedule.next(latest, zone)) is not None and found <= now:
                    latest = found
                break
            due = schedule.next(latest, zone)
        if missed > MANY_MISSED:
            message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            self._tell(cron, "Warning", "TooManyMissedTimes", message)
        return latest

    def _may_start(self, cron: Object, status: Object, due: float, now: float) -> bool:
        spec = cron["spec"]
        deadline = spec.get("startingDeadlineSeconds")
        if deadline is not None and due + deadline < now:
            when = format_datetime(datetime.fromtimestamp(due, UTC))
            self._tell(cron, "Warning", "MissSchedule", f"Missed scheduled time to start a job: {when}")
            return False
        last = (cron.get("status") or {}).get("lastScheduleTime")
        if last is not None and parse_time(last) == due:
            return False
        if any(r["name"] == job_name(cron, due) for r in status["active"]):
            return False
        policy = spec.get("concurrencyPolicy", "Allow")
        if policy == "Forbid" and status["active"]:
            message = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self._tell(cron, "Normal", "JobAlreadyActive", message)
            return False
        if policy == "Replace":
            for reference in list(status["active"]):
                self._delete(cron, reference["name"])
                status["active"].remove(reference)
        return True

    def _create(self, cron: Object, status: Object, due: float) -> None:
        job = new_job(cron, due)
        try:
            made = self.client.create(JOBS, job)
        except StatusError as error:
            if namespace_terminating(error):
                return
            if error.reason != "AlreadyExists":
                self._tell(cron, "Warning", "FailedCreate", f"Error creating job: {error.message}")
                raise
            made = self.client.get(JOBS, job["metadata"]["namespace"], job["metadata"]["name"])
            owner = controller_of(made)
            if owner is None or owner["uid"] != cron["metadata"]["uid"]:
                return
        else:
            self._tell(cron, "Normal", "SuccessfulCreate", f"Created job {made['metadata']['name']}")
        meta = made["metadata"]
        reference = {"kind": "Job", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
        reference |= {"apiVersion": "batch/v1", "resourceVersion": meta["resourceVersion"]}
        status["active"].append(reference)
        status["lastScheduleTime"] = rfc3339(due)

    # ---- history -----------------------------------------------------------------------
    def _clean_up(self, cron: Object, children: list[Object]) -> None:
        for field, default, good in (("successfulJobsHistoryLimit", 3, True), ("failedJobsHistoryLimit", 1, False)):
            limit = cron["spec"].get(field, default)
            done = [j for j in children if (end := finished(j)) is not None and (end["type"] == COMPLETE) == good]
            done = [j for j in done if "deletionTimestamp" not in j["metadata"]]
            done.sort(key=lambda j: ((j.get("status") or {}).get("startTime") or "", j["metadata"]["name"]))
            for job in done[: max(0, len(done) - limit)]:
                self._delete(cron, job["metadata"]["name"])

    def _delete(self, cron: Object, name: str) -> None:
        try:
            self.client.delete(JOBS, cron["metadata"]["namespace"], name, propagation="Background")
        except StatusError as error:
            if error.code != 404:
                self._tell(cron, "Warning", "FailedDelete", f"Deleted job: {error.message}")
                raise
            return
        self._tell(cron, "Normal", "SuccessfulDelete", f"Deleted job {name}")


def _timing(cron: Object) -> tuple[str, str | None]:
    return cron["spec"]["schedule"], cron["spec"].get("timeZone")


def job_name(cron: Object, due: float) -> str:
    """Named after the minute it is for, so that no minute is served twice."""
    return f"{cron['metadata']['name']}-{int(due) // 60}"


def new_job(cron: Object, due: float) -> Object:
    template = cron["spec"]["jobTemplate"]
    meta = template.get("metadata") or {}
    zone = time_zone(cron["spec"].get("timeZone"))
    stamp = datetime.fromtimestamp(due, zone).isoformat().replace("+00:00", "Z")
    out: Object = {
        "name": job_name(cron, due),
        "namespace": cron["metadata"]["namespace"],
        "annotations": {**(meta.get("annotations") or {}), SCHEDULED_AT: stamp},
        "ownerReferences": [owner_ref(cron)],
    }
    if meta.get("labels"):
        out["labels"] = meta["labels"]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": out, "spec": template["spec"]}


def time_zone(name: str | None) -> tzinfo:
    """The zone of that name, UTC for none. ValueError when nobody knows it."""
    if not name or name in ("UTC", "Etc/UTC"):
        return UTC
    try:
        from zoneinfo import ZoneInfo

        return ZoneInfo(name)
    except (ImportError, KeyError, OSError) as error:
        raise ValueError(f"unknown time zone {name}") from error
