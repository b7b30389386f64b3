"""Cron schedules and time zones of CronJobs. Source: the errors of ``github.com/robfig/cron/v3`` ``ParseStandard``."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from minik8s.objects.validation.field import quote

_MONTHS = {name: i for i, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}
_DAYS = {name: i for i, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}), (0, 23, {}), (1, 31, {}), (1, 12, _MONTHS), (0, 6, _DAYS))
_DESCRIPTORS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_DURATION = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


class _Bad(ValueError):
    pass


def schedule_error(text: str) -> str:
    """What is wrong with a schedule, in the parser's words; "" when it is sound."""
    if not text:
        return "empty spec string"
    if text.startswith(("TZ=", "CRON_TZ=")):
        zone, _, text = text.partition(" ")
        name = zone.partition("=")[2]
        if not is_time_zone(name):
            return f"provided bad location {name}: unknown time zone {name}"
        text = text.strip()
    if text.startswith("@"):
        return _descriptor_error(text)
    fields = text.split()
    if len(fields) != 5:
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    try:
        for part, (low, high, named) in zip(fields, _FIELDS, strict=True):
            for expression in filter(None, part.split(",")):
                _range(expression, low, high, named)
    except _Bad as bad:
        return str(bad)
    return ""


def _descriptor_error(text: str) -> str:
    if text in _DESCRIPTORS:
        return ""
    if text.startswith("@every "):
        duration = text.removeprefix("@every ")
        if duration == "0" or re.fullmatch(f"(?:{_DURATION.pattern})+", duration):
            return ""
        return f"failed to parse duration {text}: time: invalid duration {quote(duration)}"
    return f"unrecognized descriptor: {text}"


def _range(expression: str, low: int, high: int, named: dict[str, int]) -> None:
    parts = expression.split("/")
    ends = parts[0].split("-")
    if ends[0] in ("*", "?"):
        start, end = low, high
    else:
        start = end = _number(ends[0], expression, named)
        if len(ends) == 2:
            end = _number(ends[1], expression, named)
        elif len(ends) > 2:
            raise _Bad(f"too many hyphens: {expression}")
    step = 1
    if len(parts) == 2:
        step = _number(parts[1], expression, {})
        if len(ends) == 1:
            end = high
    elif len(parts) > 2:
        raise _Bad(f"too many slashes: {expression}")
    if start < low:
        raise _Bad(f"beginning of range ({start}) below minimum ({low}): {expression}")
    if end > high:
        raise _Bad(f"end of range ({end}) above maximum ({high}): {expression}")
    if start > end:
        raise _Bad(f"beginning of range ({start}) beyond end of range ({end}): {expression}")
    if step == 0:
        raise _Bad(f"step of range should be a positive number: {expression}")


def _number(text: str, expression: str, named: dict[str, int]) -> int:
    if text.lower() in named:
        return named[text.lower()]
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise _Bad(f"failed to parse int from {text}: strconv.Atoi: parsing {quote(text)}: invalid syntax")
    value = int(text)
    if value < 0:
        raise _Bad(f"negative number ({value}) not allowed: {text}")
    return value


@cache
def _zones() -> frozenset[str]:
    text = resources.files("minik8s.objects").joinpath("data/timezones.txt").read_text("ascii")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def is_time_zone(name: str) -> bool:
    """Whether the tz database knows the name ("" is UTC to Go)."""
    return name in _zones() or name in ("", "Local")
