"""Two independent emulations of AWS, over HTTP, filled with the real AWS CLI."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from tests.emulators import run
from wa_audit import demo_account

pytestmark = pytest.mark.emulator

# What each refuses of the demo account. S3 Control puts the account's id before the endpoint's host name;
# moto's server has AWS's managed policies only when it is told to load them all, and answers a change of a
# Redshift parameter group with a page that says 500; ministack has neither Redshift nor MSK's second version.
REFUSED = {
    "moto": {
        "s3control:PutPublicAccessBlock",
        "iam:AttachRolePolicy",
        "emr:PutManagedScalingPolicy",
        "emr:PutAutoTerminationPolicy",
        "redshift:ModifyClusterParameterGroup",
    },
    "ministack": {
        "s3control:PutPublicAccessBlock",
        "glue:PutDataCatalogEncryptionSettings",
        "glue:PutResourcePolicy",
        "application-autoscaling:RegisterScalableTarget",
        "emr:CreateSecurityConfiguration",
        "emr:PutManagedScalingPolicy",
        "emr:PutAutoTerminationPolicy",
        "redshift:CreateClusterParameterGroup",
        "redshift:ModifyClusterParameterGroup",
        "redshift:CreateCluster",
        "redshift:EnableLogging",
        "redshift:EnableSnapshotCopy",
        "kafka:CreateClusterV2",
        "datasync:CreateLocationS3",
        "datasync:CreateLocationSmb",
        "datasync:CreateTask",
        "datasync:StartTaskExecution",
        "emr-serverless:CreateApplication",
        "iot:AttachPolicy",
        "iot:CreateKeysAndCertificate",
        "kafka:ListClustersV2",
        "lakeformation:AddLFTagsToResource",
        "lakeformation:CreateLFTag",
        "lakeformation:GrantPermissions",
        "lakeformation:PutDataLakeSettings",
        "lakeformation:RegisterResource",
        "s3:PutBucketReplication",
    },
}


ACCOUNT = run.read_account()


@pytest.fixture(scope="module")
def moto() -> Iterator[run.Emulator]:
    with run.filled("moto", ACCOUNT) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def ministack() -> Iterator[run.Emulator]:
    if not run.MINISTACK.exists():
        pytest.skip(f"{run.MINISTACK} is not there: 'make setup' installs it")
    with run.filled("ministack", ACCOUNT) as emulator:
        yield emulator


@pytest.mark.parametrize("name", ["moto", "ministack"])
def test_an_emulated_account_is_judged_as_it_was_built(name: str, request: pytest.FixtureRequest) -> None:
    found = run.audit(request.getfixturevalue(name))
    assert run.problems(found, ACCOUNT, ACCOUNT["unimplemented"][name]) == []


def test_the_printed_policy_suffices_and_allows_no_write(ministack: run.Emulator) -> None:
    """Nothing is denied to a user who holds this policy alone, but what ministack itself mistakes."""
    auditor = run.auditor(ministack)
    said = run.refusals(auditor, ACCOUNT["writes"])
    assert {call: words for call, words in said.items() if "is not authorized to perform" not in words} == {}
    found = run.audit(auditor)
    mistaken = ACCOUNT["denied_by_mistake"]
    assert {gap["operation"] for gap in found["gaps"] if gap["reason"] == "access_denied"} == set(mistaken)
    assert run.problems(found, ACCOUNT, ACCOUNT["unimplemented"]["ministack"] | mistaken) == []


def test_what_a_denial_names_is_what_is_missing(ministack: run.Emulator) -> None:
    assert run.misnamed(ministack) == {"budgets:DescribeBudgets": "budgets:DescribeBudgets"}


@pytest.mark.parametrize("name", ["moto", "ministack"])
def test_the_demo_account_says_what_an_endpoint_refuses(name: str) -> None:
    session = boto3.session.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name=run.REGION
    )
    with run.running(name) as emulator:
        refusals = demo_account.seed(session, endpoint_url=emulator.environment["AWS_ENDPOINT_URL"])
    assert {refusal.operation for refusal in refusals} == REFUSED[name]
