"""Amazon SNS."""

from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.kinds.aids import tags

_GONE = ("NotFound", "NotFoundException", "ResourceNotFound")

KINDS = (
    Kind(
        "AWS::SNS::Topic",
        service="sns",
        list=Call(operation="ListTopics", take="Topics", keep="TopicArn"),
        name="TopicArn",
        arn="{TopicArn}",
        details=(
            Call(
                operation="GetTopicAttributes",
                args={"TopicArn": "TopicArn"},
                take="Attributes",
                keep="Policy KmsMasterKeyId FifoTopic SubscriptionsConfirmed SubscriptionsPending",
                gone=_GONE,
            ),
            Call(
                operation="ListTagsForResource",
                args={"ResourceArn": "TopicArn"},
                take="Tags",
                into="Tags",
                aid=tags("sns"),
                gone=_GONE,
                optional=True,
            ),
        ),
        decode=("Policy", "FifoTopic", "SubscriptionsConfirmed", "SubscriptionsPending"),
    ),
    Kind(
        "AWS::SNS::Subscription",
        service="sns",
        # Endpoint is an e-mail address or a telephone number for those protocols: only ARNs are kept.
        list=Call(
            operation="ListSubscriptions",
            take="Subscriptions[].{SubscriptionArn: SubscriptionArn, Protocol: Protocol, TopicArn: TopicArn,"
            " Endpoint: (starts_with(Endpoint || '', 'arn:') && Endpoint) || null}",
            keep="SubscriptionArn Protocol TopicArn Endpoint",
        ),
        name="SubscriptionArn",
        # A subscription that awaits confirmation has no ARN of its own yet.
        arn="{SubscriptionArn}",
        details=(
            Call(
                operation="GetSubscriptionAttributes",
                args={"SubscriptionArn": "SubscriptionArn"},
                when="starts_with(SubscriptionArn, 'arn:')",
                take="Attributes",
                keep="RedrivePolicy FilterPolicy FilterPolicyScope RawMessageDelivery PendingConfirmation",
                gone=_GONE,
            ),
        ),
        decode=("RedrivePolicy", "FilterPolicy", "RawMessageDelivery", "PendingConfirmation"),
    ),
)
