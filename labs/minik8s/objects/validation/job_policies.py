"""Failure and success policies of jobs. Source: ``pkg/apis/batch/validation/validation.go``."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from minik8s.objects.frozen import Object
from minik8s.objects.validation import meta, names
from minik8s.objects.validation.field import (
    OMITTED,
    Errors,
    GoValue,
    duplicate,
    invalid,
    messages_invalid,
    not_supported,
    quote,
    required,
    too_long,
    too_many,
)

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")


def validate(errors: Errors, spec: Object, path: str) -> None:
    """Both policies of a job's spec."""
    if (policy := spec.get("podFailurePolicy")) is not None:
        rules = policy.get("rules") or []
        if len(rules) > 20:
            errors.append(too_many(f"{path}.podFailurePolicy.rules", len(rules), 20))
        containers = {c.get("name") for key in ("containers", "initContainers")
                      for c in spec["template"]["spec"].get(key) or ()}
        for i, rule in enumerate(rules):
            _failure_rule(errors, rule, spec, containers, f"{path}.podFailurePolicy.rules[{i}]")
    if (success := spec.get("successPolicy")) is not None:
        if spec.get("completionMode") == "Indexed":
            _success_policy(errors, success.get("rules") or [], spec, f"{path}.successPolicy.rules")
        else:
            value = GoValue(success, "batch.v1.SuccessPolicy")
            errors.append(invalid(f"{path}.successPolicy", value, "requires indexed completion mode"))


def _one_of(errors: Errors, value: str, known: tuple[str, ...], path: str) -> None:
    if not value:
        errors.append(required(path, f"valid values: [{' '.join(quote(name) for name in known)}]"))
    elif value not in known:
        errors.append(not_supported(path, value, known))


def _failure_rule(errors: Errors, rule: Object, spec: Object, containers: set[Any], at: str) -> None:
    action = rule.get("action", "")
    _one_of(errors, action, _ACTIONS, f"{at}.action")
    if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        errors.append(invalid(f"{at}.action", action, "requires the backoffLimitPerIndex to be set"))
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
    if codes is not None:
        _exit_codes(errors, codes, containers, f"{at}.onExitCodes")
    if len(conditions) > 20:
        errors.append(too_many(f"{at}.onPodConditions", len(conditions), 20))
    for j, pattern in enumerate(conditions):
        kind, path = pattern.get("type", ""), f"{at}.onPodConditions[{j}]"
        messages_invalid(errors, f"{path}.type", kind, names.qualified_name(kind))
        _one_of(errors, pattern.get("status", ""), _STATUSES, f"{path}.status")
    if codes is not None and conditions:
        errors.append(invalid(at, OMITTED, "specifying both OnExitCodes and OnPodConditions is not supported"))
    if codes is None and not conditions:
        errors.append(invalid(at, OMITTED, "specifying one of OnExitCodes and OnPodConditions is required"))


def _exit_codes(errors: Errors, codes: Object, containers: set[Any], path: str) -> None:
    operator, values = codes.get("operator", ""), codes.get("values") or []
    _one_of(errors, operator, _OPERATORS, f"{path}.operator")
    name = codes.get("containerName")
    if name is not None and name not in containers:
        errors.append(invalid(f"{path}.containerName", name,
                              "must be one of the container or initContainer names in the pod template"))
    if not values:
        errors.append(invalid(f"{path}.values", codes.get("values"), "at least one value is required"))
    elif len(values) > 255:
        errors.append(too_many(f"{path}.values", len(values), 255))
    for i, value in enumerate(values):
        if operator == "In" and value == 0:
            errors.append(invalid(f"{path}.values[{i}]", value, "must not be 0 for the In operator"))
        if value in values[:i]:
            errors.append(duplicate(f"{path}.values[{i}]", value))
    if any(a > b for a, b in pairwise(values)):
        errors.append(invalid(f"{path}.values", values, "must be ordered"))


def _success_policy(errors: Errors, rules: list[Object], spec: Object, path: str) -> None:
    if not rules:
        errors.append(required(path, "at least one rules must be specified when the successPolicy is specified"))
    if len(rules) > 20:
        errors.append(too_many(path, len(rules), 20))
    for i, rule in enumerate(rules):
        _success_rule(errors, rule, spec.get("completions") or 0, f"{path}[{i}]")


def _success_rule(errors: Errors, rule: Object, completions: int, path: str) -> None:
    count, indexes, total = rule.get("succeededCount"), rule.get("succeededIndexes"), 0
    if count is None and indexes is None:
        errors.append(required(path, "at least one of succeededCount or succeededIndexes must be specified"))
    if indexes is not None:
        if len(indexes) > 64 * 1024:
            errors.append(too_long(f"{path}.succeededIndexes", 64 * 1024))
        total, problem = count_indexes(indexes, completions)
        if problem:
            errors.append(invalid(f"{path}.succeededIndexes", indexes, f"error parsing succeededIndexes: {problem}"))
    if count is None:
        return
    at = f"{path}.succeededCount"
    meta.nonnegative(errors, count, at)
    most = "must be less than or equal to"
    if count > completions:
        errors.append(invalid(at, count, f"{most} {completions} (the number of specified completions)"))
    if indexes is not None and count > total:
        why = f"{most} {total} (the number of indexes in the specified succeededIndexes field)"
        errors.append(invalid(at, count, why))


def count_indexes(text: str, completions: int) -> tuple[int, str]:
    """How many indexes ``1,3-5`` names, and why it is none (``validateIndexesFormat``)."""
    last, total = None, 0
    for part in text.split(",") if text else ():
        interval, problem = index_interval(part, completions)
        if interval is None:
            return 0, problem
        if last is not None and last >= interval[0]:
            return 0, f"non-increasing order, previous: {last}, current: {interval[0]}"
        last, total = interval[1], total + interval[1] - interval[0] + 1
    return total, ""


def index_interval(text: str, completions: int) -> tuple[tuple[int, int] | None, str]:
    """First and last index of ``4`` or ``3-5``, or what is wrong with it (``parseIndexInterval``)."""
    parts = text.split("-")
    if len(parts) > 2:
        why = "violates the requirement that an index interval can have at most two parts separated by '-'"
        return None, f"the fragment {quote(text)} {why}"
    numbers = []
    for part in parts:
        if not re.fullmatch(r"\+?[0-9]+", part):
            return None, f"cannot convert string to integer for index: {quote(part)}"
        if int(part) >= completions:
            return None, f"too large index: {quote(part)}"
        numbers.append(int(part))
    if len(numbers) == 2 and numbers[0] >= numbers[1]:
        return None, f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}"
    return (numbers[0], numbers[-1]), ""
