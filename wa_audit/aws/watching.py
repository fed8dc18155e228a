"""What an alarm watches: the resources whose metrics it looks at.

The dimensions are AWS's: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wa_audit.aws import arns
from wa_audit.model import Resource

# Namespace → dimension → the type that it names. A dimension whose value is an ARN stands for itself.
_OF: Mapping[str, Mapping[str, str]] = {
    "AWS/Athena": {"WorkGroup": "AWS::Athena::WorkGroup"},
    "AWS/DynamoDB": {"TableName": "AWS::DynamoDB::Table"},
    "AWS/ElasticMapReduce": {"JobFlowId": "AWS::EMR::Cluster"},
    "AWS/ES": {"DomainName": "AWS::OpenSearchService::Domain"},
    "AWS/Events": {"RuleName": "AWS::Events::Rule"},
    "AWS/Firehose": {"DeliveryStreamName": "AWS::KinesisFirehose::DeliveryStream"},
    "AWS/IoT": {"RuleName": "AWS::IoT::TopicRule"},
    "AWS/Kinesis": {"StreamName": "AWS::Kinesis::Stream"},
    "AWS/Lambda": {"FunctionName": "AWS::Lambda::Function"},
    "AWS/Redshift": {"ClusterIdentifier": "AWS::Redshift::Cluster"},
    "AWS/S3": {"BucketName": "AWS::S3::Bucket"},
    "AWS/SNS": {"TopicName": "AWS::SNS::Topic"},
    "AWS/SQS": {"QueueName": "AWS::SQS::Queue"},
    "AWS/States": {"StateMachineArn": "AWS::StepFunctions::StateMachine"},
    "Glue": {"JobName": "AWS::Glue::Job"},
}


def watched(alarm: Resource, partition: str) -> Iterator[str]:
    """The ARNs of what a metric alarm looks at, its metric math included, each once.

    Raises:
        Unread: the alarm could not be read.
    """
    stats = [{"Namespace": alarm["Namespace"], "Dimensions": alarm["Dimensions"]}]
    for query in alarm["Metrics"] or ():
        stat = query.get("MetricStat") if isinstance(query, dict) else None
        if isinstance(stat, dict) and isinstance(stat.get("Metric"), dict):
            stats.append(stat["Metric"])
    place = {"partition": partition, "region": alarm.region, "account": alarm.account}
    seen = set()
    for metric in stats:
        for arn in _arns(metric, place):
            if arn not in seen:
                seen.add(arn)
                yield arn


def _arns(metric: Mapping[str, Any], place: Mapping[str, str]) -> Iterator[str]:
    known = _OF.get(str(metric.get("Namespace")), {})
    for dimension in metric.get("Dimensions") or ():
        name, value = str(dimension.get("Name")), str(dimension.get("Value"))
        if name not in known:
            continue
        if value.startswith("arn:"):
            yield value
        else:
            yield arns.build(known[name], value, **place)
