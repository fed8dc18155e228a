"""The role of deploy/member-role.yaml under an IAM that really decides: who takes it on, and what it may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.exceptions import ClientError

from tests import deployed
from tests.emulators import run

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.skipif(not run.MINISTACK.exists(), reason="'make setup' installs ministack"),
]

AUDITING, MEMBER, STRANGER = "123456789012", "210987654321", "999999999999"
SCANS = "wa-audit-organization-scan"
EXTERNAL_ID = "an-example"


class Accounts(NamedTuple):
    endpoint: str

    def root(self, account: str) -> boto3.session.Session:
        """An account's number is its root's access key."""
        return boto3.session.Session(account, "test", region_name=run.REGION)

    def client(self, session: boto3.session.Session, service: str) -> Any:
        return session.client(service, endpoint_url=self.endpoint)

    def takes_on(self, session: boto3.session.Session, account: str, role: str, **more: str) -> Any:
        """A session of the role, once it has been taken on."""
        taken = self.client(session, "sts").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName="audit", **more
        )["Credentials"]
        return boto3.session.Session(
            taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"], region_name=run.REGION
        )

    def makes_role(self, account: str, name: str) -> None:
        """A role that may take on every account's `wa-audit`, and whoever of its account may be it."""
        iam = self.client(self.root(account), "iam")
        root = {"AWS": f"arn:aws:iam::{account}:root"}
        own = {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_document(own)))
        enter = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/wa-audit"}
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(_document(enter)))


def _document(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture(scope="module")
def accounts() -> Iterator[Accounts]:
    """The member's account has the stack; the others have roles that would take it on."""
    with run.running("ministack", AUTH="true") as emulator, pytest.MonkeyPatch.context() as patch:
        found = Accounts(emulator.environment["AWS_ENDPOINT_URL"])
        ids = {
            account: found.client(found.root(account), "organizations").describe_organization()
            for account in (AUDITING, STRANGER)
        }
        for account, name in ((AUDITING, SCANS), (AUDITING, "another"), (STRANGER, SCANS)):
            found.makes_role(account, name)
        patch.setenv("AWS_ENDPOINT_URL", found.endpoint)
        text = (Path(__file__).parents[1] / "deploy" / "member-role.yaml").read_text()
        # To AWS the principal of a session is its role, to ministack the session:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        role = "iam::${AuditingAccount}:role/${AuditingRole}"
        assert role in text
        text = text.replace(role, "sts::${AuditingAccount}:assumed-role/${AuditingRole}/audit")
        parameters = {
            "AuditingAccount": AUDITING,
            "ExternalId": EXTERNAL_ID,
            "OrganizationId": ids[AUDITING]["Organization"]["Id"],
        }
        deployed.Stack(found.root(MEMBER), deployed.read(text), "wa-audit", parameters).deploy()
        yield found


def test_who_scans_takes_it_on_and_reads(accounts: Accounts) -> None:
    scans = accounts.takes_on(accounts.root(AUDITING), AUDITING, SCANS)
    member = accounts.takes_on(scans, MEMBER, "wa-audit", ExternalId=EXTERNAL_ID)
    assert accounts.client(member, "sts").get_caller_identity()["Account"] == MEMBER
    assert accounts.client(member, "sqs").list_queues().get("QueueUrls", []) == []
    with pytest.raises(ClientError, match="is not authorized to perform: sqs:CreateQueue"):
        accounts.client(member, "sqs").create_queue(QueueName="written")


@pytest.mark.parametrize(
    ("account", "role", "more"),
    [
        (AUDITING, SCANS, {}),
        (AUDITING, SCANS, {"ExternalId": "another"}),
        (AUDITING, "another", {"ExternalId": EXTERNAL_ID}),
        (STRANGER, SCANS, {"ExternalId": EXTERNAL_ID}),
    ],
)
def test_nobody_else_takes_it_on(accounts: Accounts, account: str, role: str, more: dict[str, str]) -> None:
    session = accounts.takes_on(accounts.root(account), account, role)
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole"):
        accounts.takes_on(session, MEMBER, "wa-audit", **more)
