"""The same through the front door: accounts made by AWS's own calls, collected, and related.

Beside the labelled inventories of accounts.yaml these show that what the collector keeps is what relations
are read from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from unittest.mock import patch

import boto3
import moto
import pytest

from tests.relations.test_accounts import Triple, found, members
from wa_audit.collect import collect, plan
from wa_audit.collect.session import AwsSession
from wa_audit.demo_account.account import Account
from wa_audit.inventory import Inventory
from wa_audit.relations import ROWS, relate

REGION = "eu-west-1"
_SUPPORT = {
    "runs-as",
    "encrypts-with",
    "placed-in",
    "guarded-by",
    "logs-to",
    "runs-code-from",
    "may-read",
    "may-write",
}


@pytest.fixture
def account() -> Iterator[Account]:
    settings = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }
    with patch.dict(os.environ, settings), moto.mock_aws():
        made = Account(boto3.session.Session(region_name=REGION), REGION, None)
        made.role("worker", service="lambda")
        yield made
        assert made.refusals == []


def read() -> Inventory:
    """What is collected for all relations; what moto lacks does not matter here."""
    kinds = {row.kind for row in ROWS}
    session = AwsSession(boto3.session.Session(region_name=REGION))
    return relate(collect(session, plan.plan([], sorted(kinds)), (REGION,)))


def _function(account: Account, name: str, **more: object) -> str:
    return account.function(
        name, runtime="python3.13", role=account.role_arn("worker"), tags={}, Timeout=3, **more
    )


def objects_to_a_table(account: Account) -> tuple[set[Triple], dict[str, set[str]]]:
    account.bucket("inbox", tags={})
    account.do(
        "dynamodb:CreateTable",
        TableName="orders",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    parse = _function(
        account, "parse", Environment={"Variables": {"ORDERS_TABLE": "orders", "MODE": "inbox"}}
    )
    rows = [{"LambdaFunctionArn": parse, "Events": ["s3:ObjectCreated:*"]}]
    account.do(
        "s3:PutBucketNotificationConfiguration",
        Bucket="inbox",
        NotificationConfiguration={"LambdaFunctionConfigurations": rows},
    )
    return (
        {("inbox", "triggers", "function:parse"), ("function:parse", "uses", "table/orders")},
        {"inbox": {"inbox", "function:parse", "table/orders"}},
    )


def a_topic_to_a_worker(account: Account) -> tuple[set[Triple], dict[str, set[str]]]:
    topic = account.do("sns:CreateTopic", Name="events")["TopicArn"]
    dead = account.queue("work-dlq", tags={})
    work = account.queue("work", tags={}, RedrivePolicy={"deadLetterTargetArn": dead, "maxReceiveCount": 5})
    account.do("sns:Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=work)
    account.event_source(_function(account, "do"), work)
    return (
        {
            ("events", "triggers", "work"),
            ("work", "dead-letters-to", "work-dlq"),
            ("work", "triggers", "function:do"),
        },
        {"events": {"events", "work", "function:do"}},
    )


def a_stream_to_a_lake(account: Account) -> tuple[set[Triple], dict[str, set[str]]]:
    account.bucket("lake", tags={})
    account.do("kinesis:CreateStream", StreamName="clicks", ShardCount=1)
    account.do(
        "firehose:CreateDeliveryStream",
        DeliveryStreamName="to-lake",
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={
            "KinesisStreamARN": account.arn("kinesis", "stream/clicks"),
            "RoleARN": account.role_arn("worker"),
        },
        ExtendedS3DestinationConfiguration={
            "BucketARN": "arn:aws:s3:::lake",
            "RoleARN": account.role_arn("worker"),
        },
    )
    return (
        {
            ("deliverystream/to-lake", "reads-from", "stream/clicks"),
            ("deliverystream/to-lake", "delivers-to", "lake"),
        },
        {"clicks": {"stream/clicks", "deliverystream/to-lake", "lake"}},
    )


def a_schedule_to_a_state_machine(account: Account) -> tuple[set[Triple], dict[str, set[str]]]:
    account.do("glue:CreateJob", Name="clean", Role="worker", Command={"Name": "glueetl"})
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::glue:startJobRun.sync",
        "Parameters": {"JobName": "clean"},
        "End": True,
    }
    machine = account.do(
        "stepfunctions:CreateStateMachine",
        name="etl",
        roleArn=account.role_arn("worker"),
        definition=json.dumps({"StartAt": "Clean", "States": {"Clean": task}}),
    )["stateMachineArn"]
    account.do("events:PutRule", Name="daily", ScheduleExpression="rate(1 day)")
    account.do("events:PutTargets", Rule="daily", Targets=[{"Id": "1", "Arn": machine}])
    return (
        {("rule/daily", "triggers", "stateMachine:etl"), ("stateMachine:etl", "starts", "job/clean")},
        {"etl": {"rule/daily", "stateMachine:etl", "job/clean"}},
    )


def a_glue_workflow(account: Account) -> tuple[set[Triple], dict[str, set[str]]]:
    account.bucket("warehouse", tags={})
    account.do("glue:CreateDatabase", DatabaseInput={"Name": "sales"})
    account.do("glue:CreateWorkflow", Name="nightly")
    account.do(
        "glue:CreateJob",
        Name="load",
        Role="worker",
        Command={"Name": "glueetl"},
        DefaultArguments={"--target": "s3://warehouse/sales/", "--password": "hunter2"},
    )
    account.do(
        "glue:CreateCrawler",
        Name="catalogue",
        Role="worker",
        DatabaseName="sales",
        Targets={"S3Targets": [{"Path": "s3://warehouse/sales/"}]},
    )
    account.do(
        "glue:CreateTrigger",
        Name="at-two",
        WorkflowName="nightly",
        Type="SCHEDULED",
        Schedule="cron(0 2 * * ? *)",
        Actions=[{"JobName": "load"}],
    )
    return (
        {
            ("workflow/nightly", "triggers", "trigger/at-two"),
            ("trigger/at-two", "triggers", "job/load"),
            ("job/load", "uses", "warehouse"),
            ("crawler/catalogue", "reads-from", "warehouse"),
            ("crawler/catalogue", "writes-to", "database/sales"),
        },
        {
            "nightly": {
                "workflow/nightly",
                "trigger/at-two",
                "job/load",
                "warehouse",
                "crawler/catalogue",
                "database/sales",
            }
        },
    )


def a_pipe(account: Account) -> tuple[set[Triple], dict[str, set[str]]]:
    account.do("kinesis:CreateStream", StreamName="in", ShardCount=1)
    dead = account.queue("pipe-dlq", tags={})
    account.do(
        "pipes:CreatePipe",
        Name="p",
        RoleArn=account.role_arn("worker"),
        Source=account.arn("kinesis", "stream/in"),
        Target=account.queue("out", tags={}),
        SourceParameters={
            "KinesisStreamParameters": {"StartingPosition": "LATEST", "DeadLetterConfig": {"Arn": dead}}
        },
    )
    return (
        {
            ("stream/in", "triggers", "pipe/p"),
            ("pipe/p", "delivers-to", "out"),
            ("pipe/p", "dead-letters-to", "pipe-dlq"),
        },
        {"in": {"stream/in", "pipe/p", "out"}},
    )


@pytest.mark.parametrize(
    "make",
    [
        objects_to_a_table,
        a_topic_to_a_worker,
        a_stream_to_a_lake,
        a_schedule_to_a_state_machine,
        a_glue_workflow,
        a_pipe,
    ],
)
def test_what_was_made_is_found(
    account: Account, make: Callable[[Account], tuple[set[Triple], dict[str, set[str]]]]
) -> None:
    relations, pipelines = make(account)
    inventory = read()
    assert {triple for triple in found(inventory) if triple[1] not in _SUPPORT} == relations
    assert members(inventory) == pipelines
