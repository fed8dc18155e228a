"""Amazon EventBridge Scheduler."""

from wa_audit.collect.kinds import Call, Kind

_GONE = ("ResourceNotFoundException",)

KINDS = (
    Kind(
        "AWS::Scheduler::Schedule",
        service="scheduler",
        list=Call(
            operation="ListSchedules",
            params={"MaxResults": 100},
            take="Schedules",
            keep="Name Arn GroupName State CreationDate",
        ),
        arn="{Arn}",
        details=(
            # Input and what goes into the target's own parameters are the user's text and are not kept.
            Call(
                operation="GetSchedule",
                args={"Name": "Name", "GroupName": "GroupName"},
                take="{ScheduleExpression: ScheduleExpression,"
                " ScheduleExpressionTimezone: ScheduleExpressionTimezone, StartDate: StartDate,"
                " EndDate: EndDate, KmsKeyArn: KmsKeyArn, FlexibleTimeWindow: FlexibleTimeWindow,"
                " Target: Target.{Arn: Arn, RoleArn: RoleArn, DeadLetterConfig: DeadLetterConfig,"
                " RetryPolicy: RetryPolicy,"
                " EcsParameters: EcsParameters.{TaskDefinitionArn: TaskDefinitionArn,"
                " LaunchType: LaunchType}}}",
                keep="ScheduleExpression ScheduleExpressionTimezone StartDate EndDate KmsKeyArn "
                "FlexibleTimeWindow Target",
                gone=_GONE,
            ),
        ),
    ),
    Kind(
        "AWS::Scheduler::ScheduleGroup",
        service="scheduler",
        list=Call(
            operation="ListScheduleGroups",
            params={"MaxResults": 100},
            take="ScheduleGroups",
            keep="Name Arn State CreationDate",
        ),
        arn="{Arn}",
        details=(
            # Groups bear the tags; schedules have none of their own.
            Call(
                operation="ListTagsForResource",
                args={"ResourceArn": "Arn"},
                take="Tags",
                into="Tags",
                gone=_GONE,
                optional=True,
            ),
        ),
    ),
)
