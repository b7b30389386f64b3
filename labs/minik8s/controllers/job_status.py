"""Conditions of Jobs, and counting ended pods exactly once (pkg/controller/job/job_controller.go).

A pod carries a finalizer until it has been counted. Counting takes three writes: its uid goes to
status.uncountedTerminatedPods, the finalizer is removed, and the uid becomes one more in succeeded or failed.
Whatever is interrupted in between can go on from what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable

from minik8s.objects import Object
from minik8s.objects.meta import rfc3339

COMPLETE, FAILED = "Complete", "Failed"
SUCCESS, FAILURE = "SuccessCriteriaMet", "FailureTarget"
SUSPENDED = "Suspended"


def new_condition(kind: str, value: str, reason: str, message: str, now: float) -> Object:
    stamp = rfc3339(now)
    return {
        "type": kind,
        "status": value,
        "lastProbeTime": stamp,
        "lastTransitionTime": stamp,
        "reason": reason,
        "message": message,
    }


def find(job: Object, kind: str) -> Object | None:
    """The true condition of type `kind`, or None."""
    for found in (job.get("status") or {}).get("conditions") or ():
        if found["type"] == kind and found["status"] == "True":
            result: Object = found
            return result
    return None


def finished(job: Object) -> Object | None:
    """The Complete or Failed condition of a finished Job."""
    return find(job, COMPLETE) or find(job, FAILED)


def ensure(conditions: list[Object], new: Object) -> bool:
    """Put `new` in place. A condition that was never there does not start as False. True when something changed."""
    for place, old in enumerate(conditions):
        if old["type"] == new["type"]:
            if all(old.get(field) == new[field] for field in ("status", "reason", "message")):
                return False
            conditions[place] = new
            return True
    if new["status"] == "False":
        return False
    conditions.append(new)
    return True


class Counters:
    """The part of a Job's status that counting changes: a draft that `status()` turns into the stored form."""

    def __init__(self, job: Object):
        self._old: Object = dict(job.get("status") or {})
        self.conditions: list[Object] = [dict(c) for c in self._old.get("conditions") or ()]
        uncounted = self._old.get("uncountedTerminatedPods") or {}
        self.uncounted_succeeded: list[str] = list(uncounted.get("succeeded") or ())
        self.uncounted_failed: list[str] = list(uncounted.get("failed") or ())
        self.succeeded = int(self._old.get("succeeded") or 0)
        self.failed = int(self._old.get("failed") or 0)
        self.active = int(self._old.get("active") or 0)
        self.ready: int | None = self._old.get("ready")
        self.terminating: int | None = self._old.get("terminating")
        self.start: str | None = self._old.get("startTime")
        self.completion: str | None = self._old.get("completionTime")
        self.completed_indexes: str = self._old.get("completedIndexes") or ""
        self.failed_indexes: str | None = self._old.get("failedIndexes")

    def settle(self, still_tracked: Iterable[str]) -> None:
        """Count the uids whose pods have lost their finalizer."""
        held = set(still_tracked)
        for uids in (self.uncounted_succeeded, self.uncounted_failed):
            gone = [uid for uid in uids if uid not in held]
            if uids is self.uncounted_succeeded:
                self.succeeded += len(gone)
            else:
                self.failed += len(gone)
            uids[:] = [uid for uid in uids if uid in held]

    @property
    def uncounted(self) -> int:
        return len(self.uncounted_succeeded) + len(self.uncounted_failed)

    def status(self) -> Object:
        uncounted: Object = {}
        if self.uncounted_succeeded:
            uncounted["succeeded"] = self.uncounted_succeeded[:]
        if self.uncounted_failed:
            uncounted["failed"] = self.uncounted_failed[:]
        out: Object = {
            "conditions": list(self.conditions) or None,
            "startTime": self.start,
            "completionTime": self.completion,
            "active": self.active or None,
            "succeeded": self.succeeded or None,
            "failed": self.failed or None,
            "ready": self.ready,
            "terminating": self.terminating,
            "completedIndexes": self.completed_indexes or None,
            "failedIndexes": self.failed_indexes,
            "uncountedTerminatedPods": uncounted,
        }
        return {field: value for field, value in out.items() if value is not None}
