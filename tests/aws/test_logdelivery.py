"""Bucket policies that let load balancers write, and those that do not."""

from __future__ import annotations

from typing import Any

import pytest

from wa_audit.aws.logdelivery import takes_load_balancer_logs


def _policy(principal: Any, **more: Any) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Principal": principal, "Action": "s3:PutObject"}
    return {"Statement": [{**allow, "Resource": "arn:aws:s3:::logs/AWSLogs/123456789012/*", **more}]}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (_policy({"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}), True),
        (_policy({"Service": ["delivery.logs.amazonaws.com"]}), True),
        (_policy({"Service": "delivery.logs.amazonaws.com"}, Resource="arn:aws:s3:::flow/*"), False),
        (_policy({"Service": "delivery.logs.amazonaws.com"}, Action="s3:GetBucketAcl"), False),
        (_policy({"AWS": "arn:aws:iam::156460612806:root"}), True),
        (_policy({"AWS": "arn:aws:iam::123456789012:root"}), False),
        (_policy({"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}, Effect="Deny"), False),
        (_policy("*"), False),
        ({"Statement": _policy({"AWS": "156460612806"})["Statement"][0]}, True),
        ({}, False),
        (None, False),
    ],
)
def test_takes_load_balancer_logs(policy: dict[str, Any] | None, expected: bool) -> None:
    assert takes_load_balancer_logs(policy) is expected
