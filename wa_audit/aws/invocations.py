"""What invokes Lambda functions: event source mappings by their source, and asynchronous invokers.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from wa_audit.aws import arns
from wa_audit.aws.documents import many

# Services that hand an event to Lambda's own queue and do not wait for the function.
ASYNCHRONOUS = frozenset({"codecommit", "config", "events", "iot", "logs", "s3", "ses", "sns"})

# A DynamoDB stream keeps its records for 24 hours, always.
DYNAMODB_STREAM_HOURS = 24


def source(event_source_arn: str | None, self_managed: object = None) -> str:
    """What a mapping reads: `sqs`, `kinesis`, `dynamodb`, `kafka`, `mq`, `documentdb`.

    `self_managed` is the mapping's SelfManagedEventSource: Kafka outside MSK, which has no ARN.
    """
    service = arns.parse(event_source_arn).service
    if service == "rds":
        return "documentdb"
    if service == "kafka" or (not service and self_managed):
        return "kafka"
    return service


def stream_arn(event_source_arn: str) -> str:
    """The stream of a Kinesis consumer's ARN (`…:stream/clicks/consumer/audit:1`), or the ARN itself."""
    return event_source_arn.partition("/consumer/")[0]


def asynchronous_invokers(policy: Mapping[str, Any] | None) -> list[str]:
    """The services that a function's policy lets invoke it and that do so asynchronously, sorted."""
    found = set()
    for statement in many((policy or {}).get("Statement")):
        actions = [str(action).lower() for action in many(statement.get("Action"))]
        if statement.get("Effect") == "Allow" and any(
            fnmatchcase("lambda:invokefunction", action) for action in actions
        ):
            found |= set(_services(statement.get("Principal")))
    return sorted(found & ASYNCHRONOUS)


def _services(principal: Any) -> Iterator[str]:
    """`s3.amazonaws.com` is s3, `logs.eu-west-1.amazonaws.com` is logs."""
    if isinstance(principal, Mapping):
        for name in many(principal.get("Service")):
            yield str(name).partition(".")[0]
