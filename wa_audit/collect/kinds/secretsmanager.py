"""AWS Secrets Manager: what is known about secrets, never what they hold."""

from wa_audit.collect.kinds import Call, Kind

KINDS = (
    Kind(
        "AWS::SecretsManager::Secret",
        service="secretsmanager",
        list=Call(
            operation="ListSecrets",
            params={"MaxResults": 100},
            take="SecretList",
            keep="ARN Name Type KmsKeyId RotationEnabled RotationLambdaARN RotationRules LastRotatedDate "
            "LastChangedDate LastAccessedDate NextRotationDate CreatedDate OwningService PrimaryRegion Tags",
        ),
        arn="{ARN}",
    ),
)
