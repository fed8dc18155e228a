"""What event selectors take in, as CloudTrail's own documentation has it."""

from __future__ import annotations

from typing import Any

import pytest

from wa_audit.aws.dataevents import READ, WRITE, logged

BUCKET, TABLE = "arn:aws:s3:::lake", "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
BOTH = {READ, WRITE}


def advanced(type_: str, *fields: dict[str, Any]) -> list[dict[str, Any]]:
    frame = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": [type_]}]
    return [{"FieldSelectors": [*frame, *fields]}]


@pytest.mark.parametrize(
    ("type_", "arn", "value", "expected"),
    [
        ("AWS::S3::Object", BUCKET, "arn:aws:s3", BOTH),
        ("AWS::S3::Object", BUCKET, "arn:aws:s3:::", BOTH),
        ("AWS::S3::Object", BUCKET, "arn:aws:s3:::lake/", BOTH),
        ("AWS::S3::Object", BUCKET, "arn:aws:s3:::lake/raw", set()),
        ("AWS::S3::Object", BUCKET, "arn:aws:s3:::lake-2/", set()),
        ("AWS::Lambda::Function", BUCKET, "arn:aws:s3", set()),
        ("AWS::DynamoDB::Table", TABLE, "arn:aws:dynamodb", BOTH),
        ("AWS::DynamoDB::Table", TABLE, TABLE, BOTH),
        ("AWS::DynamoDB::Table", TABLE, TABLE[:-1], set()),
    ],
)
def test_basic_selectors(type_: str, arn: str, value: str, expected: set[str]) -> None:
    resource = "AWS::S3::Bucket" if arn == BUCKET else "AWS::DynamoDB::Table"
    selectors = [{"ReadWriteType": "All", "DataResources": [{"Type": type_, "Values": [value]}]}]
    assert logged(resource, arn, selectors, None) == expected


@pytest.mark.parametrize(
    ("operators", "bucket", "table"),
    [
        ({}, BOTH, BOTH),
        ({"StartsWith": ["arn:aws:s3:::lake/"]}, BOTH, set()),
        ({"StartsWith": ["arn:aws:s3:::lake/raw/"]}, set(), set()),
        ({"StartsWith": ["arn:aws:dynamodb:eu-west-1:"]}, set(), BOTH),
        ({"Equals": ["arn:aws:s3:::lake/key", TABLE]}, set(), BOTH),
        ({"EndsWith": ["orders"]}, set(), BOTH),
        ({"NotStartsWith": ["arn:aws:s3:::logs/"]}, BOTH, BOTH),
        ({"NotStartsWith": ["arn:aws:s3:::lake/tmp/"]}, set(), BOTH),
        ({"NotStartsWith": ["arn:aws:s3:::", "arn:aws:dynamodb:"]}, set(), set()),
        ({"NotEquals": ["arn:aws:s3:::lake/key", TABLE]}, set(), set()),
        ({"NotEndsWith": ["orders"]}, set(), set()),
        ({"StartsWith": ["arn:aws:"], "NotStartsWith": ["arn:aws:s3:::lake/"]}, set(), BOTH),
    ],
)
def test_advanced_selectors(operators: dict[str, list[str]], bucket: set[str], table: set[str]) -> None:
    field = [{"Field": "resources.ARN", **operators}] if operators else []
    found = logged("AWS::S3::Bucket", BUCKET, None, advanced("AWS::S3::Object", *field))
    assert found == bucket
    found = logged("AWS::DynamoDB::Table", TABLE, None, advanced("AWS::DynamoDB::Table", *field))
    assert found == table


def test_a_filter_by_name_lets_some_through() -> None:
    some = advanced("AWS::S3::Object", {"Field": "eventName", "Equals": ["DeleteObject"]})
    assert logged("AWS::S3::Bucket", BUCKET, None, some) == set()


def test_management_events_are_no_data_events() -> None:
    management = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
    assert logged("AWS::S3::Bucket", BUCKET, None, management) == set()


def test_selectors_add_up() -> None:
    reads = advanced("AWS::S3::Object", {"Field": "readOnly", "Equals": ["true"]})
    writes = advanced("AWS::S3::Object", {"Field": "readOnly", "Equals": ["false"]})
    assert logged("AWS::S3::Bucket", BUCKET, None, reads) == {READ}
    assert logged("AWS::S3::Bucket", BUCKET, None, reads + writes) == BOTH
