"""How each type of resource is spelled in an ARN."""

from __future__ import annotations

import pytest

from wa_audit.aws import arns
from wa_audit.collect.kinds import by_type

_PLACE = {"partition": "aws", "region": "eu-west-1", "account": "123456789012"}


@pytest.mark.parametrize("type_", arns.SPELLINGS)
def test_what_is_built_is_known_again(type_: str) -> None:
    assert arns.type_of(arns.build(type_, "orders", **_PLACE)) == type_


@pytest.mark.parametrize(
    "type_", [type_ for type_ in arns.SPELLINGS if type_ in by_type() and "{account}" in by_type()[type_].arn]
)
def test_the_collector_spells_them_alike(type_: str) -> None:
    kind = by_type()[type_]
    head, brace, _ = kind.arn.format_map(_Fields()).partition("{")
    built = arns.build(type_, "", **_PLACE)
    assert (head, brace) == (built, "{")


class _Fields(dict[str, str]):
    """The places of an ARN, and any other field as it stands in the template."""

    def __missing__(self, field: str) -> str:
        return _PLACE.get(field, "{" + field + "}")


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("arn:aws:s3:::lake", "AWS::S3::Bucket"),
        ("arn:aws-cn:sqs:cn-north-1:1:orders", "AWS::SQS::Queue"),
        ("arn:aws:redshift:eu-west-1:1:namespace:0-0", "AWS::Redshift::Cluster"),
        ("arn:aws:scheduler:eu-west-1:1:schedule/default/nightly", "AWS::Scheduler::Schedule"),
        ("arn:aws:lambda:eu-west-1:1:layer:x", ""),
        ("arn:aws:iam::1:role/x", ""),
        ("https://example.com", ""),
        ("", ""),
    ],
)
def test_the_type_of_an_arn(text: str, type_: str) -> None:
    assert arns.type_of(text) == type_


def test_a_bucket_has_neither_region_nor_account() -> None:
    assert arns.build("AWS::S3::Bucket", "lake", **_PLACE) == "arn:aws:s3:::lake"


def test_what_is_not_spelled_is_refused() -> None:
    with pytest.raises(KeyError):
        arns.build("AWS::EC2::Volume", "vol-1", **_PLACE)
