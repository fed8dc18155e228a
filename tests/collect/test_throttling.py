"""A throttled call is made again soon, a few times, and its lane narrows; the rest is botocore's."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from tests.collect import answers
from wa_audit.collect.limiter import Lane, backoff


def test_waits_double_with_jitter_and_end() -> None:
    for attempts, longest in enumerate((0.05, 0.1, 0.2, 0.4, 0.8, *[1.0] * 6), start=1):
        waits = [backoff(attempts) for _ in range(200)]
        assert all(wait is not None and longest / 4 <= wait <= longest for wait in waits)
        assert len(set(waits)) > 100
    assert backoff(12) is None


def test_who_is_calling_is_asked_again_as_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's first call comes before there are lanes; botocore alone would wait for a second and more."""
    words = b"<ErrorResponse><Error><Code>Throttling</Code><Message>slower</Message></Error></ErrorResponse>"
    tries = iter([answers.response(words, 400, {"Content-Type": "text/xml"})] * 3)

    def answer(operation: str, parameters: dict[str, Any]) -> AWSResponse:
        identity = answers.response(answers.IDENTITY, headers={"Content-Type": "text/xml"})
        return next(tries, identity)

    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    assert answers.session(answer).identity("eu-west-1").account == "123456789012"
    assert len(waits) == 3
    assert sum(waits) <= 0.05 + 0.1 + 0.2


def test_a_call_is_given_up_within_some_seconds() -> None:
    assert sum(0.05 * 2**n for n in range(5)) + 6 * 1.0 < 10


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
