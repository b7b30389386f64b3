"""batch/v1. Source: ``pkg/apis/batch/validation/validation.go``."""

from __future__ import annotations

import re

from minik8s.objects.frozen import Object
from minik8s.objects.selectors import SelectorError, matches
from minik8s.objects.validation import job_policies, job_status, meta, names, pods
from minik8s.objects.validation.apps import SELECTOR
from minik8s.objects.validation.cron import is_time_zone, schedule_error
from minik8s.objects.validation.field import (
    Errors,
    GoValue,
    invalid,
    messages_invalid,
    not_supported,
    required,
    too_long,
)
from minik8s.objects.validation.rules import Rules, twice

_MODES = ("Indexed", "NonIndexed")
_REPLACEMENT = ("Failed", "TerminatingOrFailed")
_CONCURRENCY = ("Allow", "Forbid", "Replace")
UID_LABEL, NAME_LABEL = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
_TEMPLATE = "core.v1.PodTemplateSpec"
_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_MANY = 100_000


def job(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _generated_selector(errors, obj)
    spec = obj["spec"]
    _job_spec(errors, spec, "spec")
    _selector(errors, spec)
    completions = spec.get("completions")
    if spec.get("completionMode") == "Indexed" and completions:
        host = f"{obj['metadata'].get('name', '')}-{completions - 1}"
        if names.dns1123_label(host):
            errors.append(invalid("metadata.name", obj["metadata"].get("name", ""),
                                  f"will not able to create pod with invalid DNS label: {host}"))


def _generated_selector(errors: Errors, obj: Object) -> None:
    spec, own = obj["spec"], obj["metadata"]
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    if not own.get("uid"):
        errors.append(required("metadata.uid"))
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    wanted = {"controller-uid": own.get("uid", ""), "job-name": own.get("name", ""),
              UID_LABEL: own.get("uid", ""), NAME_LABEL: own.get("name", "")}
    for key, value in wanted.items():
        at = f"spec.template.metadata.labels[{key}]"
        if key not in labels:
            errors.append(required(at, f"must be '{value}'"))
        elif labels[key] != value:
            errors.append(invalid(at, labels, f"must be '{value}'"))
    if not _fits(spec["selector"], wanted):
        errors.append(invalid("spec.selector", GoValue(spec["selector"], SELECTOR), "`selector` not auto-generated"))


def _fits(selector: Object | None, labels: dict[str, str]) -> bool:
    try:
        return selector is not None and matches(selector, labels)
    except SelectorError:
        return True


def _selector(errors: Errors, spec: Object) -> None:
    selector = spec.get("selector")
    if selector is None:
        errors.append(required("spec.selector"))
    else:
        meta.label_selector(errors, selector, "spec.selector")
    labels = (spec["template"].get("metadata") or {}).get("labels")
    if not _fits(selector, labels or {}):
        errors.append(invalid("spec.template.metadata.labels", labels,
                              "`selector` does not match template `labels`"))


def _job_spec(errors: Errors, spec: Object, path: str) -> None:
    for key in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
                "backoffLimitPerIndex", "maxFailedIndexes"):
        meta.nonnegative(errors, spec.get(key), f"{path}.{key}")
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        errors.append(required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    if (manager := spec.get("managedBy")) is not None:
        _managed_by(errors, manager, f"{path}.managedBy")
    _completion_mode(errors, spec, path)
    job_policies.validate(errors, spec, path)
    replacement, failure_policy = spec.get("podReplacementPolicy"), spec.get("podFailurePolicy")
    if replacement is not None:
        known = ("Failed",) if failure_policy is not None else _REPLACEMENT
        if replacement not in known:
            errors.append(not_supported(f"{path}.podReplacementPolicy", replacement, known))
    pods.pod_template_spec(errors, spec["template"], f"{path}.template")
    policy, at = spec["template"]["spec"].get("restartPolicy", ""), f"{path}.template.spec.restartPolicy"
    if policy in ("", "Always"):
        errors.append(required(at, 'valid values: "OnFailure", "Never"'))
    elif policy not in ("OnFailure", "Never"):
        errors.append(not_supported(at, policy, ("OnFailure", "Never")))
    elif failure_policy is not None and policy != "Never":
        errors.append(invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified'))


def _completion_mode(errors: Errors, spec: Object, path: str) -> None:
    mode = spec.get("completionMode")
    if mode is not None and mode not in _MODES:
        errors.append(not_supported(f"{path}.completionMode", mode, ("NonIndexed", "Indexed")))
    if mode == "Indexed":
        _indexed(errors, spec, path)
    elif mode in (None, "NonIndexed"):
        for key in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(key) is not None:
                errors.append(invalid(f"{path}.{key}", spec[key], "requires indexed completion mode"))


def _indexed(errors: Errors, spec: Object, path: str) -> None:
    completions, parallelism, most = (spec.get(k) for k in ("completions", "parallelism", "maxFailedIndexes"))
    if completions is None:
        errors.append(required(f"{path}.completions", "when completion mode is Indexed"))
    if (parallelism or 0) > _MANY:
        why = f"must be less than or equal to {_MANY} when completion mode is Indexed"
        errors.append(invalid(f"{path}.parallelism", parallelism, why))
    if completions is not None and most is not None and most > completions:
        errors.append(invalid(f"{path}.maxFailedIndexes", most, "must be less than or equal to completions"))
    if (most or 0) > _MANY:
        errors.append(invalid(f"{path}.maxFailedIndexes", most, f"must be less than or equal to {_MANY}"))
    if (completions or 0) <= _MANY or spec.get("backoffLimitPerIndex") is None:
        return
    if most is None:
        errors.append(required(f"{path}.maxFailedIndexes", f"must be specified when completions is above {_MANY}"))
    why = (f"must be less than or equal to 10000 when completions are above {_MANY}"
           " and used with backoff limit per index")
    for key in ("parallelism", "maxFailedIndexes"):
        if (spec.get(key) or 0) > 10_000:
            errors.append(invalid(f"{path}.{key}", spec[key], why))


def _managed_by(errors: Errors, value: str, path: str) -> None:
    host, slash, rest = value.partition("/")
    if not value:
        errors.append(required(path))
    elif not slash or not host or not rest:
        errors.append(invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'))
    else:
        messages_invalid(errors, path, host, names.dns1123_subdomain(host))
        if not re.fullmatch(_HTTP_PATH, rest):
            errors.append(invalid(path, rest, names.regex_error("Invalid path", _HTTP_PATH)))
    if len(value) > 63:
        errors.append(too_long(path, 63))


def job_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    spec, before = new["spec"], old["spec"]
    if spec is before:
        return
    _job_spec(errors, spec, "spec")
    _selector(errors, spec)
    _completions_update(errors, spec, before)
    meta.immutable(errors, spec.get("selector"), before.get("selector"), "spec.selector", SELECTOR)
    _template_update(errors, spec, before, old["status"])
    meta.immutable(errors, spec.get("completionMode"), before.get("completionMode"), "spec.completionMode")
    meta.immutable(errors, spec.get("podFailurePolicy"), before.get("podFailurePolicy"), "spec.podFailurePolicy",
                   "*batch.v1.PodFailurePolicy")
    meta.immutable(errors, spec.get("backoffLimitPerIndex"), before.get("backoffLimitPerIndex"),
                   "spec.backoffLimitPerIndex")
    meta.immutable(errors, spec.get("managedBy"), before.get("managedBy"), "spec.managedBy")
    meta.immutable(errors, spec.get("successPolicy"), before.get("successPolicy"), "spec.successPolicy",
                   "*batch.v1.SuccessPolicy")


def _completions_update(errors: Errors, spec: Object, before: Object) -> None:
    """Elastic indexed jobs: completions may follow parallelism."""
    now, was = spec.get("completions"), before.get("completions")
    if now == was:
        return
    if spec.get("completionMode") != "Indexed":
        errors.append(invalid("spec.completions", now, meta.IMMUTABLE))
    elif now is not None and now != spec.get("parallelism"):
        errors.append(invalid("spec.completions", now, "can only be modified in tandem with spec.parallelism"))


_DIRECTIVES = ("nodeSelector", "tolerations", "schedulingGates")


def _template_update(errors: Errors, spec: Object, before: Object, status: Object) -> None:
    """While a job is suspended and has no pods, their scheduling and resources may still be changed."""
    now, was = spec["template"], before["template"]
    if now is was:
        return
    halted = any(c.get("type") == "Suspended" and c.get("status") == "True" for c in status.get("conditions") or ())
    if not before.get("suspend") or not (status.get("startTime") is None or halted) or status.get("active"):
        meta.immutable(errors, now, was, "spec.template", _TEMPLATE)
        return
    new, old = now["spec"], {k: v for k, v in was["spec"].items() if k not in _DIRECTIVES}
    old |= {k: new[k] for k in _DIRECTIVES if k in new}
    _forgive_node_affinity(old, new)
    for key in ("containers", "initContainers"):
        mine, theirs = new.get(key) or [], old.get(key) or []
        if mine and len(mine) == len(theirs):
            old[key] = [_resized(c, n) if c.get("name") == n.get("name") else c
                        for c, n in zip(theirs, mine, strict=True)]
    meta.immutable(errors, new, old, "spec.template.spec", "core.v1.PodSpec")


def _resized(container: Object, new: Object) -> Object:
    out = {k: v for k, v in container.items() if k != "resources"}
    return out | ({"resources": new["resources"]} if "resources" in new else {})


def _forgive_node_affinity(old: Object, new: Object) -> None:
    mine, theirs = new.get("affinity"), old.get("affinity")
    if theirs is None and mine is None:
        return
    rest = {k: v for k, v in (theirs or {}).items() if k != "nodeAffinity"}
    if mine is not None and "nodeAffinity" in mine:
        rest["nodeAffinity"] = mine["nodeAffinity"]
    old.pop("affinity", None)
    if rest or mine is not None:
        old["affinity"] = rest


# -- CronJob --
def _cron_spec(errors: Errors, spec: Object, old: Object | None) -> None:
    schedule = spec.get("schedule", "")
    if not schedule:
        errors.append(required("spec.schedule"))
    else:
        if problem := schedule_error(schedule):
            errors.append(invalid("spec.schedule", schedule, problem))
        forgiven = old is not None and "TZ" in old.get("schedule", "")
        if "TZ" in schedule and not forgiven:
            errors.append(invalid("spec.schedule", schedule,
                                  "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"))
        elif "TZ" in schedule and spec.get("timeZone") is not None:
            errors.append(invalid("spec.schedule", schedule,
                                  "cannot use both timeZone field and TZ or CRON_TZ in schedule"))
    meta.nonnegative(errors, spec.get("startingDeadlineSeconds"), "spec.startingDeadlineSeconds")
    zone = spec.get("timeZone")
    if zone is not None and (old is None or zone != old.get("timeZone")):
        _time_zone(errors, zone)
    policy = spec.get("concurrencyPolicy", "")
    if policy not in _CONCURRENCY:
        errors.append(not_supported("spec.concurrencyPolicy", policy, _CONCURRENCY) if policy
                      else required("spec.concurrencyPolicy"))
    _job_template(errors, spec["jobTemplate"])
    for key in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        meta.nonnegative(errors, spec.get(key), f"spec.{key}")


def _time_zone(errors: Errors, zone: str) -> None:
    if not zone:
        errors.append(invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string"))
        return
    if zone.lower() == "local":
        errors.append(invalid("spec.timeZone", zone, "timeZone must be an explicit time zone as defined in "
                              "https://www.iana.org/time-zones"))
    if zone != "Local" and not is_time_zone(zone):
        errors.append(invalid("spec.timeZone", zone, f"unknown time zone {zone}"))


def _job_template(errors: Errors, template: Object) -> None:
    spec = template["spec"]
    _job_spec(errors, spec, "spec.jobTemplate.spec")
    if spec.get("selector") is not None:
        errors.append(invalid("spec.jobTemplate.spec.selector", GoValue(spec["selector"], SELECTOR),
                              "`selector` will be auto-generated"))
    if spec.get("manualSelector"):
        errors.append(not_supported("spec.jobTemplate.spec.manualSelector", True, ("nil", "false")))


def cron_job(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _cron_spec(errors, obj["spec"], None)
    name = obj["metadata"].get("name", "")
    if len(name) > 52:  # the controller adds 11 characters to name its jobs
        errors.append(invalid("metadata.name", name, "must be no more than 52 characters"))


def cron_job_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    if new["spec"] is not old["spec"]:
        _cron_spec(errors, new["spec"], old["spec"])


RULES: dict[tuple[str, str], Rules] = {
    ("batch", "Job"): Rules(job, twice(job, job_update), job_status.update),
    ("batch", "CronJob"): Rules(cron_job, cron_job_update)}
