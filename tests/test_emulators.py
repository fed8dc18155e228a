"""Two independent emulations of AWS, over HTTP, filled with the real AWS CLI."""

from __future__ import annotations

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


@pytest.mark.parametrize("name", ["moto", "ministack"])
def test_an_emulated_account_is_judged_as_it_was_built(name: str) -> None:
    if name == "ministack" and not run.MINISTACK.exists():
        pytest.skip(f"{run.MINISTACK} is not there: 'make setup' installs it")
    assert run.run(name) == []


@pytest.mark.parametrize("name", ["moto", "ministack"])
def test_the_demo_account_says_what_an_endpoint_refuses(name: str) -> None:
    session = boto3.session.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name=run.REGION
    )
    with run.running(name) as emulator:
        refusals = demo_account.seed(session, endpoint_url=emulator.environment["AWS_ENDPOINT_URL"])
    assert {refusal.operation for refusal in refusals} == REFUSED[name]
