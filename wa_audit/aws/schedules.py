"""Schedule expressions of Glue, EventBridge and EventBridge Scheduler: `rate(...)` and `cron(...)`.

Times are UTC; cron is AWS's, with six fields:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

_RATE = re.compile(r"^rate\(\s*(\d+)\s+(minute|hour|day)s?\s*\)$")
_CRON = re.compile(r"^cron\(\s*(.+?)\s*\)$")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = dict(JAN=1, FEB=2, MAR=3, APR=4, MAY=5, JUN=6, JUL=7, AUG=8, SEP=9, OCT=10, NOV=11, DEC=12)
_WEEKDAYS = dict(SUN=1, MON=2, TUE=3, WED=4, THU=5, FRI=6, SAT=7)
# The rarest schedule, 29 February, comes round within eight years.
_HORIZON = 366 * 8
# In two weeks and a day a weekly schedule waits for each of its fires.
_WEEKS = 15


class Cron(NamedTuple):
    """A cron expression: minutes of the day, and the fields that pick the days."""

    minutes: tuple[int, ...]
    days: str
    months: frozenset[int]
    weekdays: str
    years: frozenset[int]

    def on(self, day: date) -> bool:
        """Whether it fires on this day at all."""
        if day.year not in self.years or day.month not in self.months:
            return False
        return _day_fits(self.days, day) and _weekday_fits(self.weekdays, day)

    @property
    def is_weekly(self) -> bool:
        """Whether every week is like every other one, as far as anybody looks."""
        return (
            self.days in ("*", "?")
            and len(self.months) == 12
            and self.years.issuperset(range(2024, 2034))
            and "#" not in self.weekdays
            and (self.weekdays == "L" or not self.weekdays.endswith("L"))
        )


@cache
def cron(expression: str) -> Cron | None:
    """The parts of a `cron(...)` expression; None for anything else."""
    match = _CRON.match(expression.strip())
    fields = match[1].upper().split() if match else []
    if len(fields) != 6:
        return None
    minute, hour, days, month, weekdays, year = fields
    try:
        at = sorted(h * 60 + m for h in _values(hour, 0, 23) for m in _values(minute, 0, 59))
        found = Cron(tuple(at), days, _values(month, 1, 12, _MONTHS), weekdays, _values(year, 1970, 2199))
        found.on(date(2024, 1, 31))
    except ValueError:
        return None
    return found if at else None


def rate(expression: str) -> int | None:
    """The period of a `rate(...)` expression in seconds; None for anything else."""
    match = _RATE.match(expression.strip())
    return int(match[1]) * _SECONDS[match[2]] if match and int(match[1]) else None


@lru_cache(maxsize=4096)
def period(expression: str) -> int | None:
    """Seconds between one fire and the next, the longest wait where they differ.

    None for `at(...)`, which fires once, for schedules that have ended, and for what is no schedule.
    """
    if seconds := rate(expression):
        return seconds
    schedule = cron(expression)
    if schedule is None:
        return None
    first, last = schedule.minutes[0], schedule.minutes[-1]
    gaps = [later - earlier for earlier, later in pairwise(schedule.minutes)]
    start = date(max(min(schedule.years), 2024), 1, 1)
    horizon = _WEEKS if schedule.is_weekly else _HORIZON
    days = [day for day in (start + timedelta(n) for n in range(horizon)) if schedule.on(day)]
    gaps += [(b - a).days * 1440 + first - last for a, b in pairwise(days)]
    return max(gaps) * 60 if gaps else None


def next_fire(expression: str, after: datetime) -> datetime | None:
    """The first fire later than `after`. A rate is taken to have fired just then."""
    if seconds := rate(expression):
        return after + timedelta(seconds=seconds)
    schedule = cron(expression)
    return next((fire for fire in _fires(schedule, after, 1) if fire > after), None) if schedule else None


def previous_fire(expression: str, before: datetime) -> datetime | None:
    """The last fire at or before `before`. A rate is taken to fire just then."""
    if seconds := rate(expression):
        return before - timedelta(seconds=seconds)
    schedule = cron(expression)
    return next((fire for fire in _fires(schedule, before, -1) if fire <= before), None) if schedule else None


def fires_between(expression: str, since: str, until: str, most: int = 100) -> int | None:
    """How many times a schedule came due after `since` and by `until` (ISO 8601), counted up to `most`.

    None where the expression is not understood.
    """
    start, end = moment(since), moment(until)
    if seconds := rate(expression):
        return max(0, min(most, int((end - start).total_seconds() // seconds)))
    schedule = cron(expression)
    if schedule is None:
        return None
    count = 0
    for fire in _fires(schedule, start, 1):
        if fire > end or count >= most:
            break
        count += fire > start
    return count


def moment(text: str) -> datetime:
    """The moment that an ISO 8601 text names, UTC where it names no zone."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _fires(schedule: Cron, start: datetime, step: int) -> Iterator[datetime]:
    """Fires from the day of `start` on, forwards or backwards."""
    start = start.astimezone(UTC)
    for offset in range(_HORIZON):
        day = start.date() + timedelta(offset * step)
        if schedule.on(day):
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            for minute in schedule.minutes[::step]:
                yield midnight + timedelta(minutes=minute)


def _values(field: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """The numbers that a field of commas, ranges, steps and names stands for."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first, names)
            end = _number(last, names) if last else high if step else start
        if not low <= start <= high or not low <= end <= high:
            raise ValueError(field)
        # A range of names may run over the end: FRI-MON.
        reach = range(start, end + 1) if start <= end else (*range(start, high + 1), *range(low, end + 1))
        found.update(list(reach)[:: int(step or 1)])
    return frozenset(found)


def _number(text: str, names: dict[str, int] | None) -> int:
    return (names or {}).get(text) or int(text)


@cache
def _plain(field: str, low: int, high: int) -> frozenset[int]:
    return _values(field, low, high, _WEEKDAYS if high == 7 else None)


def _day_fits(field: str, day: date) -> bool:
    """Day of month: numbers, `L` for the last, `15W` for the working day nearest the 15th, `LW`."""
    last = calendar.monthrange(day.year, day.month)[1]
    if "L" not in field and "W" not in field:
        return day.day in _plain(field, 1, 31)
    if field == "L":
        return day.day == last
    wanted = last if field == "LW" else min(int(field.removesuffix("W")), last)
    return day == _working_day(date(day.year, day.month, wanted), last)


def _working_day(day: date, last: int) -> date:
    """The working day nearest to this one within its month."""
    if day.weekday() == 5:
        return day - timedelta(1) if day.day > 1 else day + timedelta(2)
    if day.weekday() == 6:
        return day + timedelta(1) if day.day < last else day - timedelta(2)
    return day


def _weekday_fits(field: str, day: date) -> bool:
    """Day of week, 1 for Sunday: numbers, names, `L`, `6L` the last Friday, `3#2` the second Tuesday."""
    number = day.isoweekday() % 7 + 1
    if "#" in field:
        wanted, _, which = field.partition("#")
        return number == _number(wanted, _WEEKDAYS) and (day.day - 1) // 7 + 1 == int(which)
    if field == "L":
        return number == 7
    if field.endswith("L"):
        last = calendar.monthrange(day.year, day.month)[1]
        return number == _number(field.removesuffix("L"), _WEEKDAYS) and day.day > last - 7
    return number in _plain(field, 1, 7)
