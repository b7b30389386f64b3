"""Defaults of batch/v1. Source: ``pkg/apis/batch/v1/defaults.go``."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.objects.defaults.pods import default, pod_template
from minik8s.objects.frozen import Object


def job_spec(spec: Object) -> None:
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    default(spec, "parallelism", 1)
    default(spec, "completionMode", "NonIndexed")
    default(spec, "suspend", False)
    policy = spec.get("podFailurePolicy")
    default(spec, "backoffLimit", 2147483647 if spec.get("backoffLimitPerIndex") is not None else 6)
    if policy is not None:
        for rule in policy.get("rules") or ():
            for pattern in rule.get("onPodConditions") or ():
                if not pattern.get("status"):
                    pattern["status"] = "True"
        default(spec, "podReplacementPolicy", "Failed")
    default(spec, "podReplacementPolicy", "TerminatingOrFailed")
    pod_template(spec["template"])


def _job(obj: Object) -> None:
    spec = obj["spec"]
    labels = spec["template"]["metadata"].get("labels")
    if labels:
        default(obj["metadata"], "labels", dict(labels))
    job_spec(spec)


def _cron_job(obj: Object) -> None:
    spec = obj["spec"]
    default(spec, "concurrencyPolicy", "Allow")
    default(spec, "suspend", False)
    default(spec, "successfulJobsHistoryLimit", 3)
    default(spec, "failedJobsHistoryLimit", 1)
    # The job inside is defaulted only as a pod template: its own fields wait until a Job is made of it.
    pod_template(spec["jobTemplate"]["spec"]["template"])


DEFAULTS: dict[tuple[str, str, str], Callable[[Object], None]] = {
    ("batch", "v1", "Job"): _job, ("batch", "v1", "CronJob"): _cron_job}
