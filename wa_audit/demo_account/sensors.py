"""Sensors of the cold stores: readings → two streaming jobs, which wait for them day and night.

The counts of the conveyor come all the time. The doors report when one opens, which is seldom.
"""

from __future__ import annotations

from wa_audit.demo_account.account import Account
from wa_audit.demo_account.foundation import TERRAFORM

TAGS = {"project": "sensors", "owner": "logistics", "environment": "production"}


def seed(account: Account) -> None:
    account.role("acme-sensors", service="glue", tags=TAGS | TERRAFORM)
    for name, an_hour, hours in (
        ("conveyor", 40_000, range(1, 14 * 24)),
        ("doors", 20, range(1, 14 * 24, 24)),
    ):
        stream = f"acme-sensors-{name}"
        account.do("kinesis:CreateStream", StreamName=stream, ShardCount=1, Tags=TAGS)
        for metric in ("IncomingRecords", "GetRecords.Records"):
            account.metric("AWS/Kinesis", metric, an_hour, hours=hours, StreamName=stream)
        account.do(
            "glue:CreateJob",
            Name=stream,
            Role=account.role_arn("acme-sensors"),
            Command={"Name": "gluestreaming", "ScriptLocation": f"s3://acme-clickstream-code/{name}.py"},
            DefaultArguments={"--source_stream": stream, "--job-language": "python"},
            GlueVersion="5.0",
            WorkerType="G.1X",
            NumberOfWorkers=2,
            Tags=TAGS | TERRAFORM,
        )
