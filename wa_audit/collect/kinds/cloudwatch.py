"""Amazon CloudWatch alarms and dashboards."""

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
        within="AWS::CloudWatch::Alarm",
        list=Call(
            operation="DescribeAlarms",
            params={"AlarmTypes": ["CompositeAlarm"], "MaxRecords": 100},
            take="CompositeAlarms",
            keep=_ACTIONS + "AlarmRule ActionsSuppressor",
        ),
        name="AlarmName",
        arn="{AlarmArn}",
    ),
    Kind(
        "AWS::CloudWatch::Dashboard",
        service="cloudwatch",
        list=Call(
            operation="ListDashboards",
            take="DashboardEntries",
            keep="DashboardName DashboardArn LastModified",
        ),
        name="DashboardName",
        arn="{DashboardArn}",
        details=(
            Call(
                operation="GetDashboard",
                args={"DashboardName": "DashboardName"},
                take="DashboardBody",
                into="DashboardBody",
                gone=("ResourceNotFound", "DashboardNotFoundError"),
            ),
        ),
        decode=("DashboardBody",),
        # What is shown, but no text: a metric is a row that begins with its namespace, or an expression.
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
        project={
            "DashboardBody": "{Namespaces: widgets[].properties.metrics[][0] | [?type(@) == 'string'],"
            " Expressions: widgets[].properties.metrics[][].expression,"
            " Alarms: widgets[].properties.alarms[]}",
        },
    ),
)
