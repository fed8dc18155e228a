"""The loopback AWS answers every program as AWS does, not only the one that it was made for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.loopback import Account, Loopback

ACCOUNT = Account(buckets=2, functions=1, queues=0, streams=2, jobs=0, tables=1)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with Loopback(ACCOUNT, latency=0) as server:
        yield server.endpoint


@pytest.fixture
def client(endpoint: str) -> Any:
    def made(service: str) -> Any:
        session = boto3.session.Session("AKIAIOSFODNN7EXAMPLE", "example", region_name="eu-west-1")
        config = Config(retries={"total_max_attempts": 1})
        return session.client(service, endpoint_url=endpoint, config=config)

    return made


@pytest.mark.parametrize(
    ("service", "call", "parameters", "member", "number"),
    [
        ("s3", "list_buckets", {}, "Buckets", 2),
        ("kinesis", "list_streams", {}, "StreamSummaries", 2),
        ("glue", "get_ml_transforms", {}, "Transforms", 0),
        ("dax", "describe_clusters", {}, "Clusters", 0),
        ("ec2", "describe_vpn_connections", {}, "VpnConnections", 0),
        ("backup", "list_report_plans", {}, "ReportPlans", 0),
        ("cloudtrail", "describe_trails", {}, "trailList", 0),
    ],
)
def test_a_list_is_there_whoever_asks_for_it(
    client: Any, service: str, call: str, parameters: dict[str, Any], member: str, number: int
) -> None:
    answer = getattr(client(service), call)(**parameters)

    assert len(answer[member]) == number


def test_the_owner_of_the_buckets_is_told(client: Any) -> None:
    assert client("s3").list_buckets()["Owner"]["ID"]


def test_a_function_can_be_asked_for_alone(client: Any) -> None:
    found = client("lambda").get_function(FunctionName="function-0")

    assert found["Configuration"]["FunctionName"] == "function-0"
    assert found["Code"]["RepositoryType"] == "S3"


@pytest.mark.parametrize(
    ("service", "call", "parameters", "code"),
    [
        ("lambda", "get_function_url_config", {"FunctionName": "f-0"}, "ResourceNotFoundException"),
        ("dynamodb", "get_resource_policy", {"ResourceArn": "arn"}, "PolicyNotFoundException"),
        ("organizations", "describe_account", {"AccountId": "1" * 12}, "AWSOrganizationsNotInUseException"),
    ],
)
def test_what_is_not_there_is_an_error(
    client: Any, service: str, call: str, parameters: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as told:
        getattr(client(service), call)(**parameters)

    assert told.value.response["Error"]["Code"] == code
