"""Amazon CloudWatch metrics of the kinds, by resource type.

AWS asks 0.01 USD for every 1,000 of them that are requested, so a row stands here because a rule judges by
it, and a type's rows are read only where a selected rule asks for cloudwatch:GetMetricData. Names and
dimensions: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
"""

from collections.abc import Mapping

from wa_audit.aws import buckets
from wa_audit.collect.kinds import Metric

_HOUR, _DAY = 3600, 86_400


def _rows(namespace: str, dimensions: Mapping[str, str], **stats: str) -> tuple[Metric, ...]:
    """Rows by the day, of metrics that share namespace and dimensions: statistic → metrics, by blanks."""
    return tuple(
        Metric(name, namespace, dimensions, stat) for stat, names in stats.items() for name in names.split()
    )


def _bucket(metric: str, *storage: str) -> tuple[Metric, ...]:
    """Sizes by storage class, which S3 reports once a day: `BucketSizeBytes.StandardStorage`."""
    return tuple(
        Metric(
            metric,
            "AWS/S3",
            {"BucketName": "Name", "StorageType": f"'{name}'"},
            stat="Average",
            key=f"{metric}.{name}",
        )
        for name in storage
    )


def _delivery(destination: str, *described: str) -> tuple[Metric, ...]:
    """How well a Firehose stream delivers, read where it has such a destination."""
    when = " || ".join(f"Destinations[0].{name}DestinationDescription" for name in described)
    dimensions = {"DeliveryStreamName": "DeliveryStreamName"}
    return tuple(
        Metric(f"DeliveryTo{destination}.{name}", "AWS/Firehose", dimensions, stat, when=when)
        for name, stat in (("Success", "Average"), ("DataFreshness", "Maximum"))
    )


def _usage(metric: str, stat: str, *, period: int, hours: int) -> Metric:
    """What AWS counts against a quota that says that this metric measures it."""
    return Metric(
        metric,
        "AWS/Usage",
        {name: f"UsageMetric.MetricDimensions.{name}" for name in ("Class", "Resource", "Service", "Type")},
        stat,
        period=period,
        hours=hours,
        when=f"UsageMetric.MetricNamespace == 'AWS/Usage' && UsageMetric.MetricName == '{metric}'",
    )


_BROKER = {"Cluster Name": "ClusterName", "Broker ID": "number"}
_BROKERS = "Provisioned.NumberOfBrokerNodes"

METRICS: Mapping[str, tuple[Metric, ...]] = {
    "AWS::DynamoDB::Table": _rows(
        "AWS/DynamoDB",
        {"TableName": "TableName"},
        Sum="ConsumedReadCapacityUnits ConsumedWriteCapacityUnits ReadThrottleEvents WriteThrottleEvents",
    ),
    "AWS::ECS::Cluster": _rows("AWS/ECS", {"ClusterName": "name"}, Average="CPUReservation"),
    "AWS::EC2::Instance": _rows("AWS/EC2", {"InstanceId": "InstanceId"}, Average="CPUUtilization"),
    "AWS::EC2::NatGateway": _rows(
        "AWS/NATGateway", {"NatGatewayId": "NatGatewayId"}, Sum="BytesOutToDestination"
    ),
    "AWS::EMR::Cluster": _rows("AWS/ElasticMapReduce", {"JobFlowId": "Id"}, Average="IsIdle"),
    "AWS::Kinesis::Stream": (
        *_rows(
            "AWS/Kinesis",
            {"StreamName": "StreamName"},
            Sum="IncomingRecords IncomingBytes GetRecords.Records WriteProvisionedThroughputExceeded "
            "ReadProvisionedThroughputExceeded",
            Maximum="GetRecords.IteratorAgeMilliseconds",
        ),
        # By the hour: how much of the time nothing comes.
        Metric(
            "IncomingRecords",
            "AWS/Kinesis",
            {"StreamName": "StreamName"},
            period=_HOUR,
            key="IncomingRecords.Hourly",
        ),
        # By five minutes, which CloudWatch keeps for as long as anybody may ask for: the peaks.
        *(
            Metric(name, "AWS/Kinesis", {"StreamName": "StreamName"}, period=300, key=f"{name}.FiveMinutes")
            for name in ("IncomingBytes", "IncomingRecords")
        ),
    ),
    "AWS::KinesisFirehose::DeliveryStream": (
        *_rows(
            "AWS/Firehose",
            {"DeliveryStreamName": "DeliveryStreamName"},
            Sum="IncomingBytes IncomingRecords ThrottledRecords",
        ),
        *_delivery("S3", "ExtendedS3", "S3"),
        *_delivery("Redshift", "Redshift"),
        *_delivery("AmazonOpenSearchService", "Amazonopensearchservice"),
        *_delivery("AmazonOpenSearchServerless", "AmazonOpenSearchServerless"),
        *_delivery("Splunk", "Splunk"),
        *_delivery("HttpEndpoint", "HttpEndpoint"),
        *_delivery("Snowflake", "Snowflake"),
        *_delivery("Iceberg", "Iceberg"),
    ),
    "AWS::Lambda::AccountSettings": _rows("AWS/Lambda", {}, Maximum="ConcurrentExecutions"),
    "AWS::Lambda::Function": _rows(
        "AWS/Lambda",
        {"FunctionName": "FunctionName"},
        Sum="Invocations Errors Throttles AsyncEventsReceived DeadLetterErrors DestinationDeliveryFailures",
        Average="Duration",
        Maximum="IteratorAge",
    ),
    "AWS::MSK::Cluster": tuple(
        Metric(name, "AWS/Kafka", _BROKER, stat, each=_BROKERS)
        for name, stat in (
            ("BytesInPerSec", "Average"),
            ("CpuUser", "Average"),
            ("CpuSystem", "Average"),
            ("KafkaDataLogsDiskUsed", "Maximum"),
        )
    ),
    "AWS::OpenSearchService::Domain": (
        *_rows("AWS/ES", {"DomainName": "DomainName", "ClientId": "account"}, Minimum="FreeStorageSpace"),
        *_rows(
            "AWS/ES",
            {"DomainName": "DomainName", "ClientId": "account"},
            Maximum="ClusterStatus.red",
            Average="CPUUtilization",
        ),
    ),
    "AWS::Redshift::Cluster": _rows(
        "AWS/Redshift",
        {"ClusterIdentifier": "ClusterIdentifier"},
        Maximum="DatabaseConnections PercentageDiskSpaceUsed",
        Average="CPUUtilization",
    ),
    "AWS::S3::Bucket": (
        *_bucket("BucketSizeBytes", *buckets.STORAGE_TYPES),
        *_bucket("NumberOfObjects", "AllStorageTypes"),
    ),
    "AWS::ServiceQuotas::Quota": (
        _usage("ResourceCount", "Maximum", period=_DAY, hours=0),
        # A rate is decided by its busiest minute, and minutes are many: those of the last day.
        _usage("CallCount", "Sum", period=60, hours=24),
    ),
    "AWS::SQS::Queue": (
        # By the hour: what has lain there for a whole day is seen in each of its hours.
        Metric(
            "ApproximateNumberOfMessagesVisible",
            "AWS/SQS",
            {"QueueName": "name"},
            stat="Minimum",
            period=_HOUR,
            hours=24,
        ),
        *_rows("AWS/SQS", {"QueueName": "name"}, Maximum="ApproximateAgeOfOldestMessage"),
    ),
}
