"""What a setting refers to may be kept; what may be a secret may not."""

from __future__ import annotations

import pytest

from wa_audit.aws import references

_TABLE = "arn:aws:dynamodb:eu-west-1:1:table/orders"
_QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
_CLUSTER = "dw.c0ffee12ab.eu-west-1.redshift.amazonaws.com"
_WORKGROUP = "bi.123456789012.eu-west-1.redshift-serverless.amazonaws.com"


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("OUTPUT", "s3://lake/curated/orders/", "s3://lake"),
        ("TARGET", f"{_TABLE}/stream/2026", _TABLE),
        ("QUEUE_URL", _QUEUE, "sqs:eu-west-1:123456789012:orders"),
        (
            "X",
            "https://eu-west-1.queue.amazonaws.com/123456789012/o.fifo",
            "sqs:eu-west-1:123456789012:o.fifo",
        ),
        ("X", "http://localhost:4566/123456789012/orders", "sqs::123456789012:orders"),
        ("ORDERS_TABLE", "acme-orders", "AWS::DynamoDB::Table:acme-orders"),
        ("ordersTableName", "acme-orders", "AWS::DynamoDB::Table:acme-orders"),
        ("--output_bucket", "acme-lake", "AWS::S3::Bucket:acme-lake"),
        ("STREAM", "clicks", "AWS::Kinesis::Stream:clicks"),
        (
            "ClusterJDBCURL",
            f"jdbc:redshift://{_CLUSTER}:5439/dev?user=a&password=b",
            f"redshift://{_CLUSTER}",
        ),
        ("DB", f"jdbc:redshift:iam://{_WORKGROUP}/dev", f"redshift://{_WORKGROUP}"),
        ("DB_HOST", _CLUSTER, f"redshift://{_CLUSTER}"),
        ("Url", "https://in.partner.example/v1/input?api_key=hunter2", "https://in.partner.example"),
        ("HECEndpoint", "https://splunk.example:8088", "https://splunk.example"),
        ("Url", "https://user:hunter2@in.partner.example/", "https://in.partner.example"),
    ],
)
def test_what_names_a_resource_is_kept(key: str, value: str, found: str) -> None:
    assert references.of(key, value) == found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DB_PASSWORD", "orders"),
        ("PASSWORD_TABLE", "hunter2hunter2"),
        ("MODE", "acme-orders"),
        ("TABLE", "two words"),
        ("BUCKET", "Not_A_Bucket"),
        ("SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:1:secret:db-a1b2c3"),
        ("URL", "https://user:hunter2@example.com/1/x"),
        ("Url", "https://"),
        ("DB_HOST", "dw.example.com"),
        ("TABLE", "AKIAIOSFODNN7EXAMPLE"),
        ("STREAM", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
        ("X", ""),
        ("X", 3),
    ],
)
def test_what_may_be_a_secret_or_names_nothing_is_not(key: str, value: object) -> None:
    assert references.of(key, value) is None
