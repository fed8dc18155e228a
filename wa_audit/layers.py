"""What can stand in a data flow: its types, and the layers of the reference architecture that they are of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum

from wa_audit.aws import arns


class Layer(StrEnum):
    """The layers of the reference architecture, in the direction of the data."""

    SOURCE = "source"
    INGESTION = "ingestion"
    PROCESSING = "processing"
    STORAGE = "storage"
    QUERY = "query"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Layer.SOURCE: "Sources",
    Layer.INGESTION: "Ingestion",
    Layer.PROCESSING: "Processing",
    Layer.STORAGE: "Storage and governance",
    Layer.QUERY: "Query and visualisation",
}

LAYERS: Mapping[str, Layer] = {
    "AWS::DMS::Endpoint": Layer.SOURCE,
    "AWS::DataSync::Location": Layer.SOURCE,
    "AWS::Glue::Connection": Layer.SOURCE,
    "AWS::RDS::DBInstance": Layer.SOURCE,
    "AWS::DMS::ReplicationTask": Layer.INGESTION,
    "AWS::DataSync::Task": Layer.INGESTION,
    "AWS::Events::EventBus": Layer.INGESTION,
    "AWS::Events::Rule": Layer.INGESTION,
    "AWS::IoT::TopicRule": Layer.INGESTION,
    "AWS::KafkaConnect::Connector": Layer.INGESTION,
    "AWS::Kinesis::Stream": Layer.INGESTION,
    "AWS::Kinesis::StreamConsumer": Layer.INGESTION,
    "AWS::KinesisFirehose::DeliveryStream": Layer.INGESTION,
    "AWS::MSK::Cluster": Layer.INGESTION,
    "AWS::Pipes::Pipe": Layer.INGESTION,
    "AWS::SNS::Topic": Layer.INGESTION,
    "AWS::SQS::Queue": Layer.INGESTION,
    "AWS::Scheduler::Schedule": Layer.INGESTION,
    "AWS::ECS::Service": Layer.PROCESSING,
    "AWS::ECS::TaskDefinition": Layer.PROCESSING,
    "AWS::EMR::Cluster": Layer.PROCESSING,
    "AWS::EMRServerless::Application": Layer.PROCESSING,
    "AWS::Glue::Job": Layer.PROCESSING,
    "AWS::Glue::Trigger": Layer.PROCESSING,
    "AWS::Glue::Workflow": Layer.PROCESSING,
    "AWS::Lambda::Function": Layer.PROCESSING,
    "AWS::StepFunctions::StateMachine": Layer.PROCESSING,
    "AWS::DynamoDB::Table": Layer.STORAGE,
    "AWS::Glue::Crawler": Layer.STORAGE,
    "AWS::Glue::Database": Layer.STORAGE,
    "AWS::Glue::Table": Layer.STORAGE,
    "AWS::Redshift::Cluster": Layer.STORAGE,
    "AWS::RedshiftServerless::Workgroup": Layer.STORAGE,
    "AWS::S3::Bucket": Layer.STORAGE,
    "AWS::Athena::WorkGroup": Layer.QUERY,
    "AWS::OpenSearchService::Domain": Layer.QUERY,
    "AWS::QuickSight::DataSet": Layer.QUERY,
    "AWS::QuickSight::DataSource": Layer.QUERY,
}
"""The layer of every type that can stand in a data flow."""

# What an ARN is of, for what was not read: service, how the resource begins, type.
_TYPES = (
    ("athena", "workgroup/", "AWS::Athena::WorkGroup"),
    ("datasync", "location/", "AWS::DataSync::Location"),
    ("datasync", "task/", "AWS::DataSync::Task"),
    ("dms", "endpoint:", "AWS::DMS::Endpoint"),
    ("dynamodb", "table/", "AWS::DynamoDB::Table"),
    ("ecs", "service/", "AWS::ECS::Service"),
    ("ecs", "task-definition/", "AWS::ECS::TaskDefinition"),
    ("elasticmapreduce", "cluster/", "AWS::EMR::Cluster"),
    ("emr-serverless", "/applications/", "AWS::EMRServerless::Application"),
    ("es", "domain/", "AWS::OpenSearchService::Domain"),
    ("events", "event-bus/", "AWS::Events::EventBus"),
    ("events", "rule/", "AWS::Events::Rule"),
    ("firehose", "deliverystream/", "AWS::KinesisFirehose::DeliveryStream"),
    ("glue", "connection/", "AWS::Glue::Connection"),
    ("glue", "crawler/", "AWS::Glue::Crawler"),
    ("glue", "database/", "AWS::Glue::Database"),
    ("glue", "job/", "AWS::Glue::Job"),
    ("glue", "table/", "AWS::Glue::Table"),
    ("glue", "workflow/", "AWS::Glue::Workflow"),
    ("kafka", "cluster/", "AWS::MSK::Cluster"),
    ("kinesis", "stream/", "AWS::Kinesis::Stream"),
    ("lambda", "function:", "AWS::Lambda::Function"),
    ("quicksight", "datasource/", "AWS::QuickSight::DataSource"),
    ("rds", "db:", "AWS::RDS::DBInstance"),
    ("redshift", "cluster:", "AWS::Redshift::Cluster"),
    ("redshift", "namespace:", "AWS::Redshift::Cluster"),
    ("s3", "", "AWS::S3::Bucket"),
    ("sns", "", "AWS::SNS::Topic"),
    ("sqs", "", "AWS::SQS::Queue"),
    ("states", "stateMachine:", "AWS::StepFunctions::StateMachine"),
)
_BY_SERVICE: dict[str, list[tuple[str, str]]] = defaultdict(list)
for _service, _start, _type in _TYPES:
    _BY_SERVICE[_service].append((_start, _type))


def type_of(id_: str) -> str:
    """The type that an ARN is of, as far as it says; empty for what is none that a flow knows."""
    arn = arns.parse(id_)
    for start, type_ in _BY_SERVICE.get(arn.service, ()):
        if arn.resource.startswith(start):
            return type_
    return ""
