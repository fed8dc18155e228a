"""Amazon CloudWatch Logs."""

from wa_audit.collect.kinds import Call, Kind

KINDS = (
    Kind(
        "AWS::Logs::LogGroup",
        service="logs",
        list=Call(
            operation="DescribeLogGroups",
            params={"limit": 50},
            take="logGroups",
            keep="logGroupName creationTime retentionInDays kmsKeyId storedBytes logGroupClass",
        ),
        name="logGroupName",
        arn="arn:{partition}:logs:{region}:{account}:log-group:{logGroupName}",
    ),
)
