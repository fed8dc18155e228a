"""How long relations and pipelines take, and how much memory, as an account grows.

    python -m benchmarks.pipelines

The account is made of flows of ten resources each, every tenth of which writes to one shared lake; per flow
there are 20 relations. Peak memory is the whole process's, the resources themselves included.
"""

from __future__ import annotations

import gc
import time
from typing import Any

from benchmarks import memory
from wa_audit import pipelines
from wa_audit.inventory import Inventory, Run
from wa_audit.memory import seldom_collected
from wa_audit.model import Resource
from wa_audit.relations import relate

_RUN = Run(account="123456789012", regions=("eu-west-1",), started="2026-11-01T12:00:00Z")
_PLACE = "eu-west-1:123456789012"


def account(resources: int) -> list[Resource]:
    """About so many resources, ten a flow."""
    found: list[Resource] = []
    for n in range(resources // 10):
        found += _flow(n)
    return found


def _flow(n: int) -> list[Resource]:
    stream, queue = f"arn:aws:kinesis:{_PLACE}:stream/s{n}", f"arn:aws:sqs:{_PLACE}:q{n}"
    first, second = (f"arn:aws:lambda:{_PLACE}:function:f{n}-{i}" for i in (1, 2))
    lake = "arn:aws:s3:::lake" if n % 10 == 0 else f"arn:aws:s3:::b{n}"
    firehose = f"arn:aws:firehose:{_PLACE}:deliverystream/d{n}"
    role = f"arn:aws:iam::{_RUN.account}:role/r{n % 100}"
    destination = {"ExtendedS3DestinationDescription": {"BucketARN": lake, "RoleARN": role}}
    rows: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("AWS::Kinesis::Stream", stream, {"KeyId": f"k{n % 50}"}),
        ("AWS::SQS::Queue", queue, {"KmsMasterKeyId": f"k{n % 50}", "RedrivePolicy": {"deadLetterTargetArn": queue + "-dlq"}}),
        ("AWS::SQS::Queue", queue + "-dlq", {}),
        ("AWS::Lambda::Function", first, {"Role": role, "Environment": {}, "References": [queue, lake], "KMSKeyArn": f"k{n % 50}"}),
        ("AWS::Lambda::Function", second, {"Role": role, "Environment": {}, "References": [f"arn:aws:dynamodb:{_PLACE}:table/t{n}"]}),
        ("AWS::Lambda::EventSourceMapping", f"arn:aws:lambda:{_PLACE}:event-source-mapping:{n}-1", {"EventSourceArn": stream, "FunctionArn": first, "DestinationConfig": {"OnFailure": {"Destination": queue + "-dlq"}}}),
        ("AWS::Lambda::EventSourceMapping", f"arn:aws:lambda:{_PLACE}:event-source-mapping:{n}-2", {"EventSourceArn": queue, "FunctionArn": second}),
        ("AWS::KinesisFirehose::DeliveryStream", firehose, {"Source": {"KinesisStreamSourceDescription": {"KinesisStreamARN": stream, "RoleARN": role}}, "Destinations": [destination]}),
        ("AWS::DynamoDB::Table", f"arn:aws:dynamodb:{_PLACE}:table/t{n}", {"SSEDescription": {"KMSMasterKeyArn": f"k{n % 50}"}}),
        ("AWS::CloudWatch::Alarm", f"arn:aws:cloudwatch:{_PLACE}:alarm:a{n}", {"Namespace": "AWS/SQS", "Dimensions": [{"Name": "QueueName", "Value": f"q{n}"}], "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:oncall"]}),
    )  # fmt: skip
    return [
        Resource(
            type=t, arn=arn, name=arn.rpartition(":")[2], account=_RUN.account, region="eu-west-1", data=d
        )
        for t, arn, d in rows
    ]


def measure(size: int) -> tuple[int, int, float, float]:
    """Relations, pipelines, and the seconds that each took."""
    inventory = Inventory(_RUN, account(size))
    gc.collect()
    with seldom_collected():  # as in a run
        start = time.perf_counter()
        related = relate(inventory)
        between = time.perf_counter()
        found = pipelines.of(related).pipelines
        end = time.perf_counter()
    return len(related.relations()), len(found), between - start, end - between


def main() -> None:
    print(
        f"{'resources':>10} {'relations':>10} {'pipelines':>10} {'relate s':>9} {'discover s':>11} {'peak MiB':>9}"
    )
    for size in (1_000, 10_000, 106_000):
        relations, found, relate_s, discover_s = measure(size)
        print(
            f"{size:>10,} {relations:>10,} {found:>10,} {relate_s:>9.2f} {discover_s:>11.2f} {memory.peak():>9.0f}"
        )


if __name__ == "__main__":
    main()
