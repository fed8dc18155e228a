"""Amazon CloudWatch alarms."""

from wa_audit.collect.kinds import Call, Kind

_ACTIONS = "AlarmName AlarmArn ActionsEnabled AlarmActions OKActions InsufficientDataActions StateValue "

KINDS = (
    Kind(
        "AWS::CloudWatch::Alarm",
        service="cloudwatch",
        list=Call(
            operation="DescribeAlarms",
            params={"AlarmTypes": ["MetricAlarm"], "MaxRecords": 100},
            take="MetricAlarms",
            keep=_ACTIONS + "MetricName Namespace Statistic ExtendedStatistic Dimensions Period "
            "EvaluationPeriods DatapointsToAlarm Threshold ComparisonOperator TreatMissingData Metrics "
            "ThresholdMetricId",
        ),
        name="AlarmName",
        arn="{AlarmArn}",
    ),
    Kind(
        "AWS::CloudWatch::CompositeAlarm",
        service="cloudwatch",
        list=Call(
            operation="DescribeAlarms",
            params={"AlarmTypes": ["CompositeAlarm"], "MaxRecords": 100},
            take="CompositeAlarms",
            keep=_ACTIONS + "AlarmRule ActionsSuppressor",
        ),
        name="AlarmName",
        arn="{AlarmArn}",
    ),
)
