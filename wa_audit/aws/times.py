"""Spans between the inventory's times, which are UTC in ISO 8601."""

from __future__ import annotations

import os
from datetime import UTC, datetime


def now() -> datetime:
    """The time, or what SOURCE_DATE_EPOCH says that it is, for runs that must give the same bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    found = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return found.replace(microsecond=0)


def hours_between(earlier: str, later: str) -> float:
    """Hours from one time to the other; negative where `later` is the earlier.

    Raises:
        ValueError: one of them is not a time.
    """
    return (_parse(later) - _parse(earlier)).total_seconds() / 3600


def of_milliseconds(epoch: int) -> str:
    """A time in milliseconds since 1970, as CloudWatch Logs gives it, in ISO 8601."""
    return datetime.fromtimestamp(epoch / 1000, UTC).isoformat()


def _parse(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
