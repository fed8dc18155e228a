"""The policy engine against an IAM that really decides: ministack with AUTH=true.

Each labelled policy that asks about one request is given to a user, and the user makes the request. What the
engine says is granted must be granted there, and what it says is not must be refused. The engine answers for
every request that there may be, an emulator for the one that is made; so the engine is asked with the values
that this request has, and without those that it lacks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.aws.test_oracle import CASES
from tests.emulators import run
from wa_audit.aws import conditions, policy
from wa_audit.aws.policy import Policy, Statement

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.skipif(not run.MINISTACK.exists(), reason="'make setup' installs ministack"),
]

OWN, OTHER, STRANGER = "123456789012", "210987654321", "999999999999"
USER = "ann"
# What a request over plain HTTP on loopback says of itself. Every other key of the policies is missing.
SAYS = {
    "aws:username": USER,
    "aws:securetransport": "false",
    "aws:requestedregion": run.REGION,
    "aws:principalaccount": OWN,
    "aws:sourceip": "127.0.0.1",
}
STRANGER_SAYS = SAYS | {
    "aws:principalaccount": STRANGER,
    "aws:principalarn": f"arn:aws:iam::{STRANGER}:user/{USER}",
}

# Where ministack decides otherwise than AWS documents, so that the two cannot agree.
NO_VARIABLES = (
    "ministack compares ${aws:username} as it is written, AWS puts in the value of the key, or the default: "
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"
)
NO_COMPLETION = (
    "AWS completes an ARN of fewer than six parts with *, ministack compares it as it is written: "
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"
)
NO_NOT_PRINCIPAL = (
    "ministack leaves out every statement with NotPrincipal, AWS applies it to all but those it names: "
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"
)
DENY = "Deny, with and without conditions"
BUCKETS = "Open to everyone: a bucket"
VARIABLES = "Policy variables: their value is the request's"
WRONG = {
    f"{VARIABLES}: one's own folder may be this one": NO_VARIABLES,
    f"{VARIABLES}: a default value": NO_VARIABLES,
    f"{VARIABLES}: a Deny of all but one's own leaves one's own": NO_VARIABLES,
    "One action on one object: what the Resource element takes in: an ARN that AWS completes": NO_COMPLETION,
    f"{DENY}: denied by an ARN that AWS completes": NO_COMPLETION,
    f"{DENY}: NotResource by a * that reaches beyond a colon leaves it": NO_COMPLETION,
    f"{BUCKETS}: everyone but one": NO_NOT_PRINCIPAL,
    f"{BUCKETS}: shut for all but the account": NO_NOT_PRINCIPAL,
}
# Where the engine says more than this one request is given: it answers for others too, or errs on the safe
# side.
MORE = {
    f"{VARIABLES}: a tag may name the bucket": "this user has no tag, and another may",
    f"{VARIABLES}: a Deny whose variable has no value is void": "this user has a name, and a role has none",
    f"{VARIABLES}: a variable in a language version that has none": "see false_positives.md",
    "Open to everyone: a queue: opened on all, shut by its own ARN": "see false_positives.md",
    f"{BUCKETS}: shut for the account": "this user is of the account, and strangers are not",
    f"{BUCKETS}: opened, and its objects shut by their bucket's ARN": "see false_positives.md",
}


def met(document: Mapping[str, Any], says: Mapping[str, str]) -> tuple[Statement, ...]:
    """The statements of a document as a request meets them that says this and nothing else."""
    found = []
    for statement in policy.parse(document):
        left: Any = statement.conditions
        for condition in statement.conditions:
            if condition.key in says:
                left = None if left is None else conditions.settled(left, condition.key, says[condition.key])
            elif not condition.tolerates_absence:
                left = None
        if left is not None:
            kept = tuple(condition for condition in left if condition.key in says)
            found.append(Statement(**{**_fields(statement), "conditions": kept}))
    return tuple(found)


def _fields(statement: Statement) -> dict[str, Any]:
    return {name: getattr(statement, name) for name in Statement.__struct_fields__}


class Iam:
    """An account of the emulator: its root, and a user whose policies are changed."""

    def __init__(self, emulator: run.Emulator, account: str) -> None:
        self.endpoint, self.account = emulator.environment["AWS_ENDPOINT_URL"], account
        # An account's number is its root's access key.
        self.root = self._session(account, "test")
        self.iam = self.client(self.root, "iam")
        self.iam.create_user(UserName=USER)
        key = self.iam.create_access_key(UserName=USER)["AccessKey"]
        self.user = self._session(key["AccessKeyId"], key["SecretAccessKey"])

    def _session(self, key: str, secret: str) -> boto3.session.Session:
        return boto3.session.Session(
            aws_access_key_id=key, aws_secret_access_key=secret, region_name=run.REGION
        )

    def client(self, session: boto3.session.Session, service: str) -> Any:
        return session.client(service, endpoint_url=self.endpoint)

    def give(self, document: Mapping[str, Any], boundary: Mapping[str, Any] | None = None) -> None:
        """The user has this policy alone, within this boundary or none."""
        if document["Statement"]:
            self.iam.put_user_policy(UserName=USER, PolicyName="p", PolicyDocument=json.dumps(document))
        elif self.iam.list_user_policies(UserName=USER)["PolicyNames"]:
            self.iam.delete_user_policy(UserName=USER, PolicyName="p")
        if self.iam.get_user(UserName=USER)["User"].get("PermissionsBoundary"):
            self.iam.delete_user_permissions_boundary(UserName=USER)
        if boundary:
            name = f"limit-{len(self.iam.list_policies(Scope='Local')['Policies'])}"
            # A policy needs a statement; one that allows nothing here is as good as none.
            spoken = boundary if boundary["Statement"] else _nothing()
            made = self.iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(spoken))
            self.iam.put_user_permissions_boundary(UserName=USER, PermissionsBoundary=made["Policy"]["Arn"])


def _nothing() -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeRegions", "Resource": "*"}],
    }


@pytest.fixture(scope="module")
def emulator() -> Iterator[run.Emulator]:
    with run.running("ministack", AUTH="true") as started:
        yield started


@pytest.fixture(scope="module")
def own(emulator: run.Emulator) -> Iam:
    found = Iam(emulator, OWN)
    s3 = found.client(found.root, "s3")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": run.REGION})
    # A new bucket refuses policies that open it.
    s3.delete_public_access_block(Bucket="data")
    for key in ("2026/a.csv", "ann/a.csv"):
        s3.put_object(Bucket="data", Key=key, Body=b"1")
    found.client(found.root, "sqs").create_queue(QueueName="orders")
    return found


@pytest.fixture(scope="module")
def stranger(emulator: run.Emulator) -> Iam:
    return _mighty(emulator, STRANGER)


@pytest.fixture(scope="module")
def other(emulator: run.Emulator) -> Iam:
    return _mighty(emulator, OTHER)


def _mighty(emulator: run.Emulator, account: str) -> Iam:
    """Another account, whose user may do everything as far as that account goes."""
    found = Iam(emulator, account)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    found.give({"Version": "2012-10-17", "Statement": [everything]})
    return found


def is_granted(call: Any, **arguments: Any) -> bool:
    """Whether a call is not refused for want of rights."""
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "AuthorizationError"):
            return False
        raise
    return True


def agree(name: str, *, granted: bool, said: bool) -> None:
    """The two say the same, but where it is known why not; then they must differ as is known."""
    if name in WRONG:
        assert granted is not said, f"ministack has learnt better: {WRONG[name]}"
    elif name in MORE:
        assert (granted, said) == (False, True)
    else:
        assert granted is said


REQUESTS = [name for name, case in CASES.items() if "may" in case["ask"]]


def engine_gives(case: Mapping[str, Any]) -> bool:
    limit = Policy("limit", met(case["boundary"], SAYS)) if "boundary" in case else None
    given = [Policy("p", met(case["policy"], SAYS))]
    found = policy.grants(given, case["ask"]["may"], frozenset(), limit, on=case["ask"]["on"])
    return bool(found)


def test_enough_is_asked() -> None:
    assert len(REQUESTS) >= 100
    assert {*WRONG, *MORE} <= set(CASES)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_users_request_is_answered_as_the_engine_says(name: str, own: Iam) -> None:
    case = CASES[name]
    assert case["ask"]["may"] == "s3:GetObject"
    own.give(case["policy"], case.get("boundary"))
    key = case["ask"]["on"].removeprefix("arn:aws:s3:::data/")
    granted = is_granted(own.client(own.user, "s3").get_object, Bucket="data", Key=key)
    agree(name, granted=granted, said=engine_gives(case))


@pytest.mark.parametrize("name", [name for name in REQUESTS if "boundary" not in CASES[name]])
def test_a_simulation_is_answered_as_the_engine_says(name: str, own: Iam) -> None:
    case = CASES[name]
    answer = own.iam.simulate_custom_policy(
        PolicyInputList=[json.dumps(case["policy"])],
        ActionNames=[case["ask"]["may"]],
        ResourceArns=[case["ask"]["on"]],
    )
    granted = answer["EvaluationResults"][0]["EvalDecision"] == "allowed"
    agree(name, granted=granted, said=engine_gives(case))


def asks(kind: str, what: str) -> list[str]:
    return [name for name, case in CASES.items() if case["ask"].get(kind) == what]


def is_said_open(document: Mapping[str, Any], says: Mapping[str, str] = STRANGER_SAYS) -> bool:
    # Of an address the engine says whether it is anybody's, and loopback is in no range but such.
    return bool(policy.exposures(met(document, says), policy.is_public, frozenset({"aws:sourceip"})))


@pytest.mark.parametrize("name", asks("public", "sqs:SendMessage"))
def test_a_strangers_message_is_taken_where_the_engine_says_that_a_queue_is_open(
    name: str, own: Iam, stranger: Iam
) -> None:
    document = CASES[name]["policy"]
    sqs = own.client(own.root, "sqs")
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(document)})
    send = stranger.client(stranger.user, "sqs").send_message
    agree(name, granted=is_granted(send, QueueUrl=url, MessageBody="1"), said=is_said_open(document))


@pytest.mark.parametrize("name", asks("public", "sns:Publish"))
def test_a_stranger_publishes_where_the_engine_says_that_a_topic_is_open(
    name: str, own: Iam, stranger: Iam
) -> None:
    document = CASES[name]["policy"]
    sns = own.client(own.root, "sns")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(document))
    publish = stranger.client(stranger.user, "sns").publish
    agree(name, granted=is_granted(publish, TopicArn=topic, Message="1"), said=is_said_open(document))


@pytest.mark.parametrize("more", [{}, {"ExternalId": "s3cr3t-9"}, {"ExternalId": "guess"}], ids=str)
@pytest.mark.parametrize("name", asks("foreign", OWN))
def test_another_account_takes_on_a_role_where_the_engine_says_so(
    name: str, more: dict[str, str], own: Iam, other: Iam
) -> None:
    document = CASES[name]["policy"]
    if "etl" not in [role["RoleName"] for role in own.iam.list_roles()["Roles"]]:
        own.iam.create_role(RoleName="etl", AssumeRolePolicyDocument=json.dumps(document))
    own.iam.update_assume_role_policy(RoleName="etl", PolicyDocument=json.dumps(document))
    assume = other.client(other.user, "sts").assume_role
    role = f"arn:aws:iam::{OWN}:role/etl"
    says = STRANGER_SAYS | {"aws:principalaccount": OTHER}
    says |= {f"sts:{key}".lower(): value for key, value in more.items()}
    statements = [s for s in met(document, says) if _speaks_of_user(s)]
    said = bool(policy.exposures(statements, lambda c: c.account == OTHER, frozenset()))
    agree(name, granted=is_granted(assume, RoleArn=role, RoleSessionName="session", **more), said=said)


def _speaks_of_user(statement: Statement) -> bool:
    """Whether a statement does not speak of another identity of the user's account alone."""
    return not all(":role/" in caller.value for caller in statement.callers)


@pytest.mark.parametrize("name", asks("public", "s3:GetObject"))
def test_a_user_without_rights_reads_where_the_engine_says_that_a_bucket_is_open(name: str, own: Iam) -> None:
    document = CASES[name]["policy"]
    own.give({"Statement": []})
    own.client(own.root, "s3").put_bucket_policy(Bucket="data", Policy=json.dumps(document))
    try:
        read = own.client(own.user, "s3").get_object
        granted = is_granted(read, Bucket="data", Key="2026/a.csv")
    finally:
        own.client(own.root, "s3").delete_bucket_policy(Bucket="data")
    agree(name, granted=granted, said=is_said_open(document, SAYS))


@pytest.mark.parametrize("name", asks("public", "secretsmanager:GetSecretValue"))
def test_a_user_without_rights_reads_where_the_engine_says_that_a_secret_is_open(name: str, own: Iam) -> None:
    document = CASES[name]["policy"]
    own.give({"Statement": []})
    secrets = own.client(own.root, "secretsmanager")
    if not secrets.list_secrets()["SecretList"]:
        secrets.create_secret(Name="db", SecretString="1")
    secrets.put_resource_policy(SecretId="db", ResourcePolicy=json.dumps(document))
    read = own.client(own.user, "secretsmanager").get_secret_value
    agree(name, granted=is_granted(read, SecretId="db"), said=is_said_open(document, SAYS))
