"""Amazon Kinesis Data Streams."""

from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.kinds.aids import tags

_GONE = ("ResourceNotFoundException",)
_NAME = {"StreamName": "StreamName"}

KINDS = (
    Kind(
        "AWS::Kinesis::Stream",
        service="kinesis",
        list=Call(
            operation="ListStreams",
            params={"Limit": 1000},
            take="StreamNames[].{StreamName: @}",
            keep="StreamName",
        ),
        name="StreamName",
        arn="arn:{partition}:kinesis:{region}:{account}:stream/{StreamName}",
        details=(
            Call(
                operation="DescribeStreamSummary",
                args=_NAME,
                take="StreamDescriptionSummary",
                keep="StreamStatus StreamModeDetails RetentionPeriodHours StreamCreationTimestamp "
                "EncryptionType KeyId OpenShardCount ConsumerCount EnhancedMonitoring",
                gone=_GONE,
            ),
            Call(
                operation="ListTagsForStream",
                args=_NAME,
                take="Tags",
                into="Tags",
                gone=_GONE,
                aid=tags("kinesis:stream"),
            ),
        ),
    ),
    Kind(
        "AWS::Kinesis::StreamConsumer",
        service="kinesis",
        parent="AWS::Kinesis::Stream",
        when="ConsumerCount",
        list=Call(
            operation="ListStreamConsumers",
            args={"StreamARN": "arn"},
            params={"MaxResults": 100},
            take="Consumers",
            keep="ConsumerName ConsumerARN ConsumerStatus ConsumerCreationTimestamp",
            gone=_GONE,
        ),
        name="ConsumerName",
        arn="{ConsumerARN}",
    ),
)
