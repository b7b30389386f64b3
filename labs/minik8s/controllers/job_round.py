"""One look at one Job: must it end, which pods to make or remove, and what the status is afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from minik8s.controllers import job_status as states
from minik8s.controllers.job_indexes import (
    all_failures,
    format_indexes,
    index_of,
    is_indexed,
    parse_indexes,
    per_index,
)
from minik8s.controllers.job_pods import (
    Backoff,
    finish_time,
    has_failed,
    index_backoff,
    is_index_failed,
    new_pod,
    only_replaces_failed,
    past_restart_limit,
    tracked,
)
from minik8s.controllers.job_policy import judge, success_message
from minik8s.controllers.podcontrol import namespace_terminating, slow_start
from minik8s.controllers.podutil import is_active, is_ready, is_terminating, phase
from minik8s.controllers.ranking import deletion_order
from minik8s.objects import Object
from minik8s.objects.meta import key, parse_time, rfc3339
from minik8s.wire import StatusError

if TYPE_CHECKING:
    from minik8s.controllers.job import JobController

MAX_PER_SYNC = 500
MAX_UNCOUNTED = 500
REACHED = "Reached expected number of succeeded pods"
LIMIT = "Job has reached the specified backoff limit"
DEADLINE = "Job was active longer than specified deadline"


class Round:
    """Built with the Job and its pods; `run` takes the next steps and returns seconds to look again after."""

    def __init__(self, controller: JobController, name: str, job: Object, pods: Sequence[Object]):
        self.controller, self.name, self.job, self.pods = controller, name, job, list(pods)
        self.spec, self.now = job["spec"], controller.clock.now()
        self.draft = states.Counters(job)
        self.released = controller.released.setdefault(name, set())
        self.suspended = bool(self.spec.get("suspend"))
        self.indexed, self.completions = is_indexed(job), self.spec.get("completions")
        self.active_pods = [pod for pod in self.pods if is_active(pod)]
        self.active, self.ready = len(self.active_pods), sum(1 for pod in self.active_pods if is_ready(pod))
        self.terminating = sum(1 for pod in self.pods if is_terminating(pod))
        self.again: list[float] = []
        self.failure: StatusError | None = None
        self._count()

    # ---- what there is -----------------------------------------------------------
    def _counted(self, pod: Object) -> bool:
        return not tracked(pod) or pod["metadata"]["uid"] in self.released

    def _valid(self, pod: Object) -> bool:
        index = index_of(pod)
        return not self.indexed or (index is not None and index < self.completions)

    def _count(self) -> None:
        draft, job = self.draft, self.job
        open_pods = [pod for pod in self.pods if not self._counted(pod) and self._valid(pod)]
        done = [
            p for p in open_pods if phase(p) == "Succeeded" and p["metadata"]["uid"] not in draft.uncounted_succeeded
        ]
        failed = [p for p in open_pods if has_failed(job, p) and p["metadata"]["uid"] not in draft.uncounted_failed]
        self.succeeded = draft.succeeded + len(done) + len(draft.uncounted_succeeded)
        counted = [pod for pod in failed if judge(job, pod).counts]
        self.failed = draft.failed + len(counted) + len(draft.uncounted_failed)
        self.backoff = self.controller.backoffs.get(self.name, Backoff()).after(done, failed)
        self.failed_indexes: set[int] | None = None
        self.delayed: dict[int, Object] = {}
        if self.indexed:
            self._count_indexes()

    def _count_indexes(self) -> None:
        self.old_indexes = parse_indexes(self.draft.completed_indexes, self.completions)
        fresh = {index_of(p) for p in self.pods if phase(p) == "Succeeded" and tracked(p) and self._valid(p)}
        self.succeeded_indexes = self.old_indexes | {i for i in fresh if i is not None}
        self.succeeded = len(self.succeeded_indexes)
        if not per_index(self.job):
            return
        self.failed_indexes = parse_indexes(self.draft.failed_indexes, self.completions)
        broken = [p for p in self.pods if tracked(p) and self._valid(p) and has_failed(self.job, p)]
        self.failed_indexes |= {i for p in broken if is_index_failed(self.job, p) and (i := index_of(p)) is not None}
        settled = self.failed_indexes | self.succeeded_indexes | {index_of(p) for p in self.active_pods}
        for pod in broken:
            index = index_of(pod)
            if index is None or index in settled:
                continue
            other = self.delayed.get(index)
            if other is None or (all_failures(other), finish_time(other)) <= (all_failures(pod), finish_time(pod)):
                self.delayed[index] = pod

    # ---- must it end? --------------------------------------------------------------
    def run(self) -> float | None:
        if self.draft.start is None and not self.suspended:
            self.draft.start = rfc3339(self.now)
        satisfied = self.controller.expectations.satisfied(self.name)
        verdict = self._verdict()
        if verdict is not None:
            if not self._delete_active() or not satisfied:
                verdict = None  # pods may be left that nobody has seen yet: not over
        else:
            verdict = self._work(satisfied)
        self._write(verdict)
        if (expires := self.controller.expectations.expires_in(self.name)) is not None:
            self.again.append(expires)
        if self.failure is not None:
            raise self.failure
        return min(self.again, default=None)

    def _verdict(self) -> Object | None:
        """The condition that ends the Job, or None."""
        if (met := states.find(self.job, states.SUCCESS)) is not None:
            return met
        if (target := states.find(self.job, states.FAILURE)) is not None:
            return states.new_condition(states.FAILED, "True", target["reason"], target["message"], self.now)
        why = self._failure_reason()
        if why is not None:
            return states.new_condition(states.FAILURE, "True", *why, self.now)
        if self.indexed:
            message = success_message(self.job, self.succeeded_indexes)
            if message is not None:
                return states.new_condition(states.SUCCESS, "True", "SuccessPolicy", message, self.now)
        return None

    def _failure_reason(self) -> tuple[str, str] | None:
        if self.spec.get("podFailurePolicy"):
            for pod in self.pods:
                if has_failed(self.job, pod) and (message := judge(self.job, pod).message) is not None:
                    return "PodFailurePolicy", message
        if self.failed > self.spec.get("backoffLimit", 6) or past_restart_limit(self.job, self.pods):
            return "BackoffLimitExceeded", LIMIT
        deadline = self.spec.get("activeDeadlineSeconds")
        if deadline is not None and self.draft.start is not None and not self.suspended:
            left = parse_time(self.draft.start) + deadline - self.now
            if left <= 0:
                return "DeadlineExceeded", DEADLINE
            self.again.append(left)
        if self.failed_indexes is None:
            return None
        most = self.spec.get("maxFailedIndexes")
        if most is not None and len(self.failed_indexes) > most:
            return "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes"
        if self.failed_indexes and len(self.failed_indexes | self.succeeded_indexes) >= self.completions:
            return "FailedIndexes", "Job has failed indexes"
        return None

    def _delete_active(self) -> bool:
        """Delete all active pods, finalizers kept, so that they are counted. False when some could not be."""
        complete = True
        for pod in self.active_pods:
            try:
                self.controller.control.delete(self.job, pod)
            except StatusError as error:
                self.failure, complete = error, False
                continue
            self.active -= 1
            self.terminating += 1
            self.ready -= is_ready(pod)
        return complete

    # ---- pods ----------------------------------------------------------------------
    def _work(self, satisfied: bool) -> Object | None:
        managed = satisfied and "deletionTimestamp" not in self.job["metadata"]
        if managed:
            self._manage()
        if self.completions is None:
            complete = self.succeeded > 0 and self.active == 0
        else:
            complete = self.succeeded >= self.completions and self.active == 0
        if complete:
            return states.new_condition(states.SUCCESS, "True", "CompletionsReached", REACHED, self.now)
        if managed:
            self._tell_suspension()
        return None

    def _tell_suspension(self) -> None:
        what = ("True", "JobSuspended", "Job suspended") if self.suspended else ("False", "JobResumed", "Job resumed")
        fresh = states.new_condition(states.SUSPENDED, *what, self.now)
        if not states.ensure(self.draft.conditions, fresh):
            return
        event = "Suspended" if self.suspended else "Resumed"
        self.controller.ctx.recorder.event(self.job, "Normal", event, what[2])
        # The deadline counts the time in which the Job runs, and a suspended one may be changed as before its start.
        self.draft.start = None if self.suspended else rfc3339(self.now)

    def _manage(self) -> None:
        if self.suspended:
            self._remove(self._surplus(self.active))
            return
        parallelism = self.spec.get("parallelism", 1)
        if self.completions is None:
            wanted = self.active if self.succeeded else parallelism
        else:
            wanted = max(0, min(self.completions - self.succeeded, parallelism))
        doomed = self._surplus(max(0, self.active - wanted))[:MAX_PER_SYNC]
        if doomed:
            self._remove(doomed)
            return
        missing = wanted - self.active - (self.terminating if only_replaces_failed(self.job) else 0)
        if missing > 0:
            self._create(min(missing, MAX_PER_SYNC))

    def _surplus(self, least: int) -> list[Object]:
        """Pods to remove: those of a double or impossible index, and the youngest up to `least` in all."""
        doomed: list[Object] = []
        left = self.active_pods
        if self.indexed:
            left, seen = [], set()
            for pod in deletion_order(self.active_pods, {}, self.now)[::-1]:
                index = index_of(pod)
                (doomed if not self._valid(pod) or index in seen else left).append(pod)
                seen.add(index)
        return doomed + deletion_order(left, {}, self.now)[: max(0, least - len(doomed))]

    def _remove(self, pods: Sequence[Object]) -> None:
        """Delete pods that are not wanted any more; without their finalizer, so that they count as nothing."""
        controller = self.controller
        if not pods:
            return
        controller.expectations.expect_deletions(self.name, [key(pod) for pod in pods])
        for pod in pods:
            try:
                if tracked(pod) and not controller.release(pod):
                    raise StatusError(409, "Conflict", f"pod {key(pod)} has changed")
                gone = not controller.control.delete(self.job, pod)
            except StatusError as error:
                controller.expectations.deletion_observed(self.name, key(pod))
                self.failure = error
                continue
            self.released.add(pod["metadata"]["uid"])
            if gone:
                controller.expectations.deletion_observed(self.name, key(pod))
            self.active -= 1
            self.terminating += 1
            self.ready -= is_ready(pod)

    def _create(self, count: int) -> None:
        controller = self.controller
        wait = 0.0 if per_index(self.job) else self.backoff.remaining(self.now)
        indexes: list[int] = []
        if self.indexed:
            indexes, index_wait = self._next_indexes(count)
            count, wait = len(indexes), max(wait, index_wait)
        if wait > 0:
            self.again.append(wait)
            self.active = 0  # as upstream reports it while it backs off
            return
        if not count:
            return
        controller.expectations.expect_creations(self.name, count)
        queue = iter(indexes)

        def one() -> None:
            index = next(queue) if self.indexed else None
            predecessor = self.delayed.get(index) if index is not None else None
            controller.control.create(self.job, new_pod(self.job, index, predecessor))

        done, error = slow_start(count, one)
        self.active += done
        if done < count:
            controller.expectations.creation_observed(self.name, count - done)
        if error is not None and not namespace_terminating(error):
            self.failure = error

    def _next_indexes(self, count: int) -> tuple[list[int], float]:
        """(the lowest indexes that need a pod now, seconds to wait when all of them must wait)."""
        busy = {index_of(pod) for pod in self.active_pods} | self.succeeded_indexes | (self.failed_indexes or set())
        if only_replaces_failed(self.job):
            busy |= {index_of(pod) for pod in self.pods if is_terminating(pod)}
        free = [i for i in range(self.completions) if i not in busy][:count]
        if not per_index(self.job):
            return free, 0.0
        waits = {i: index_backoff(self.delayed.get(i), self.now) for i in free}
        now = [i for i in free if not waits[i]]
        return now, 0.0 if now or not waits else min(waits.values())

    # ---- counting and status -----------------------------------------------------------
    def _write(self, verdict: Object | None) -> None:
        draft = self.draft
        draft.active, draft.ready, draft.terminating = self.active, self.ready, self.terminating
        holding = {p["metadata"]["uid"] for p in self.pods if not self._counted(p)}
        draft.settle(holding)
        ended, full = self._collect(verdict)
        if self.indexed:
            draft.completed_indexes = format_indexes(self.succeeded_indexes)
            draft.succeeded = len(self.succeeded_indexes)
            if self.failed_indexes is not None:
                draft.failed_indexes = format_indexes(self.failed_indexes)
        final = self._announce(verdict)
        self._flush()
        self._release(ended, holding)
        draft.settle(holding)
        if final is not None and not full and not draft.uncounted and not self.terminating:
            states.ensure(draft.conditions, final)
            if final["type"] == states.COMPLETE:
                draft.completion = final["lastTransitionTime"]
        else:
            final = None
        self._flush()
        if final is not None:
            self._tell_end(final)

    def _collect(self, verdict: Object | None) -> tuple[list[Object], bool]:
        """(ended pods whose finalizer may go, whether there were too many for one round)."""
        draft, out = self.draft, list[Object]()
        failing = verdict is not None and verdict["type"] != states.SUCCESS
        order: Callable[[Object], int] = lambda pod: index_of(pod) or 0  # noqa: E731
        for pod in sorted(self.pods, key=order) if self.indexed else self.pods:
            if self._counted(pod) or not self._may_release(pod, verdict is not None):
                continue
            uid = pod["metadata"]["uid"]
            out.append(pod)
            if phase(pod) == "Succeeded" and uid not in draft.uncounted_failed:
                if not self.indexed and uid not in draft.uncounted_succeeded:
                    draft.uncounted_succeeded.append(uid)
            elif has_failed(self.job, pod) or failing:
                self._count_failure(pod)
            if draft.uncounted >= MAX_UNCOUNTED:
                return out, True
        return out, False

    def _count_failure(self, pod: Object) -> None:
        uncounted, uid = self.draft.uncounted_failed, pod["metadata"]["uid"]
        if uid not in uncounted and self._valid(pod) and judge(self.job, pod).counts:
            uncounted.append(uid)

    def _may_release(self, pod: Object, over: bool) -> bool:
        if over or "deletionTimestamp" in self.job["metadata"] or phase(pod) == "Succeeded":
            return True
        if not has_failed(self.job, pod):
            return False
        delayed = self.delayed.get(index_of(pod) or 0) if self.indexed else None
        return delayed is None or delayed["metadata"]["uid"] != pod["metadata"]["uid"]

    def _announce(self, verdict: Object | None) -> Object | None:
        """Add the interim condition (SuccessCriteriaMet, FailureTarget); returns the final one that follows it."""
        if verdict is None:
            return None
        if verdict["type"] == states.FAILED:
            return verdict
        kinds = [c["type"] for c in self.draft.conditions]
        if verdict["type"] not in kinds:
            self.draft.conditions.append(dict(verdict))
        kind = states.COMPLETE if verdict["type"] == states.SUCCESS else states.FAILED
        return states.new_condition(kind, "True", verdict["reason"], verdict["message"], self.now)

    def _flush(self) -> None:
        status = self.draft.status()
        if status == (self.job.get("status") or {}):
            return
        self.job = self.controller.client.update("jobs.batch", {**self.job, "status": status}, subresource="status")
        self.controller.backoffs[self.name] = self.backoff

    def _release(self, ended: Sequence[Object], holding: set[str]) -> None:
        for pod in ended:
            uid, gone = pod["metadata"]["uid"], False
            self.released.add(uid)
            try:
                gone = self.controller.release(pod)
            except StatusError as error:
                self.failure = error  # the others go on; this one is tried again
            (holding if gone else self.released).discard(uid)

    def _tell_end(self, final: Object) -> None:
        event = self.controller.ctx.recorder.event
        if final["type"] == states.FAILED:
            event(self.job, "Warning", final["reason"], final["message"])
            return
        if self.completions is not None and self.draft.succeeded > self.completions:
            message = "Too many succeeded pods running after completion count reached"
            event(self.job, "Warning", "TooManySucceededPods", message)
        event(self.job, "Normal", "Completed", "Job completed")
