"""Spans between times."""

from __future__ import annotations

import pytest

from wa_audit.aws import times


def test_hours_between() -> None:
    assert times.hours_between("2026-11-01T00:00:00Z", "2026-11-02T12:00:00Z") == 36
    assert times.hours_between("2026-11-01T02:00:00+02:00", "2026-11-01T01:00:00") == 1
    assert times.hours_between("2026-11-02T00:00:00Z", "2026-11-01T00:00:00Z") == -24


def test_what_is_no_time() -> None:
    with pytest.raises(ValueError, match="Invalid isoformat"):
        times.hours_between("yesterday", "2026-11-01T00:00:00Z")
