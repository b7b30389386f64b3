"""Schedules: the next time after a moment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.controllers.cron import ScheduleError, parse_schedule
from minik8s.controllers.cronjob import time_zone


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("* * * * *", "2026-03-01T10:00:00+00:00", "2026-03-01T10:01:00+00:00"),
        ("*/15 * * * *", "2026-03-01T10:14:59+00:00", "2026-03-01T10:15:00+00:00"),
        ("0 0 1 1 *", "2026-03-01T10:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("@daily", "2026-03-01T10:00:00+00:00", "2026-03-02T00:00:00+00:00"),
        ("30 9 * * mon-fri", "2026-03-06T10:00:00+00:00", "2026-03-09T09:30:00+00:00"),
        ("0 12 13 * 5", "2026-03-01T00:00:00+00:00", "2026-03-06T12:00:00+00:00"),  # day or weekday, when both are set
        ("0 0 29 2 *", "2026-03-01T00:00:00+00:00", "2028-02-29T00:00:00+00:00"),
        ("@every 90s", "2026-03-01T10:00:00+00:00", "2026-03-01T10:01:30+00:00"),
    ],
)
def test_next(schedule: str, after: str, expected: str) -> None:
    assert parse_schedule(schedule).next(at(after)) == at(expected)


def test_a_schedule_that_never_comes() -> None:
    assert parse_schedule("0 0 31 2 *").next(at("2026-01-01T00:00:00+00:00")) is None


@pytest.mark.parametrize("text", ["", "* * * *", "60 * * * *", "* * * * 7", "a * * * *", "@fortnightly", "*/0 * * * *"])
def test_no_schedule(text: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(text)


def test_time_zones() -> None:
    seoul = time_zone("Asia/Seoul")
    assert parse_schedule("0 9 * * *").next(at("2026-03-01T00:00:01+00:00"), seoul) == at("2026-03-02T09:00:00+09:00")
    with pytest.raises(ValueError, match="unknown time zone Mars/Olympus"):
        time_zone("Mars/Olympus")


def test_an_hour_that_daylight_saving_skips_is_skipped() -> None:
    new_york = time_zone("America/New_York")
    after = at("2026-03-08T00:00:00-05:00")
    assert parse_schedule("30 2 * * *").next(after, new_york) == at("2026-03-09T02:30:00-04:00")


@given(st.integers(0, 59), st.integers(0, 23), st.integers(1_700_000_000, 1_900_000_000))
def test_next_is_later_and_fits(minute: int, hour: int, after: int) -> None:
    found = parse_schedule(f"{minute} {hour} * * *").next(after)
    assert found is not None and after < found <= after + 86400
    moment = datetime.fromtimestamp(found, UTC)
    assert (moment.minute, moment.hour, moment.second) == (minute, hour, 0)
