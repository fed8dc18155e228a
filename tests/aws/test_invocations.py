"""What invokes Lambda functions."""

from __future__ import annotations

from typing import Any

import pytest

from wa_audit.aws import invocations


@pytest.mark.parametrize(
    ("arn", "self_managed", "expected"),
    [
        ("arn:aws:sqs:eu-west-1:123456789012:orders", None, "sqs"),
        ("arn:aws:kinesis:eu-west-1:123456789012:stream/clicks", None, "kinesis"),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026", None, "dynamodb"),
        ("arn:aws:kafka:eu-west-1:123456789012:cluster/lake/1", None, "kafka"),
        (None, {"Endpoints": {}}, "kafka"),
        ("arn:aws:rds:eu-west-1:123456789012:cluster:docs", None, "documentdb"),
        ("arn:aws:mq:eu-west-1:123456789012:broker:b:1", None, "mq"),
        (None, None, ""),
    ],
)
def test_source(arn: str | None, self_managed: object, expected: str) -> None:
    assert invocations.source(arn, self_managed) == expected


def test_stream_arn() -> None:
    stream = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
    assert invocations.stream_arn(f"{stream}/consumer/load:1") == stream
    assert invocations.stream_arn(stream) == stream


def _policy(effect: str, action: Any, principal: Any) -> dict[str, Any]:
    return {"Statement": {"Effect": effect, "Action": action, "Principal": principal}}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (_policy("Allow", "lambda:InvokeFunction", {"Service": "s3.amazonaws.com"}), ["s3"]),
        (
            _policy("Allow", ["lambda:*"], {"Service": ["sns.amazonaws.com", "iot.amazonaws.com"]}),
            ["iot", "sns"],
        ),
        (_policy("Allow", "lambda:Invoke*", {"Service": "logs.eu-west-1.amazonaws.com"}), ["logs"]),
        (_policy("Allow", "lambda:GetFunction", {"Service": "s3.amazonaws.com"}), []),
        (_policy("Deny", "lambda:InvokeFunction", {"Service": "s3.amazonaws.com"}), []),
        (_policy("Allow", "lambda:InvokeFunction", {"Service": "apigateway.amazonaws.com"}), []),
        (_policy("Allow", "lambda:InvokeFunction", {"AWS": "123456789012"}), []),
        (_policy("Allow", "lambda:InvokeFunction", "*"), []),
        ({}, []),
        (None, []),
    ],
)
def test_asynchronous_invokers(policy: dict[str, Any] | None, expected: list[str]) -> None:
    assert invocations.asynchronous_invokers(policy) == expected
