"""podFailurePolicy and successPolicy of Jobs (pkg/controller/job/pod_failure_policy.go, success_policy.go)."""

from __future__ import annotations

from typing import NamedTuple

from minik8s.controllers.job_indexes import parse_indexes
from minik8s.objects import Object
from minik8s.objects.meta import name, namespace


class Verdict(NamedTuple):
    """What a failure policy says of a failed pod.

    message  why the whole Job must fail, or None
    counts   whether the failure counts towards backoffLimit
    action   FailJob, FailIndex, Ignore, Count, or None when no rule matched
    """

    message: str | None
    counts: bool
    action: str | None


def judge(job: Object, pod: Object) -> Verdict:
    """The first matching rule decides."""
    for number, rule in enumerate((job["spec"].get("podFailurePolicy") or {}).get("rules") or ()):
        what = None
        if rule.get("onExitCodes"):
            found = _exit_code(pod, rule["onExitCodes"])
            if found is not None:
                what = f"Container {found['name']} for pod {namespace(pod)}/{name(pod)} failed with exit code "
                what += str(found["state"]["terminated"]["exitCode"])
        elif rule.get("onPodConditions"):
            kind = _condition(pod, rule["onPodConditions"])
            if kind is not None:
                what = f"Pod {namespace(pod)}/{name(pod)} has condition {kind}"
        if what is not None:
            return _verdict(rule["action"], f"{what} matching {rule['action']} rule at index {number}")
    return Verdict(None, True, None)


def _verdict(action: str, message: str) -> Verdict:
    return Verdict(message if action == "FailJob" else None, action != "Ignore", action)


def _exit_code(pod: Object, rule: Object) -> Object | None:
    status = pod.get("status") or {}
    for container in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
        ended = (container.get("state") or {}).get("terminated")
        if ended is None or rule.get("containerName") not in (None, container["name"]):
            continue
        code = ended["exitCode"]
        if code != 0 and (code in rule["values"]) == (rule["operator"] == "In"):
            found: Object = container
            return found
    return None


def _condition(pod: Object, patterns: list[Object]) -> str | None:
    for found in (pod.get("status") or {}).get("conditions") or ():
        for pattern in patterns:
            if pattern["type"] == found["type"] and pattern.get("status", "True") == found["status"]:
                return str(found["type"])
    return None


def success_message(job: Object, succeeded: set[int]) -> str | None:
    """Why a Job with a successPolicy has succeeded already, or None."""
    policy, completions = job["spec"].get("successPolicy"), job["spec"].get("completions") or 0
    if not policy or not succeeded:
        return None
    for number, rule in enumerate(policy.get("rules") or ()):
        count, matched, whole = rule.get("succeededCount"), succeeded, False
        if rule.get("succeededIndexes") is not None:
            wanted = parse_indexes(rule["succeededIndexes"], completions)
            if not wanted:
                continue
            matched = succeeded & wanted
            whole = matched == wanted
        if whole or (count is not None and len(matched) >= count):
            return f"Matched rules at index {number}"
    return None
