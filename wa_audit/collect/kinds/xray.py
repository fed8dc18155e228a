"""AWS X-Ray: what keeps traces safe, which requests are traced, and what is looked at together."""

from wa_audit.collect.kinds import Call, Kind

_GONE = ("ResourceNotFoundException",)


def _tags(arn: str) -> Call:
    return Call(
        operation="ListTagsForResource", args={"ResourceARN": arn}, take="Tags", into="Tags", gone=_GONE
    )


KINDS = (
    Kind(
        # AWS Config's name: https://docs.aws.amazon.com/config/latest/developerguide/resource-config-reference.html
        "AWS::XRay::EncryptionConfig",
        service="xray",
        # Which key encrypts traces; AWS's own where there is none.
        within="AWS::KMS::Key",
        list=Call(
            operation="GetEncryptionConfig",
            take="[EncryptionConfig]",
            keep="KeyId Status Type",
        ),
        name="'encryption-config'",
        # A setting of the account has no ARN.
        arn="arn:{partition}:xray:{region}:{account}:encryption-config",
    ),
    Kind(
        "AWS::XRay::Group",
        service="xray",
        list=Call(
            operation="GetGroups",
            take="Groups",
            keep="GroupName GroupARN FilterExpression InsightsConfiguration",
        ),
        name="GroupName",
        arn="{GroupARN}",
        details=(_tags("GroupARN"),),
        # A filter may name any annotation, and its value.
        scrub=("FilterExpression",),
    ),
    Kind(
        "AWS::XRay::SamplingRule",
        service="xray",
        # Without the attributes that a request must have, which are the user's own text.
        list=Call(
            operation="GetSamplingRules",
            take="SamplingRuleRecords[].SamplingRule",
            keep="RuleName RuleARN ResourceARN Priority FixedRate ReservoirSize ServiceName ServiceType Host "
            "HTTPMethod URLPath Version",
        ),
        name="RuleName",
        arn="{RuleARN}",
        details=(_tags("RuleARN"),),
        scrub=("URLPath",),
    ),
)
