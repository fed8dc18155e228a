"""Which resource delivers to, triggers, runs as, encrypts with, or gives up to which.

Each row reads one field of one type: `Row(type, kind, target)` says that a resource of the type stands in
the relation to what the path names. Where a resource only proves a relation between two others (an event
source mapping between a queue and a function), `source` names the path of the first.

A path is `Field.field[].field`; a conversion after `|` turns what stands there into an ARN:

    arn       as it is (without one, nothing)
    function  a function's ARN without alias or version
    bucket    a bucket's name, an s3:// location, or an ARN within a bucket
    role      a role's name or ARN                    job, crawler    a Glue name
    key       a key's id, alias or ARN                secconf         a Glue security configuration's name
    functions every Lambda function named anywhere within
    started   a state machine's definition: every function, Glue job and state machine that its Tasks name

A field that could not be read makes the relation kind unknown in that region rather than empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from wa_audit.aws import arns, states
from wa_audit.inventory import Inventory
from wa_audit.model import Gap, Relation, Resource, Unread


class Row(NamedTuple):
    type: str
    kind: str
    target: str
    source: str = ""


# fmt: off
ROWS = (
    # what gives up to what
    Row("AWS::SQS::Queue",                 "dead-letters-to", "RedrivePolicy.deadLetterTargetArn"),
    Row("AWS::SNS::Subscription",          "dead-letters-to", "RedrivePolicy.deadLetterTargetArn"),
    Row("AWS::Lambda::Function",           "dead-letters-to", "DeadLetterConfig.TargetArn"),
    Row("AWS::Lambda::Function",           "dead-letters-to", "EventInvokeConfigs[].DestinationConfig.OnFailure.Destination"),
    Row("AWS::Lambda::EventSourceMapping", "dead-letters-to", "DestinationConfig.OnFailure.Destination"),
    Row("AWS::Events::Rule",               "dead-letters-to", "Targets[].DeadLetterConfig.Arn"),

    # what starts what
    Row("AWS::Lambda::EventSourceMapping", "triggers", "FunctionArn|function", source="EventSourceArn"),
    Row("AWS::Events::Rule",               "triggers", "Targets[].Arn|function"),
    Row("AWS::SNS::Subscription",          "triggers", "Endpoint|function", source="TopicArn"),
    Row("AWS::S3::Bucket",                 "triggers", "Notifications.LambdaFunctionConfigurations[].LambdaFunctionArn|function"),
    Row("AWS::S3::Bucket",                 "triggers", "Notifications.QueueConfigurations[].QueueArn"),
    Row("AWS::S3::Bucket",                 "triggers", "Notifications.TopicConfigurations[].TopicArn"),
    Row("AWS::Glue::Trigger",              "triggers", "Actions[].JobName|job"),
    Row("AWS::Glue::Trigger",              "triggers", "Actions[].CrawlerName|crawler"),
    Row("AWS::StepFunctions::StateMachine", "starts", "definition|started"),

    # where data goes
    Row("AWS::Lambda::Function",           "delivers-to", "EventInvokeConfigs[].DestinationConfig.OnSuccess.Destination"),
    Row("AWS::KinesisFirehose::DeliveryStream", "delivers-to", "Destinations[].ExtendedS3DestinationDescription.BucketARN"),
    Row("AWS::KinesisFirehose::DeliveryStream", "delivers-to", "Destinations[].S3DestinationDescription.BucketARN"),
    Row("AWS::KinesisFirehose::DeliveryStream", "delivers-to", "Destinations[].RedshiftDestinationDescription.S3DestinationDescription.BucketARN"),
    Row("AWS::KinesisFirehose::DeliveryStream", "delivers-to", "Destinations[].AmazonopensearchserviceDestinationDescription.DomainARN"),
    Row("AWS::KinesisFirehose::DeliveryStream", "backs-up-to", "Destinations[].ExtendedS3DestinationDescription.S3BackupDescription.BucketARN"),
    Row("AWS::KinesisFirehose::DeliveryStream", "backs-up-to", "Destinations[].AmazonopensearchserviceDestinationDescription.S3DestinationDescription.BucketARN"),
    Row("AWS::KinesisFirehose::DeliveryStream", "backs-up-to", "Destinations[].HttpEndpointDestinationDescription.S3DestinationDescription.BucketARN"),
    Row("AWS::KinesisFirehose::DeliveryStream", "backs-up-to", "Destinations[].SplunkDestinationDescription.S3DestinationDescription.BucketARN"),
    Row("AWS::KinesisFirehose::DeliveryStream", "reads-from", "Source.KinesisStreamSourceDescription.KinesisStreamARN"),
    Row("AWS::S3::Bucket",                 "replicates-to", "Replication.Rules[].Destination.Bucket"),
    Row("AWS::Glue::Table",                "lies-in", "StorageDescriptor.Location|bucket"),
    Row("AWS::Glue::Crawler",              "reads-from", "Targets.S3Targets[].Path|bucket"),

    Row("AWS::KinesisFirehose::DeliveryStream", "transforms-with", "Destinations|functions"),

    # who copies what away
    Row("AWS::Backup::ProtectedResource",  "backs-up", "ResourceArn"),

    # scratch: written by a service for itself
    Row("AWS::Athena::WorkGroup",          "scratches-in", "Configuration.ResultConfiguration.OutputLocation|bucket"),
    Row("AWS::Glue::Job",                  "scratches-in", "DefaultArguments.--TempDir|bucket"),
    Row("AWS::Glue::Job",                  "logs-to", "DefaultArguments.--spark-event-logs-path|bucket"),
    Row("AWS::EMR::Cluster",               "logs-to", "LogUri|bucket"),
    Row("AWS::S3::Bucket",                 "logs-to", "LoggingEnabled.TargetBucket|bucket"),

    # who runs as whom
    Row("AWS::Lambda::Function",           "runs-as", "Role|role"),
    Row("AWS::Glue::Job",                  "runs-as", "Role|role"),
    Row("AWS::Glue::Crawler",              "runs-as", "Role|role"),
    Row("AWS::StepFunctions::StateMachine", "runs-as", "roleArn|role"),
    Row("AWS::Events::Rule",               "runs-as", "RoleArn|role"),
    Row("AWS::Events::Rule",               "runs-as", "Targets[].RoleArn|role"),
    Row("AWS::EMR::Cluster",               "runs-as", "ServiceRole|role"),
    Row("AWS::EMR::Cluster",               "runs-as", "AutoScalingRole|role"),
    Row("AWS::EMR::Cluster",               "runs-as", "Ec2InstanceAttributes.IamInstanceProfile|role"),
    Row("AWS::KinesisFirehose::DeliveryStream", "runs-as", "Destinations[].ExtendedS3DestinationDescription.RoleARN|role"),
    Row("AWS::KinesisFirehose::DeliveryStream", "runs-as", "Destinations[].S3DestinationDescription.RoleARN|role"),
    Row("AWS::KinesisFirehose::DeliveryStream", "runs-as", "Source.KinesisStreamSourceDescription.RoleARN|role"),

    # what encrypts with which key
    Row("AWS::S3::Bucket",                 "encrypts-with", "Encryption[].ApplyServerSideEncryptionByDefault.KMSMasterKeyID|key"),
    Row("AWS::SQS::Queue",                 "encrypts-with", "KmsMasterKeyId|key"),
    Row("AWS::SNS::Topic",                 "encrypts-with", "KmsMasterKeyId|key"),
    Row("AWS::Lambda::Function",           "encrypts-with", "KMSKeyArn|key"),
    Row("AWS::Kinesis::Stream",            "encrypts-with", "KeyId|key"),
    Row("AWS::KinesisFirehose::DeliveryStream", "encrypts-with", "DeliveryStreamEncryptionConfiguration.KeyARN|key"),
    Row("AWS::DynamoDB::Table",            "encrypts-with", "SSEDescription.KMSMasterKeyArn|key"),
    Row("AWS::StepFunctions::StateMachine", "encrypts-with", "encryptionConfiguration.kmsKeyId|key"),
    Row("AWS::Athena::WorkGroup",          "encrypts-with", "Configuration.ResultConfiguration.EncryptionConfiguration.KmsKey|key"),
    Row("AWS::EMR::Cluster",               "encrypts-with", "LogEncryptionKmsKeyId|key"),
    Row("AWS::Glue::SecurityConfiguration", "encrypts-with", "EncryptionConfiguration.S3Encryption[].KmsKeyArn|key"),
    Row("AWS::Glue::SecurityConfiguration", "encrypts-with", "EncryptionConfiguration.CloudWatchEncryption.KmsKeyArn|key"),
    Row("AWS::Glue::SecurityConfiguration", "encrypts-with", "EncryptionConfiguration.JobBookmarksEncryption.KmsKeyArn|key"),
    Row("AWS::Glue::DataCatalogEncryptionSettings", "encrypts-with", "EncryptionAtRest.SseAwsKmsKeyId|key"),
    Row("AWS::Glue::Job",                  "secured-by", "SecurityConfiguration|secconf"),

    # who hears of it, and what built it
    Row("AWS::CloudWatch::Alarm",          "notifies", "AlarmActions[]"),
    Row("AWS::CloudWatch::CompositeAlarm", "notifies", "AlarmActions[]"),
)
# fmt: on

Convert = Callable[[str, Resource, Inventory], str]
Extract = Callable[[Any, Resource, Inventory], Iterator[str]]


def relate(inventory: Inventory) -> Inventory:
    """The same inventory with its relations indexed."""
    relations: set[Relation] = set()
    gaps: dict[str, list[Gap]] = defaultdict(list)
    for row in ROWS:
        gaps[row.kind].extend(inventory.list_gaps(row.type))
        for resource in inventory.known(row.type):
            try:
                relations.update(_relations(row, resource, inventory))
            except Unread as unread:
                gaps[row.kind].append(unread.gap)
    resolved = _resolve_aliases(relations, inventory)
    for kind in {relation.kind for relation in resolved if ":alias/" in relation.target}:
        # Which key an alias stands for is not known, so that any key may be meant.
        gaps[kind].extend(inventory.list_gaps("AWS::KMS::Alias"))
    return Inventory(inventory.run, inventory, inventory.gaps, resolved, gaps)


def _relations(row: Row, resource: Resource, inventory: Inventory) -> Iterator[Relation]:
    sources = list(_values(row.source, resource, inventory)) if row.source else [resource.arn]
    for target in _values(row.target, resource, inventory):
        for source in sources:
            yield Relation(source, row.kind, target, resource.arn, row.target.partition("|")[0])


def _values(path: str, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """The ARNs that a path leads to."""
    path, _, conversion = path.partition("|")
    first, *rest = path.split(".")
    field = first.removesuffix("[]")
    found = [resource[field]]
    for step in (first, *rest) if first.endswith("[]") else rest:
        name = step.removesuffix("[]")
        if step is not first:
            found = [value.get(name) for value in found if isinstance(value, dict)]
        if step.endswith("[]"):
            found = [item for value in found if isinstance(value, list) for item in value]
    if extract := _EXTRACTIONS.get(conversion):
        for value in found:
            yield from extract(value, resource, inventory)
        return
    convert = _CONVERSIONS[conversion or "arn"]
    for value in found:
        if isinstance(value, str) and value and (arn := convert(value, resource, inventory)):
            yield arn


def _bucket(value: str, resource: Resource, inventory: Inventory) -> str:
    location = arns.s3_location(value)
    if location is not None:
        return f"arn:{inventory.run.partition}:s3:::{location.bucket}"
    return "" if ":" in value or "/" in value else f"arn:{inventory.run.partition}:s3:::{value}"


def _role(value: str, resource: Resource, inventory: Inventory) -> str:
    if not value.startswith("arn:"):
        return f"arn:{inventory.run.partition}:iam::{resource.account}:role/{value}"
    # An EC2 instance profile bears, by the console's convention, the name of the role in it.
    return value.replace(":instance-profile/", ":role/")


def _key(value: str, resource: Resource, inventory: Inventory) -> str:
    if value.startswith("arn:"):
        return value
    name = value if value.startswith("alias/") else f"key/{value}"
    return f"arn:{inventory.run.partition}:kms:{resource.region}:{resource.account}:{name}"


def _glue(what: str) -> Convert:
    def convert(value: str, resource: Resource, inventory: Inventory) -> str:
        return f"arn:{inventory.run.partition}:glue:{resource.region}:{resource.account}:{what}/{value}"

    return convert


_CONVERSIONS: dict[str, Convert] = {
    "arn": lambda value, resource, inventory: value if value.startswith("arn:") else "",
    "function": lambda value, resource, inventory: (
        arns.function_arn(value) if value.startswith("arn:") else ""
    ),
    "bucket": _bucket,
    "role": _role,
    "key": _key,
    "job": _glue("job"),
    "crawler": _glue("crawler"),
    "secconf": _glue("security-configuration"),
}


def _started(definition: Any, machine: Resource, inventory: Inventory) -> Iterator[str]:
    """What the Tasks of a definition start, where it is named: a computed name is known only as it runs."""
    place = f"arn:{inventory.run.partition}:lambda:{machine.region}"
    for task in states.tasks(definition):
        called = states.integration(task)
        for what, name in called.references:
            if what == "function" and called.action.startswith("invoke"):
                yield _function(name, place, machine.account)
            elif what == "job" and called.action == "startJobRun":
                yield _CONVERSIONS["job"](name, machine, inventory)
            elif what == "statemachine" and called.action.startswith("start") and name.startswith("arn:"):
                # Without the alias or version that may follow the name.
                yield ":".join(name.split(":")[:7])


def _function(name: str, place: str, account: str) -> str:
    """A function's ARN from what Lambda takes for a name: `name:alias`, `account:function:name`, an ARN."""
    if name.startswith("arn:"):
        return arns.function_arn(name)
    owner, infix, rest = name.rpartition("function:")
    return f"{place}:{owner.strip(':') or account}:function:{(rest if infix else name).partition(':')[0]}"


def _functions(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """Every Lambda function that is named by its ARN anywhere within a value."""
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _functions(child, resource, inventory)
    elif isinstance(value, str) and arns.parse(value).service == "lambda":
        yield arns.function_arn(value)


_EXTRACTIONS: dict[str, Extract] = {"started": _started, "functions": _functions}


def _resolve_aliases(relations: set[Relation], inventory: Inventory) -> set[Relation]:
    """A key that is named by an alias is the key that the alias stands for."""
    keys: dict[str, str] = {}
    for alias in inventory.known("AWS::KMS::Alias"):
        target: Any = alias.data.get("TargetKeyId")
        if target:
            keys[alias.arn] = alias.arn.rpartition(":")[0] + f":key/{target}"
    return {
        Relation(r.source, r.kind, keys[r.target], r.via, r.field) if r.target in keys else r
        for r in relations
    }
