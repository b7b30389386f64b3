"""batch/v1. Source: ``pkg/apis/batch/validation/validation.go``."""

from __future__ import annotations

from typing import Any

from minik8s.objects.frozen import Object
from minik8s.objects.selectors import SelectorError, matches
from minik8s.objects.validation import meta, names, pods
from minik8s.objects.validation.apps import SELECTOR
from minik8s.objects.validation.cron import is_time_zone, schedule_error
from minik8s.objects.validation.field import (
    Errors,
    GoValue,
    invalid,
    messages_invalid,
    not_supported,
    required,
    too_many,
)
from minik8s.objects.validation.rules import Rules, twice

_MODES = ("Indexed", "NonIndexed")
_REPLACEMENT = ("Failed", "TerminatingOrFailed")
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_CONCURRENCY = ("Allow", "Forbid", "Replace")
UID_LABEL, NAME_LABEL = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
_TEMPLATE = "core.v1.PodTemplateSpec"


def job(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _generated_selector(errors, obj)
    spec = obj["spec"]
    _job_spec(errors, spec, "spec")
    _selector(errors, spec)
    completions = spec.get("completions")
    if spec.get("completionMode") == "Indexed" and completions:
        host = f"{obj['metadata'].get('name', '')}-{completions - 1}"
        for message in names.dns1123_label(host):
            errors.append(invalid("metadata.name", obj["metadata"].get("name", ""),
                                  f"will not able to create pod with invalid DNS label {host}: {message}"))


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
    mode = spec.get("completionMode")
    if mode is not None:
        _completion_mode(errors, spec, mode, path)
    _per_index(errors, spec, mode, path)
    manager = spec.get("managedBy")
    if manager is not None:
        _managed_by(errors, manager, f"{path}.managedBy")
    failure_policy = spec.get("podFailurePolicy")
    if failure_policy is not None:
        _failure_policy(errors, failure_policy, spec, f"{path}.podFailurePolicy")
    if spec.get("successPolicy") is not None:
        _success_policy(errors, spec, f"{path}.successPolicy")
    replacement = spec.get("podReplacementPolicy")
    if replacement is not None:
        known = ("Failed",) if failure_policy is not None else _REPLACEMENT
        if replacement not in known:
            errors.append(not_supported(f"{path}.podReplacementPolicy", replacement, known))
    pods.pod_template_spec(errors, spec["template"], f"{path}.template")
    policy, at = spec["template"]["spec"].get("restartPolicy", ""), f"{path}.template.spec.restartPolicy"
    if policy not in ("OnFailure", "Never"):
        errors.append(required(at, 'valid values: "OnFailure", "Never"'))
    elif failure_policy is not None and policy != "Never":
        errors.append(invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified'))


def _completion_mode(errors: Errors, spec: Object, mode: str, path: str) -> None:
    if mode not in _MODES:
        errors.append(not_supported(f"{path}.completionMode", mode, ("NonIndexed", "Indexed")))
    if mode == "Indexed":
        if spec.get("completions") is None:
            errors.append(required(f"{path}.completions", "when completion mode is Indexed"))
        if spec.get("parallelism") is not None and spec["parallelism"] > 100_000:
            errors.append(invalid(f"{path}.parallelism", spec["parallelism"],
                                  "must be less than or equal to 100000 when completion mode is Indexed"))


def _per_index(errors: Errors, spec: Object, mode: str | None, path: str) -> None:
    limit, most = spec.get("backoffLimitPerIndex"), spec.get("maxFailedIndexes")
    if most is not None and limit is None:
        errors.append(required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    if limit is not None and mode != "Indexed":
        errors.append(invalid(f"{path}.backoffLimitPerIndex", limit, "requires indexed completion mode"))
    if most is not None:
        if mode != "Indexed":
            errors.append(invalid(f"{path}.maxFailedIndexes", most, "requires indexed completion mode"))
        elif spec.get("completions") is not None and most > spec["completions"]:
            errors.append(invalid(f"{path}.maxFailedIndexes", most, "must be less than or equal to completions"))


def _managed_by(errors: Errors, value: str, path: str) -> None:
    host, slash, rest = value.partition("/")
    if not value:
        errors.append(required(path))
    elif not slash or not host or not rest:
        errors.append(invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'))
    else:
        messages_invalid(errors, path, host, names.dns1123_subdomain(host))


def _failure_policy(errors: Errors, policy: Object, spec: Object, path: str) -> None:
    rules = policy.get("rules") or []
    if len(rules) > 20:
        errors.append(too_many(f"{path}.rules", len(rules), 20))
    containers = {c.get("name") for key in ("containers", "initContainers")
                  for c in spec["template"]["spec"].get(key) or ()}
    for i, rule in enumerate(rules):
        _failure_rule(errors, rule, spec, containers, f"{path}.rules[{i}]")


def _failure_rule(errors: Errors, rule: Object, spec: Object, containers: set[Any], at: str) -> None:
    action = rule.get("action", "")
    if action not in _ACTIONS:
        errors.append(not_supported(f"{at}.action", action, _ACTIONS) if action
                      else required(f"{at}.action", f"valid values: {_quoted(_ACTIONS)}"))
    if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        errors.append(invalid(f"{at}.action", action, "requires the backoffLimitPerIndex to be set"))
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
    if codes is not None:
        _exit_codes(errors, codes, containers, f"{at}.onExitCodes")
    for j, pattern in enumerate(conditions):
        kind, status = pattern.get("type", ""), pattern.get("status", "")
        messages_invalid(errors, f"{at}.onPodConditions[{j}].type", kind, names.qualified_name(kind))
        if status not in ("True", "False", "Unknown"):
            errors.append(not_supported(f"{at}.onPodConditions[{j}].status", status, ("False", "True", "Unknown")))
    if codes is not None and conditions:
        errors.append(invalid(at, "", "specifying both OnExitCodes and OnPodConditions is not supported"))
    if codes is None and not conditions:
        errors.append(invalid(at, "", "specifying one of OnExitCodes and OnPodConditions is required"))


def _quoted(values: tuple[str, ...]) -> str:
    return ", ".join(f'"{value}"' for value in values)


def _exit_codes(errors: Errors, codes: Object, containers: set[Any], path: str) -> None:
    operator, values = codes.get("operator", ""), codes.get("values") or []
    if operator not in ("In", "NotIn"):
        errors.append(not_supported(f"{path}.operator", operator, ("In", "NotIn")) if operator
                      else required(f"{path}.operator", 'valid values: "In", "NotIn"'))
    name = codes.get("containerName")
    if name is not None and name not in containers:
        errors.append(invalid(f"{path}.containerName", name,
                              "must be one of the container or initContainer names in the pod template"))
    if not values:
        errors.append(invalid(f"{path}.values", values, "at least one value is required"))
    for i, value in enumerate(values):
        if operator == "In" and value == 0:
            errors.append(invalid(f"{path}.values[{i}]", value, "must not be 0 for the In operator"))
        if i and value in values[:i]:
            errors.append(invalid(f"{path}.values[{i}]", value, "must be ordered and unique"))


def _success_policy(errors: Errors, spec: Object, path: str) -> None:
    if spec.get("completionMode") != "Indexed":
        errors.append(invalid(path, GoValue(spec["successPolicy"], "batch.v1.SuccessPolicy"),
                              "requires indexed completion mode"))
        return
    rules = spec["successPolicy"].get("rules") or []
    if not rules:
        errors.append(required(f"{path}.rules", "at least one rules must be specified when successPolicy is specified"))
    if len(rules) > 20:
        errors.append(too_many(f"{path}.rules", len(rules), 20))
    for i, rule in enumerate(rules):
        if rule.get("succeededCount") is None and rule.get("succeededIndexes") is None:
            errors.append(required(f"{path}.rules[{i}]",
                                   "at least one of succeededCount or succeededIndexes must be specified"))


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
    elif now is None:
        errors.append(required("spec.completions", "when completion mode is Indexed"))
    elif now != spec.get("parallelism") or was != before.get("parallelism"):
        errors.append(invalid("spec.completions", now, "can only be modified in tandem with parallelism"))


_MUTABLE_WHEN_SUSPENDED = ("nodeSelector", "tolerations", "schedulingGates")


def _template_update(errors: Errors, spec: Object, before: Object, status: Object) -> None:
    """Before a suspended job starts, its pods' scheduling may still be directed."""
    now, was = spec["template"], before["template"]
    if now is was:
        return
    if before.get("suspend") and status.get("startTime") is None:
        put_back = dict(now["spec"])
        for key in _MUTABLE_WHEN_SUSPENDED:
            put_back.pop(key, None)
            if key in was["spec"]:
                put_back[key] = was["spec"][key]
        affinity, old_affinity = dict(put_back.get("affinity") or {}), was["spec"].get("affinity") or {}
        affinity.pop("nodeAffinity", None)
        affinity |= {k: v for k, v in old_affinity.items() if k == "nodeAffinity"}
        put_back.pop("affinity", None)
        if affinity or "affinity" in was["spec"]:
            put_back["affinity"] = affinity
        own = {k: v for k, v in (now.get("metadata") or {}).items() if k not in ("labels", "annotations")}
        own |= {k: v for k, v in (was.get("metadata") or {}).items() if k in ("labels", "annotations")}
        compared: Object = {"metadata": own, "spec": put_back}
    else:
        compared = now
    if compared != was:
        errors.append(invalid("spec.template", GoValue(now, _TEMPLATE), meta.IMMUTABLE))


def job_status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    status = new["status"]
    for key in ("active", "succeeded", "failed", "ready", "terminating"):
        meta.nonnegative(errors, status.get(key), f"status.{key}")
    _job_finished(errors, status, old["status"])


def _job_finished(errors: Errors, status: Object, old: Object) -> None:
    def is_true(source: Object, kind: str) -> bool:
        return any(c.get("type") == kind and c.get("status") == "True" for c in source.get("conditions") or ())

    for kind in ("Complete", "Failed", "SuccessCriteriaMet", "FailureTarget"):
        if is_true(old, kind) and not is_true(status, kind):
            verb = "disabling" if any(c.get("type") == kind for c in status.get("conditions") or ()) else "removing"
            errors.append(invalid("status.conditions", "", f'cannot disable the terminal {kind}=True condition')
                          if verb == "disabling" else
                          invalid("status.conditions", "", f"cannot remove the {kind}=True condition"))
    if is_true(status, "Complete") and is_true(status, "Failed"):
        errors.append(invalid("status.conditions", "", "cannot set Complete=True and Failed=true conditions"))
    if status.get("completionTime") is not None and not is_true(status, "Complete"):
        errors.append(invalid("status.completionTime", status["completionTime"],
                              "cannot set completionTime when there is no Complete=True condition"))


# -- CronJob --
def _cron_spec(errors: Errors, spec: Object, old: Object | None) -> None:
    schedule = spec.get("schedule", "")
    if not schedule:
        errors.append(required("spec.schedule"))
    elif old is None or schedule != old.get("schedule"):
        if problem := schedule_error(schedule):
            errors.append(invalid("spec.schedule", schedule, problem))
        if "TZ" in schedule:
            errors.append(invalid("spec.schedule", schedule,
                                  "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"))
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
    elif zone.lower() == "local":
        errors.append(invalid("spec.timeZone", zone, "timeZone must be an explicit time zone as defined in "
                              "https://www.iana.org/time-zones"))
    elif not is_time_zone(zone):
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
    ("batch", "Job"): Rules(job, twice(job, job_update), job_status_update),
    ("batch", "CronJob"): Rules(cron_job, cron_job_update)}
