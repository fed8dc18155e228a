"""Amazon Resource Names, how each type of resource is spelled in them, and S3 locations.

The format is AWS's: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html, and for each
service the table of its types in https://docs.aws.amazon.com/service-authorization/latest/reference/.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

SPELLINGS: Mapping[str, tuple[str, str]] = {
    "AWS::AmazonMQ::Broker": ("mq", "broker:"),
    "AWS::Athena::WorkGroup": ("athena", "workgroup/"),
    "AWS::DMS::Endpoint": ("dms", "endpoint:"),
    "AWS::DMS::ReplicationTask": ("dms", "task:"),
    "AWS::DataSync::Location": ("datasync", "location/"),
    "AWS::DataSync::Task": ("datasync", "task/"),
    "AWS::DynamoDB::Table": ("dynamodb", "table/"),
    "AWS::EC2::NatGateway": ("ec2", "natgateway/"),
    "AWS::EC2::SecurityGroup": ("ec2", "security-group/"),
    "AWS::EC2::Subnet": ("ec2", "subnet/"),
    "AWS::ECS::Service": ("ecs", "service/"),
    "AWS::ECS::TaskDefinition": ("ecs", "task-definition/"),
    "AWS::EMR::Cluster": ("elasticmapreduce", "cluster/"),
    "AWS::EMRServerless::Application": ("emr-serverless", "/applications/"),
    "AWS::Events::EventBus": ("events", "event-bus/"),
    "AWS::Events::Rule": ("events", "rule/"),
    "AWS::Glue::Connection": ("glue", "connection/"),
    "AWS::Glue::Crawler": ("glue", "crawler/"),
    "AWS::Glue::Database": ("glue", "database/"),
    "AWS::Glue::Job": ("glue", "job/"),
    "AWS::Glue::SecurityConfiguration": ("glue", "security-configuration/"),
    "AWS::Glue::Table": ("glue", "table/"),
    "AWS::Glue::Trigger": ("glue", "trigger/"),
    "AWS::Glue::Workflow": ("glue", "workflow/"),
    "AWS::IoT::TopicRule": ("iot", "rule/"),
    "AWS::KMS::Alias": ("kms", "alias/"),
    "AWS::KMS::Key": ("kms", "key/"),
    "AWS::KafkaConnect::Connector": ("kafkaconnect", "connector/"),
    "AWS::Kinesis::Stream": ("kinesis", "stream/"),
    "AWS::KinesisFirehose::DeliveryStream": ("firehose", "deliverystream/"),
    "AWS::Lambda::EventSourceMapping": ("lambda", "event-source-mapping:"),
    "AWS::Lambda::Function": ("lambda", "function:"),
    "AWS::Logs::LogGroup": ("logs", "log-group:"),
    "AWS::MSK::Cluster": ("kafka", "cluster/"),
    "AWS::OpenSearchService::Domain": ("es", "domain/"),
    "AWS::Pipes::Pipe": ("pipes", "pipe/"),
    "AWS::QuickSight::DataSet": ("quicksight", "dataset/"),
    "AWS::QuickSight::DataSource": ("quicksight", "datasource/"),
    "AWS::RDS::DBInstance": ("rds", "db:"),
    "AWS::Redshift::Cluster": ("redshift", "cluster:"),
    "AWS::Redshift::ClusterParameterGroup": ("redshift", "parametergroup:"),
    "AWS::RedshiftServerless::Workgroup": ("redshift-serverless", "workgroup/"),
    "AWS::S3::Bucket": ("s3", ""),
    "AWS::SNS::Topic": ("sns", ""),
    "AWS::SQS::Queue": ("sqs", ""),
    "AWS::Scheduler::Schedule": ("scheduler", "schedule/"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "secret:"),
    "AWS::StepFunctions::StateMachine": ("states", "stateMachine:"),
}
"""The service in a type's ARN, and what stands before the name; only S3 leaves out region and account."""

_BY_SERVICE: dict[str, list[tuple[str, str]]] = defaultdict(list)
for _type, (_service, _prefix) in SPELLINGS.items():
    _BY_SERVICE[_service].append((_prefix, _type))
# A cluster's data is shared in the name of its namespace.
_BY_SERVICE["redshift"].append(("namespace:", "AWS::Redshift::Cluster"))


class Arn(NamedTuple):
    """The parts of an ARN; all empty where the text is not one."""

    partition: str = ""
    service: str = ""
    region: str = ""
    account: str = ""
    resource: str = ""

    @property
    def name(self) -> str:
        """What stands after the last `/` or `:` of the resource part."""
        return self.resource.rpartition("/")[2].rpartition(":")[2]


_NONE = Arn()


def parse(text: object) -> Arn:
    """The parts of an ARN; `Arn()` for anything that is not one, so that callers need no second test."""
    return _parse(text) if isinstance(text, str) and text.startswith("arn:") else _NONE


@lru_cache(maxsize=65536)
def _parse(text: str) -> Arn:
    parts = text.split(":", 5)
    if len(parts) < 6:
        return _NONE
    # Of many ARNs the places are a few.
    partition, service, region, account = map(sys.intern, parts[1:5])
    return Arn(partition, service, region, account, parts[5])


def build(type_: str, name: str, *, partition: str, region: str, account: str) -> str:
    """The ARN of a resource of a type by its name.

    Raises:
        KeyError: `SPELLINGS` has no such type.
    """
    service, prefix = SPELLINGS[type_]
    place = ":" if service == "s3" else f"{region}:{account}"
    return f"arn:{partition}:{service}:{place}:{prefix}{name}"


def type_of(text: str) -> str:
    """The type of the resource that an ARN names, as far as `SPELLINGS` says; empty for any other text."""
    arn = parse(text)
    if arn.service == "s3" and (arn.region or arn.account):
        return ""  # an access point, a batch job
    for prefix, type_ in _BY_SERVICE.get(arn.service, ()):
        if arn.resource.startswith(prefix):
            return type_
    return ""


class S3Location(NamedTuple):
    bucket: str
    prefix: str


_S3_URI = re.compile(r"^s3[an]?://([^/]+)/?(.*)$", re.DOTALL)


def s3_location(uri: object) -> S3Location | None:
    """Bucket and key prefix of `s3://`, `s3a://` and `s3n://` URIs and of S3 ARNs; None for anything else."""
    if not isinstance(uri, str):
        return None
    if match := _S3_URI.match(uri):
        return S3Location(match[1], match[2])
    arn = parse(uri)
    if arn.service == "s3":
        bucket, _, prefix = arn.resource.partition("/")
        return S3Location(bucket, prefix)
    return None


def function_arn(text: str) -> str:
    """A Lambda function's ARN without alias or version: `…:function:name:prod` gives `…:function:name`."""
    parts = text.split(":")
    return ":".join(parts[:7]) if len(parts) > 7 and parts[2] == "lambda" else text


_PARTS = re.compile(r"(table/[^/]+)/(?:stream|index)/.*|(stream/[^/]+)/consumer/.*")


def whole(text: str) -> str:
    """The ARN of the resource that an ARN is a part or a version of; any other ARN as it is.

    A function without alias or version, a state machine likewise, a table of its stream or index, a stream of
    its consumer, a bucket of its objects, a log group without the `:*` that policies want.
    """
    arn = parse(text)
    match arn.service:
        case "lambda":
            return function_arn(text)
        case "s3" if not arn.region and "/" in arn.resource:
            return text[: text.index("/")]
        case "states" if arn.resource.startswith("stateMachine:"):
            return ":".join(text.split(":")[:7])
        case "dynamodb" | "kinesis":
            if match := _PARTS.fullmatch(arn.resource):
                return text[: -len(arn.resource)] + (match[1] or match[2])
        case "logs":
            return text.removesuffix(":*")
    return text
