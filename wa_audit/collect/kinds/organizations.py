"""AWS Organizations."""

from wa_audit.collect.kinds import Call, Kind

KINDS = (
    Kind(
        "AWS::Organizations::Organization",
        service="organizations",
        scope="global",
        # The management account's address is not kept.
        list=Call(
            operation="DescribeOrganization",
            take="[Organization]",
            keep="Id Arn FeatureSet MasterAccountId",
            gone=("AWSOrganizationsNotInUseException",),
        ),
        name="Id",
        arn="{Arn}",
    ),
)
