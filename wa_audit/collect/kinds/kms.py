"""AWS KMS."""

from wa_audit.collect.kinds import Call, Kind

_GONE = ("NotFoundException",)
_KEY = {"KeyId": "KeyId"}

KINDS = (
    Kind(
        "AWS::KMS::Key",
        service="kms",
        list=Call(operation="ListKeys", params={"Limit": 1000}, take="Keys", keep="KeyId KeyArn"),
        name="KeyId",
        arn="{KeyArn}",
        details=(
            Call(
                operation="DescribeKey",
                args=_KEY,
                take="KeyMetadata",
                keep="KeyState KeyUsage Origin KeyManager KeySpec MultiRegion MultiRegionConfiguration "
                "CreationDate DeletionDate Enabled",
                gone=_GONE,
            ),
            # AWS refuses this for keys that cannot rotate, so those are not asked.
            Call(
                operation="GetKeyRotationStatus",
                args=_KEY,
                when="KeyManager == 'CUSTOMER' && KeySpec == 'SYMMETRIC_DEFAULT' && Origin == 'AWS_KMS'"
                " && KeyState == 'Enabled'",
                take="{KeyRotationEnabled: KeyRotationEnabled, RotationPeriodInDays: RotationPeriodInDays}",
                into="Rotation",
                gone=_GONE,
            ),
            Call(
                operation="GetKeyPolicy",
                args=_KEY,
                params={"PolicyName": "default"},
                when="KeyManager == 'CUSTOMER'",
                take="Policy",
                into="Policy",
                gone=_GONE,
            ),
            Call(
                operation="ListResourceTags",
                args=_KEY,
                when="KeyManager == 'CUSTOMER'",
                take="Tags",
                into="Tags",
                gone=_GONE,
                optional=True,
            ),
        ),
        decode=("Policy",),
    ),
    Kind(
        "AWS::KMS::Alias",
        service="kms",
        within="AWS::KMS::Key",
        list=Call(
            operation="ListAliases",
            params={"Limit": 100},
            take="Aliases",
            keep="AliasName AliasArn TargetKeyId",
        ),
        name="AliasName",
        arn="{AliasArn}",
    ),
)
