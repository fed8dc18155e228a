"""Calls that AWS has throttled come at the rate that AWS publishes."""

from __future__ import annotations

import botocore.session
import pytest

from wa_audit.aws.framework import table
from wa_audit.collect.kinds import declared
from wa_audit.collect.pacer import Pacer, allowance

STREAMS = "kinesis:DescribeStreamSummary"  # 20 a second


def test_nothing_waits_before_aws_throttles() -> None:
    pacer = Pacer()
    assert [pacer.wait("eu-west-1", STREAMS, 5.0) for _ in range(100)] == [0.0] * 100


def test_calls_are_spread_at_the_published_rate_from_the_first_throttle_on() -> None:
    pacer = Pacer()
    assert pacer.throttled("eu-west-1", STREAMS, 10.0)
    turns = [10.0 + pacer.wait("eu-west-1", STREAMS, 10.0) for _ in range(40)]
    assert turns == [pytest.approx(10.05 + number / 20) for number in range(40)]
    assert pacer.wait("eu-west-1", STREAMS, 60.0) == 0.0  # a turn that nobody took is gone


def test_another_region_and_another_operation_do_not_wait() -> None:
    pacer = Pacer()
    pacer.throttled("eu-west-1", STREAMS, 10.0)
    assert pacer.wait("eu-central-1", STREAMS, 10.0) == 0.0
    assert pacer.wait("eu-west-1", "kinesis:ListStreams", 10.0) == 0.0


def test_a_rate_that_holds_grows_and_starts_over_at_a_throttle() -> None:
    def lasts(pacer: Pacer, calls: int, now: float) -> float:
        return [pacer.wait("eu-west-1", STREAMS, now) for _ in range(calls)][-1]

    pacer = Pacer()
    pacer.throttled("eu-west-1", STREAMS, 0.0)
    assert lasts(pacer, 500, 0.0) < 500 / 20 * 0.8
    pacer.throttled("eu-west-1", STREAMS, 100.0)
    assert lasts(pacer, 20, 100.0) == pytest.approx(19 / 20, rel=0.1)


def test_operations_may_share_a_rate() -> None:
    assert allowance("lambda:GetPolicy") == ("lambda:GetPolicy", 15.0)
    assert allowance("lambda:ListTags") == allowance("lambda:GetFunctionConcurrency") == ("lambda:*", 15.0)
    pacer = Pacer()
    pacer.throttled("eu-west-1", "lambda:ListTags", 0.0)
    assert pacer.wait("eu-west-1", "lambda:GetFunctionConcurrency", 0.0) == pytest.approx(1 / 15)


def test_what_is_published_nowhere_is_left_to_its_lane() -> None:
    pacer = Pacer()
    assert not pacer.throttled("eu-west-1", "s3:GetBucketAcl", 0.0)
    assert pacer.wait("eu-west-1", "s3:GetBucketAcl", 0.0) == 0.0


def test_every_row_is_of_an_operation_that_is_called() -> None:
    session = botocore.session.get_session()
    called = set()
    for kind, call in declared():
        for operation in kind.operations(call):
            service, _, name = operation.partition(":")
            called.add(f"{session.get_service_model(service).service_id.hyphenize()}:{name}")
    named = {allowance(operation)[0] for operation in called}
    assert {pattern for pattern, _, _ in table("api_rates.tsv")} <= named
