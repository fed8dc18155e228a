"""Schedule expressions: periods and fires."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from wa_audit.aws import schedules

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("rate(5 minutes)", 300),
        ("rate(1 hour)", HOUR),
        ("rate(7 days)", 7 * DAY),
        ("cron(0 2 * * ? *)", DAY),
        ("cron(0/15 * * * ? *)", 900),
        ("cron(15,45 8-17 ? * MON-FRI *)", 2 * DAY + 14 * HOUR + 1800),
        ("cron(0 2 ? * 1 *)", 7 * DAY),
        ("cron(0 2 1 * ? *)", 31 * DAY),
        ("cron(0 0 29 2 ? *)", 1461 * DAY),
        ("cron(0 2 * * ? 2019)", None),
        ("at(2026-11-01T00:00:00)", None),
        ("rate(0 minutes)", None),
        ("cron(61 2 * * ? *)", None),
        ("cron(0 2 * *)", None),
        ("cron(0 2 ? * FRY *)", None),
        ("whenever", None),
    ],
)
def test_period(expression: str, seconds: int | None) -> None:
    assert schedules.period(expression) == seconds


@pytest.mark.parametrize("hours", ["2", "0/7", "*"])
@pytest.mark.parametrize("days", ["? * MON", "? * L", "? * 6L", "? * 3#2", "? * MON,THU", "? * 2/3", "* * ?"])
def test_a_period_is_the_longest_wait_of_a_year(days: str, hours: str) -> None:
    expression = f"cron(0 {hours} {days} *)"
    fires = [datetime(2026, 1, 1, tzinfo=UTC)]
    while fires[-1].year < 2027:
        fire = schedules.next_fire(expression, fires[-1])
        assert fire is not None
        fires.append(fire)
    waits = [later - earlier for earlier, later in pairwise(fires[1:])]
    assert schedules.period(expression) == max(waits).total_seconds()


@pytest.mark.parametrize(
    ("expression", "fire"),
    [
        ("cron(30 4 * * ? *)", "2026-11-19T04:30"),  # a Wednesday noon was the start
        ("cron(0 10 ? * MON *)", "2026-11-23T10:00"),
        ("cron(0 10 ? * 6L *)", "2026-11-27T10:00"),
        ("cron(0 10 ? * 3#2 *)", "2026-12-08T10:00"),
        ("cron(0 10 ? * L *)", "2026-11-21T10:00"),
        ("cron(0 10 ? * FRI-MON *)", "2026-11-20T10:00"),
        ("cron(0 10 L * ? *)", "2026-11-30T10:00"),
        ("cron(0 10 LW 5 ? 2027)", "2027-05-31T10:00"),
        ("cron(0 10 15W 5 ? 2027)", "2027-05-14T10:00"),  # the 15th is a Saturday
        ("cron(0 10 1W 5 ? 2027)", "2027-05-03T10:00"),  # never back into April
        ("cron(0 10 31W 1 ? 2027)", "2027-01-29T10:00"),  # never on into February
        ("cron(0 10 1 JAN-MAR ? *)", "2027-01-01T10:00"),
        ("rate(10 minutes)", "2026-11-18T12:10"),
    ],
)
def test_next_fire(expression: str, fire: str) -> None:
    start = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
    assert schedules.next_fire(expression, start) == datetime.fromisoformat(fire).replace(tzinfo=UTC)


def test_previous_fire() -> None:
    noon = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
    assert schedules.previous_fire("cron(0 2,14 * * ? *)", noon) == datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
    assert schedules.previous_fire("cron(0 12 * * ? *)", noon) == noon
    assert schedules.previous_fire("cron(0 14 ? * SUN *)", noon) == datetime(2026, 11, 15, 14, 0, tzinfo=UTC)
    assert schedules.previous_fire("rate(1 day)", noon) == datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
    assert schedules.previous_fire("at(2026-01-01T00:00:00)", noon) is None
    assert schedules.next_fire("cron(0 2 * * ? 2019)", noon) is None


@pytest.mark.parametrize(
    ("expression", "since", "count"),
    [
        ("cron(0 2 * * ? *)", "2026-11-18T02:00:30Z", 0),
        ("cron(0 2 * * ? *)", "2026-11-17T02:00:30Z", 1),
        ("cron(0 2 * * ? *)", "2026-11-16T02:00:30Z", 2),
        ("cron(0 2 ? * MON-FRI *)", "2026-11-13T02:00:30Z", 3),
        ("rate(12 hours)", "2026-11-17T11:00:00Z", 2),
        ("rate(12 hours)", "2026-11-19T11:00:00Z", 0),
        ("cron(* * * * ? *)", "2025-11-17T11:00:00Z", 100),
        ("whenever", "2026-11-17T11:00:00Z", None),
    ],
)
def test_fires_between(expression: str, since: str, count: int | None) -> None:
    assert schedules.fires_between(expression, since, "2026-11-18T12:00:00Z") == count


def test_a_moment_without_a_zone_is_utc() -> None:
    assert schedules.moment("2026-11-18T12:00:00") == schedules.moment("2026-11-18T13:00:00+01:00")
