"""AWS Backup."""

from wa_audit.collect.kinds import Call, Kind

KINDS = (
    Kind(
        "AWS::Backup::ProtectedResource",
        service="backup",
        list=Call(
            operation="ListProtectedResources",
            params={"MaxResults": 1000},
            take="Results",
            keep="ResourceArn ResourceType LastBackupTime",
        ),
        name="ResourceArn",
        # A protected resource has no ARN but that of what it protects.
        arn="arn:{partition}:backup:{region}:{account}:protected-resource:{ResourceArn}",
    ),
)
