"""The pods of a Job: how they are made, when they count as failed, how long to wait after failures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from minik8s.controllers.job_indexes import (
    FAILURES,
    IGNORED,
    INDEX,
    all_failures,
    failure_count,
    ignored_count,
    per_index,
)
from minik8s.controllers.job_policy import judge
from minik8s.controllers.podcontrol import pod_from_template
from minik8s.controllers.podutil import condition, created, lasting_statuses, phase
from minik8s.objects import Object, thaw
from minik8s.objects.meta import labels, parse_time
from minik8s.objects.selectors import matches

FINALIZER = "batch.kubernetes.io/job-tracking"
FIRST_BACKOFF, MAX_BACKOFF = 10.0, 600.0


def tracked(pod: Object) -> bool:
    """Whether the pod has not been counted yet: counting removes the finalizer."""
    return FINALIZER in (pod["metadata"].get("finalizers") or ())


def only_replaces_failed(job: Object) -> bool:
    return bool(job["spec"].get("podReplacementPolicy") == "Failed")


def has_failed(job: Object, pod: Object) -> bool:
    """Failed, or deleted before it could end (unless only ended pods are replaced)."""
    if phase(pod) == "Failed":
        return True
    if only_replaces_failed(job):
        return False
    return "deletionTimestamp" in pod["metadata"] and phase(pod) != "Succeeded"


def selects(job: Object, pod: Object) -> bool:
    selector = job["spec"].get("selector")
    return selector is not None and matches(selector, labels(pod))


def new_pod(job: Object, index: int | None, predecessor: Object | None) -> Object:
    """A pod of `job`; for Indexed jobs with its index, and the failures of the pod it replaces."""
    pod = pod_from_template(job["spec"]["template"], job)
    meta = dict(pod["metadata"])
    finalizers = [f for f in meta.get("finalizers") or () if f != FINALIZER]
    meta["finalizers"] = [*finalizers, FINALIZER]
    if index is None:
        return {**pod, "metadata": meta}
    name = job["metadata"]["name"]
    meta["generateName"] = f"{name}-{index}-"
    notes = {**(meta.get("annotations") or {}), INDEX: str(index)}
    if per_index(job):
        notes[FAILURES] = "0"
        if predecessor is not None:
            counted = judge(job, predecessor).counts
            notes[FAILURES] = str(failure_count(predecessor) + counted)
            if ignored := ignored_count(predecessor) + (not counted):
                notes[IGNORED] = str(ignored)
    meta["annotations"] = notes
    meta["labels"] = {**(meta.get("labels") or {}), INDEX: str(index)}
    spec = {**thaw(pod["spec"]), "hostname": f"{name}-{index}"}
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        _add_index_variable(container)
    return {**pod, "metadata": meta, "spec": spec}


def _add_index_variable(container: Object) -> None:
    variables = container.setdefault("env", [])
    if all(v["name"] != "JOB_COMPLETION_INDEX" for v in variables):
        source = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
        variables.append({"name": "JOB_COMPLETION_INDEX", "valueFrom": source})


def past_restart_limit(job: Object, pods: Iterable[Object]) -> bool:
    """OnFailure restarts happen inside a pod: their sum counts towards backoffLimit."""
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    total = 0
    for pod in pods:
        if phase(pod) in ("Running", "Pending"):
            status = pod.get("status") or {}
            for entry in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
                total += int(entry.get("restartCount") or 0)
    limit = job["spec"].get("backoffLimit", 6)
    return total > 0 if limit == 0 else total >= limit


def finish_time(pod: Object) -> float:
    """When the pod ended: its last container's end, else when it stopped being ready, else when it was deleted."""
    ends = [((c.get("state") or {}).get("terminated") or {}).get("finishedAt") for c in lasting_statuses(pod)]
    if ends and all(ends):
        return max(parse_time(end) for end in ends)
    ready = condition(pod, "Ready")
    if ready is not None and ready["status"] == "False" and ready.get("lastTransitionTime"):
        return parse_time(ready["lastTransitionTime"])
    if "deletionTimestamp" in pod["metadata"]:
        stamp = parse_time(pod["metadata"]["deletionTimestamp"])
        return stamp - float(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
    return created(pod)


@dataclass(frozen=True)
class Backoff:
    """Failures since the last success, and when the last one was."""

    failures: int = 0
    last: float = 0.0

    def after(self, succeeded: Sequence[Object], failed: Sequence[Object]) -> Backoff:
        """The record after these newly finished pods."""
        successes = [finish_time(pod) for pod in succeeded]
        ends = [finish_time(pod) for pod in failed]
        if not ends:
            return Backoff() if successes else self
        if not successes:
            return Backoff(self.failures + len(ends), max(ends))
        later = [end for end in ends if end > max(successes)]
        return Backoff(len(later), max(later)) if later else Backoff()

    def remaining(self, now: float) -> float:
        """Seconds to wait before another pod: 10 s, 20 s, 40 s, ... 10 min after the last failure."""
        if not self.failures:
            return 0.0
        return max(0.0, self.last + min(FIRST_BACKOFF * 2.0 ** (self.failures - 1), MAX_BACKOFF) - now)


def index_backoff(pod: Object | None, now: float) -> float:
    """The same for one index, whose failures its last pod remembers."""
    if pod is None:
        return 0.0
    return Backoff(all_failures(pod) + 1, finish_time(pod)).remaining(now)


def is_index_failed(job: Object, pod: Object) -> bool:
    """Whether this failed pod was the last that its index may have."""
    verdict = judge(job, pod)
    if verdict.action == "FailIndex":
        return True
    return verdict.counts and failure_count(pod) >= job["spec"]["backoffLimitPerIndex"]
