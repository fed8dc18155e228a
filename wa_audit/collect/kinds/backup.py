"""AWS Backup."""

from wa_audit.collect.kinds import Call, Kind

_GONE = ("ResourceNotFoundException",)

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
    Kind(
        "AWS::Backup::BackupPlan",
        service="backup",
        list=Call(
            operation="ListBackupPlans",
            params={"MaxResults": 1000},
            take="BackupPlansList",
            keep="BackupPlanArn BackupPlanId BackupPlanName CreationDate LastExecutionDate",
        ),
        name="BackupPlanName",
        arn="{BackupPlanArn}",
        details=(
            Call(
                operation="GetBackupPlan",
                args={"BackupPlanId": "BackupPlanId"},
                take="BackupPlan.Rules[].{RuleName: RuleName, TargetBackupVaultName: TargetBackupVaultName,"
                " ScheduleExpression: ScheduleExpression, Lifecycle: Lifecycle, CopyActions: CopyActions,"
                " EnableContinuousBackup: EnableContinuousBackup}",
                into="Rules",
                gone=_GONE,
            ),
            Call(
                operation="ListTags",
                args={"ResourceArn": "BackupPlanArn"},
                params={"MaxResults": 1000},
                take="Tags",
                into="Tags",
                gone=_GONE,
                optional=True,
                token="NextToken",
                next="NextToken",
            ),
        ),
    ),
    Kind(
        "AWS::Backup::BackupVault",
        service="backup",
        list=Call(
            operation="ListBackupVaults",
            params={"MaxResults": 1000},
            take="BackupVaultList",
            keep="BackupVaultArn BackupVaultName CreationDate EncryptionKeyArn NumberOfRecoveryPoints Locked "
            "MinRetentionDays MaxRetentionDays",
        ),
        name="BackupVaultName",
        arn="{BackupVaultArn}",
    ),
)
