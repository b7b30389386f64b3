"""Cron schedules as CronJob understands them (github.com/robfig/cron/v3 ParseStandard and SpecSchedule.Next)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

MONTHS = {
    name: i + 1
    for i, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
}
DAYS = {name: i for i, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, MONTHS),
    (0, 6, DAYS),
)
MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
YEARS_TO_SEARCH = 5
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}


class ScheduleError(ValueError):
    """A schedule that cannot be read."""


@dataclass(frozen=True)
class Every:
    """`@every 90s`: a fixed distance, at least a second."""

    seconds: float

    def next(self, after: float, zone: tzinfo = UTC) -> float | None:
        return float(int(after) + self.seconds)


@dataclass(frozen=True)
class Schedule:
    """The five fields as sets of numbers; `any_day` and `any_weekday` tell whether the field was a star."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def next(self, after: float, zone: tzinfo = UTC) -> float | None:
        """The first moment after `after` (seconds since the epoch) that the schedule names; None: never.

        Time is stepped as it passes: an hour that daylight saving skips is skipped, one that it repeats comes twice.
        """
        moment = _local(float(int(after) // 60 * 60 + 60), zone)
        limit = moment.year + YEARS_TO_SEARCH
        while moment.year <= limit:
            if moment.month not in self.months:
                moment = _midnight(moment, month=True)
            elif not self._day_fits(moment):
                moment = _midnight(moment)
            elif moment.hour not in self.hours:
                moment = _local(moment.timestamp() + 3600 - moment.minute * 60, zone)
            elif moment.minute not in self.minutes:
                moment = _local(moment.timestamp() + 60, zone)
            else:
                return moment.timestamp()
        return None

    def _day_fits(self, moment: datetime) -> bool:
        day, weekday = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        return (day and weekday) if self.any_day or self.any_weekday else (day or weekday)


def _local(timestamp: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(timestamp, zone)


def _midnight(moment: datetime, *, month: bool = False) -> datetime:
    """The start of the next local day, or of the next month."""
    day = datetime(moment.year, moment.month, 1 if month else moment.day)
    day += timedelta(days=32 if month else 1)
    start = datetime(day.year, day.month, 1 if month else day.day, tzinfo=moment.tzinfo)
    return _local(start.timestamp(), moment.tzinfo or UTC)


@lru_cache(maxsize=1024)
def parse_schedule(text: str) -> Schedule | Every:
    """ScheduleError when `text` is no schedule."""
    text = MACROS.get(text, text)
    if text.startswith("@every "):
        return Every(max(1.0, float(int(_duration(text.removeprefix("@every "))))))
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise ScheduleError(f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]")
    minutes, hours, days, months, weekdays = (_field(p, *bounds) for p, bounds in zip(parts, FIELDS, strict=True))
    any_day, any_weekday = (any(p.split("/")[0] in ("*", "?") for p in parts[i].split(",")) for i in (2, 4))
    return Schedule(minutes, hours, days, months, weekdays, any_day, any_weekday)


def _field(text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    out: set[int] = set()
    for part in filter(None, text.split(",")):
        span, _, step_text = part.partition("/")
        first, dash, last = span.partition("-")
        if span in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first, names)
            end = _number(last, names) if dash else (high if step_text else start)
        step = _number(step_text, {}) if step_text else 1
        if start < low or end > high or start > end or step < 1:
            raise ScheduleError(f"value out of range in {part}")
        out.update(range(start, end + 1, step))
    return frozenset(out)


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not text.isdigit():
        raise ScheduleError(f"failed to parse int from {text}")
    return int(text)


def _duration(text: str) -> float:
    total, number = 0.0, ""
    for letter in text:
        if letter.isdigit() or letter == ".":
            number += letter
        elif letter in _UNITS and number:
            total, number = total + float(number) * _UNITS[letter], ""
        else:
            raise ScheduleError(f"failed to parse duration @every {text}")
    if number or not text:
        raise ScheduleError(f"failed to parse duration @every {text}")
    return total
