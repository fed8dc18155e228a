"""All that a check may import.

A check is a function of one resource, and of the inventory where it must look around. It returns a verdict,
or lets `Unread` rise where a fact that it needs could not be read: the assessor turns that into
`not_evaluated`, naming the operation and the IAM action.

    @check("AWS::Kinesis::Stream")
    def kinesis_stream_encrypted(stream: Resource) -> Verdict:
        \"\"\"A stream encrypts its records with a KMS key.\"\"\"
        if stream["EncryptionType"] == "KMS":
            return passed("encrypts with a KMS key", KeyId=stream["KeyId"])
        return failed("does not encrypt its records", EncryptionType=stream["EncryptionType"])

The message continues the resource's name: "stream `orders` does not encrypt its records".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from wa_audit import hearing, lakes, neighbours, networks, warehouses, wasted
from wa_audit.aws import (
    activity,
    alarms,
    arns,
    buckets,
    carbon,
    connections,
    dataevents,
    deputies,
    escalations,
    firehose,
    firewalls,
    instances,
    invocations,
    kafka,
    lifecycle,
    logdelivery,
    patterns,
    policy,
    queues,
    schedules,
    secrets,
    spark,
    states,
    tables,
    times,
    versions,
)
from wa_audit.inventory import ACCOUNT_TYPE, Inventory
from wa_audit.layers import LAYERS
from wa_audit.model import Gap, Relation, Resource, Saving, Severity, Status, Unread, Verdict, Waste

__all__ = [
    "ACCOUNT_TYPE",
    "FLOW_TYPES",
    "NOT_PRODUCTION",
    "PIPELINE_TYPES",
    "Gap",
    "Inventory",
    "Relation",
    "Resource",
    "Saving",
    "Severity",
    "Unread",
    "Verdict",
    "Waste",
    "activity",
    "alarms",
    "arns",
    "buckets",
    "carbon",
    "check",
    "connections",
    "dataevents",
    "deputies",
    "escalations",
    "failed",
    "firehose",
    "firewalls",
    "hearing",
    "instances",
    "invocations",
    "kafka",
    "lakes",
    "lifecycle",
    "logdelivery",
    "neighbours",
    "networks",
    "not_applicable",
    "not_evaluated",
    "passed",
    "patterns",
    "policy",
    "queues",
    "schedules",
    "secrets",
    "spark",
    "states",
    "tables",
    "times",
    "versions",
    "warehouses",
    "wasted",
]

NOT_PRODUCTION = ("development", "dev", "test", "sandbox")
"""Values of the tag `environment` that say that nobody depends on a resource."""

PIPELINE_TYPES = (
    "AWS::Athena::WorkGroup",
    "AWS::DynamoDB::Table",
    "AWS::EMR::Cluster",
    "AWS::Glue::Job",
    "AWS::Kinesis::Stream",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::Function",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
)
"""What data pipelines are made of, for rules that speak of a whole account."""

FLOW_TYPES = frozenset(LAYERS)
"""Every type that can stand in a data flow."""

# Looked up a million times, and an Enum is slow to give its members.
_PASS, _FAIL = Status.PASS, Status.FAIL
_NOT_APPLICABLE, _NOT_EVALUATED = Status.NOT_APPLICABLE, Status.NOT_EVALUATED

_Function = TypeVar("_Function", bound=Callable[..., Verdict])


def check(*types: str) -> Callable[[_Function], _Function]:
    """Marks a function as the check of the rule that bears its name, for resources of these types."""

    def mark(function: _Function) -> _Function:
        function.resource_types = types  # type: ignore[attr-defined]
        return function

    return mark


def passed(message: str, **evidence: Any) -> Verdict:
    """The resource does what the rule asks. `evidence` holds the API fields that decided it."""
    return Verdict(_PASS, message, evidence)


def failed(
    message: str,
    *,
    severity: Severity | str | None = None,
    # Any, because evidence of one type, unpacked, might be taken for them: a `Waste` and a `Saving`, or None.
    waste: Any = None,
    carbon: Any = None,
    **evidence: Any,
) -> Verdict:
    """It does not. `severity` overrides the rule's own where the facts make it milder or worse.

    `waste` is what that uses in vain each month, made by `wasted`, and `carbon` what putting it right saves.
    """
    worse = Severity(severity) if severity else None
    return Verdict(_FAIL, message, evidence, worse, waste=waste, carbon=carbon)


def not_applicable(message: str, **evidence: Any) -> Verdict:
    """The rule has nothing to say about this resource, and why."""
    return Verdict(_NOT_APPLICABLE, message, evidence)


def not_evaluated(message: str, **evidence: Any) -> Verdict:
    """The facts were read and do not suffice: a value that no table knows, say."""
    return Verdict(_NOT_EVALUATED, message, evidence)
