"""Amazon EventBridge."""

from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.kinds.aids import tags

_GONE = ("ResourceNotFoundException",)

KINDS = (
    Kind(
        "AWS::Events::EventBus",
        service="events",
        list=Call(
            operation="ListEventBuses",
            params={"Limit": 100},
            take="EventBuses",
            keep="Name Arn Policy",
            token="NextToken",
            next="NextToken",
        ),
        arn="{Arn}",
        decode=("Policy",),
    ),
    Kind(
        "AWS::Events::Rule",
        service="events",
        parent="AWS::Events::EventBus",
        list=Call(
            operation="ListRules",
            args={"EventBusName": "Name"},
            params={"Limit": 100},
            take="Rules",
            keep="Name Arn EventPattern State ScheduleExpression RoleArn ManagedBy EventBusName",
            gone=_GONE,
        ),
        arn="{Arn}",
        details=(
            # Input, InputTransformer and the HTTP parameters are the user's own text and are not kept.
            Call(
                operation="ListTargetsByRule",
                args={"Rule": "Name", "EventBusName": "EventBusName"},
                params={"Limit": 100},
                take="Targets[].{Id: Id, Arn: Arn, RoleArn: RoleArn, DeadLetterConfig: DeadLetterConfig,"
                " RetryPolicy: RetryPolicy, KinesisParameters: KinesisParameters,"
                " EcsParameters: EcsParameters.{TaskDefinitionArn: TaskDefinitionArn,"
                " LaunchType: LaunchType}}",
                into="Targets",
                gone=_GONE,
            ),
            Call(
                operation="ListTagsForResource",
                args={"ResourceARN": "Arn"},
                take="Tags",
                into="Tags",
                aid=tags("events:rule"),
                gone=_GONE,
                optional=True,
            ),
        ),
        decode=("EventPattern",),
    ),
)
