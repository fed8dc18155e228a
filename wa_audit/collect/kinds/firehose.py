"""Amazon Data Firehose."""

from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.kinds.aids import tags

_GONE = ("ResourceNotFoundException",)
_NAME = {"DeliveryStreamName": "DeliveryStreamName"}

# What of a destination is the user's own text: headers and options may hold a token.
_TEXT = " ".join(
    f"Destinations[].{destination}"
    for destination in (
        "HttpEndpointDestinationDescription.EndpointConfiguration.Name",
        "HttpEndpointDestinationDescription.RequestConfiguration",
        "RedshiftDestinationDescription.CopyCommand",
        "RedshiftDestinationDescription.Username",
        "SnowflakeDestinationDescription.User",
    )
)
# Destinations that have no ARN: a path or a parameter may hold a token, the host is kept.
_ENDPOINTS = (
    "Destinations[].HttpEndpointDestinationDescription.EndpointConfiguration.Url",
    "Destinations[].RedshiftDestinationDescription.ClusterJDBCURL",
    "Destinations[].SplunkDestinationDescription.HECEndpoint",
)

KINDS = (
    Kind(
        "AWS::KinesisFirehose::DeliveryStream",
        service="firehose",
        # Pages by the last name and a flag; botocore has no paginator for it.
        list=Call(
            operation="ListDeliveryStreams",
            params={"Limit": 10000},
            take="DeliveryStreamNames[].{DeliveryStreamName: @}",
            keep="DeliveryStreamName",
            token="ExclusiveStartDeliveryStreamName",
            next="(HasMoreDeliveryStreams && DeliveryStreamNames[-1]) || null",
        ),
        name="DeliveryStreamName",
        arn="arn:{partition}:firehose:{region}:{account}:deliverystream/{DeliveryStreamName}",
        details=(
            Call(
                operation="DescribeDeliveryStream",
                args=_NAME,
                take="DeliveryStreamDescription",
                keep="DeliveryStreamStatus DeliveryStreamType DeliveryStreamEncryptionConfiguration "
                "CreateTimestamp Source Destinations",
                drop=_TEXT,
                gone=_GONE,
            ),
            Call(
                operation="ListTagsForDeliveryStream",
                args=_NAME,
                take="Tags",
                into="Tags",
                gone=_GONE,
                aid=tags("firehose:deliverystream"),
            ),
        ),
        refers=_ENDPOINTS,
        scrub=("Destinations",),
    ),
)
