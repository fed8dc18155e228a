"""What can stand in a data flow: its types, and the layers of the reference architecture that they are of."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


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
    "AWS::AmazonMQ::Broker": Layer.INGESTION,
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
