"""When a call may be made that AWS has throttled before, where AWS publishes its rate.

Nothing is held back before AWS throttles: a small account is read at once. From the first throttle on, an
operation's calls in that region are spread over time at the rate that AWS publishes. Since an account's own
may be higher, they come faster by `_FASTER` after every `_CALM` calls without a throttle, and at the
published rate again after one. What is not in the table is held back by its lane alone, see `limiter`.

Not thread-safe: the scheduler holds its lock around every call.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

from wa_audit.aws.framework import table

_CALM = 50
_FASTER = 1.1


class Pacer:
    """The paces of one run, by region and what shares a rate there."""

    def __init__(self) -> None:
        self._paces: dict[tuple[str, str], _Pace] = {}

    @property
    def holds_back(self) -> bool:
        """Whether AWS has throttled anything that has a pace. Asked without the lock."""
        return bool(self._paces)

    def throttled(self, region: str, operation: str, now: float) -> bool:
        """Notes that AWS throttled a call, `kinesis:ListStreams`, at a time of a monotonic clock in seconds;
        says whether its calls are paced from now on."""
        shared, rate = allowance(operation)
        if not rate:
            return False
        pace = self._paces.setdefault((region, shared), _Pace(rate, now))
        pace.start_over()
        return True

    def wait(self, region: str, operation: str, now: float) -> float:
        """Seconds until a call's turn, which is taken; 0 for what AWS has never throttled here."""
        if not self._paces:
            return 0.0
        pace = self._paces.get((region, allowance(operation)[0]))
        return pace.turn(now) if pace else 0.0


class _Pace:
    def __init__(self, rate: float, now: float) -> None:
        self._published = self._rate = rate
        self._next = now + 1 / rate
        self._calls = 0

    def start_over(self) -> None:
        self._rate = self._published
        self._calls = 0

    def turn(self, now: float) -> float:
        self._calls += 1
        if self._calls >= _CALM:
            self._rate *= _FASTER
            self._calls = 0
        start = max(now, self._next)
        self._next = start + 1 / self._rate
        return start - now


@cache
def allowance(operation: str) -> tuple[str, float]:
    """The row of an operation's rate, and its calls a second; "" and 0 where none is published."""
    for pattern, rate, _ in _rates():
        if fnmatchcase(operation, pattern):
            return pattern, float(rate)
    return "", 0.0


@cache
def _rates() -> list[list[str]]:
    """The table's rows, those that name one operation first."""
    return sorted(table("api_rates.tsv"), key=lambda row: "*" in row[0])
