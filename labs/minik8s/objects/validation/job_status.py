"""Status of jobs: what controllers may and may not write there.

Source: ``pkg/apis/batch/validation/validation.go``, ``getStatusValidationOptions`` of the job strategy. A rule looks
only at what has changed, so that a status that was wrong before does not stand in the way.
"""

from __future__ import annotations

from minik8s.objects.frozen import Object
from minik8s.objects.meta import parse_time
from minik8s.objects.validation import meta
from minik8s.objects.validation.field import OMITTED, Errors, GoValue, duplicate, invalid, required
from minik8s.objects.validation.job_policies import count_indexes, index_interval

_CONDITIONS = "status.conditions"


def _is(status: Object, kind: str, value: str = "True") -> bool:
    return any(c.get("type") == kind and c.get("status") == value for c in status.get("conditions") or ())


def _finished(status: Object) -> bool:
    return _is(status, "Complete") or _is(status, "Failed")


def update(errors: Errors, new: Object, old: Object) -> None:
    """An update of the status subresource."""
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    status, before = new.get("status") or {}, old.get("status") or {}
    if status is before:
        return
    for key in ("active", "succeeded", "failed", "ready", "terminating"):
        meta.nonnegative(errors, status.get(key), f"status.{key}")
    _uncounted(errors, status.get("uncountedTerminatedPods") or {})
    _ends(errors, new, status, before)
    _indexes(errors, new["spec"], status, before)
    _counts(errors, status, before)
    _success(errors, new["spec"], status)
    _transitions(errors, new["spec"], status, before)


def _uncounted(errors: Errors, uncounted: Object) -> None:
    seen = set()
    for key in ("succeeded", "failed"):
        for i, uid in enumerate(uncounted.get(key) or ()):
            at = f"status.uncountedTerminatedPods.{key}[{i}]"
            if not uid:
                errors.append(invalid(at, uid, "must not be empty"))
            elif uid in seen:
                errors.append(duplicate(at, uid))
            seen.add(uid)


def _ends(errors: Errors, new: Object, status: Object, before: Object) -> None:
    """Conditions and times of the end fit one another."""
    spec = new["spec"]
    complete, failed, target = (_is(status, kind) for kind in ("Complete", "Failed", "FailureTarget"))
    changed = {kind: _is(before, kind) != _is(status, kind)
               for kind in ("Complete", "Failed", "FailureTarget", "SuccessCriteriaMet")}
    done, start, end = _finished(status), status.get("startTime"), status.get("completionTime")
    done_changed = _finished(before) != done
    start_changed, end_changed = start != before.get("startTime"), end != before.get("completionTime")
    if (changed["Complete"] or changed["Failed"]) and complete and failed:
        errors.append(invalid(_CONDITIONS, OMITTED, "cannot set Complete=True and Failed=true conditions"))
    if (changed["Complete"] or changed["FailureTarget"]) and complete and target:
        errors.append(invalid(_CONDITIONS, OMITTED, "cannot set Complete=True and FailureTarget=true conditions"))
    at = "status.completionTime"
    if changed["Complete"] or end_changed:
        if end is not None and not complete:
            errors.append(invalid(at, end, "cannot set completionTime when there is no Complete=True condition"))
        if end is None and complete:
            errors.append(required(at, "completionTime is required for Complete jobs"))
    if (start_changed or end_changed) and start and end and parse_time(end) < parse_time(start):
        errors.append(invalid(at, end, "must be equal to or after `startTime`"))
    if (changed["Failed"] or status.get("failedIndexes") != before.get("failedIndexes")) and failed and not target:
        why = "cannot set Failed=True condition without the FailureTarget=true condition"
        errors.append(invalid(_CONDITIONS, OMITTED, why))
    if (changed["Complete"] or changed["SuccessCriteriaMet"]) and complete and not _is(status, "SuccessCriteriaMet"):
        why = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
        errors.append(invalid(_CONDITIONS, OMITTED, why))
    if not done:
        return
    active, uncounted = status.get("active") or 0, status.get("uncountedTerminatedPods") or {}
    if (done_changed or active != (before.get("active") or 0)) and active > 0:
        errors.append(invalid("status.active", active, "active>0 is invalid for finished job"))
    never_ran = spec.get("suspend") is True and spec.get("completions") == 0
    if (done_changed or start_changed) and not never_ran and start is None:
        errors.append(required("status.startTime", "startTime is required for finished job"))
    if (done_changed or uncounted != (before.get("uncountedTerminatedPods") or {})) and any(uncounted.values()):
        shown = GoValue(uncounted, "batch.v1.UncountedTerminatedPods")
        errors.append(invalid("status.uncountedTerminatedPods", shown, "must be empty for finished job"))


def _indexes(errors: Errors, spec: Object, status: Object, before: Object) -> None:
    completions, limit = spec.get("completions"), spec.get("backoffLimitPerIndex")
    completed, failed = status.get("completedIndexes") or "", status.get("failedIndexes")
    new_completed, new_failed = (status.get(k) != before.get(k) for k in ("completedIndexes", "failedIndexes"))
    completed_at, failed_at = "status.completedIndexes", "status.failedIndexes"
    if new_completed and completions is not None and (problem := count_indexes(completed, completions)[1]):
        errors.append(invalid(completed_at, completed, f"error parsing completedIndexes: {problem}"))
    if new_failed and completions is not None and limit is not None and failed is not None and (
            problem := count_indexes(failed, completions)[1]):
        errors.append(invalid(failed_at, failed, f"error parsing failedIndexes: {problem}"))
    if new_completed and completed and spec.get("completionMode") != "Indexed":
        why = "cannot set non-empty completedIndexes when non-indexed completion mode"
        errors.append(invalid(completed_at, completed, why))
    if new_failed and limit is None and failed is not None:
        why = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        errors.append(invalid(failed_at, failed, why))
    if (new_completed or new_failed) and completions is not None and completed and failed:
        overlap = _overlap(completed, failed, completions)
        if overlap is not None:
            why = f"failedIndexes and completedIndexes overlap at index: {overlap}"
            errors.append(invalid(failed_at, failed, why))


def _overlap(completed: str, failed: str, completions: int) -> int | None:
    """The first index in both."""
    mine, theirs = ([interval for part in text.split(",") if (interval := index_interval(part, completions)[0])]
                    for text in (completed, failed))
    shared = [max(a, x) for a, b in mine for x, y in theirs if a <= y and x <= b]
    return shared[0] if shared else None


def _counts(errors: Errors, status: Object, before: Object) -> None:
    done_changed = _finished(before) != _finished(status)
    terminating, ready, active = (status.get(key) for key in ("terminating", "ready", "active"))
    if (done_changed or terminating != before.get("terminating")) and (terminating or 0) > 0 and _finished(status):
        errors.append(invalid("status.terminating", terminating, "terminating>0 is invalid for finished job"))
    if (ready != before.get("ready") or active != before.get("active")) and (ready or 0) > (active or 0):
        errors.append(invalid("status.ready", ready, "cannot set more ready pods than active"))


def _success(errors: Errors, spec: Object, status: Object) -> None:
    met = _is(status, "SuccessCriteriaMet")
    if met and _is(status, "Failed"):
        errors.append(invalid(_CONDITIONS, OMITTED, "cannot set SuccessCriteriaMet=True and Failed=true conditions"))
    if met and _is(status, "FailureTarget"):
        why = "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"
        errors.append(invalid(_CONDITIONS, OMITTED, why))
    if spec.get("successPolicy") is not None and not met and _is(status, "Complete"):
        why = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        errors.append(invalid(_CONDITIONS, OMITTED, why))


def _transitions(errors: Errors, spec: Object, status: Object, before: Object) -> None:
    for kind in ("Failed", "Complete", "FailureTarget"):
        if _is(before, kind) and not _is(status, kind):
            errors.append(invalid(_CONDITIONS, OMITTED, f"cannot disable the terminal {kind}=True condition"))
    elastic = spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get("parallelism")
    for key in ("failed",) if elastic else ("failed", "succeeded"):
        if (status.get(key) or 0) < (before.get(key) or 0):
            errors.append(invalid(f"status.{key}", status.get(key) or 0, f"cannot decrease the {key} counter"))
    end, was = status.get("completionTime"), before.get("completionTime")
    if end is not None and was is not None and end != was:
        errors.append(invalid("status.completionTime", end, meta.IMMUTABLE))
    start, was = status.get("startTime"), before.get("startTime")
    resuming = _is(before, "Suspended") and _is(status, "Suspended", "False")
    if was is not None and start != was and not spec.get("suspend") and not resuming:
        errors.append(invalid("status.startTime", start, "field is immutable for unsuspended job once set"))
    if _is(before, "SuccessCriteriaMet") and not _is(status, "SuccessCriteriaMet"):
        errors.append(invalid(_CONDITIONS, OMITTED, "cannot disable the SuccessCriteriaMet=True condition"))
    if _is(before, "Complete") and not _is(before, "SuccessCriteriaMet") and _is(status, "SuccessCriteriaMet"):
        why = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        errors.append(invalid(_CONDITIONS, OMITTED, why))
