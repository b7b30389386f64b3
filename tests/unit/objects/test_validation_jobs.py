"""Jobs and cron jobs: rules of ``pkg/apis/batch/validation/validation.go`` that recordings do not reach."""

from __future__ import annotations

from typing import Any

import pytest

from minik8s.objects import Object
from minik8s.objects.validation import validate_create, validate_status_update, validate_update
from unit.objects.test_validation import kind_of, made

JOB = kind_of("jobs.batch")


def job(**spec: Any) -> Object:
    template = {"metadata": {"labels": {"a": "b"}},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}], **spec.pop("pod", {})}}
    return made("jobs.batch", {"spec": {"template": template, "manualSelector": True,
                                        "selector": {"matchLabels": {"a": "b"}}, **spec}})


def faults(**spec: Any) -> list[str]:
    return [str(e).removeprefix("spec.") for e in validate_create(JOB, job(**spec))]


def indexed(**spec: Any) -> list[str]:
    return faults(completionMode="Indexed", completions=5, **spec)


@pytest.mark.parametrize(("rule", "fault"), [
    ({"action": "FailJob"}, ": Invalid value: specifying one of OnExitCodes and OnPodConditions is required"),
    ({"onExitCodes": {"operator": "In", "values": [1]}},
     '.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'),
    ({"action": "FailJob", "onExitCodes": {"operator": "In", "values": [3, 1]}},
     ".onExitCodes.values: Invalid value: [3,1]: must be ordered"),
    ({"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1, 1]}},
     ".onExitCodes.values[1]: Duplicate value: 1"),
])
def test_rules_of_a_failure_policy(rule: Object, fault: str) -> None:
    assert faults(podFailurePolicy={"rules": [rule]}) == [f"podFailurePolicy.rules[0]{fault}"]


@pytest.mark.parametrize(("rule", "fault"), [
    ({"succeededIndexes": "1,x"},
     '.succeededIndexes: Invalid value: "1,x": error parsing succeededIndexes: cannot convert string to integer for'
     ' index: "x"'),
    ({"succeededIndexes": "7"},
     '.succeededIndexes: Invalid value: "7": error parsing succeededIndexes: too large index: "7"'),
    ({"succeededIndexes": "3-1"}, '.succeededIndexes: Invalid value: "3-1": error parsing succeededIndexes:'
                                  " non-increasing order, previous: 3, current: 1"),
    ({"succeededIndexes": "0-1", "succeededCount": 3},
     ".succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified"
     " succeededIndexes field)"),
    ({"succeededCount": 9},
     ".succeededCount: Invalid value: 9: must be less than or equal to 5 (the number of specified completions)"),
])
def test_rules_of_a_success_policy(rule: Object, fault: str) -> None:
    assert indexed(successPolicy={"rules": [rule]}) == [f"successPolicy.rules[0]{fault}"]


def test_limits_of_big_indexed_jobs() -> None:
    assert faults(completionMode="Indexed", completions=200_000, backoffLimitPerIndex=1) == [
        "maxFailedIndexes: Required value: must be specified when completions is above 100000"]


def test_an_unknown_restart_policy_is_named() -> None:
    assert faults(pod={"restartPolicy": "Sometimes"})[-1] == (
        'template.spec.restartPolicy: Unsupported value: "Sometimes": supported values: "OnFailure", "Never"')


def changed(old: Object, **spec: Any) -> list[str]:
    return [str(e) for e in validate_update(JOB, {**old, "spec": {**old["spec"], **spec}}, old)]


def test_a_suspended_job_may_have_its_pods_resized_and_redirected() -> None:
    old, running = job(suspend=True), job()
    pods = old["spec"]["template"]["spec"]
    template = {**old["spec"]["template"], "spec": {
        **pods, "nodeSelector": {"disk": "ssd"},
        "containers": [{**pods["containers"][0], "resources": {"requests": {"cpu": "1"}}}]}}
    assert changed(old, template=template) == []
    assert [e[:15] for e in changed(running, template=template)] == ["spec.template: "]
    other = {**template, "spec": {**pods, "containers": [{**pods["containers"][0], "image": "other"}]}}
    assert [e[:20] for e in changed(old, template=other)] == ["spec.template.spec: "]


def test_completions_follow_parallelism() -> None:
    old = job(completionMode="Indexed", completions=5, parallelism=2)
    assert changed(old, completions=4) == [
        "spec.completions: Invalid value: 4: can only be modified in tandem with spec.parallelism"]
    assert changed(old, completions=4, parallelism=4) == []


@pytest.mark.parametrize(("status", "fault"), [
    ({"conditions": [{"type": "Failed", "status": "True"}], "startTime": "2026-01-01T00:00:00Z"},
     "status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition"),
    ({"active": 1, "ready": 2}, "status.ready: Invalid value: 2: cannot set more ready pods than active"),
    ({"failed": 0}, "status.failed: Invalid value: 0: cannot decrease the failed counter"),
])
def test_status(status: Object, fault: str) -> None:
    old = {**job(), "status": {"failed": 1}}
    new = {**old, "status": {"failed": 1, **status}}
    assert [str(e) for e in validate_status_update(JOB, new, old)] == [fault]


def test_a_zone_in_the_schedule_is_kept_where_it_was() -> None:
    kind = kind_of("cronjobs.batch")
    old = made("cronjobs.batch", {"spec": {"schedule": "TZ=UTC 0 0 * * *", "jobTemplate": {"spec": {"template": {
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}}})
    assert len(validate_create(kind, old)) == 1
    new = {**old, "spec": {**old["spec"], "suspend": True}}
    assert validate_update(kind, new, old) == []
