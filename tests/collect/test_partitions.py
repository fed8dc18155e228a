"""Every kind read in each of AWS's partitions: its ARNs, and the hosts that it is asked of."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import botocore.session
import pytest

from tests.collect import answers
from tests.faults import shapes
from wa_audit.aws import arns
from wa_audit.collect import collect, forecast, kinds, plan
from wa_audit.collect.kinds import Kind
from wa_audit.model import Reason, Unread
from wa_audit.relations import relate

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

    from wa_audit.inventory import Inventory

REGIONS = {
    "aws": ("eu-west-1", "us-east-1"),
    "aws-cn": ("cn-northwest-1", "cn-north-1"),
    "aws-us-gov": ("us-gov-east-1", "us-gov-west-1"),
}
DOMAINS = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}
# Where what is global is asked, once: https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html,
# https://docs.amazonaws.cn/en_us/aws/latest/userguide/endpoints-Beijing.html
GLOBAL = {
    "aws": {
        "budgets": "budgets.amazonaws.com",
        "ce": "ce.us-east-1.amazonaws.com",
        "iam": "iam.amazonaws.com",
        "organizations": "organizations.us-east-1.amazonaws.com",
        "quicksight": "quicksight.us-east-1.amazonaws.com",
        "s3": "s3.amazonaws.com",
        "s3control": "123456789012.s3-control.us-east-1.amazonaws.com",
    },
    "aws-cn": {
        "budgets": "budgets.amazonaws.com.cn",
        "ce": "ce.cn-northwest-1.amazonaws.com.cn",
        "iam": "iam.cn-north-1.amazonaws.com.cn",
        "organizations": "organizations.cn-northwest-1.amazonaws.com.cn",
        "quicksight": "quicksight.cn-north-1.amazonaws.com.cn",
        "s3": "s3.cn-north-1.amazonaws.com.cn",
        "s3control": "123456789012.s3-control.cn-north-1.amazonaws.com.cn",
    },
    "aws-us-gov": {
        "iam": "iam.us-gov.amazonaws.com",
        "organizations": "organizations.us-gov-west-1.amazonaws.com",
        "quicksight": "quicksight.us-gov-west-1.amazonaws.com",
        "s3": "s3.us-gov-west-1.amazonaws.com",
        "s3control": "123456789012.s3-control.us-gov-west-1.amazonaws.com",
    },
}
EVERYTHING = {kind.type: (kind, kind.details) for kind in kinds.all_kinds()}
_ROWS = {
    f"{shapes.model(kind, call).service_model.service_id.hyphenize()}:{call.operation}": (kind, call)
    for kind, call in reversed(list(kinds.declared()))
}


@dataclass
class Read:
    """What one partition's reading brought: the inventory, and the hosts asked for each operation."""

    inventory: Inventory
    hosts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


@cache
def _read(partition: str) -> Read:
    """One resource of every kind, as the partition's own services would describe it."""
    regions = REGIONS[partition]
    hosts: dict[str, set[str]] = defaultdict(set)

    def answer(operation: str, parameters: dict[str, Any]) -> AWSResponse:
        host = str(urlsplit(parameters["url"]).hostname)
        if operation == "sts:GetCallerIdentity":
            return answers.response(answers.IDENTITY)
        if operation == "resource-groups-tagging-api:GetResources":
            return answers.response({"ResourceTagMappingList": []})
        kind, call = _ROWS[operation]
        hosts[kind.operation(call)].add(host)
        body, headers = shapes.write(shapes.model(kind, call), shapes.healthy(kind, call))
        region = next((region for region in regions if region in host), regions[0])
        body = body.replace(shapes.REGION.encode(), region.encode())
        return answers.response(body.replace(b"arn:aws:", f"arn:{partition}:".encode()), 200, headers)

    session = answers.session(answer, regions[0])
    return Read(collect(session, EVERYTHING, regions, workers=4), hosts)


def _there(kind: Kind, partition: str) -> bool:
    return partition not in kind.not_in.split()


_CASES = [
    pytest.param(kind, partition, id=f"{kind.type} {partition}")
    for kind in kinds.all_kinds()
    for partition in REGIONS
    if _there(kind, partition)
]


@pytest.mark.parametrize(("kind", "partition"), _CASES)
def test_its_arns_are_of_the_partition_and_its_regions(kind: Kind, partition: str) -> None:
    found = _read(partition).inventory.of(kind.type)
    assert found
    for resource in found:
        arn = arns.parse(resource.arn)
        assert (arn.partition, arn.account) in {(partition, shapes.ACCOUNT), (partition, "")}
        assert arn.resource
        assert arn.region in ("", *REGIONS[partition])
        assert resource.region in ("", *REGIONS[partition])


@pytest.mark.parametrize(("kind", "partition"), _CASES)
def test_it_is_asked_where_the_partition_answers(kind: Kind, partition: str) -> None:
    """A regional service in each region, under its name; a global one at the partition's one host."""
    hosts = _read(partition).hosts
    domain = DOMAINS[partition]
    for host in hosts[kind.operation(kind.list)]:
        assert host.endswith(f".{domain}")
    if kind.scope == "global":
        assert hosts[kind.operation(kind.list)] == {GLOBAL[partition][kind.service]}
        return
    asked = {host.removesuffix(f".{domain}").split(".")[-1] for host in hosts[kind.operation(kind.list)]}
    assert asked == set(REGIONS[partition])


@pytest.mark.parametrize("partition", REGIONS)
def test_no_host_and_no_relation_leaves_the_partition(partition: str) -> None:
    read = _read(partition)
    assert {
        host for hosts in read.hosts.values() for host in hosts if not host.endswith(DOMAINS[partition])
    } == set()
    ends = {
        end for relation in relate(read.inventory).relations() for end in (relation.source, relation.target)
    }
    named = {end for end in ends if end.startswith("arn:")}
    assert named
    assert {arns.parse(end).partition for end in named} == {partition}


def test_a_kind_says_where_aws_does_not_offer_it() -> None:
    """As botocore's own list of endpoints does, of whatever has one host for a partition."""
    session = botocore.session.get_session()
    for kind in kinds.all_kinds():
        if kind.scope == "global" and kind.service not in ("s3", "s3control"):
            for partition in REGIONS:
                hosts = session.get_available_regions(kind.service, partition, allow_non_regional=True)
                assert bool(hosts) is _there(kind, partition), (kind.type, partition)
        else:
            assert not kind.not_in


def test_what_is_not_offered_is_neither_asked_nor_taken_for_absent() -> None:
    read = _read("aws-us-gov")
    assert not [operation for operation in read.hosts if operation.startswith(("budgets:", "ce:"))]
    with pytest.raises(Unread) as raised:
        read.inventory.of("AWS::Budgets::Budget")
    assert raised.value.gap.reason is Reason.OUT_OF_SCOPE
    assert str(raised.value) == (
        "budgets:DescribeBudgets, which AWS does not offer in aws-us-gov, lies outside the audited account "
        "and regions"
    )


def test_what_is_not_offered_is_not_forecast() -> None:
    made = plan.offered(EVERYTHING, "aws-us-gov")
    text = forecast.text(made, made, ["us-gov-west-1"])
    assert "organizations:DescribeOrganization" in text
    assert "budgets:" not in text
