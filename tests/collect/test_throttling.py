"""A throttled call is made again soon, a few times, and its lane narrows; the rest is botocore's."""

from __future__ import annotations

import pytest

from wa_audit.collect.limiter import Lane, backoff


def test_waits_double_with_jitter_and_end() -> None:
    for attempts, longest in enumerate((0.1, 0.2, 0.4, 0.8, 1.6, 3.0), start=1):
        waits = [backoff(attempts) for _ in range(200)]
        assert all(wait is not None and longest / 4 <= wait <= longest for wait in waits)
        assert len(set(waits)) > 100
    assert backoff(7) is None


def test_a_call_is_given_up_within_some_seconds() -> None:
    assert sum(0.1 * 2**n for n in range(5)) + 3.0 < 10


@pytest.mark.parametrize(("room", "least"), [(32, 8), (16, 4), (8, 3)])
def test_a_lane_narrows_to_a_quarter_and_grows_back(room: int, least: int) -> None:
    lane = Lane(room)
    for number in range(10):
        lane.slow_down(10.0 * number)
    for _ in range(room):
        lane.admit(lambda: None)
    assert lane._busy == least
    for _ in range(5 * room):
        lane.admit(lambda: None)
        lane.release()
    assert lane._room == room


def test_what_is_throttled_together_narrows_a_lane_once() -> None:
    lane = Lane(8)
    for number in range(10):
        lane.slow_down(100.0 + number / 10)
    assert lane._room == 4
