"""Amazon SQS."""

from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.kinds.aids import tags

_GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_ATTRIBUTES = (
    "VisibilityTimeout MessageRetentionPeriod ReceiveMessageWaitTimeSeconds DelaySeconds MaximumMessageSize "
    "ApproximateNumberOfMessages CreatedTimestamp QueueArn Policy RedrivePolicy RedriveAllowPolicy "
    "FifoQueue SqsManagedSseEnabled KmsMasterKeyId KmsDataKeyReusePeriodSeconds"
)

KINDS = (
    Kind(
        "AWS::SQS::Queue",
        service="sqs",
        # AWS leaves QueueUrls out where there are none.
        list=Call(
            operation="ListQueues",
            params={"MaxResults": 1000},
            take="QueueUrls[].{QueueUrl: @}",
            keep="QueueUrl",
            optional=True,
        ),
        name="QueueUrl",
        arn="arn:{partition}:sqs:{region}:{account}:{name}",
        details=(
            Call(
                operation="GetQueueAttributes",
                args={"QueueUrl": "QueueUrl"},
                params={"AttributeNames": ["All"]},
                take="Attributes",
                keep=_ATTRIBUTES,
                gone=_GONE,
            ),
            Call(
                operation="ListQueueTags",
                args={"QueueUrl": "QueueUrl"},
                take="Tags",
                into="Tags",
                aid=tags("sqs"),
                gone=_GONE,
                optional=True,
            ),
        ),
        decode=(
            "VisibilityTimeout",
            "MessageRetentionPeriod",
            "ReceiveMessageWaitTimeSeconds",
            "DelaySeconds",
            "MaximumMessageSize",
            "ApproximateNumberOfMessages",
            "CreatedTimestamp",
            "Policy",
            "RedrivePolicy",
            "RedriveAllowPolicy",
            "FifoQueue",
            "SqsManagedSseEnabled",
            "KmsDataKeyReusePeriodSeconds",
        ),
    ),
)
