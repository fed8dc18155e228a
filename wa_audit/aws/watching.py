"""What an alarm watches: the resources whose metrics it looks at.

The dimensions are AWS's: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wa_audit.model import Resource

# Namespace → dimension → ARN. A dimension whose value is an ARN stands for itself.
_OF: Mapping[str, Mapping[str, str]] = {
    "AWS/ApiGateway": {},
    "AWS/Athena": {"WorkGroup": "athena:{region}:{account}:workgroup/{value}"},
    "AWS/DynamoDB": {"TableName": "dynamodb:{region}:{account}:table/{value}"},
    "AWS/ElasticMapReduce": {"JobFlowId": "elasticmapreduce:{region}:{account}:cluster/{value}"},
    "AWS/ES": {"DomainName": "es:{region}:{account}:domain/{value}"},
    "AWS/Events": {"RuleName": "events:{region}:{account}:rule/{value}"},
    "AWS/Firehose": {"DeliveryStreamName": "firehose:{region}:{account}:deliverystream/{value}"},
    "AWS/IoT": {"RuleName": "iot:{region}:{account}:rule/{value}"},
    "AWS/Kinesis": {"StreamName": "kinesis:{region}:{account}:stream/{value}"},
    "AWS/Lambda": {"FunctionName": "lambda:{region}:{account}:function:{value}"},
    "AWS/Redshift": {"ClusterIdentifier": "redshift:{region}:{account}:cluster:{value}"},
    "AWS/S3": {"BucketName": "s3:::{value}"},
    "AWS/SNS": {"TopicName": "sns:{region}:{account}:{value}"},
    "AWS/SQS": {"QueueName": "sqs:{region}:{account}:{value}"},
    "AWS/States": {"StateMachineArn": ""},
    "Glue": {"JobName": "glue:{region}:{account}:job/{value}"},
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
    place = {"region": alarm.region, "account": alarm.account}
    seen = set()
    for metric in stats:
        for arn in _arns(metric, partition, place):
            if arn not in seen:
                seen.add(arn)
                yield arn


def _arns(metric: Mapping[str, Any], partition: str, place: Mapping[str, str]) -> Iterator[str]:
    known = _OF.get(str(metric.get("Namespace")), {})
    for dimension in metric.get("Dimensions") or ():
        name, value = str(dimension.get("Name")), str(dimension.get("Value"))
        if name not in known:
            continue
        if value.startswith("arn:"):
            yield value
        elif known[name]:
            yield f"arn:{partition}:" + known[name].format(value=value, **place)
